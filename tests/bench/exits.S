// SPDX-License-Identifier: GPL-2.0-only
/*
 * Says one byte; then -DEXITS=N writes to COM1's scratch register, one exit
 * each; then power-off.
 */
	.code16
	.section .text, "ax"
	.globl _start
_start:
	mov	$0x3f8, %dx
	mov	$'!', %al
	out	%al, %dx
	mov	$EXITS, %ecx
	mov	$0x3ff, %dx
1:	out	%al, %dx
	dec	%ecx
	jnz	1b
	mov	$0x604, %dx
	mov	$0x3400, %ax
	out	%ax, %dx
2:	cli
	hlt
	jmp	2b
