// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest of the start-up figures: shows itself at a port that nobody has and
 * on COM1, then stops at once. A flat image entered at 1000:0000; assembled with
 * -DBIOS, a 64 KiB BIOS of the same code for QEMU, which the reset vector at its
 * end enters.
 *
 * Power-off as lkvm has it, and for the peers a reset by the keyboard
 * controller.
 */
	.code16
	.section .text, "ax"
	.globl _start
_start:
	out	%al, $0x80
	mov	$0x3f8, %dx
	mov	$'!', %al
	out	%al, %dx
	mov	$0x604, %dx
	mov	$0x3400, %ax
	out	%ax, %dx
	mov	$0xfe, %al
	out	%al, $0x64
1:	cli
	hlt
	jmp	1b
#ifdef BIOS
	.org	0xfff0
	jmp	_start
	.org	0x10000
#endif
