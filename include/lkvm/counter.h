/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters of events, for people who look into a running VM. One thread writes
 * at a time (where nothing else is said), any thread reads.
 */
#ifndef LKVM_COUNTER_H
#define LKVM_COUNTER_H

#include <stdatomic.h>
#include "lkvm/types.h"

/* There is one writer: no locked read-modify-write is needed. */
static inline void counter_add(_Atomic u64 *counter, u64 nr)
{
	atomic_store_explicit(
		counter,
		atomic_load_explicit(counter, memory_order_relaxed) + nr,
		memory_order_relaxed);
}

static inline u64 counter_read(const _Atomic u64 *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

#endif
