/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between balloon.c (the device), balloon_pages.c (requests that give memory
 * back) and balloon_stats.c (statistics).
 */
#ifndef LKVM_VIRTIO_BALLOON_PRIV_H
#define LKVM_VIRTIO_BALLOON_PRIV_H

#include <pthread.h>
#include <stdatomic.h>
#include "lkvm/balloon.h"
#include "lkvm/event.h"
#include "lkvm/virtio.h"
#include "virtio/worker.h"

#define BALLOON_QUEUE_SIZE 128U

/*
 * 5.5.2, where free_page_vq is number 3 and reporting_vq number 4. Linux counts
 * only the queues whose features it has accepted, as QEMU does: without
 * FREE_PAGE_HINT, which we never offer, its reporting_vq is number 3. So either
 * of them takes reports.
 */
enum {
	BALLOON_INFLATE_QUEUE,
	BALLOON_DEFLATE_QUEUE,
	BALLOON_STATS_QUEUE,
	BALLOON_REPORT_QUEUE,
	BALLOON_REPORT_QUEUE_OF_SPEC,
	BALLOON_NR_QUEUES
};

/* A chain that was taken from a queue. */
struct balloon_chain {
	struct virtq *q;
	bool is_held; /* taken, and not returned yet */
	struct virtq_chain chain;
	u64 done; /* bytes of it that were dealt with */
	struct iovec iov[BALLOON_QUEUE_SIZE];
};

/* The statistics queue, and those who want to know. */
struct balloon_asking {
	struct event_source kick;
	/*
	 * Guards serving, and the held chain. Taken after dev->lock, with
	 * nothing but interrupts behind it.
	 */
	pthread_mutex_t lock;
	bool serving;
	struct balloon_chain held;

	/* Event loop only. */
	struct event_timer deadline; /* armed while there are asks */
	struct balloon_ask *asks;
	struct balloon_ask *due; /* those being answered */
};

struct balloon {
	struct virtio_device vdev;
	struct kvm *vm;
	/*
	 * Serves all queues but that of statistics; these share one kick_fd.
	 * Each has its place here by number; worker's thread only, while it
	 * runs.
	 */
	struct virtio_worker worker;
	struct balloon_chain chains[BALLOON_NR_QUEUES];
	struct balloon_asking asking;

	/* The configuration (5.5.4); any thread. */
	_Atomic u32 target, actual; /* in units of BALLOON_PAGE */
	_Atomic u32 poison;
	_Atomic u64 reports; /* as in struct balloon_info */
};

/* ---- balloon_pages.c; worker's thread ---- */

/*
 * Go on with the held chain of queue @index, for a bounded piece of it. True:
 * it has been dealt with to its end.
 */
bool balloon_work(struct balloon *balloon, unsigned int index);

/* ---- balloon_stats.c ---- */

/* After virtio_device_init(). */
int balloon_asking_init(struct balloon *balloon);
/* Accepts a zeroed one. */
void balloon_asking_release(struct balloon *balloon);
/* Parts of activate(), deactivate() and reset(). */
int balloon_asking_start(struct balloon *balloon);
void balloon_asking_stop(struct balloon *balloon);
void balloon_asking_reset(struct balloon *balloon);

#endif
