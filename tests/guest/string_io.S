// SPDX-License-Identifier: GPL-2.0-only
/*
 * String instructions on ports: one exit may carry many elements. Bytes come out
 * in order, words and dwords at a port that nobody has are lost, reads of one
 * give ones to the last byte.
 *
 * guest-stdout: 0123456789abcdefghijklmnopqrstuvwxyz ones
 */
#include "real.inc"
	PRINT	text, 37
	mov	$0x9f0, %dx
	mov	$(text - 0x10000), %si
	mov	$8, %cx
	rep outsw
	mov	$4, %cx
	rep outsl
	mov	$(buffer - 0x10000), %di
	mov	$16, %cx
	rep insb
	mov	$8, %cx
	rep insw
	mov	$4, %cx
	rep insl
	mov	$(buffer - 0x10000), %di
	mov	$24, %cx
	mov	$0xffff, %ax
	repe scasw
	jne	1f
	PRINT	ones, 5
1:	POWER_OFF
	HANG
text:	.ascii "0123456789abcdefghijklmnopqrstuvwxyz "
ones:	.ascii "ones\n"
	.balign 4
buffer:	.skip 48, 0x5a
