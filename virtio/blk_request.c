/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests of the block device (virtio 1.2, 5.2.6): a header that the device
 * reads, data, and a status byte that is the last of what the device writes.
 * How these are cut into descriptors is the driver's choice (2.7.4).
 *
 * Whatever is wrong with a request, it completes with an error status.
 */
#include "virtio/blk_priv.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include "lkvm/iov.h"

/* ---- Completion ---- */

/*
 * Where a request failed we cannot say which bytes were written, and used.len
 * counts from the first one (2.7.8.2): the status byte alone is behind them.
 */
static void finish(struct blk_request *req, u8 status)
{
	u32 data_len = (u32)req->chain.in_len - 1;
	u32 written = req->written;

	if (status != VIRTIO_BLK_S_OK)
		written = 0;
	*(volatile u8 *)req->status = status;
	blk_complete(req, written == data_len ? written + 1 : written);
}

static u8 status_of(int err)
{
	if (!err)
		return VIRTIO_BLK_S_OK;
	return err == -EOPNOTSUPP ? VIRTIO_BLK_S_UNSUPP : VIRTIO_BLK_S_IOERR;
}

/*
 * Is each write stable when it completes (5.2.6.2)? If the driver says so, and
 * for one that did not accept FLUSH and has no way to ask.
 */
static bool is_write_through(const struct blk *blk)
{
	if (!virtio_has_feature(&blk->vdev, VIRTIO_BLK_F_FLUSH))
		return true;
	return virtio_has_feature(&blk->vdev, VIRTIO_BLK_F_CONFIG_WCE) &&
	       !atomic_load_explicit(&blk->writeback, memory_order_relaxed);
}

static void disk_done(struct disk_request *io, int err)
{
	struct blk_request *req = container_of(io, struct blk_request, io);
	bool changed = io->op != DISK_READ && io->op != DISK_FLUSH;

	if (!err && changed && is_write_through(req->queue->blk)) {
		io->op = DISK_FLUSH;
		disk_submit(req->queue->disk, io);
		return;
	}
	finish(req, status_of(err));
}

static void submit(struct blk_request *req, enum disk_op op, u64 offset,
		   u64 len)
{
	req->io.op = op;
	req->io.offset = offset;
	req->io.len = len;
	req->io.done = disk_done;
	disk_submit(req->queue->disk, &req->io);
}

/* ---- Data ---- */

static bool on_disk(const struct blk *blk, u64 sector, u64 nr_sectors)
{
	return range_within(sector, nr_sectors, blk->config.capacity);
}

static void transfer(struct blk_request *req, enum disk_op op, u64 sector,
		     struct iovec *iov, unsigned int nr_iov, u64 len)
{
	if (len % DISK_SECTOR ||
	    !on_disk(req->queue->blk, sector, len / DISK_SECTOR)) {
		finish(req, VIRTIO_BLK_S_IOERR);
		return;
	}
	req->io.iov = iov;
	req->io.nr_iov = nr_iov;
	submit(req, op, sector * DISK_SECTOR, len);
}

static void read_sectors(struct blk_request *req, u64 sector)
{
	const struct virtq_chain *chain = &req->chain;
	unsigned int nr = chain->nr_in;
	struct iovec *iov = chain->iov + chain->nr_out;

	iov_drop_back(iov, &nr, 1); /* the status byte */
	req->written = (u32)chain->in_len - 1;
	transfer(req, DISK_READ, sector, iov, nr, chain->in_len - 1);
}

static void write_sectors(struct blk_request *req, u64 sector)
{
	const struct virtq_chain *chain = &req->chain;
	const size_t header_len = sizeof(struct virtio_blk_outhdr);
	unsigned int nr = chain->nr_out;
	struct iovec *iov = chain->iov;

	if (disk_info(req->queue->blk->disk)->read_only) {
		finish(req, VIRTIO_BLK_S_IOERR);
		return;
	}
	iov_drop_front(&iov, &nr, header_len);
	transfer(req, DISK_WRITE, sector, iov, nr, chain->out_len - header_len);
}

/* ---- Requests without data ---- */

static void get_id(struct blk_request *req)
{
	const char *serial = disk_info(req->queue->blk->disk)->serial;
	const struct virtq_chain *chain = &req->chain;
	u8 id[VIRTIO_BLK_ID_BYTES] = { 0 };
	size_t len = chain->in_len - 1;

	memcpy(id, serial, strnlen(serial, sizeof(id)));
	if (len > sizeof(id))
		len = sizeof(id);
	req->written = (u32)iov_from_buf(chain->iov + chain->nr_out,
					 chain->nr_in, 0, id, len);
	finish(req, VIRTIO_BLK_S_OK);
}

/*
 * One segment a request, as the configuration says. Flags: unmap, which discard
 * must not have (5.2.6.2), and nothing else.
 */
static u8 check_range(const struct blk *blk, enum disk_op op, u64 len,
		      const struct virtio_blk_discard_write_zeroes *range)
{
	bool discard = op == DISK_DISCARD;
	u32 flags = discard ? 0 : VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;
	u64 max = discard ? BLK_MAX_DISCARD_SECTORS : BLK_MAX_ZEROES_SECTORS;

	if (range->flags & ~flags)
		return VIRTIO_BLK_S_UNSUPP;
	if (len != sizeof(*range) || range->num_sectors > max ||
	    !on_disk(blk, range->sector, range->num_sectors))
		return VIRTIO_BLK_S_IOERR;
	return VIRTIO_BLK_S_OK;
}

static void change_range(struct blk_request *req, enum disk_op op,
			 unsigned int feature)
{
	const struct virtq_chain *chain = &req->chain;
	const size_t header_len = sizeof(struct virtio_blk_outhdr);
	struct virtio_blk_discard_write_zeroes range = { 0 };
	u8 status;

	if (!virtio_has_feature(&req->queue->blk->vdev, feature)) {
		finish(req, VIRTIO_BLK_S_UNSUPP);
		return;
	}
	iov_to_buf(chain->iov, chain->nr_out, header_len, &range,
		   sizeof(range));
	status = check_range(req->queue->blk, op, chain->out_len - header_len,
			     &range);
	if (status != VIRTIO_BLK_S_OK) {
		finish(req, status);
		return;
	}
	req->io.may_unmap = range.flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;
	submit(req, op, range.sector * DISK_SECTOR,
	       range.num_sectors * DISK_SECTOR);
}

/* ---- The chain ---- */

/* The last byte of the writable part. */
static u8 *status_byte(const struct virtq_chain *chain)
{
	const struct iovec *iov = chain->iov + chain->nr_out;
	unsigned int nr = chain->nr_in;

	while (nr && !iov[nr - 1].iov_len)
		nr--;
	if (!nr)
		return NULL;
	return (u8 *)iov[nr - 1].iov_base + iov[nr - 1].iov_len - 1;
}

/* --debug-iodelay: a slow disk, to see what the guest makes of it. */
static void delay(const struct blk *blk)
{
	struct timespec time = {
		.tv_sec = (time_t)(blk->delay_ns / 1000000000),
		.tv_nsec = (long)(blk->delay_ns % 1000000000),
	};

	if (blk->delay_ns)
		nanosleep(&time, NULL);
}

void blk_request_start(struct blk_request *req)
{
	const struct virtq_chain *chain = &req->chain;
	struct virtio_blk_outhdr header;

	req->written = 0;
	req->status = status_byte(chain);
	if (!req->status) {
		/* Nothing to answer with: only a reset can tell the driver. */
		virtq_break(req->queue->q, "a request has no status byte");
		blk_complete(req, 0);
		return;
	}
	delay(req->queue->blk);
	if (iov_to_buf(chain->iov, chain->nr_out, 0, &header, sizeof(header)) <
	    sizeof(header)) {
		finish(req, VIRTIO_BLK_S_IOERR);
		return;
	}
	switch (header.type) {
	case VIRTIO_BLK_T_IN:
		read_sectors(req, header.sector);
		break;
	case VIRTIO_BLK_T_OUT:
		write_sectors(req, header.sector);
		break;
	case VIRTIO_BLK_T_FLUSH:
		submit(req, DISK_FLUSH, 0, 0);
		break;
	case VIRTIO_BLK_T_GET_ID:
		get_id(req);
		break;
	case VIRTIO_BLK_T_DISCARD:
		change_range(req, DISK_DISCARD, VIRTIO_BLK_F_DISCARD);
		break;
	case VIRTIO_BLK_T_WRITE_ZEROES:
		change_range(req, DISK_WRITE_ZEROES, VIRTIO_BLK_F_WRITE_ZEROES);
		break;
	default:
		finish(req, VIRTIO_BLK_S_UNSUPP);
	}
}
