/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Raw images through the host's page cache: each request is one system call,
 * straight between the image and the caller's buffers.
 */
#include "backend/disk_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "lkvm/iov.h"

#define ZERO_PAGE 4096U

static ssize_t transfer_some(int fd, enum disk_op op, const struct iovec *iov,
			     unsigned int nr, u64 offset)
{
	if (op == DISK_READ)
		return preadv(fd, iov, (int)nr, (off_t)offset);
	return pwritev(fd, iov, (int)nr, (off_t)offset);
}

static void zero_iov(const struct iovec *iov, unsigned int nr)
{
	while (nr--) {
		memset(iov->iov_base, 0, iov->iov_len);
		iov++;
	}
}

/*
 * Has a read, @done bytes of it, come to the end of the file? With O_DIRECT a
 * last partial sector ends in an offset that no further call would take.
 */
static bool is_at_end(const struct disk *disk, u64 offset, ssize_t done)
{
	return !done || (disk->aio && offset % DISK_SECTOR);
}

int disk_raw_transfer(struct disk *disk, const struct disk_request *req)
{
	struct iovec *iov = req->iov;
	unsigned int nr = req->nr_iov;
	u64 offset = req->offset, left = req->len;

	while (left) {
		ssize_t done =
			transfer_some(disk->fd, req->op, iov, nr, offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		if (!done && !disk->end_reads_zero)
			return -EIO; /* someone has truncated the image */
		offset += (u64)done;
		left -= (u64)done;
		if (left)
			iov_drop_front(&iov, &nr, (u64)done);
		if (left && disk->end_reads_zero && req->op == DISK_READ &&
		    is_at_end(disk, offset, done)) {
			zero_iov(iov, nr);
			break;
		}
	}
	return 0;
}

static int flush(const struct disk *disk)
{
	return fdatasync(disk->fd) < 0 ? -errno : 0;
}

/* A hint: an image on a file system that cannot is none the worse. */
static int discard(const struct disk *disk, u64 offset, u64 len)
{
	u64 range[2] = { offset, len };
	int ret;

	if (disk->is_block_device)
		ret = ioctl(disk->fd, BLKDISCARD, range);
	else
		ret = fallocate(disk->fd,
				FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				(off_t)offset, (off_t)len);
	return ret < 0 && errno != EOPNOTSUPP ? -errno : 0;
}

struct disk_request disk_zero_request(u64 offset, u64 len, struct iovec *iov)
{
	/* One page many times: no memory, whatever the length. */
	static _Alignas(ZERO_PAGE) u8 zeroes[ZERO_PAGE];
	struct disk_request req = {
		.op = DISK_WRITE,
		.offset = offset,
		.iov = iov,
	};

	while (req.len < len && req.nr_iov < DISK_ZERO_IOV) {
		u64 left = len - req.len;

		iov[req.nr_iov].iov_base = zeroes;
		iov[req.nr_iov].iov_len = left < ZERO_PAGE ? left : ZERO_PAGE;
		req.len += iov[req.nr_iov++].iov_len;
	}
	return req;
}

static int write_zero_data(struct disk *disk, u64 offset, u64 len)
{
	int err = 0;

	while (len && !err) {
		struct iovec iov[DISK_ZERO_IOV];
		struct disk_request piece = disk_zero_request(offset, len, iov);

		err = disk->ops->execute(disk, &piece);
		offset += piece.len;
		len -= piece.len;
	}
	return err;
}

/* BLKZEROOUT and ZERO_RANGE keep the space allocated; a hole gives it back. */
static int write_zeroes(struct disk *disk, const struct disk_request *req)
{
	u64 range[2] = { req->offset, req->len };
	int mode = req->may_unmap ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE;
	int ret;

	if (disk->is_block_device)
		ret = ioctl(disk->fd, BLKZEROOUT, range);
	else
		ret = fallocate(disk->fd, mode | FALLOC_FL_KEEP_SIZE,
				(off_t)req->offset, (off_t)req->len);
	if (!ret)
		return 0;
	if (errno != EOPNOTSUPP && errno != EINVAL)
		return -errno;
	return write_zero_data(disk, req->offset, req->len);
}

int disk_raw_change(struct disk *disk, const struct disk_request *req)
{
	if (req->op == DISK_FLUSH)
		return flush(disk);
	if (!req->len)
		return 0;
	if (req->op == DISK_DISCARD)
		return discard(disk, req->offset, req->len);
	return write_zeroes(disk, req);
}

static int raw_execute(struct disk *disk, const struct disk_request *req)
{
	if (req->op == DISK_READ || req->op == DISK_WRITE)
		return disk_raw_transfer(disk, req);
	return disk_raw_change(disk, req);
}

static void raw_submit(struct disk_queue *queue, struct disk_request *req)
{
	req->done(req, raw_execute(queue->disk, req));
}

static void raw_nothing(struct disk_queue *queue)
{
}

static void raw_release(struct disk *disk)
{
}

const struct disk_ops disk_raw_ops = {
	.submit = raw_submit,
	.commit = raw_nothing,
	.poll = raw_nothing,
	.drain = raw_nothing,
	.execute = raw_execute,
	.release = raw_release,
};
