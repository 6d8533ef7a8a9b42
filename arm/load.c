/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kinds of kernels (Image, compressed Image, flat image), firmware, and the
 * initrd. layout.c tells where initrd and device tree go.
 */
#include "arm/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "arm/layout.h"
#include "arm/linux_image.h"
#include "arm/machine.h"
#include "lkvm/codec.h"
#include "lkvm/kvm.h"

#define FLAT_OFFSET 0x80000ULL
#define FLAT_OFFSET_32 0x8000ULL

static u64 ram_start(const struct kvm *vm)
{
	return vm->memory.ram[0].gpa;
}

static int read_image(struct kvm *vm, const struct image *image,
		      const char *what, u64 gpa)
{
	void *to = guest_ptr(&vm->memory, gpa, image->len);
	int err;

	if (!to)
		return vm_fail(vm, -ENOMEM,
			       "%s %s: does not fit into RAM at 0x%llx: give "
			       "more (-m)",
			       what, image->path, (unsigned long long)gpa);
	err = image_read(image, 0, to, image->len);
	if (err)
		return vm_fail(vm, err, "%s %s: cannot be read: %s", what,
			       image->path, strerror(-err));
	return 0;
}

/* ---- Kernels ---- */

static int check_fits(struct kvm *vm, u64 start, u64 len)
{
	if (guest_ptr(&vm->memory, start, len))
		return 0;
	return vm_fail(
		vm, -ENOMEM, "kernel %s: needs %llu MiB of RAM: give more (-m)",
		vm->config->kernel.path,
		(unsigned long long)((start - ram_start(vm) + len + MIB - 1) /
				     MIB));
}

static int plan_linux(struct kvm *vm, const struct linux_image *image,
		      struct boot_plan *plan)
{
	plan->entry = ram_start(vm) + image->text_offset;
	plan->end = plan->entry + image->need_len;
	return check_fits(vm, plan->entry, image->need_len);
}

static int parse_linux(struct kvm *vm, const u8 *head, size_t head_len,
		       u64 file_len, struct linux_image *image)
{
	const char *why;
	int err = linux_image_parse(head, head_len, file_len, image, &why);

	if (err == -EINVAL)
		return vm_fail(vm, err, "kernel %s: %s",
			       vm->config->kernel.path, why);
	return err;
}

static int load_plain(struct kvm *vm, const u8 *head, size_t head_len,
		      struct boot_plan *plan)
{
	const struct image *file = &vm->config->kernel;
	struct linux_image image;
	int err = parse_linux(vm, head, head_len, file->len, &image);

	if (!err)
		err = plan_linux(vm, &image, plan);
	return err ? err : read_image(vm, file, "kernel", plan->entry);
}

/* Unpack @packed to the beginning of RAM; *len is what came out. */
static int unpack(struct kvm *vm, enum codec codec, const void *packed,
		  size_t *len)
{
	const char *path = vm->config->kernel.path;
	int err;

	*len = vm->memory.ram[0].len;
	err = codec_unpack(codec, packed, vm->config->kernel.len,
			   vm->memory.ram[0].hva, len);
	if (err == -ENOTSUP)
		return vm_fail(vm, err,
			       "kernel %s: compressed with %s, and this host "
			       "lacks its library: install it, or unpack the "
			       "kernel",
			       path, codec_name(codec));
	if (err)
		return vm_fail(vm, err,
			       "kernel %s: %s data: damaged, or more than RAM "
			       "(-m) holds",
			       path, codec_name(codec));
	return 0;
}

static int load_unpacked(struct kvm *vm, size_t len, struct boot_plan *plan)
{
	u8 *ram = vm->memory.ram[0].hva;
	struct linux_image image;
	int err = parse_linux(vm, ram, len, len, &image);

	if (err == -ENOEXEC)
		return vm_fail(vm, err,
			       "kernel %s: what is compressed in it is no "
			       "arm64 kernel",
			       vm->config->kernel.path);
	if (!err)
		err = plan_linux(vm, &image, plan);
	if (!err && image.text_offset)
		memmove(ram + image.text_offset, ram, len);
	return err;
}

static int load_packed(struct kvm *vm, const u8 *head, size_t head_len,
		       struct boot_plan *plan)
{
	const struct image *file = &vm->config->kernel;
	enum codec codec = codec_detect(head, head_len);
	void *packed;
	size_t len;
	int err;

	if (codec == CODEC_NONE)
		return -ENOEXEC;
	packed = mmap(NULL, file->len, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (packed == MAP_FAILED)
		return vm_fail(vm, -errno, "kernel %s: %s", file->path,
			       strerror(errno));
	err = image_read(file, 0, packed, file->len);
	if (err)
		vm_fail(vm, err, "kernel %s: cannot be read: %s", file->path,
			strerror(-err));
	if (!err)
		err = unpack(vm, codec, packed, &len);
	munmap(packed, file->len);
	return err ? err : load_unpacked(vm, len, plan);
}

static int load_flat(struct kvm *vm, struct boot_plan *plan)
{
	const struct image *file = &vm->config->kernel;

	plan->entry =
		ram_start(vm) +
		(vm->config->arch->aarch32 ? FLAT_OFFSET_32 : FLAT_OFFSET);
	plan->end = plan->entry + file->len;
	return read_image(vm, file, "kernel", plan->entry);
}

static int load_32bit(struct kvm *vm, const u8 *head, size_t len,
		      struct boot_plan *plan)
{
	const struct image *file = &vm->config->kernel;
	struct linux_image image;
	int err = parse_linux(vm, head, len, file->len, &image);

	if (err != -ENOEXEC)
		return vm_fail(vm, -EINVAL,
			       "kernel %s: a 64-bit kernel: leave out "
			       "--aarch32, or give a 32-bit one",
			       file->path);
	return load_flat(vm, plan);
}

static int load_kernel(struct kvm *vm, struct boot_plan *plan)
{
	const struct image *file = &vm->config->kernel;
	u8 head[LINUX_IMAGE_HEAD];
	size_t len = file->len < sizeof(head) ? file->len : sizeof(head);
	int err;

	err = image_read(file, 0, head, len);
	if (err)
		return vm_fail(vm, err, "kernel %s: cannot be read: %s",
			       file->path, strerror(-err));
	if (vm->config->arch->aarch32)
		return load_32bit(vm, head, len, plan);
	err = load_plain(vm, head, len, plan);
	if (err == -ENOEXEC)
		err = load_packed(vm, head, len, plan);
	if (err == -ENOEXEC)
		err = load_flat(vm, plan);
	return err;
}

static int load_firmware(struct kvm *vm, struct boot_plan *plan)
{
	const struct arch_config *config = vm->config->arch;
	const struct image *file = &vm->config->firmware;

	plan->is_firmware = true;
	plan->entry = config->has_firmware_address ? config->firmware_address
						   : ram_start(vm);
	plan->end = plan->entry + file->len;
	return read_image(vm, file, "firmware", plan->entry);
}

int payload_load(struct kvm *vm, struct boot_plan *plan)
{
	return vm->config->firmware.fd >= 0 ? load_firmware(vm, plan)
					    : load_kernel(vm, plan);
}

/* ---- Initrd and device tree ---- */

int initrd_load(struct kvm *vm, struct boot_plan *plan)
{
	const struct image *initrd = &vm->config->initrd;
	u64 len = initrd->fd >= 0 ? initrd->len : 0;

	if (!boot_plan_place(plan, ram_start(vm), memory_end(&vm->memory), len))
		return vm_fail(vm, -ENOSPC,
			       "RAM of %llu MiB is too little for %s%s, the "
			       "device tree and an initrd of %llu KiB: give "
			       "more (-m)",
			       (unsigned long long)(vm->memory.len / MIB),
			       plan->is_firmware ? "firmware " : "kernel ",
			       plan->is_firmware ? vm->config->firmware.path
						 : vm->config->kernel.path,
			       (unsigned long long)(len / KIB));
	return plan->initrd_len ? read_image(vm, initrd, "initrd", plan->initrd)
				: 0;
}
