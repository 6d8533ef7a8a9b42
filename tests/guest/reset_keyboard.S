// SPDX-License-Identifier: GPL-2.0-only
/*
 * A reset through the keyboard controller, told apart from a power-off.
 *
 * guest-args: --extended-status
 * guest-status: 32
 * guest-stdout: bye
 */
#include "real.inc"
	PRINT	text, 4
	mov	$0xfe, %al
	out	%al, $0x64
	HANG
text:	.ascii "bye\n"
