/* SPDX-License-Identifier: GPL-2.0-only */
#include "virtio/worker.h"

#include <limits.h>
#include <poll.h>
#include "lkvm/clock.h"
#include "lkvm/confine.h"
#include "lkvm/thread.h"
#include "lkvm/virtio.h"

static void report_parked(struct virtio_worker *worker)
{
	pthread_mutex_lock(&worker->lock);
	/* Not if a new command has come: the drain was for an older one. */
	if (worker->command == VIRTIO_WORKER_PARK)
		worker->parked = true;
	pthread_cond_broadcast(&worker->has_parked);
	pthread_mutex_unlock(&worker->lock);
}

/* Wait for the doorbell, the backend and the time; true: the first has rung. */
static bool poll_all(struct virtio_worker *worker)
{
	struct pollfd fds[] = {
		{ .fd = worker->q->kick_fd, .events = POLLIN },
		{ .fd = worker->wait_fd, .events = worker->wait_events },
	};
	/* One without events would still be reported as closed. */
	nfds_t nr = worker->wait_events ? 2 : 1;
	struct timespec left = { 0 }, *limit = NULL;

	if (worker->wait_until_ns) {
		u64 now = monotonic_ns();

		if (now < worker->wait_until_ns)
			left = timespec_of_ns(worker->wait_until_ns - now);
		limit = &left;
	}
	return ppoll(fds, nr, limit, NULL) > 0 && fds[0].revents;
}

/* Until somebody rings, or the worker need not wait any more. */
static void wait_for_work(struct virtio_worker *worker)
{
	if ((!worker->wait_events && !worker->wait_until_ns) ||
	    poll_all(worker))
		virtq_take_kick(worker->q);
}

static void *worker_main(void *arg)
{
	struct virtio_worker *worker = arg;

	confine_thread(CONFINE_WORKER);
	for (;;) {
		wait_for_work(worker);
		/* Acquire: pairs with command() after a queue was set up. */
		switch (atomic_load_explicit(&worker->command,
					     memory_order_acquire)) {
		case VIRTIO_WORKER_RUN:
			worker->ops->serve(worker);
			break;
		case VIRTIO_WORKER_PARK:
			worker->ops->drain(worker);
			worker->wait_events = 0;
			worker->wait_until_ns = 0;
			report_parked(worker);
			break;
		case VIRTIO_WORKER_EXIT:
			worker->ops->drain(worker);
			return NULL;
		}
	}
}

int virtio_worker_start(struct virtio_worker *worker,
			const struct virtio_worker_ops *ops, struct virtq *q,
			const char *name)
{
	int err;

	*worker = (struct virtio_worker){
		.ops = ops,
		.q = q,
		.wait_fd = -1,
		.command = VIRTIO_WORKER_PARK,
		.parked = true,
	};
	pthread_mutex_init(&worker->lock, NULL);
	pthread_cond_init(&worker->has_parked, NULL);
	err = thread_start(&worker->thread, name, worker_main, worker);
	if (err) {
		pthread_cond_destroy(&worker->has_parked);
		pthread_mutex_destroy(&worker->lock);
		return err;
	}
	worker->started = true;
	return 0;
}

/* Release: pairs with worker_main(). */
static void command(struct virtio_worker *worker,
		    enum virtio_worker_command cmd)
{
	atomic_store_explicit(&worker->command, cmd, memory_order_release);
	virtq_kick(worker->q);
}

void virtio_worker_run(struct virtio_worker *worker)
{
	pthread_mutex_lock(&worker->lock);
	worker->parked = false;
	command(worker, VIRTIO_WORKER_RUN);
	pthread_mutex_unlock(&worker->lock);
}

void virtio_worker_park(struct virtio_worker *worker)
{
	pthread_mutex_lock(&worker->lock);
	command(worker, VIRTIO_WORKER_PARK);
	while (!worker->parked)
		pthread_cond_wait(&worker->has_parked, &worker->lock);
	pthread_mutex_unlock(&worker->lock);
}

void virtio_worker_stop(struct virtio_worker *worker)
{
	if (!worker->started)
		return;
	command(worker, VIRTIO_WORKER_EXIT);
	pthread_join(worker->thread, NULL);
	worker->started = false;
	pthread_cond_destroy(&worker->has_parked);
	pthread_mutex_destroy(&worker->lock);
}
