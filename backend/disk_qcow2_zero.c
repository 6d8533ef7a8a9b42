/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Discard and zeroes. Whole clusters are unmapped, or mapped as zeroes, and what
 * they were in is given back with the next flush; parts of clusters are
 * written.
 */
#include "backend/disk_qcow2_priv.h"

#include <errno.h>

static int write_zero_data(struct qcow2 *q, u64 offset, u64 len)
{
	int err = 0;

	while (len && !err) {
		struct iovec iov[DISK_ZERO_IOV];
		struct disk_request piece = disk_zero_request(offset, len, iov);

		err = qcow2_write(q, &piece);
		offset += piece.len;
		len -= piece.len;
	}
	return err;
}

/* Part of one cluster. */
static int zero_part(struct qcow2 *q, u64 offset, u64 len)
{
	struct qcow2_extent old;
	int err = qcow2_map(q, qcow2_cluster(q, offset), 1, &old);

	if (err || !len || old.kind == QCOW2_KIND_ZERO ||
	    (old.kind == QCOW2_KIND_NONE && !q->backing))
		return err;
	return write_zero_data(q, offset, len);
}

/* The entry that lets @old read as zeroes; false: data has to be written. */
static bool zero_entry(const struct qcow2 *q, const struct qcow2_extent *old,
		       bool may_unmap, u64 *entry, u64 *step)
{
	bool v3 = q->header.version >= 3;

	*step = 0;
	*entry = QCOW2_ZERO;
	if (!may_unmap && old->in_place) {
		*entry |= old->host | QCOW2_COPIED;
		*step = q->cluster_len;
		return v3;
	}
	if (!q->backing)
		*entry = 0;
	return v3 || !q->backing;
}

static int zero_extent(struct qcow2 *q, u64 cluster,
		       const struct qcow2_extent *old, bool may_unmap)
{
	bool is_zero = old->kind == QCOW2_KIND_ZERO ||
		       (old->kind == QCOW2_KIND_NONE && !q->backing);
	u64 entry, step;

	if (is_zero && (!old->host || !may_unmap))
		return 0;
	if (zero_entry(q, old, may_unmap, &entry, &step))
		return qcow2_remap(q, cluster, old->count, entry, step);
	return write_zero_data(q, cluster << q->header.cluster_bits,
			       old->count << q->header.cluster_bits);
}

/* Version 2 cannot hide what the backing file has: a hint, not taken. */
static int discard_extent(struct qcow2 *q, u64 cluster,
			  const struct qcow2_extent *old)
{
	u64 entry, step;

	if (old->kind == QCOW2_KIND_NONE ||
	    (old->kind == QCOW2_KIND_ZERO && !old->host))
		return 0;
	if (!zero_entry(q, old, true, &entry, &step))
		return 0;
	return qcow2_remap(q, cluster, old->count, entry, step);
}

/* Guest clusters [@cluster, @end). */
static int change_clusters(struct qcow2 *q, u64 cluster, u64 end, bool zero,
			   bool may_unmap)
{
	while (cluster < end) {
		struct qcow2_extent old;
		int err = qcow2_map(q, cluster, end - cluster, &old);

		if (!err && zero)
			err = zero_extent(q, cluster, &old, may_unmap);
		else if (!err)
			err = discard_extent(q, cluster, &old);
		if (err)
			return err;
		cluster += old.count;
	}
	return 0;
}

int qcow2_discard(struct qcow2 *q, u64 offset, u64 len)
{
	u64 end = offset + len;

	/* The last cluster of the disk may be one in part. */
	if (end == q->header.len)
		end = align_up(end, q->cluster_len);
	return change_clusters(
		q, qcow2_cluster(q, align_up(offset, q->cluster_len)),
		qcow2_cluster(q, end), false, true);
}

int qcow2_write_zeroes(struct qcow2 *q, u64 offset, u64 len, bool may_unmap)
{
	u64 end = offset + len, first, last;
	int err = 0;

	if (end == q->header.len)
		end = align_up(end, q->cluster_len);
	first = align_up(offset, q->cluster_len);
	last = align_down(end, q->cluster_len);
	if (first > last)
		return zero_part(q, offset, len);
	if (offset < first)
		err = zero_part(q, offset, first - offset);
	if (!err)
		err = change_clusters(q, qcow2_cluster(q, first),
				      qcow2_cluster(q, last), true, may_unmap);
	if (!err && last < end)
		err = zero_part(q, last, end - last);
	return err;
}
