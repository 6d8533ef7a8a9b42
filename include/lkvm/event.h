/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The event loop: one thread and an epoll instance for everything that is not
 * a vCPU (terminal input, signals, timers, queue doorbells of slow devices).
 * Callbacks run on the loop's thread and must not block.
 */
#ifndef LKVM_EVENT_H
#define LKVM_EVENT_H

#include <pthread.h>
#include "lkvm/types.h"

struct failure;
struct event_loop;

/* A file descriptor to watch. Storage belongs to the caller. */
struct event_source {
	int fd; /* owned by the caller */
	/*
	 * @events: EPOLL*, level-triggered (an edge could be lost: see
	 * event.c). May add, change and remove sources, itself too.
	 */
	void (*ready)(struct event_source *src, u32 events);
};

/* A one-shot timer on CLOCK_MONOTONIC. */
struct event_timer {
	struct event_source source; /* private */
	void (*expired)(struct event_timer *timer);
};

struct event_loop {
	int epoll_fd;
	int wake_fd;
	pthread_t thread;     /* set under lock */
	bool running;	      /* there is a thread; main thread, under lock */
	bool initialised;     /* main thread only */
	pthread_mutex_t lock; /* guards current, generation, stop */
	pthread_cond_t idle;  /* current changed */
	struct event_source *current; /* whose callback runs now, or NULL */
	u64 generation; /* counts removals: a batch of events is dropped after one */
	bool stop;
};

int event_loop_init(struct event_loop *loop, struct failure *why);
int event_loop_start(struct event_loop *loop);
/* Stop the thread and join it. Not from a callback. Idempotent. */
void event_loop_stop(struct event_loop *loop);
/* Stops first. Accepts a zeroed loop, and one that could not be initialised. */
void event_loop_release(struct event_loop *loop);

/* -EPERM: the file (a regular one, /dev/null) cannot be polled. */
int event_add(struct event_loop *loop, struct event_source *src, u32 events);
int event_modify(struct event_loop *loop, struct event_source *src, u32 events);
/*
 * Once it returns, the callback does not run and never will again; called on
 * the loop's own thread it does not wait. Caller still owns and closes the fd.
 */
void event_remove(struct event_loop *loop, struct event_source *src);

/* timer->expired is set by the caller. */
int event_timer_init(struct event_loop *loop, struct event_timer *timer);
/* Expire once in @ns nanoseconds; 0 disarms. Any thread. */
void event_timer_set(struct event_timer *timer, u64 ns);
/* Once it returns, expired() does not run; see event_remove(). */
void event_timer_release(struct event_loop *loop, struct event_timer *timer);

#endif
