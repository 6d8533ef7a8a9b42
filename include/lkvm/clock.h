/* SPDX-License-Identifier: GPL-2.0-only */
/* Times in one number. */
#ifndef LKVM_CLOCK_H
#define LKVM_CLOCK_H

#include <time.h>
#include "lkvm/types.h"

#define NSEC_PER_SEC 1000000000ULL
#define NSEC_PER_MSEC 1000000ULL

/* CLOCK_MONOTONIC, in nanoseconds. Any thread. */
static inline u64 monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (u64)now.tv_sec * NSEC_PER_SEC + (u64)now.tv_nsec;
}

/* A span, as system calls want it. */
static inline struct timespec timespec_of_ns(u64 ns)
{
	return (struct timespec){
		.tv_sec = (time_t)(ns / NSEC_PER_SEC),
		.tv_nsec = (long)(ns % NSEC_PER_SEC),
	};
}

#endif
