/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reason why a command fails, recorded where it is known.
 */
#include "lkvm/failure.h"

#include <stdio.h>

static int record(struct failure *why, enum failure_kind kind, int err,
		  const char *fmt, va_list args)
{
	pthread_mutex_lock(&why->lock);
	if (why->kind == FAILURE_NONE) {
		why->kind = kind;
		vsnprintf(why->text, sizeof(why->text), fmt, args);
	}
	pthread_mutex_unlock(&why->lock);
	return err;
}

int fail(struct failure *why, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	err = record(why, FAILURE_FATAL, err, fmt, args);
	va_end(args);
	return err;
}

int fail_host(struct failure *why, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	err = record(why, FAILURE_HOST, err, fmt, args);
	va_end(args);
	return err;
}
