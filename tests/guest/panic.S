// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest reports its panic through pvpanic.
 *
 * guest-status: 34
 * guest-stdout: panic
 */
#include "real.inc"
	PRINT	text, 6
	mov	$0x505, %dx
	mov	$1, %al
	out	%al, %dx
	HANG
text:	.ascii "panic\n"
