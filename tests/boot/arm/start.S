/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a flat image begins: MMU off, x0 is the device tree. Secondary CPUs
 * come in at secondary_start with their stack in x0.
 */
	.section .text.start, "ax"
	.globl _start
_start:
	adrp	x1, stack_top
	add	x1, x1, :lo12:stack_top
	mov	sp, x1
	adr	x1, vectors
	msr	vbar_el1, x1
	b	guest_main

	.globl secondary_start
secondary_start:
	mov	sp, x0
	b	secondary_main
	.weak	secondary_main

	/* Any exception: say so and stop. */
	.balign 2048
vectors:
	.rept	16
	.balign	128
	mrs	x0, esr_el1
	mrs	x1, elr_el1
	mrs	x2, far_el1
	b	guest_exception
	.endr

	.bss
	.balign 16
	.skip 16384
	.globl stack_top
stack_top:
	.skip 4096
	.globl second_stack_top
second_stack_top:
