/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writing where the mapping has to change: new clusters are filled completely,
 * with what was there before around the new data, and mapped when they are.
 */
#include "backend/disk_qcow2_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One run of a write: guest clusters of one extent, and where they go. */
struct run {
	u64 cluster; /* first guest cluster */
	u64 count;
	u64 host;	  /* byte offset of the first one's new place */
	u64 offset, stop; /* bytes of the disk that are written */
	struct qcow2_extent old;
};

static int write_data(struct qcow2 *q, u64 offset, struct iovec *iov,
		      unsigned int nr, u64 len)
{
	const struct disk_request req = {
		.op = DISK_WRITE,
		.offset = offset,
		.len = len,
		.iov = iov,
		.nr_iov = nr,
	};
	int err = q->file->ops->execute(q->file, &req);

	if (!err && offset + len > q->file_len)
		q->file_len = offset + len;
	return err;
}

/* Does @old read as zeroes, from byte @offset on? */
static bool reads_zero(const struct qcow2 *q, const struct qcow2_extent *old,
		       u64 offset)
{
	if (old->kind == QCOW2_KIND_ZERO)
		return true;
	return old->kind == QCOW2_KIND_NONE &&
	       (!q->backing || offset >= q->backing->info.len);
}

/* Fill bytes [@from, @to) of the disk in their new place with the old. */
static int copy_old(struct qcow2 *q, const struct run *run, u64 from, u64 to)
{
	u64 host = run->host - (run->cluster << q->header.cluster_bits);
	int err = 0;

	if (reads_zero(q, &run->old, from))
		return qcow2_file_zero(q, host + from, to - from);
	if (!q->buffer)
		q->buffer = aligned_alloc(4096, QCOW2_COPY_LEN);
	if (!q->buffer)
		return -ENOMEM;
	while (from < to && !err) {
		u64 len = to - from < QCOW2_COPY_LEN ? to - from
						     : QCOW2_COPY_LEN;
		struct iovec iov = { q->buffer, len };

		err = qcow2_read_extent(q, &run->old, run->cluster, from, &iov,
					1, len);
		iov = (struct iovec){ q->buffer, len };
		if (!err)
			err = write_data(q, host + from, &iov, 1, len);
		from += len;
	}
	return err;
}

/* What is around the new data in clusters that were not here before. */
static int fill_around(struct qcow2 *q, const struct run *run)
{
	u64 start = run->cluster << q->header.cluster_bits;
	u64 end = start + (run->count << q->header.cluster_bits);
	int err = 0;

	if (run->stop < end)
		err = copy_old(q, run, run->stop, end);
	if (!err && start < run->offset)
		err = copy_old(q, run, start, run->offset);
	return err;
}

/* Clusters for @run, fewer than it has if need be. */
static int find_place(struct qcow2 *q, struct run *run)
{
	u64 first, count;
	int err;

	run->host = run->old.host;
	if (run->old.in_place)
		return 0; /* kept for it */
	err = qcow2_alloc(q, run->count, true, &first, &count);
	if (err)
		return err;
	run->count = count;
	run->host = first << q->header.cluster_bits;
	return 0;
}

static void limit(const struct qcow2 *q, struct run *run, u64 end)
{
	run->stop = (run->cluster + run->count) << q->header.cluster_bits;
	if (run->stop > end)
		run->stop = end;
}

static int write_run(struct qcow2 *q, const struct run *run, struct iovec *iov,
		     unsigned int nr)
{
	bool stays = run->old.kind == QCOW2_KIND_DATA && run->old.in_place;
	u64 start = run->cluster << q->header.cluster_bits;
	int err = stays ? 0 : fill_around(q, run);

	if (!err)
		err = write_data(q, run->host + (run->offset - start), iov, nr,
				 run->stop - run->offset);
	if (err && !run->old.in_place)
		qcow2_unref(q, qcow2_cluster(q, run->host), run->count);
	if (err || stays)
		return err;
	return qcow2_remap(q, run->cluster, run->count,
			   run->host | QCOW2_COPIED, q->cluster_len);
}

int qcow2_write(struct qcow2 *q, const struct disk_request *req)
{
	struct iovec *iov = req->iov;
	unsigned int nr = req->nr_iov;
	u64 offset = req->offset, end = offset + req->len;

	while (offset < end) {
		struct run run = { .cluster = qcow2_cluster(q, offset),
				   .offset = offset };
		struct qcow2_piece piece;
		int err;

		err = qcow2_map(q, run.cluster,
				qcow2_cluster(q, end - 1) - run.cluster + 1,
				&run.old);
		run.count = run.old.count;
		if (!err)
			err = find_place(q, &run);
		if (err)
			return err;
		limit(q, &run, end);
		qcow2_piece_cut(iov, run.stop - offset, &piece);
		err = write_run(q, &run, piece.iov, piece.nr);
		if (err)
			return err;
		qcow2_piece_next(&piece, &iov, &nr);
		offset = run.stop;
	}
	return 0;
}
