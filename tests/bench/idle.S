// SPDX-License-Identifier: GPL-2.0-only
/* Says one byte and sleeps for ever. */
	.code16
	.section .text, "ax"
	.globl _start
_start:
	mov	$0x3f8, %dx
	mov	$'!', %al
	out	%al, %dx
1:	cli
	hlt
	jmp	1b
