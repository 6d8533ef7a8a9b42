/* SPDX-License-Identifier: GPL-2.0-only */
/* Between confine.c and tools/confine_gen.c, which makes its filters. */
#ifndef LKVM_CONFINE_PRIV_H
#define LKVM_CONFINE_PRIV_H

struct sock_filter;

/* In a filter, in the place of the process id, which is known at run time. */
#define CONFINE_PID 0x4c4b564dU

struct confine_filter {
	const struct sock_filter *insns;
	unsigned short nr;
};

#endif
