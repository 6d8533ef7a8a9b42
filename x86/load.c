/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The three kinds of kernels, and the initrd: from their files straight into
 * guest memory.
 */
#include "x86/boot.h"

#include <errno.h>
#include <string.h>
#include "lkvm/kvm.h"
#include "x86/bzimage.h"
#include "x86/elf.h"
#include "x86/machine.h"

int boot_read_kernel(struct kvm *vm, u64 offset, u64 gpa, u64 len)
{
	const struct image *image = &vm->config->kernel;
	void *to = guest_ptr(&vm->memory, gpa, len);
	int err;

	if (!to)
		return vm_fail(
			vm, -ENOMEM,
			"kernel %s: does not fit into RAM: give more (-m)",
			image->path);
	err = image_read(image, offset, to, len);
	if (err)
		return vm_fail(vm, err, "kernel %s: cannot be read: %s",
			       image->path, strerror(-err));
	return 0;
}

int bzimage_load(struct kvm *vm, const u8 *head, size_t head_len,
		 struct boot_plan *plan)
{
	const struct image *file = &vm->config->kernel;
	struct bzimage image;
	const char *why;
	u64 gpa;
	int err;

	err = bzimage_parse(head, head_len, file->len, &image, &why);
	if (err == -EINVAL)
		return vm_fail(vm, err, "kernel %s: %s", file->path, why);
	if (err)
		return err;
	err = bzimage_place(&image, vm->arch->low_ram_len, &gpa);
	if (err)
		return vm_fail(
			vm, err,
			"kernel %s: needs %llu MiB of RAM: give more (-m)",
			file->path,
			(unsigned long long)((HIGH_GPA + image.need_len + MIB -
					      1) /
					     MIB));
	if (gpa == image.hdr.pref_address && !bzimage_unpack(vm, &image, plan))
		return 0;
	err = boot_read_kernel(vm, image.payload_offset, gpa,
			       image.payload_len);
	if (err)
		return err;
	plan->is_linux = true;
	plan->entry = gpa + BZIMAGE_ENTRY_64;
	plan->kernel_start = gpa;
	plan->kernel_end = gpa + image.need_len;
	plan->hdr = image.hdr;
	return 0;
}

/* What the zero page says of a kernel that brings no header of its own. */
static struct setup_header elf_header(void)
{
	return (struct setup_header){
		.boot_flag = 0xaa55,
		.header = 0x53726448, /* "HdrS" */
		.version = 0x20f,
		.loadflags = BIT(0), /* loaded high */
		.initrd_addr_max = 0x7fffffff,
		.kernel_alignment = 2 * MIB,
		.cmdline_size = 2047,
	};
}

int elf_load(struct kvm *vm, const u8 *head, size_t head_len,
	     struct boot_plan *plan)
{
	const struct image *file = &vm->config->kernel;
	struct elf_kernel elf;
	const char *why;
	int err;

	err = elf_parse(head, head_len, file->len, vm->arch->low_ram_len, &elf,
			&why);
	if (err == -EINVAL)
		return vm_fail(vm, err, "kernel %s: %s", file->path, why);
	if (err)
		return err;
	for (unsigned int i = 0; i < elf.nr; i++) {
		const struct elf_segment *s = &elf.segments[i];

		/* RAM is zero where the file has nothing. */
		if (!s->file_len)
			continue;
		err = boot_read_kernel(vm, s->offset, s->gpa, s->file_len);
		if (err)
			return err;
	}
	plan->is_linux = true;
	plan->entry = elf.entry;
	plan->kernel_start = elf.start;
	plan->kernel_end = elf.end;
	plan->hdr = elf_header();
	return 0;
}

int flat_load(struct kvm *vm, struct boot_plan *plan)
{
	const struct image *file = &vm->config->kernel;
	u64 max = EBDA_GPA - FLAT_GPA;

	if (file->len > max)
		return vm_fail(vm, -ENOEXEC,
			       "kernel %s: neither a bzImage nor a 64-bit ELF "
			       "file, and too long for a flat image (%llu "
			       "bytes, at most %llu)",
			       file->path, (unsigned long long)file->len,
			       (unsigned long long)max);
	plan->is_linux = false;
	return boot_read_kernel(vm, 0, FLAT_GPA, file->len);
}

/*
 * As high as it goes in [0, @limit) with @len bytes and out of the kernel's
 * way; 0 if nowhere.
 */
static u64 find_below(const struct boot_plan *plan, u64 len, u64 limit)
{
	u64 gpa;

	if (limit < len + HIGH_GPA)
		return 0;
	gpa = align_down(limit - len, 4096);
	if (gpa >= plan->kernel_end || gpa + len <= plan->kernel_start)
		return gpa >= HIGH_GPA ? gpa : 0;
	if (plan->kernel_start < len + HIGH_GPA)
		return 0;
	return align_down(plan->kernel_start - len, 4096);
}

u64 initrd_find(const struct kvm *vm, const struct boot_plan *plan, u64 len)
{
	const struct arch_vm *arch = vm->arch;
	u64 limit = (u64)plan->hdr.initrd_addr_max + 1;
	u64 gpa;

	if (limit > arch->low_ram_len)
		limit = arch->low_ram_len;
	gpa = find_below(plan, len, limit);
	if (gpa || !(plan->hdr.xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G))
		return gpa;
	gpa = find_below(plan, len, arch->low_ram_len);
	if (gpa || len > arch->high_ram_len)
		return gpa;
	return align_down(HIGH_RAM_GPA + arch->high_ram_len - len, 4096);
}

int initrd_load(struct kvm *vm, const struct boot_plan *plan,
		struct boot_params *zero_page)
{
	const struct image *initrd = &vm->config->initrd;
	u64 gpa;
	int err;

	gpa = initrd_find(vm, plan, initrd->len);
	if (!gpa)
		return vm_fail(vm, -ENOSPC,
			       "initrd %s: %llu MiB do not fit beside the "
			       "kernel: give more RAM (-m)",
			       initrd->path,
			       (unsigned long long)(initrd->len / MIB));
	err = image_read(initrd, 0, guest_ptr(&vm->memory, gpa, initrd->len),
			 initrd->len);
	if (err)
		return vm_fail(vm, err, "initrd %s: cannot be read: %s",
			       initrd->path, strerror(-err));
	zero_page->hdr.ramdisk_image = (u32)gpa;
	zero_page->hdr.ramdisk_size = (u32)initrd->len;
	zero_page->ext_ramdisk_image = (u32)(gpa >> 32);
	zero_page->ext_ramdisk_size = (u32)(initrd->len >> 32);
	return 0;
}
