/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between disk_open.c (finding, checking and locking an image) and the ways to
 * reach its data: disk_raw.c through the page cache, disk_aio.c past it.
 */
#ifndef LKVM_DISK_PRIV_H
#define LKVM_DISK_PRIV_H

#include "lkvm/disk.h"
#include "lkvm/types.h"

/* What a way to the data implements. Requests were checked against the disk. */
struct disk_ops {
	void (*submit)(struct disk *disk, struct disk_request *req);
	void (*commit)(struct disk *disk);
	void (*poll)(struct disk *disk);
	/*
	 * Move all bytes of @req, a READ or WRITE, now. 0 or a negative errno.
	 * May change the iovecs.
	 */
	int (*transfer)(struct disk *disk, const struct disk_request *req);
	void (*release)(struct disk *disk);
};

struct disk {
	const struct disk_ops *ops;
	struct disk_info info;
	int fd;
	bool is_block_device;
	int event_fd;	      /* borrowed; -1: nobody waits */
	struct disk_aio *aio; /* disk_aio.c's, or NULL */
};

/* disk_raw.c: every request completes in submit(). */
extern const struct disk_ops disk_raw_ops;
/* READ or WRITE in as many calls as it takes; end of file is -EIO. */
int disk_raw_transfer(struct disk *disk, const struct disk_request *req);
/* Carry out any request with ops->transfer(); 0 or a negative errno. */
int disk_raw_execute(struct disk *disk, const struct disk_request *req);

/*
 * disk_aio.c: disk->fd was opened with O_DIRECT. Sets disk->ops and
 * queue_depth. @path is for messages.
 */
int disk_aio_init(struct disk *disk, const char *path, struct failure *why);

#endif
