/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests on a qcow2 image. Data that lies in one piece and stays there goes
 * on to the file's own queue, asynchronously if that is; all else is done on
 * the caller's thread. See disk_qcow2_priv.h.
 */
#include "backend/disk_qcow2_priv.h"

#include <errno.h>
#include <string.h>

/* ---- The file below ---- */

int qcow2_corrupt(struct qcow2 *q, const char *what)
{
	log_guest_error(&q->corrupt_logged,
			"disk %s: %s is damaged, the guest gets I/O errors: "
			"see what 'qemu-img check' says",
			q->path, what);
	return -EIO;
}

static int file_execute(struct qcow2 *q, enum disk_op op, u64 offset, void *buf,
			u64 len)
{
	struct iovec iov = { .iov_base = buf, .iov_len = len };
	const struct disk_request req = {
		.op = op,
		.offset = offset,
		.len = len,
		.iov = &iov,
		.nr_iov = 1,
	};

	return q->file->ops->execute(q->file, &req);
}

int qcow2_file_read(struct qcow2 *q, u64 offset, void *buf, u64 len)
{
	return file_execute(q, DISK_READ, offset, buf, len);
}

static void note_written(struct qcow2 *q, u64 end)
{
	if (end > q->file_len)
		q->file_len = end;
}

int qcow2_file_write(struct qcow2 *q, u64 offset, const void *buf, u64 len)
{
	/* An iovec knows no const; a write does not change it. */
	void *bytes = (void *)(uintptr_t)buf;

	note_written(q, offset + len);
	return file_execute(q, DISK_WRITE, offset, bytes, len);
}

int qcow2_file_zero(struct qcow2 *q, u64 offset, u64 len)
{
	if (offset >= q->file_len)
		return 0;
	if (len > q->file_len - offset)
		len = q->file_len - offset;
	return file_execute(q, DISK_WRITE_ZEROES, offset, NULL, len);
}

int qcow2_file_sync(struct qcow2 *q)
{
	int err = q->failed ? -EIO : file_execute(q, DISK_FLUSH, 0, NULL, 0);

	/* What was written before may be lost, and no later flush would tell. */
	if (err)
		q->failed = true;
	return err;
}

/* ---- Users and the one who changes the mapping ---- */

/*
 * Returns with q->lock held. Nobody waits with requests of its own in flight:
 * they count as users, and only their own thread can complete them.
 */
static void enter(struct disk_queue *queue, struct qcow2 *q)
{
	pthread_mutex_lock(&q->lock);
	if (q->exclusive) {
		pthread_mutex_unlock(&q->lock);
		queue->below->disk->ops->drain(queue->below);
		pthread_mutex_lock(&q->lock);
	}
	while (q->exclusive)
		pthread_cond_wait(&q->changed, &q->lock);
	q->users++;
}

static void leave_locked(struct qcow2 *q)
{
	if (!--q->users)
		pthread_cond_broadcast(&q->changed);
	pthread_mutex_unlock(&q->lock);
}

static void leave(struct qcow2 *q)
{
	pthread_mutex_lock(&q->lock);
	leave_locked(q);
}

/* Returns with q->lock held. */
static void enter_exclusive(struct disk_queue *queue, struct qcow2 *q)
{
	queue->below->disk->ops->drain(queue->below);
	pthread_mutex_lock(&q->lock);
	while (q->exclusive)
		pthread_cond_wait(&q->changed, &q->lock);
	q->exclusive = true;
	while (q->users)
		pthread_cond_wait(&q->changed, &q->lock);
}

static void leave_exclusive(struct qcow2 *q)
{
	q->exclusive = false;
	pthread_cond_broadcast(&q->changed);
	pthread_mutex_unlock(&q->lock);
}

/* ---- Requests that the file's queue carries out ---- */

/* Behind what the raw disk keeps in a request. */
#define HOOK_AT 8

struct hook {
	struct qcow2 *q;
	void (*done)(struct disk_request *req, int err);
	u64 offset;
};

_Static_assert(HOOK_AT * sizeof(u64) + sizeof(struct hook) <=
		       sizeof(((struct disk_request *)NULL)->private),
	       "a request has room for the hook");

static struct hook *request_hook(struct disk_request *req)
{
	return (struct hook *)(void *)&req->private[HOOK_AT];
}

static void forwarded_done(struct disk_request *req, int err)
{
	const struct hook hook = *request_hook(req);

	pthread_mutex_lock(&hook.q->lock);
	if (err && req->op == DISK_FLUSH)
		hook.q->failed = true;
	leave_locked(hook.q);
	req->offset = hook.offset;
	req->done = hook.done;
	req->done(req, err);
}

/* The caller has entered, and released the lock. */
static void forward(struct disk_queue *queue, struct qcow2 *q,
		    struct disk_request *req, u64 offset)
{
	*request_hook(req) = (struct hook){
		.q = q,
		.done = req->done,
		.offset = req->offset,
	};
	req->offset = offset;
	req->done = forwarded_done;
	queue->below->disk->ops->submit(queue->below, req);
}

/* ---- Requests ---- */

/* Is all of @req one piece of data? Where; q->lock held. */
static bool in_one_piece(struct qcow2 *q, const struct disk_request *req,
			 u64 *offset)
{
	u64 cluster = qcow2_cluster(q, req->offset);
	u64 count = qcow2_cluster(q, req->offset + req->len - 1) - cluster + 1;
	struct qcow2_extent extent;

	if (!req->len || qcow2_map(q, cluster, count, &extent) ||
	    extent.kind != QCOW2_KIND_DATA || extent.count < count)
		return false;
	if (req->op == DISK_WRITE && !extent.in_place)
		return false;
	*offset = extent.host + (req->offset & (q->cluster_len - 1));
	return true;
}

static void submit_read(struct disk_queue *queue, struct qcow2 *q,
			struct disk_request *req)
{
	bool simple;
	u64 offset;
	int err;

	enter(queue, q);
	simple = in_one_piece(q, req, &offset);
	pthread_mutex_unlock(&q->lock);
	if (simple) {
		forward(queue, q, req, offset);
		return;
	}
	err = qcow2_read(q, req);
	leave(q);
	req->done(req, err);
}

static int change(struct qcow2 *q, const struct disk_request *req)
{
	if (q->failed)
		return -EIO;
	switch (req->op) {
	case DISK_WRITE:
		return qcow2_write(q, req);
	case DISK_DISCARD:
		return qcow2_discard(q, req->offset, req->len);
	default:
		return qcow2_write_zeroes(q, req->offset, req->len,
					  req->may_unmap);
	}
}

static void submit_change(struct disk_queue *queue, struct qcow2 *q,
			  struct disk_request *req)
{
	int err;

	enter_exclusive(queue, q);
	err = change(q, req);
	leave_exclusive(q);
	req->done(req, err);
}

static void submit_write(struct disk_queue *queue, struct qcow2 *q,
			 struct disk_request *req)
{
	bool simple;
	u64 offset;

	enter(queue, q);
	simple = !q->failed && in_one_piece(q, req, &offset);
	if (!simple) {
		leave_locked(q);
		submit_change(queue, q, req);
		return;
	}
	note_written(q, offset + req->len);
	pthread_mutex_unlock(&q->lock);
	forward(queue, q, req, offset);
}

/* Tables and all, or only data, which the file's queue flushes by itself. */
static void submit_flush(struct disk_queue *queue, struct qcow2 *q,
			 struct disk_request *req)
{
	int err;

	enter(queue, q);
	if (!q->failed && !qcow2_has_changes(q)) {
		pthread_mutex_unlock(&q->lock);
		forward(queue, q, req, 0);
		return;
	}
	err = qcow2_flush_tables(q);
	leave_locked(q);
	req->done(req, err);
}

static void qcow2_submit(struct disk_queue *queue, struct disk_request *req)
{
	struct qcow2 *q = queue->disk->qcow2;

	if (req->op == DISK_READ)
		submit_read(queue, q, req);
	else if (req->op == DISK_WRITE)
		submit_write(queue, q, req);
	else if (req->op == DISK_FLUSH)
		submit_flush(queue, q, req);
	else
		submit_change(queue, q, req);
}

static void qcow2_commit(struct disk_queue *queue)
{
	queue->below->disk->ops->commit(queue->below);
}

static void qcow2_poll(struct disk_queue *queue)
{
	queue->below->disk->ops->poll(queue->below);
}

static void qcow2_drain(struct disk_queue *queue)
{
	queue->below->disk->ops->drain(queue->below);
}

/* For the image that this one is behind: reads, and nobody changes it. */
static int qcow2_execute(struct disk *disk, const struct disk_request *req)
{
	return req->op == DISK_READ ? qcow2_read(disk->qcow2, req) : -EROFS;
}

static int qcow2_open_queue(struct disk_queue *queue)
{
	return disk_queue_create(queue->disk->qcow2->file, queue->event_fd,
				 &queue->below);
}

static void qcow2_close_queue(struct disk_queue *queue)
{
	disk_queue_destroy(queue->below);
}

static void qcow2_release(struct disk *disk)
{
	qcow2_destroy(disk->qcow2);
}

const struct disk_ops qcow2_disk_ops = {
	.open_queue = qcow2_open_queue,
	.close_queue = qcow2_close_queue,
	.submit = qcow2_submit,
	.commit = qcow2_commit,
	.poll = qcow2_poll,
	.drain = qcow2_drain,
	.execute = qcow2_execute,
	.release = qcow2_release,
};
