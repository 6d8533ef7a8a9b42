/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading: from data clusters, from the backing file, zeroes, and compressed
 * clusters, of which the last one unpacked is kept, since readers go on where
 * they were.
 */
#include "backend/disk_qcow2_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lkvm/codec.h"
#include "lkvm/iov.h"

#define SECTOR_SHIFT 9

/* ---- Pieces of a request ---- */

void qcow2_piece_cut(struct iovec *iov, u64 len, struct qcow2_piece *out)
{
	unsigned int i = 0;

	for (; len > iov[i].iov_len; i++)
		len -= iov[i].iov_len;
	*out = (struct qcow2_piece){
		.iov = iov,
		.nr = i + 1,
		.rest = { .iov_base = (u8 *)iov[i].iov_base + len,
			  .iov_len = iov[i].iov_len - len },
	};
	iov[i].iov_len = len;
}

void qcow2_piece_next(const struct qcow2_piece *piece, struct iovec **iov,
		      unsigned int *nr)
{
	unsigned int whole = piece->nr - 1;

	*iov = piece->iov + whole;
	*nr -= whole;
	**iov = piece->rest;
}

static void zero_iov(const struct iovec *iov, unsigned int nr)
{
	while (nr--) {
		memset(iov->iov_base, 0, iov->iov_len);
		iov++;
	}
}

/* ---- Compressed clusters ---- */

/* The descriptor: offset in the low bits, then sectors beyond the first. */
static u64 packed_offset(const struct qcow2 *q, u64 entry, u64 *sectors)
{
	unsigned int bits = 62 - (q->header.cluster_bits - 8);

	*sectors = ((entry & (QCOW2_COMPRESSED - 1)) >> bits) + 1;
	return entry & (BIT64(bits) - 1);
}

void qcow2_compressed_clusters(const struct qcow2 *q, u64 entry, u64 *first,
			       u64 *last)
{
	u64 sectors, offset = packed_offset(q, entry, &sectors);
	u64 end = align_down(offset, DISK_SECTOR) + (sectors << SECTOR_SHIFT);

	*first = qcow2_cluster(q, offset);
	*last = qcow2_cluster(q, end - 1);
}

static int allocate_inflate_buffers(struct qcow2 *q)
{
	/* The descriptor has room for twice a cluster, and a sector. */
	if (!q->packed)
		q->packed = malloc(2 * q->cluster_len + DISK_SECTOR);
	if (!q->unpacked)
		q->unpacked = malloc(q->cluster_len);
	return q->packed && q->unpacked ? 0 : -ENOMEM;
}

/* Put the data of @entry into q->unpacked; q->inflate_lock held. */
static int unpack_locked(struct qcow2 *q, u64 entry)
{
	u64 sectors, offset = packed_offset(q, entry, &sectors);
	u64 len = (sectors << SECTOR_SHIFT) - offset % DISK_SECTOR;
	int err;

	if (q->unpacked_entry == entry)
		return 0;
	if (!q->inflate) {
		log_guest_error(&q->corrupt_logged,
				"disk: a compressed qcow2 cluster, and no zlib "
				"(libz.so.1) to unpack it");
		return -EIO;
	}
	err = allocate_inflate_buffers(q);
	if (err)
		return err;
	q->unpacked_entry = 0;
	err = qcow2_file_read(q, offset, q->packed, len);
	if (!err && codec_inflate_run(q->inflate, q->packed, len, q->unpacked,
				      q->cluster_len))
		err = qcow2_corrupt(q, "a compressed cluster");
	if (!err)
		q->unpacked_entry = entry;
	return err;
}

static int read_compressed(struct qcow2 *q, u64 entry, u64 from,
			   const struct iovec *iov, unsigned int nr, u64 len)
{
	int err;

	pthread_mutex_lock(&q->inflate_lock);
	err = unpack_locked(q, entry);
	if (!err)
		iov_from_buf(iov, nr, 0, q->unpacked + from, len);
	pthread_mutex_unlock(&q->inflate_lock);
	return err;
}

/* ---- The rest ---- */

static int execute_read(struct disk *disk, u64 offset, struct iovec *iov,
			unsigned int nr, u64 len)
{
	const struct disk_request req = {
		.op = DISK_READ,
		.offset = offset,
		.len = len,
		.iov = iov,
		.nr_iov = nr,
	};

	return disk->ops->execute(disk, &req);
}

/* A backing file may be shorter: zeroes behind its end. */
static int read_backing(struct qcow2 *q, u64 offset, struct iovec *iov,
			unsigned int nr, u64 len)
{
	struct qcow2_piece piece;
	u64 there = 0;
	int err;

	if (!q->backing) {
		zero_iov(iov, nr);
		return 0;
	}
	if (offset < q->backing->info.len)
		there = q->backing->info.len - offset;
	if (there >= len)
		return execute_read(q->backing, offset, iov, nr, len);
	if (there) {
		qcow2_piece_cut(iov, there, &piece);
		err = execute_read(q->backing, offset, piece.iov, piece.nr,
				   there);
		if (err)
			return err;
		qcow2_piece_next(&piece, &iov, &nr);
	}
	zero_iov(iov, nr);
	return 0;
}

int qcow2_read_extent(struct qcow2 *q, const struct qcow2_extent *extent,
		      u64 cluster, u64 offset, struct iovec *iov,
		      unsigned int nr, u64 len)
{
	u64 in_extent = offset - (cluster << q->header.cluster_bits);

	switch (extent->kind) {
	case QCOW2_KIND_DATA:
		return execute_read(q->file, extent->host + in_extent, iov, nr,
				    len);
	case QCOW2_KIND_COMPRESSED:
		return read_compressed(q, extent->entry, in_extent, iov, nr,
				       len);
	case QCOW2_KIND_NONE:
		return read_backing(q, offset, iov, nr, len);
	default:
		zero_iov(iov, nr);
		return 0;
	}
}

int qcow2_read(struct qcow2 *q, const struct disk_request *req)
{
	struct iovec *iov = req->iov;
	unsigned int nr = req->nr_iov;
	u64 offset = req->offset, end = offset + req->len;

	while (offset < end) {
		u64 cluster = qcow2_cluster(q, offset), stop;
		struct qcow2_extent extent;
		struct qcow2_piece piece;
		int err;

		pthread_mutex_lock(&q->lock);
		err = qcow2_map(q, cluster,
				qcow2_cluster(q, end - 1) - cluster + 1,
				&extent);
		pthread_mutex_unlock(&q->lock);
		if (err)
			return err;
		stop = (cluster + extent.count) << q->header.cluster_bits;
		if (stop > end)
			stop = end;
		qcow2_piece_cut(iov, stop - offset, &piece);
		err = qcow2_read_extent(q, &extent, cluster, offset, piece.iov,
					piece.nr, stop - offset);
		if (err)
			return err;
		qcow2_piece_next(&piece, &iov, &nr);
		offset = stop;
	}
	return 0;
}
