/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a kernel that wants to be at a random address goes (KASLR). Pure
 * functions; the caller brings the random bits.
 */
#ifndef LKVM_X86_KASLR_H
#define LKVM_X86_KASLR_H

#include "lkvm/types.h"

enum kaslr_mode {
	KASLR_ON,
	KASLR_OFF, /* nokaslr */
	/*
	 * The command line takes memory away, so that not every place is good:
	 * the kernel's own decompressor knows which are.
	 */
	KASLR_GUEST,
};

/* What the kernel's command line asks for. */
enum kaslr_mode kaslr_mode(const char *cmdline);

/* Free guest memory. */
struct kaslr_span {
	u64 start, end;
};

/*
 * One of the multiples of @align, a power of two, at which @need bytes lie in
 * one of the @nr @spans. 0: there is none.
 */
u64 kaslr_place(const struct kaslr_span *spans, unsigned int nr, u64 need,
		u64 align, u64 random);

/*
 * How much higher than its link address, which is @start above the beginning
 * of the kernel's mapping, the kernel is in virtual memory. A multiple of
 * @align.
 */
u64 kaslr_offset(u64 start, u64 need, u64 align, u64 random);

#endif
