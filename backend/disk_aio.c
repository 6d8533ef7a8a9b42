/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Raw images past the host's page cache: O_DIRECT, with libaio so that many
 * requests are in flight.
 *
 * O_DIRECT wants offsets, lengths and addresses aligned; a guest's need not be.
 * Requests that are not go through a bounce buffer, piece by piece and one at a
 * time, which is slow and right. A write that covers blocks of the host in part
 * reads the rest of them first, and must not meet another write to them: its
 * queue waits until nothing else is in flight, and where blocks are larger than
 * a sector there is one queue only.
 */
#include "backend/disk_priv.h"

#include <errno.h>
#include <libaio.h>
#include <pthread.h>
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
	size_t align;
	pthread_mutex_t bounce_lock; /* guards what bounce points to */
	u8 *bounce;		     /* BOUNCE_LEN bytes, page aligned */
};

struct disk_aio_queue {
	io_context_t ctx;
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

/* Bytes [@done, @done + @len) of @req by way of the bounce buffer. */
static int bounce_piece_locked(struct disk *disk,
			       const struct disk_request *req, u64 done,
			       u64 len)
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

		pthread_mutex_lock(&disk->aio->bounce_lock);
		err = bounce_piece_locked(disk, req, done, len);
		pthread_mutex_unlock(&disk->aio->bounce_lock);
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

static int aio_execute(struct disk *disk, const struct disk_request *req)
{
	if (req->op != DISK_READ && req->op != DISK_WRITE)
		return disk_raw_change(disk, req);
	if (is_aligned(disk, req))
		return disk_raw_transfer(disk, req);
	return bounce_transfer(disk, req);
}

/* ---- Completion ---- */

static void complete(struct disk_queue *queue, const struct io_event *event)
{
	struct disk_request *req = event->data;
	long result = (long)event->res;
	int err = 0;

	queue->aio->in_flight--;
	if (result < 0)
		err = (int)result;
	else if (req->op != DISK_FLUSH && (u64)result < req->len)
		/* Short: the same again names the error, or finishes. */
		err = disk_raw_transfer(queue->disk, req);
	req->done(req, err);
}

/* Complete what has finished, at least @min requests. */
static void reap(struct disk_queue *queue, unsigned int min)
{
	struct io_event events[AIO_DEPTH];
	struct timespec now = { 0 };
	int nr = io_getevents(queue->aio->ctx, min, AIO_DEPTH, events,
			      min ? NULL : &now);

	for (int i = 0; i < nr; i++)
		complete(queue, &events[i]);
}

static void aio_poll(struct disk_queue *queue)
{
	if (queue->aio->in_flight)
		reap(queue, 0);
}

/* ---- Submission ---- */

/* The host has no room for the oldest one of the batch: do it ourselves. */
static void serve_first(struct disk_queue *queue)
{
	struct disk_aio_queue *aio = queue->aio;
	struct disk_request *req = aio->batch[0]->data;

	aio->nr_batch--;
	memmove(aio->batch, aio->batch + 1,
		aio->nr_batch * sizeof(*aio->batch));
	req->done(req, aio_execute(queue->disk, req));
}

static void aio_commit(struct disk_queue *queue)
{
	struct disk_aio_queue *aio = queue->aio;

	while (aio->nr_batch) {
		int nr = io_submit(aio->ctx, aio->nr_batch, aio->batch);

		if (nr <= 0) {
			serve_first(queue);
			continue;
		}
		aio->in_flight += (unsigned int)nr;
		aio->nr_batch -= (unsigned int)nr;
		memmove(aio->batch, aio->batch + nr,
			aio->nr_batch * sizeof(*aio->batch));
	}
}

static void aio_drain(struct disk_queue *queue)
{
	aio_commit(queue);
	while (queue->aio->in_flight)
		reap(queue, 1);
}

static void prepare(struct disk_queue *queue, struct disk_request *req)
{
	struct iocb *iocb = request_iocb(req);
	int fd = queue->disk->fd;

	switch (req->op) {
	case DISK_READ:
		io_prep_preadv(iocb, fd, req->iov, (int)req->nr_iov,
			       (long long)req->offset);
		break;
	case DISK_WRITE:
		io_prep_pwritev(iocb, fd, req->iov, (int)req->nr_iov,
				(long long)req->offset);
		break;
	default:
		io_prep_fdsync(iocb, fd);
	}
	if (queue->event_fd >= 0)
		io_set_eventfd(iocb, queue->event_fd);
	iocb->data = req;
}

static void aio_submit(struct disk_queue *queue, struct disk_request *req)
{
	struct disk_aio_queue *aio = queue->aio;
	bool data = req->op == DISK_READ || req->op == DISK_WRITE;

	if ((data && req->len && is_aligned(queue->disk, req)) ||
	    req->op == DISK_FLUSH) {
		prepare(queue, req);
		aio->batch[aio->nr_batch++] = request_iocb(req);
		if (aio->nr_batch == AIO_DEPTH)
			aio_commit(queue);
		return;
	}
	if (req->op != DISK_READ)
		aio_drain(queue);
	req->done(req, aio_execute(queue->disk, req));
}

/* ---- Opening ---- */

static int aio_open_queue(struct disk_queue *queue)
{
	int err;

	queue->aio = calloc(1, sizeof(*queue->aio));
	if (!queue->aio)
		return -ENOMEM;
	err = io_setup(AIO_DEPTH, &queue->aio->ctx);
	if (err) {
		free(queue->aio);
		queue->aio = NULL;
	}
	return err;
}

static void aio_close_queue(struct disk_queue *queue)
{
	io_destroy(queue->aio->ctx);
	free(queue->aio);
	queue->aio = NULL;
}

static void aio_release(struct disk *disk)
{
	struct disk_aio *aio = disk->aio;

	if (!aio)
		return;
	if (aio->bounce)
		munmap(aio->bounce, BOUNCE_LEN);
	pthread_mutex_destroy(&aio->bounce_lock);
	free(aio);
	disk->aio = NULL;
}

static const struct disk_ops disk_aio_ops = {
	.open_queue = aio_open_queue,
	.close_queue = aio_close_queue,
	.submit = aio_submit,
	.commit = aio_commit,
	.poll = aio_poll,
	.drain = aio_drain,
	.execute = aio_execute,
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

/* Queues come later, where messages are short: is there room for one now? */
static int probe_context(const char *path, struct failure *why)
{
	io_context_t ctx = NULL;
	int err = io_setup(AIO_DEPTH, &ctx);

	if (err)
		return fail(why, err,
			    "disk %s: no asynchronous I/O: %s (see "
			    "/proc/sys/fs/aio-max-nr)",
			    path, strerror(-err));
	io_destroy(ctx);
	return 0;
}

int disk_aio_init(struct disk *disk, const char *path, struct failure *why)
{
	struct disk_aio *aio = calloc(1, sizeof(*aio));
	void *bounce;
	int err;

	if (!aio)
		return -ENOMEM;
	pthread_mutex_init(&aio->bounce_lock, NULL);
	disk->aio = aio;
	disk->ops = &disk_aio_ops;
	disk->info.queue_depth = AIO_DEPTH;
	bounce = mmap(NULL, BOUNCE_LEN, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (bounce == MAP_FAILED)
		return -ENOMEM;
	aio->bounce = bounce;
	err = probe_context(path, why);
	if (err)
		return err;
	aio->align = probe_alignment(disk);
	if (!aio->align)
		return fail(why, -EIO,
			    "disk %s: cannot be read with O_DIRECT: leave out "
			    "',direct'",
			    path);
	if (aio->align > DISK_SECTOR)
		disk->info.max_queues = 1;
	return 0;
}
