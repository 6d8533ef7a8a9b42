/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why something that the user asked for cannot be done: said once, where it is
 * known; callers pass the negative errno up, and builtin-run.c prints the text
 * and picks the exit status.
 */
#ifndef LKVM_FAILURE_H
#define LKVM_FAILURE_H

#include <pthread.h>
#include <stdarg.h>
#include "lkvm/log.h"
#include "lkvm/types.h"

enum failure_kind {
	FAILURE_NONE,
	FAILURE_FATAL, /* exit status 128 */
	FAILURE_HOST,  /* this host cannot: exit status 77 */
};

/* Zero-initialised storage is not enough: use FAILURE_INIT. */
struct failure {
	pthread_mutex_t lock; /* guards kind and text */
	enum failure_kind kind;
	char text[512];
};

#define FAILURE_INIT                                                           \
	{                                                                      \
		.lock = PTHREAD_MUTEX_INITIALIZER                              \
	}

/*
 * Record @fmt as the reason, unless one is recorded already (the first message
 * wins: it is nearest to the cause). Returns @err, a negative errno, so that
 * callers write "return fail(...)". Any thread. No newline at the end.
 */
int fail(struct failure *why, int err, const char *fmt, ...) LOG_FORMAT(3, 4);

/* The same for what the host lacks (a device node, a capability). */
int fail_host(struct failure *why, int err, const char *fmt, ...)
	LOG_FORMAT(3, 4);

#endif
