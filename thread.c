// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/thread.h"

#include <signal.h>
#include "lkvm/types.h"

/*
 * Enough for serving a request, and so small that the kernel cannot back the
 * stack with a huge page: 2 MiB resident for a few KiB used.
 */
#define STACK_LEN (256 * KIB)

int thread_start(pthread_t *thread, const char *name, void *(*main)(void *),
		 void *arg)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int err;

	err = pthread_attr_init(&attr);
	if (err)
		return -err;
	pthread_attr_setstacksize(&attr, STACK_LEN);
	sigfillset(&all);
	/* Inherited: no moment at which the thread has other ones. */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(thread, &attr, main, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (!err)
		pthread_setname_np(*thread, name);
	return -err;
}
