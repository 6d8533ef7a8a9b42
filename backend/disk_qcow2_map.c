/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where guest clusters are (the specification: "Cluster mapping"): the L1 table
 * in memory, L2 tables piece by piece in the cache. Tables that a snapshot
 * shares are copied before they change.
 */
#include "backend/disk_qcow2_priv.h"

#include <endian.h>
#include <errno.h>

/* ---- L2 tables ---- */

static int check_l1_entry(struct qcow2 *q, u64 entry)
{
	u64 offset = entry & QCOW2_OFFSET;

	if (entry & ~(QCOW2_COPIED | QCOW2_OFFSET) ||
	    offset & (q->cluster_len - 1) || offset >= q->host_end ||
	    (entry & QCOW2_COPIED && !offset))
		return qcow2_corrupt(q, "an L1 table entry");
	return 0;
}

static void touch_l1(struct qcow2 *q, u32 index)
{
	if (q->l1_dirty_first == q->l1_dirty_end) {
		q->l1_dirty_first = index;
		q->l1_dirty_end = index + 1;
		return;
	}
	if (index < q->l1_dirty_first)
		q->l1_dirty_first = index;
	if (index >= q->l1_dirty_end)
		q->l1_dirty_end = index + 1;
}

/* A shared table is never dirty, so the file has it as it is. */
static int copy_table(struct qcow2 *q, u64 from, u64 to)
{
	u8 piece[512];
	int err = 0;

	for (u64 at = 0; at < q->cluster_len && !err; at += sizeof(piece)) {
		err = qcow2_file_read(q, from + at, piece, sizeof(piece));
		if (!err)
			err = qcow2_file_write(q, to + at, piece,
					       sizeof(piece));
	}
	return err;
}

/* All zeroes, and no part of it behind the end of the file. */
static int clear_table(struct qcow2 *q, u64 offset)
{
	static const u8 zeroes[DISK_SECTOR];
	u64 last = offset + q->cluster_len - sizeof(zeroes);
	int err = qcow2_file_zero(q, offset, q->cluster_len);

	if (err || last < q->file_len)
		return err;
	return qcow2_file_write(q, last, zeroes, sizeof(zeroes));
}

/* A table of our own for L1 entry @index: empty, or a copy of the shared one. */
static int own_table(struct qcow2 *q, u32 index)
{
	u64 old = be64toh(q->l1[index]) & QCOW2_OFFSET;
	u64 cluster, count, offset;
	int err = qcow2_alloc(q, 1, true, &cluster, &count);

	if (err)
		return err;
	offset = cluster << q->header.cluster_bits;
	if (old)
		err = copy_table(q, old, offset);
	else
		err = clear_table(q, offset);
	if (err) {
		qcow2_unref(q, cluster, 1);
		return err;
	}
	q->l1[index] = htobe64(offset | QCOW2_COPIED);
	touch_l1(q, index);
	if (old)
		qcow2_unref_later(q, qcow2_cluster(q, old), 1);
	return 0;
}

/* The piece of an L2 table with the entry of a guest cluster. */
struct spot {
	u64 *entries; /* NULL: there is no table */
	u8 *piece;
	u64 left;    /* entries to the end of the piece */
	bool shared; /* with a snapshot: nothing may be written in place */
};

static int get_piece(struct qcow2 *q, u64 offset, u8 **piece)
{
	int err = qcow2_cache_get(q, &q->l2, offset, piece);

	if (err != -EAGAIN)
		return err;
	err = qcow2_flush_tables(q);
	return err ? err : qcow2_cache_get(q, &q->l2, offset, piece);
}

static int find_spot(struct qcow2 *q, u64 cluster, bool change,
		     struct spot *out)
{
	u32 l1_index = (u32)(cluster / qcow2_l2_entries(q));
	u64 in_table = cluster % qcow2_l2_entries(q);
	u64 in_piece = q->l2.slice_len / sizeof(u64);
	u64 entry = be64toh(q->l1[l1_index]);
	int err = check_l1_entry(q, entry);

	*out = (struct spot){ .left = in_piece - in_table % in_piece };
	if (!err && change && !(entry & QCOW2_COPIED))
		err = own_table(q, l1_index);
	entry = be64toh(q->l1[l1_index]);
	out->shared = !(entry & QCOW2_COPIED);
	entry &= QCOW2_OFFSET;
	if (err || !entry)
		return err;
	err = get_piece(q, entry + in_table * sizeof(u64), &out->piece);
	if (err)
		return err;
	/* Pieces are aligned to their size. */
	out->entries = (u64 *)(void *)out->piece + in_table % in_piece;
	return 0;
}

/* ---- Entries ---- */

int qcow2_entry_decode(struct qcow2 *q, u64 entry, struct qcow2_extent *out)
{
	u64 offset = entry & QCOW2_OFFSET;
	bool is_zero = entry & QCOW2_ZERO && q->header.version >= 3;
	u64 first, last;

	*out = (struct qcow2_extent){ .count = 1, .entry = entry };
	if (entry & QCOW2_COMPRESSED) {
		out->kind = QCOW2_KIND_COMPRESSED;
		qcow2_compressed_clusters(q, entry, &first, &last);
		if (entry & QCOW2_COPIED || !first ||
		    first >= qcow2_cluster(q, q->host_end))
			return qcow2_corrupt(q, "a compressed L2 table entry");
		return 0;
	}
	if (entry & ~(QCOW2_COPIED | QCOW2_OFFSET |
		      (is_zero ? QCOW2_ZERO : 0)) ||
	    offset & (q->cluster_len - 1) || offset >= q->host_end ||
	    (entry & QCOW2_COPIED && !offset))
		return qcow2_corrupt(q, "an L2 table entry");
	out->host = offset;
	out->in_place = entry & QCOW2_COPIED;
	if (is_zero)
		out->kind = QCOW2_KIND_ZERO;
	else
		out->kind = offset ? QCOW2_KIND_DATA : QCOW2_KIND_NONE;
	return 0;
}

/* Does @next go on where @extent ends, in the guest's eyes and the file's? */
static bool continues(const struct qcow2 *q, const struct qcow2_extent *extent,
		      const struct qcow2_extent *next)
{
	u64 host = extent->host;

	if (host)
		host += extent->count << q->header.cluster_bits;
	return extent->kind != QCOW2_KIND_COMPRESSED &&
	       next->kind == extent->kind && next->host == host &&
	       next->in_place == extent->in_place;
}

int qcow2_map(struct qcow2 *q, u64 cluster, u64 max, struct qcow2_extent *out)
{
	struct spot spot;
	int err = find_spot(q, cluster, false, &spot);

	if (err)
		return err;
	if (max > spot.left)
		max = spot.left;
	*out = (struct qcow2_extent){ .count = max };
	if (!spot.entries)
		return 0;
	err = qcow2_entry_decode(q, be64toh(spot.entries[0]), out);
	while (!err && out->count < max) {
		struct qcow2_extent next;

		/* A bad one is found when its turn comes. */
		if (qcow2_entry_decode(q, be64toh(spot.entries[out->count]),
				       &next) ||
		    !continues(q, out, &next))
			break;
		out->count++;
	}
	if (spot.shared)
		out->in_place = false;
	return err;
}

/* What old entry @entry refers to dies, unless that is @kept. */
static void forget(struct qcow2 *q, u64 entry, u64 kept)
{
	struct qcow2_extent old;
	u64 first, last;

	if (qcow2_entry_decode(q, entry, &old))
		return;
	if (old.kind == QCOW2_KIND_COMPRESSED)
		qcow2_compressed_clusters(q, entry, &first, &last);
	else if (old.host && old.host != (kept & QCOW2_OFFSET))
		first = last = qcow2_cluster(q, old.host);
	else
		return;
	qcow2_unref_later(q, first, last - first + 1);
}

int qcow2_remap(struct qcow2 *q, u64 cluster, u64 count, u64 entry, u64 step)
{
	struct spot spot;

	while (count--) {
		/* Anew each time: to forget may mean to flush. */
		int err = find_spot(q, cluster, true, &spot);
		u64 old;

		if (err)
			return err;
		if (!spot.entries)
			return -EIO; /* own_table() made one */
		old = be64toh(spot.entries[0]);
		spot.entries[0] = htobe64(entry);
		qcow2_cache_dirty(&q->l2, spot.piece);
		forget(q, old, entry);
		cluster++;
		entry += step;
	}
	return 0;
}
