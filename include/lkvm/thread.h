/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads that serve: queues, the writer of an output, the user's network.
 */
#ifndef LKVM_THREAD_H
#define LKVM_THREAD_H

#include <pthread.h>

/*
 * Start @main(@arg) on a thread of that @name (at most 15 characters). All
 * signals are blocked there: they are for the main thread. 0 or -errno; after 0
 * the caller joins *@thread.
 */
int thread_start(pthread_t *thread, const char *name, void *(*main)(void *),
		 void *arg);

#endif
