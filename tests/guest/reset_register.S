// SPDX-License-Identifier: GPL-2.0-only
/*
 * A reset through port CF9 ends the VM in order.
 *
 * guest-stdout: bye
 */
#include "real.inc"
	PRINT	text, 4
	mov	$0xcf9, %dx
	mov	$6, %al
	out	%al, %dx
	HANG
text:	.ascii "bye\n"
