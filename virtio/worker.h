/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A thread that serves one queue, for devices that wait for the host (disks,
 * networks). It waits in one read() of the queue's kick_fd: the driver's doorbell,
 * the backend's completions and our own commands all ring there. A backend that
 * has a descriptor of its own to wait for is polled beside it, when wanted.
 */
#ifndef LKVM_VIRTIO_WORKER_H
#define LKVM_VIRTIO_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include "lkvm/types.h"

struct virtio_worker;
struct virtq;

/* Both run on the worker's thread. */
struct virtio_worker_ops {
	/*
	 * Something rang: serve the queue while virtio_worker_may_run(), and
	 * leave with kicks enabled or with something in flight that will ring.
	 */
	void (*serve)(struct virtio_worker *worker);
	/* Return when nothing is in flight. */
	void (*drain)(struct virtio_worker *worker);
};

enum virtio_worker_command {
	VIRTIO_WORKER_PARK,
	VIRTIO_WORKER_RUN,
	VIRTIO_WORKER_EXIT,
};

struct virtio_worker {
	const struct virtio_worker_ops *ops;
	struct virtq *q;
	pthread_t thread;
	bool started;
	/*
	 * Worker's thread only once it runs: also serve when @wait_fd has those,
	 * and when it is so late.
	 */
	int wait_fd;
	short wait_events; /* POLL*; 0: not now */
	u64 wait_until_ns; /* of monotonic_ns(); 0: no need */
	_Atomic enum virtio_worker_command command;
	pthread_mutex_t lock; /* guards parked; held when command changes */
	pthread_cond_t has_parked;
	bool parked;
};

/* Start the thread, parked, with nothing to poll. @name: up to 15 bytes, for ps and debuggers. */
int virtio_worker_start(struct virtio_worker *worker,
			const struct virtio_worker_ops *ops, struct virtq *q,
			const char *name);
/* Serve from now on, looking at the queue at once. Does not block. */
void virtio_worker_run(struct virtio_worker *worker);
/* Returns when the thread has drained and waits. */
void virtio_worker_park(struct virtio_worker *worker);
/* Drain, end and join the thread. Accepts one that was never started. */
void virtio_worker_stop(struct virtio_worker *worker);

/* Relaxed is enough: whoever changes the command also rings. */
static inline bool virtio_worker_may_run(const struct virtio_worker *worker)
{
	return atomic_load_explicit(&worker->command, memory_order_relaxed) ==
	       VIRTIO_WORKER_RUN;
}

#endif
