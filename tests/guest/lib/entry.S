/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From real mode at 1000:0000 to C in 64-bit mode. The start-up vector of
 * application processors is 0x10, so that they come the same way.
 *
 * The page tables are constants of the image, because every instruction that
 * does not run saves a microsecond under a software KVM. They map 0 - 1 GiB,
 * and 3 - 4 GiB uncached, to themselves.
 */
#define BASE 0x10000
#define STACK_LEN 4096

	.section .entry, "ax"
	.code16
	.globl _start
_start:
	cli
	mov	%cs, %ax
	mov	%ax, %ds
	lgdtl	gdt_pointer - BASE
	mov	%cr4, %eax
	or	$0x620, %eax		/* PAE, OSFXSR, OSXMMEXCPT */
	mov	%eax, %cr4
	mov	$pml4, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx	/* EFER */
	rdmsr
	or	$0x100, %eax		/* LME */
	wrmsr
	mov	%cr0, %eax
	and	$~0x60000000, %eax	/* caches on */
	or	$0x80000001, %eax	/* PG, PE */
	mov	%eax, %cr0
	ljmpl	$8, $start64

	.code64
start64:
	mov	$16, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$1, %edi
	lock xadd %edi, cpus_started(%rip)
	mov	%edi, %eax
	imul	$STACK_LEN, %eax
	lea	stacks + STACK_LEN(%rax), %rsp
	call	cpu_entry
1:	cli
	hlt
	jmp	1b

	.balign 8
gdt:
	.quad 0
	.quad 0x00af9a000000ffff	/* 64-bit code */
	.quad 0x00cf92000000ffff	/* data */
gdt_pointer:
	.word . - gdt - 1
	.long gdt

	.data
	.balign 4096
	.globl pml4, pdpt
pml4:
	.quad pdpt + 3
	.fill 511, 8, 0
pdpt:
	.quad pd_low + 3, 0, 0, pd_high + 3
	.fill 508, 8, 0
pd_low:
	.set page, 0
	.rept 512
	.quad page + 0x83		/* 2 MiB, writable, present */
	.set page, page + 0x200000
	.endr
pd_high:
	.set page, 0xc0000000
	.rept 512
	.quad page + 0x9b		/* the same, uncached */
	.set page, page + 0x200000
	.endr

	.globl cpus_started
cpus_started:
	.long 0

	.bss
	.balign 16
stacks:
	.skip 16 * STACK_LEN
