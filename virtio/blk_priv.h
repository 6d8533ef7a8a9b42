/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between blk.c (the device and its queue) and blk_request.c (what one request
 * means).
 */
#ifndef LKVM_VIRTIO_BLK_PRIV_H
#define LKVM_VIRTIO_BLK_PRIV_H

#include <linux/virtio_blk.h>
#include "lkvm/disk.h"
#include "lkvm/virtio.h"
#include "virtio/worker.h"

/*
 * Room for a request of 1 MiB in scattered pages, which is what Linux sends at
 * most for large reads: with 256 entries it would have to send two.
 */
#define BLK_QUEUE_SIZE 512U
/* A chain has a header and a status byte beside its data. */
#define BLK_SEG_MAX (BLK_QUEUE_SIZE - 2)

/*
 * Longest ranges of one request, so that the queue moves on: a host that cannot
 * write zeroes otherwise writes them as data.
 */
#define BLK_MAX_DISCARD_SECTORS (GIB / DISK_SECTOR)
#define BLK_MAX_ZEROES_SECTORS (64 * MIB / DISK_SECTOR)

/* More than this many threads on one image hinder each other. */
#define BLK_MAX_QUEUES 16U

struct blk;
struct blk_queue;

/* A request in flight. All of them are allocated with the device. */
struct blk_request {
	struct blk_queue *queue;
	struct blk_request *next; /* in queue->free */
	struct virtq_chain chain;
	struct disk_request io;
	u8 *status;  /* in guest memory */
	u32 written; /* bytes put into the data part, if all goes well */
	struct iovec iov[BLK_QUEUE_SIZE];
};

/* One virtqueue, the thread that serves it, and its way into the disk. */
struct blk_queue {
	struct blk *blk;
	struct virtq *q;
	struct virtio_worker worker;
	struct disk_queue *disk;
	struct blk_request *requests; /* owned */

	/* Worker's thread only, while it runs. */
	struct blk_request *free;
	unsigned int in_flight;
	u64 unannounced; /* bytes moved since the last look at interrupts */
};

struct blk {
	struct virtio_device vdev;
	struct disk *disk;
	/* Const after creation, but for wce, which is writeback's. */
	struct virtio_blk_config config;
	/* The driver may switch the cache off (CONFIG_WCE). vdev.lock writes. */
	_Atomic bool writeback;
	u64 delay_ns; /* added to each request */
	unsigned int nr_queues;
	struct blk_queue *queues; /* owned */
};

struct blk_options {
	unsigned int queues; /* wanted; cut to what the disk can */
	u64 delay_ns;	     /* --debug-iodelay */
};

/*
 * Create one for @disk, which it owns from now on, on failure too. Not yet on a
 * bus; the workers wait.
 */
int blk_create(const struct memory *mem, struct disk *disk,
	       const struct blk_options *options, struct blk **out);
/* Stops the workers, frees everything. Accepts NULL and half-built ones. */
void blk_destroy(struct blk *blk);

/* req->chain was popped: carry it out. It may be complete on return. */
void blk_request_start(struct blk_request *req);

/* blk.c: @req was answered in guest memory, @written bytes of it. */
void blk_complete(struct blk_request *req, u32 written);

#endif
