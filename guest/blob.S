/* SPDX-License-Identifier: GPL-2.0-only */
/* The program of this folder; nothing where it could not be built. */
	.section .rodata
	.globl guest_init_start, guest_init_len
	.balign 8
guest_init_len:
	.quad 1f - guest_init_start
guest_init_start:
#ifdef GUEST_INIT
	.incbin GUEST_INIT
#endif
1:
	.section .note.GNU-stack, "", %progbits
