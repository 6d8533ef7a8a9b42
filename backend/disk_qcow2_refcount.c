/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which host clusters are in use (the specification: "Host cluster
 * management"): a table in memory, blocks of counts in the cache.
 *
 * A new block counts itself: it takes the first cluster of its own range that
 * somebody asks for, so that no block is needed to allocate a block.
 */
#include "backend/disk_qcow2_priv.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- One count ---- */

/* Counts in a piece of @bytes. */
static u64 counts_in(const struct qcow2 *q, u64 bytes)
{
	return bytes * 8 >> q->header.refcount_order;
}

/* Narrow counts are packed into a byte from its lowest bit on. */
static u64 get_count(const struct qcow2 *q, const u8 *piece, u64 index)
{
	unsigned int order = q->header.refcount_order;
	unsigned int bits = 1U << order;
	u64 value = 0;

	if (order < 3) {
		unsigned int shift = (unsigned int)(index * bits % 8);

		return piece[index * bits / 8] >> shift & (BIT(bits) - 1);
	}
	for (unsigned int i = 0; i < bits / 8; i++)
		value = value << 8 | piece[index * (bits / 8) + i];
	return value;
}

static void set_count(const struct qcow2 *q, u8 *piece, u64 index, u64 value)
{
	unsigned int order = q->header.refcount_order;
	unsigned int bits = 1U << order;

	if (order < 3) {
		unsigned int shift = (unsigned int)(index * bits % 8);
		u8 *byte = &piece[index * bits / 8];
		unsigned int mask = (BIT(bits) - 1) << shift;

		*byte = (u8)((*byte & ~mask) | (unsigned int)value << shift);
		return;
	}
	for (unsigned int i = bits / 8; i-- > 0; value >>= 8)
		piece[index * (bits / 8) + i] = (u8)value;
}

/* ---- Blocks ---- */

/* Clusters that one block counts. */
static u64 block_span(const struct qcow2 *q)
{
	return counts_in(q, q->cluster_len);
}

/* Offset of the block that counts @cluster; 0: there is none. */
static int find_block(struct qcow2 *q, u64 cluster, u64 *offset)
{
	u64 index = cluster / block_span(q);

	*offset = 0;
	if (index >= q->reftable_entries)
		return 0;
	*offset = be64toh(q->reftable[index]);
	if (*offset & (q->cluster_len - 1) || *offset >= q->host_end)
		return qcow2_corrupt(q, "an entry of its refcount table");
	return 0;
}

/*
 * Counts may go to the file at any time: larger ones are but leaks, and smaller
 * ones are made when nothing in the file needs the larger ones.
 */
static int get_piece(struct qcow2 *q, u64 offset, u8 **piece)
{
	int err = qcow2_cache_get(q, &q->refcounts, offset, piece);

	if (err != -EAGAIN)
		return err;
	err = qcow2_cache_write(q, &q->refcounts);
	return err ? err : qcow2_cache_get(q, &q->refcounts, offset, piece);
}

/* Where the count of @cluster is: a piece of a block, and the place in it. */
struct place {
	u8 *piece; /* NULL: no block, the count is 0 */
	u64 index;
	u64 left; /* counts from there to the end of the piece, or of the block */
};

static int find_place(struct qcow2 *q, u64 cluster, struct place *out)
{
	u64 in_block = cluster % block_span(q);
	u64 in_piece = counts_in(q, q->refcounts.slice_len);
	u64 offset;
	int err = find_block(q, cluster, &offset);

	*out = (struct place){ .left = block_span(q) - in_block };
	if (err || !offset)
		return err;
	out->index = in_block % in_piece;
	out->left = in_piece - out->index;
	return get_piece(q,
			 offset + in_block / in_piece * q->refcounts.slice_len,
			 &out->piece);
}

static void touch_reftable(struct qcow2 *q, u32 index)
{
	if (q->reftable_dirty_first == q->reftable_dirty_end) {
		q->reftable_dirty_first = index;
		q->reftable_dirty_end = index + 1;
		return;
	}
	if (index < q->reftable_dirty_first)
		q->reftable_dirty_first = index;
	if (index >= q->reftable_dirty_end)
		q->reftable_dirty_end = index + 1;
}

static void note_allocated(struct qcow2 *q, u64 end_cluster)
{
	u64 end = end_cluster << q->header.cluster_bits;

	if (end > q->host_end)
		q->host_end = end;
}

/* Make @cluster, in whose range there is no block, that block. */
static int create_block(struct qcow2 *q, u64 cluster)
{
	u32 index = (u32)(cluster / block_span(q));
	u64 offset = cluster << q->header.cluster_bits;
	struct place place;
	int err;

	/* What was there before is no count. */
	err = qcow2_file_zero(q, offset, q->cluster_len);
	if (err)
		return err;
	note_allocated(q, cluster + 1);
	q->reftable[index] = htobe64(offset);
	err = find_place(q, cluster, &place);
	if (err || !place.piece) {
		q->reftable[index] = 0;
		return err ? err : -EIO;
	}
	set_count(q, place.piece, place.index, 1);
	qcow2_cache_dirty(&q->refcounts, place.piece);
	touch_reftable(q, index);
	return 0;
}

/* ---- Finding free clusters ---- */

/* As far as the format, the table's limit and L2 entries reach. */
static u64 max_clusters(const struct qcow2 *q)
{
	u64 spans = QCOW2_MAX_REFTABLE_LEN / sizeof(u64);
	u64 max = QCOW2_MAX_FILE_LEN >> q->header.cluster_bits;

	return max / block_span(q) < spans ? max : spans * block_span(q);
}

/* The first free cluster from @cluster on, whether or not it has a block. */
static int find_free(struct qcow2 *q, u64 cluster, u64 *out)
{
	while (cluster < max_clusters(q)) {
		struct place place;
		u64 i;
		int err = find_place(q, cluster, &place);

		if (err)
			return err;
		for (i = 0; place.piece && i < place.left; i++)
			if (!get_count(q, place.piece, place.index + i))
				break;
		if (!place.piece || i < place.left) {
			*out = cluster + i;
			return 0;
		}
		cluster += place.left;
	}
	return -ENOSPC;
}

/* Free clusters from @first on, which is free, up to @want; 0: no block yet. */
static int count_free(struct qcow2 *q, u64 first, u64 want, u64 *count)
{
	for (*count = 0; *count < want;) {
		struct place place;
		u64 i;
		int err = find_place(q, first + *count, &place);

		if (err || !place.piece)
			return err;
		for (i = 0; i < place.left && *count < want; i++) {
			if (get_count(q, place.piece, place.index + i))
				return 0;
			++*count;
		}
	}
	return 0;
}

static int grow_reftable(struct qcow2 *q, u64 cluster);

/*
 * Find @want free clusters side by side, or fewer, all of them with blocks.
 * Blocks that are made on the way take the place of free clusters.
 */
static int find_run(struct qcow2 *q, u64 want, bool fewer, u64 *first,
		    u64 *count)
{
	u64 at = q->next_free;
	int err;

	for (;;) {
		err = find_free(q, at, first);
		if (!err)
			err = count_free(q, *first, want, count);
		if (err || *count == want || (*count && fewer))
			return err;
		at = *first + *count;
		if (at >= max_clusters(q))
			return -ENOSPC;
		if (at / block_span(q) >= q->reftable_entries)
			err = grow_reftable(q, at);
		else if (!q->reftable[at / block_span(q)])
			err = create_block(q, at);
		else
			continue; /* a used one: behind it */
		if (err)
			return err;
	}
}

static int change_counts(struct qcow2 *q, u64 first, u64 count, u64 value)
{
	while (count) {
		struct place place;
		u64 i;
		int err = find_place(q, first, &place);

		if (!err && !place.piece)
			err = qcow2_corrupt(q, "a refcount block is missing");
		if (err)
			return err;
		for (i = 0; i < place.left && i < count; i++)
			set_count(q, place.piece, place.index + i, value);
		qcow2_cache_dirty(&q->refcounts, place.piece);
		first += i;
		count -= i;
	}
	return 0;
}

int qcow2_alloc(struct qcow2 *q, u64 want, bool fewer, u64 *first, u64 *count)
{
	int err = find_run(q, want, fewer, first, count);

	if (!err)
		err = change_counts(q, *first, *count, 1);
	if (err)
		return err;
	/* Only if nothing was skipped are all below in use. */
	if (fewer || want == 1)
		q->next_free = *first + *count;
	note_allocated(q, *first + *count);
	return 0;
}

/* ---- A larger table ---- */

static int write_reftable(struct qcow2 *q, u64 offset, u32 clusters)
{
	struct {
		u64 offset;
		u32 clusters;
	} __attribute__((packed))
	fields = { htobe64(offset), htobe32(clusters) };
	int err;

	err = qcow2_cache_write(q, &q->refcounts);
	if (!err)
		err = qcow2_file_write(q, offset, q->reftable,
				       q->reftable_entries * sizeof(u64));
	if (!err)
		err = qcow2_file_sync(q);
	if (!err)
		err = qcow2_file_write(q, QCOW2_REFTABLE_AT, &fields,
				       sizeof(fields));
	return err ? err : qcow2_file_sync(q);
}

/* A table with room for @bytes; in memory only, so far. */
static int enlarge(struct qcow2 *q, u64 bytes)
{
	u64 *table = realloc(q->reftable, bytes);

	if (!table)
		return -ENOMEM;
	memset(table + q->reftable_entries, 0,
	       bytes - q->reftable_entries * sizeof(u64));
	q->reftable = table;
	q->reftable_entries = (u32)(bytes / sizeof(u64));
	return 0;
}

/*
 * Let the table reach beyond @cluster. The new one is written and stable before
 * the header points to it. If that fails half way, memory and file disagree
 * about the table: no more changes.
 */
static int grow_reftable(struct qcow2 *q, u64 cluster)
{
	u64 old_offset = q->header.reftable_offset;
	u32 old_clusters = q->header.reftable_clusters;
	u64 bytes = (cluster / block_span(q) + 1) * sizeof(u64);
	u64 first, count;
	u32 clusters;
	int err;

	bytes = align_up(bytes + bytes / 2, q->cluster_len);
	if (bytes > QCOW2_MAX_REFTABLE_LEN)
		bytes = QCOW2_MAX_REFTABLE_LEN;
	clusters = qcow2_reftable_clusters_len(q, bytes);
	err = enlarge(q, bytes);
	if (err)
		return err;
	err = qcow2_alloc(q, clusters, false, &first, &count);
	if (!err)
		err = write_reftable(q, first << q->header.cluster_bits,
				     clusters);
	if (err) {
		q->failed = true;
		return err;
	}
	q->header.reftable_offset = first << q->header.cluster_bits;
	q->header.reftable_clusters = clusters;
	q->reftable_dirty_first = q->reftable_dirty_end = 0;
	return qcow2_unref(q, old_offset >> q->header.cluster_bits,
			   old_clusters);
}

/* ---- Giving back ---- */

/* Host clusters [first, first + count) are free: so is their space. */
static void punch(struct qcow2 *q, u64 first, u64 count)
{
	const struct disk_request hole = {
		.op = DISK_DISCARD,
		.offset = first << q->header.cluster_bits,
		.len = count << q->header.cluster_bits,
	};

	if (count && range_within(hole.offset, hole.len,
				  align_up(q->file_len, q->cluster_len)))
		q->file->ops->execute(q->file, &hole); /* a hint */
}

static int unref_one(struct qcow2 *q, u64 cluster, bool *is_free)
{
	struct place place;
	u64 value;
	int err = find_place(q, cluster, &place);

	*is_free = false;
	if (err)
		return err;
	value = place.piece ? get_count(q, place.piece, place.index) : 0;
	if (!value)
		return qcow2_corrupt(q, "a cluster in use has refcount 0");
	set_count(q, place.piece, place.index, value - 1);
	qcow2_cache_dirty(&q->refcounts, place.piece);
	*is_free = value == 1;
	return 0;
}

int qcow2_unref(struct qcow2 *q, u64 first, u64 count)
{
	u64 free_from = first;

	for (u64 at = first; at < first + count; at++) {
		bool is_free;
		int err = unref_one(q, at, &is_free);

		if (is_free && at && at < q->next_free)
			q->next_free = at;
		if (!is_free) {
			punch(q, free_from, at - free_from);
			free_from = at + 1;
		}
		if (err)
			return err;
	}
	punch(q, free_from, first + count - free_from);
	return 0;
}

void qcow2_unref_later(struct qcow2 *q, u64 first, u64 count)
{
	struct qcow2_range *last = q->nr_dead ? &q->dead[q->nr_dead - 1] : NULL;

	if (last && last->first + last->count == first) {
		last->count += count;
		return;
	}
	/* No room, and the file cannot be written: what dies now leaks. */
	if (q->nr_dead == QCOW2_MAX_DEAD && qcow2_flush_tables(q))
		return;
	q->dead[q->nr_dead++] =
		(struct qcow2_range){ .first = first, .count = count };
}
