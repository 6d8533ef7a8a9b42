/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An event loop on epoll, with timers on timerfd.
 *
 * epoll hands out events in batches, and a callback (or another thread) may
 * remove and free a source whose event lies further down in the batch. So every
 * removal raises a generation, and the loop drops the rest of a batch that is
 * older than that: epoll is level-triggered and reports what was dropped again.
 */
#include "lkvm/event.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "lkvm/clock.h"
#include "lkvm/confine.h"
#include "lkvm/failure.h"

#define BATCH_MAX 32

/* The source whose event tells the loop to look at loop->stop has no callback. */
static int watch_wake_fd(struct event_loop *loop)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };

	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &event) < 0)
		return -errno;
	return 0;
}

static int open_fds(struct event_loop *loop)
{
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		return -errno;
	loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop->wake_fd < 0)
		return -errno;
	return watch_wake_fd(loop);
}

static void close_fds(struct event_loop *loop)
{
	if (loop->wake_fd >= 0)
		close(loop->wake_fd);
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
}

int event_loop_init(struct event_loop *loop, struct failure *why)
{
	int err;

	*loop = (struct event_loop){ .epoll_fd = -1, .wake_fd = -1 };
	err = open_fds(loop);
	if (err) {
		close_fds(loop);
		return fail(why, err, "event loop: %s", strerror(-err));
	}
	pthread_mutex_init(&loop->lock, NULL);
	pthread_cond_init(&loop->idle, NULL);
	loop->initialised = true;
	return 0;
}

void event_loop_release(struct event_loop *loop)
{
	if (!loop->initialised)
		return;
	event_loop_stop(loop);
	pthread_cond_destroy(&loop->idle);
	pthread_mutex_destroy(&loop->lock);
	close_fds(loop);
	loop->initialised = false;
}

/* Returns with the lock held, as it was called. */
static void run_callback_locked(struct event_loop *loop,
				struct event_source *src, u32 events)
{
	loop->current = src;
	pthread_mutex_unlock(&loop->lock);
	src->ready(src, events);
	/* @src may be gone by now. */
	pthread_mutex_lock(&loop->lock);
	loop->current = NULL;
	pthread_cond_broadcast(&loop->idle);
}

static void run_batch_locked(struct event_loop *loop,
			     const struct epoll_event *batch, int nr,
			     u64 generation)
{
	int i;

	for (i = 0; i < nr; i++) {
		if (loop->stop || loop->generation != generation)
			return;
		if (batch[i].data.ptr)
			run_callback_locked(loop, batch[i].data.ptr,
					    batch[i].events);
	}
}

static void *run_loop(void *opaque)
{
	struct event_loop *loop = opaque;
	struct epoll_event batch[BATCH_MAX];
	u64 generation;
	int nr;

	pthread_setname_np(pthread_self(), "events");
	confine_thread(CONFINE_LOOP);
	pthread_mutex_lock(&loop->lock);
	while (!loop->stop) {
		/*
		 * Taken before epoll_wait(), and raised after the source has
		 * left epoll: an equal value proves that all of the batch is
		 * still there.
		 */
		generation = loop->generation;
		pthread_mutex_unlock(&loop->lock);
		nr = epoll_wait(loop->epoll_fd, batch, BATCH_MAX, -1);
		pthread_mutex_lock(&loop->lock);
		run_batch_locked(loop, batch, nr, generation);
	}
	pthread_mutex_unlock(&loop->lock);
	return NULL;
}

int event_loop_start(struct event_loop *loop)
{
	int err;

	/* The lock keeps callbacks from running before loop->thread is set. */
	pthread_mutex_lock(&loop->lock);
	err = pthread_create(&loop->thread, NULL, run_loop, loop);
	loop->running = !err;
	pthread_mutex_unlock(&loop->lock);
	return -err;
}

void event_loop_stop(struct event_loop *loop)
{
	u64 one = 1;

	if (!loop->running)
		return;
	pthread_mutex_lock(&loop->lock);
	loop->stop = true;
	pthread_mutex_unlock(&loop->lock);
	/* Cannot fail: the counter is far from its limit. */
	while (write(loop->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	pthread_join(loop->thread, NULL);
	loop->running = false;
}

static int epoll_change(struct event_loop *loop, int op,
			struct event_source *src, u32 events)
{
	struct epoll_event event = { .events = events, .data.ptr = src };

	if (epoll_ctl(loop->epoll_fd, op, src->fd, &event) < 0)
		return -errno;
	return 0;
}

int event_add(struct event_loop *loop, struct event_source *src, u32 events)
{
	return epoll_change(loop, EPOLL_CTL_ADD, src, events);
}

int event_modify(struct event_loop *loop, struct event_source *src, u32 events)
{
	return epoll_change(loop, EPOLL_CTL_MOD, src, events);
}

void event_remove(struct event_loop *loop, struct event_source *src)
{
	/* Fails when @src was never added: then there is nothing to undo. */
	epoll_change(loop, EPOLL_CTL_DEL, src, 0);
	pthread_mutex_lock(&loop->lock);
	loop->generation++;
	if (loop->running && !pthread_equal(loop->thread, pthread_self()))
		while (loop->current == src)
			pthread_cond_wait(&loop->idle, &loop->lock);
	pthread_mutex_unlock(&loop->lock);
}

static void timer_ready(struct event_source *src, u32 events)
{
	struct event_timer *timer =
		container_of(src, struct event_timer, source);
	u64 expirations;

	/* Nothing to read: set anew while the event was on its way. */
	if (read(src->fd, &expirations, sizeof(expirations)) < 0)
		return;
	timer->expired(timer);
}

int event_timer_init(struct event_loop *loop, struct event_timer *timer)
{
	int err;

	timer->source.ready = timer_ready;
	timer->source.fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (timer->source.fd < 0)
		return -errno;
	err = event_add(loop, &timer->source, EPOLLIN);
	if (err) {
		close(timer->source.fd);
		timer->source.fd = -1;
	}
	return err;
}

void event_timer_set(struct event_timer *timer, u64 ns)
{
	struct itimerspec when = { .it_value = timespec_of_ns(ns) };

	timerfd_settime(timer->source.fd, 0, &when, NULL);
}

void event_timer_release(struct event_loop *loop, struct event_timer *timer)
{
	if (timer->source.fd < 0)
		return;
	event_remove(loop, &timer->source);
	close(timer->source.fd);
	timer->source.fd = -1;
}
