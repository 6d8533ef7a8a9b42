/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loading of kernels. Each loader looks at the first bytes of the file and
 * answers -ENOEXEC if it is not one of its own.
 */
#ifndef LKVM_X86_BOOT_H
#define LKVM_X86_BOOT_H

#include <asm/bootparam.h>
#include "lkvm/types.h"

struct bzimage;
struct kvm;

/* How the boot CPU begins. */
struct boot_plan {
	bool is_linux; /* long mode, with a zero page; else real mode */
	u64 entry;     /* of Linux */
	/* Where the kernel is, decompressed: the initrd stays clear of it. */
	u64 kernel_start, kernel_end;
	struct setup_header hdr; /* of Linux */
};

int bzimage_load(struct kvm *vm, const u8 *head, size_t head_len,
		 struct boot_plan *plan);
/*
 * Instead of a bzImage that is to be at its preferred address, which is in
 * RAM: the kernel in it, which takes the guest longer. -ENOTSUP: not possible,
 * nothing has changed, and nobody needs to know.
 */
int bzimage_unpack(struct kvm *vm, const struct bzimage *image,
		   struct boot_plan *plan);
int elf_load(struct kvm *vm, const u8 *head, size_t head_len,
	     struct boot_plan *plan);
/* Takes every file that is not too long. */
int flat_load(struct kvm *vm, struct boot_plan *plan);

/* Read a part of the kernel's file into guest memory. */
int boot_read_kernel(struct kvm *vm, u64 offset, u64 gpa, u64 len);

/*
 * Where an initrd of @len bytes goes, as high as it can and clear of the
 * kernel. 0: nowhere.
 */
u64 initrd_find(const struct kvm *vm, const struct boot_plan *plan, u64 len);
/* Put the initrd into RAM and its place into the zero page. */
int initrd_load(struct kvm *vm, const struct boot_plan *plan,
		struct boot_params *zero_page);

#endif
