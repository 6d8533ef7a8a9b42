/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between disk_open.c (finding, checking and locking an image) and the ways to
 * its data: disk_raw.c through the page cache, disk_aio.c past it, and
 * disk_qcow2.c, which stands on top of one of the two.
 */
#ifndef LKVM_DISK_PRIV_H
#define LKVM_DISK_PRIV_H

#include "lkvm/disk.h"
#include "lkvm/types.h"

struct stat;
struct disk_aio;
struct disk_aio_queue;
struct qcow2;

/*
 * What a way to the data implements. Requests were checked against the disk,
 * or come from a format that keeps its own books.
 */
struct disk_ops {
	/* Optional, both. */
	int (*open_queue)(struct disk_queue *queue);
	void (*close_queue)(struct disk_queue *queue);
	void (*submit)(struct disk_queue *queue, struct disk_request *req);
	void (*commit)(struct disk_queue *queue);
	void (*poll)(struct disk_queue *queue);
	/* Commit, and wait until nothing of @queue is in flight. */
	void (*drain)(struct disk_queue *queue);
	/*
	 * Carry out @req now, done() aside. 0 or a negative errno. Any thread.
	 * May change the iovecs.
	 */
	int (*execute)(struct disk *disk, const struct disk_request *req);
	void (*release)(struct disk *disk);
};

struct disk {
	const struct disk_ops *ops;
	struct disk_info info;
	int fd; /* -1: none of its own */
	bool is_block_device;
	/* What lies behind the end of the file reads as zeroes. */
	bool end_reads_zero;
	struct disk_aio *aio; /* disk_aio.c's, or NULL */
	struct qcow2 *qcow2;  /* disk_qcow2.c's, or NULL */
};

struct disk_queue {
	struct disk *disk;
	int event_fd;		    /* borrowed; -1: nobody waits */
	struct disk_aio_queue *aio; /* disk_aio.c's, or NULL */
	struct disk_queue *below;   /* disk_qcow2.c's: of the file; owned */
};

/* disk_raw.c: every request completes in submit(). */
extern const struct disk_ops disk_raw_ops;
/*
 * READ or WRITE in as many calls as it takes; end of file is -EIO, or zeroes
 * where the disk says so.
 */
int disk_raw_transfer(struct disk *disk, const struct disk_request *req);
/* What is neither READ nor WRITE; zeroes are written by ops->execute(). */
int disk_raw_change(struct disk *disk, const struct disk_request *req);

#define DISK_ZERO_IOV 64U
/*
 * A WRITE of zeroes to @offset, of @len bytes or as many as @iov, with
 * DISK_ZERO_IOV entries, is good for. Page-aligned, for O_DIRECT.
 */
struct disk_request disk_zero_request(u64 offset, u64 len, struct iovec *iov);

/*
 * disk_aio.c: disk->fd was opened with O_DIRECT. Sets disk->ops, queue_depth
 * and max_queues. @path is for messages.
 */
int disk_aio_init(struct disk *disk, const char *path, struct failure *why);

/*
 * disk_in_use.c: is what @config names, of which @st is known, mounted or
 * behind a loop device? -EBUSY, with the reason said.
 */
int disk_refuse_in_use(const struct disk_config *config, const struct stat *st,
		       struct failure *why);

/* disk_open.c: the file itself, as a raw disk, whatever config->format says. */
int disk_open_file(const struct disk_config *config, struct failure *why,
		   struct disk **out);

/*
 * disk_qcow2.c: the disk inside of @file, a raw disk, which it owns from now
 * on, on failure too. @config is that of @file.
 */
int disk_qcow2_open(struct disk *file, const struct disk_config *config,
		    struct failure *why, struct disk **out);

#endif
