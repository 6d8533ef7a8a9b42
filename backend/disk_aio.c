/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Raw images past the host's page cache: O_DIRECT, with libaio so that many
 * requests are in flight.
 *
 * O_DIRECT wants offsets, lengths and addresses aligned; a guest's need not be.
 * Requests that are not go through a bounce buffer, piece by piece and one at a
 * time, which is slow and right.
 */
#include "backend/disk_priv.h"

#include <errno.h>
#include <libaio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "lkvm/failure.h"
#include "lkvm/iov.h"

#define AIO_DEPTH 64
#define BOUNCE_LEN (128 * KIB)
/* No device wants more; the bounce buffer has room for one on either side. */
#define MAX_ALIGN (4 * KIB)

struct disk_aio {
	io_context_t ctx;
	size_t align;
	u8 *bounce; /* BOUNCE_LEN bytes, page aligned */
	struct iocb *batch[AIO_DEPTH];
	unsigned int nr_batch;	/* prepared */
	unsigned int in_flight; /* given to the kernel */
};

_Static_assert(sizeof(struct iocb) <=
		       sizeof(((struct disk_request *)NULL)->private),
	       "a request has room for its iocb");

static struct iocb *request_iocb(struct disk_request *req)
{
	return (struct iocb *)(void *)req->private;
}

/* ---- Unaligned requests ---- */

static int bounce_io(struct disk *disk, enum disk_op op, u64 offset, u64 len)
{
	struct iovec iov = { .iov_base = disk->aio->bounce, .iov_len = len };
	const struct disk_request req = {
		.op = op,
		.offset = offset,
		.len = len,
		.iov = &iov,
		.nr_iov = 1,
	};

	return disk_raw_transfer(disk, &req);
}

/*
 * Bytes [@done, @done + @len) of @req by way of the bounce buffer. A write that
 * covers blocks in part reads the rest of them first.
 */
static int bounce_piece(struct disk *disk, const struct disk_request *req,
			u64 done, u64 len)
{
	struct disk_aio *aio = disk->aio;
	u64 offset = req->offset + done;
	u64 start = align_down(offset, aio->align);
	u64 end = align_up(offset + len, aio->align);
	bool whole = start == offset && end == offset + len;
	u8 *data = aio->bounce + (offset - start);
	int err = 0;

	if (req->op == DISK_READ || !whole)
		err = bounce_io(disk, DISK_READ, start, end - start);
	if (err)
		return err;
	if (req->op == DISK_READ) {
		iov_from_buf(req->iov, req->nr_iov, done, data, len);
		return 0;
	}
	iov_to_buf(req->iov, req->nr_iov, done, data, len);
	return bounce_io(disk, DISK_WRITE, start, end - start);
}

static int bounce_transfer(struct disk *disk, const struct disk_request *req)
{
	const u64 max = BOUNCE_LEN - 2 * MAX_ALIGN;
	u64 done = 0;
	int err = 0;

	while (done < req->len && !err) {
		u64 left = req->len - done;
		u64 len = left < max ? left : max;

		err = bounce_piece(disk, req, done, len);
		done += len;
	}
	return err;
}

static bool is_aligned(const struct disk *disk, const struct disk_request *req)
{
	size_t align = disk->aio->align;

	return !((req->offset | req->len) & (align - 1)) &&
	       iov_is_aligned(req->iov, req->nr_iov, align);
}

static int aio_transfer(struct disk *disk, const struct disk_request *req)
{
	if (is_aligned(disk, req))
		return disk_raw_transfer(disk, req);
	return bounce_transfer(disk, req);
}

/* ---- Completion ---- */

static void complete(struct disk *disk, const struct io_event *event)
{
	struct disk_request *req = event->data;
	long result = (long)event->res;
	int err = 0;

	disk->aio->in_flight--;
	if (result < 0)
		err = (int)result;
	else if (req->op != DISK_FLUSH && (u64)result < req->len)
		/* Short: the same again names the error, or finishes. */
		err = disk_raw_transfer(disk, req);
	req->done(req, err);
}

/* Complete what has finished, at least @min requests. */
static void reap(struct disk *disk, unsigned int min)
{
	struct io_event events[AIO_DEPTH];
	struct timespec now = { 0 };
	int nr = io_getevents(disk->aio->ctx, min, AIO_DEPTH, events,
			      min ? NULL : &now);

	for (int i = 0; i < nr; i++)
		complete(disk, &events[i]);
}

static void aio_poll(struct disk *disk)
{
	if (disk->aio->in_flight)
		reap(disk, 0);
}

/* ---- Submission ---- */

/* The host has no room for the oldest one of the batch: do it ourselves. */
static void serve_first(struct disk *disk)
{
	struct disk_aio *aio = disk->aio;
	struct disk_request *req = aio->batch[0]->data;

	aio->nr_batch--;
	memmove(aio->batch, aio->batch + 1,
		aio->nr_batch * sizeof(*aio->batch));
	req->done(req, disk_raw_execute(disk, req));
}

static void aio_commit(struct disk *disk)
{
	struct disk_aio *aio = disk->aio;

	while (aio->nr_batch) {
		int nr = io_submit(aio->ctx, aio->nr_batch, aio->batch);

		if (nr <= 0) {
			serve_first(disk);
			continue;
		}
		aio->in_flight += (unsigned int)nr;
		aio->nr_batch -= (unsigned int)nr;
		memmove(aio->batch, aio->batch + nr,
			aio->nr_batch * sizeof(*aio->batch));
	}
}

/*
 * A write that reads the rest of its blocks must not meet another write to
 * them: wait until nothing else is in flight.
 */
static void wait_for_others(struct disk *disk)
{
	aio_commit(disk);
	while (disk->aio->in_flight)
		reap(disk, 1);
}

static void prepare(struct disk *disk, struct disk_request *req)
{
	struct iocb *iocb = request_iocb(req);

	switch (req->op) {
	case DISK_READ:
		io_prep_preadv(iocb, disk->fd, req->iov, (int)req->nr_iov,
			       (long long)req->offset);
		break;
	case DISK_WRITE:
		io_prep_pwritev(iocb, disk->fd, req->iov, (int)req->nr_iov,
				(long long)req->offset);
		break;
	default:
		io_prep_fdsync(iocb, disk->fd);
	}
	if (disk->event_fd >= 0)
		io_set_eventfd(iocb, disk->event_fd);
	iocb->data = req;
}

static void aio_submit(struct disk *disk, struct disk_request *req)
{
	struct disk_aio *aio = disk->aio;
	bool data = req->op == DISK_READ || req->op == DISK_WRITE;

	if ((data && req->len && is_aligned(disk, req)) ||
	    req->op == DISK_FLUSH) {
		prepare(disk, req);
		aio->batch[aio->nr_batch++] = request_iocb(req);
		if (aio->nr_batch == AIO_DEPTH)
			aio_commit(disk);
		return;
	}
	if (req->op != DISK_READ)
		wait_for_others(disk);
	req->done(req, disk_raw_execute(disk, req));
}

/* ---- Opening ---- */

static void aio_release(struct disk *disk)
{
	struct disk_aio *aio = disk->aio;

	if (!aio)
		return;
	if (aio->ctx)
		io_destroy(aio->ctx);
	if (aio->bounce)
		munmap(aio->bounce, BOUNCE_LEN);
	free(aio);
	disk->aio = NULL;
}

static const struct disk_ops disk_aio_ops = {
	.submit = aio_submit,
	.commit = aio_commit,
	.poll = aio_poll,
	.transfer = aio_transfer,
	.release = aio_release,
};

/* The smallest alignment with which the host reads; 0 if it never does. */
static size_t probe_alignment(const struct disk *disk)
{
	for (size_t align = DISK_SECTOR; align <= MAX_ALIGN; align *= 2) {
		/* At @align, not aligned to anything more. */
		if (pread(disk->fd, disk->aio->bounce + align, align, 0) > 0)
			return align;
	}
	return 0;
}

int disk_aio_init(struct disk *disk, const char *path, struct failure *why)
{
	struct disk_aio *aio = calloc(1, sizeof(*aio));
	void *bounce;
	int err;

	if (!aio)
		return -ENOMEM;
	disk->aio = aio;
	disk->ops = &disk_aio_ops;
	disk->info.queue_depth = AIO_DEPTH;
	bounce = mmap(NULL, BOUNCE_LEN, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (bounce == MAP_FAILED)
		return -ENOMEM;
	aio->bounce = bounce;
	err = io_setup(AIO_DEPTH, &aio->ctx);
	if (err)
		return fail(why, err,
			    "disk %s: no asynchronous I/O: %s (see "
			    "/proc/sys/fs/aio-max-nr)",
			    path, strerror(-err));
	aio->align = probe_alignment(disk);
	if (!aio->align)
		return fail(why, -EIO,
			    "disk %s: cannot be read with O_DIRECT: leave out "
			    "',direct'",
			    path);
	return 0;
}
