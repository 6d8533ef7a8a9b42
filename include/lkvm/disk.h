/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Disks of the host (backend/disk_*.c): sectors of an image, read and written
 * asynchronously. They know nothing of guests or virtio: bytes and iovecs.
 */
#ifndef LKVM_DISK_H
#define LKVM_DISK_H

#include <sys/uio.h>
#include "lkvm/types.h"

struct disk;
struct disk_config;
struct disk_queue;
struct failure;

#define DISK_SECTOR 512ULL

enum disk_op {
	DISK_READ,
	DISK_WRITE,
	DISK_FLUSH,	   /* what was written before survives power loss */
	DISK_DISCARD,	   /* contents become undefined, space is given back */
	DISK_WRITE_ZEROES, /* contents become zero */
};

/* One request. Storage belongs to the caller until done() was called. */
struct disk_request {
	enum disk_op op;
	bool may_unmap; /* WRITE_ZEROES: may give space back */
	u64 offset;	/* bytes */
	u64 len;	/* bytes; for READ and WRITE the sum of the iovecs */
	/* Host memory; READ and WRITE. The backend may change the entries. */
	struct iovec *iov;
	unsigned int nr_iov; /* at most IOV_MAX */
	/*
	 * Called once, on the thread that called disk_submit() or
	 * disk_poll(): @err 0 or a negative errno. All @len bytes moved if 0.
	 */
	void (*done)(struct disk_request *req, int err);

	u64 private[12]; /* the backend's */
};

struct disk_info {
	u64 len;	 /* bytes, a multiple of DISK_SECTOR */
	u32 sector_size; /* what partition tables count in, bytes */
	u32 block_size;	 /* preferred I/O size and alignment, bytes */
	u32 discard_len; /* what discard gives back in one piece, bytes */
	/* Requests in flight that pay; 1: disk_submit() completes each itself. */
	unsigned int queue_depth;
	unsigned int max_queues;
	bool read_only;
	bool can_discard;
	char serial[21]; /* stable for this image, NUL-terminated */
};

/*
 * Open and lock the image that @config names. The last partial sector of a
 * file is not part of the disk.
 */
int disk_open(const struct disk_config *config, struct failure *why,
	      struct disk **out);
/* Its queues are gone. Accepts NULL. */
void disk_close(struct disk *disk);
const struct disk_info *disk_info(const struct disk *disk);

/*
 * A way into @disk for one thread; several threads have several, at most
 * info.max_queues. Requests of different queues keep no order; who needs one
 * waits for done(). A flush covers what was done() before it was submitted,
 * whatever the queue.
 *
 * @event_fd, an eventfd of the caller's or -1, is signalled whenever
 * disk_poll() has something to complete. The caller's own doorbell can be the
 * same fd: a serving thread then waits in one read(), without poll.
 */
int disk_queue_create(struct disk *disk, int event_fd, struct disk_queue **out);
/* No request may be in flight. Accepts NULL. */
void disk_queue_destroy(struct disk_queue *queue);

/* ---- One thread at a time per queue ---- */

/*
 * Start @req, which lies within the disk (the backend checks again: -EINVAL).
 * It may complete before this returns.
 */
void disk_submit(struct disk_queue *queue, struct disk_request *req);
/* Requests submitted so far go to the host now: call after a batch. */
void disk_commit(struct disk_queue *queue);
/* Complete what has finished. */
void disk_poll(struct disk_queue *queue);

#endif
