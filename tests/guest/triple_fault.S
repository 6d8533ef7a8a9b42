// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_EXIT_SHUTDOWN: an exception without an interrupt table.
 *
 * guest-status: 33
 * guest-stdout: crash
 */
#include "real.inc"
	PRINT	text, 6
	lidtl	no_table - 0x10000
	ud2
	HANG
text:	.ascii "crash\n"
no_table:
	.word	0
	.long	0
