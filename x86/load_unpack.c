// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads the kernel that is in a bzImage. The bzImage's own decompressor is the
 * larger part of a guest's boot; libraries of the host are faster. It also
 * gives the kernel random addresses, so that is done here, too. What it knows
 * and this file does not: 5-level page tables (the guest gets 4 levels), SEV
 * and TDX (lkvm has neither).
 */
#include "x86/boot.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include "lkvm/codec.h"
#include "lkvm/kvm.h"
#include "x86/kaslr.h"
#include "x86/machine.h"
#include "x86/unpack.h"

/* The kernel's page tables map it in pages of this size. */
#define MIN_ALIGNMENT (2 * MIB)

/* Where to put a kernel. */
struct unpack_place {
	u64 gpa;
	u64 room;
	bool is_random;
	u64 virtual_offset;
};

static int refuse(const char **why, const char *text)
{
	*why = text;
	return -ENOTSUP;
}

/* The RAM below the PCI hole that neither firmware nor the initrd takes. */
static unsigned int find_spans(const struct kvm *vm,
			       const struct bzimage *image,
			       struct kaslr_span spans[2])
{
	const struct boot_plan plan = {
		.kernel_start = image->hdr.pref_address,
		.kernel_end = image->hdr.pref_address + image->need_len,
		.hdr = image->hdr,
	};
	u64 len = vm->config->initrd.fd >= 0 ? vm->config->initrd.len : 0;
	u64 end = vm->arch->low_ram_len;
	u64 initrd = len ? initrd_find(vm, &plan, len) : 0;

	spans[0] = (struct kaslr_span){ plan.kernel_start, end };
	if (!initrd || initrd >= end)
		return 1;
	spans[1] = spans[0];
	spans[0].end = initrd;
	if (spans[1].start < initrd + len)
		spans[1].start = initrd + len;
	return 2;
}

static int find_random_place(const struct kvm *vm, const struct bzimage *image,
			     struct unpack_place *place, const char **why)
{
	u64 start = image->hdr.pref_address;
	u64 align = image->hdr.kernel_alignment;
	struct kaslr_span spans[2];
	u64 random[2];
	unsigned int nr;

	if (align < MIN_ALIGNMENT)
		align = MIN_ALIGNMENT;
	if (getrandom(random, sizeof(random), GRND_NONBLOCK) !=
	    (ssize_t)sizeof(random))
		return refuse(why, "this host has no random numbers yet");
	nr = find_spans(vm, image, spans);
	place->gpa = kaslr_place(spans, nr, image->need_len, align, random[0]);
	if (!place->gpa)
		return refuse(why, "no place for it");
	place->is_random = true;
	place->virtual_offset =
		kaslr_offset(start, image->need_len, align, random[1]);
	return 0;
}

static int find_place(const struct kvm *vm, const struct bzimage *image,
		      struct unpack_place *place, const char **why)
{
	const char *cmdline = vm->config->cmdline ? vm->config->cmdline : "";

	*place = (struct unpack_place){ .gpa = image->hdr.pref_address,
					.room = image->need_len };
	if (!image->hdr.relocatable_kernel)
		return 0;
	switch (kaslr_mode(cmdline)) {
	case KASLR_OFF:
		return 0;
	case KASLR_GUEST:
		return refuse(why, "the command line limits its memory");
	default:
		return find_random_place(vm, image, place, why);
	}
}

/* From @in, the payload, to @to. *len: its room, then its length. */
static int unpack_payload(const u8 *in, u64 in_len, u8 *to, size_t *len,
			  const char **why)
{
	enum codec codec = codec_detect(in, in_len);
	size_t room = *len;
	u32 unpacked_len;
	int err;

	if (codec == CODEC_NONE)
		return refuse(why, "unknown compression");
	memcpy(&unpacked_len, in + in_len - PAYLOAD_TAIL, PAYLOAD_TAIL);
	if (unpacked_len > room)
		return refuse(why, "larger than it says");
	/* To gzip the length is part of the file. */
	if (codec != CODEC_GZIP)
		in_len -= PAYLOAD_TAIL;
	*len = unpacked_len;
	err = codec_unpack(codec, in, in_len, to, len);
	if (err == -ENOTSUP)
		return refuse(why, "no library for its compression");
	if (err || *len != unpacked_len)
		return refuse(why, "its compressed data are damaged");
	return 0;
}

/* Read the payload from the file and unpack it to where the kernel will be. */
static int read_payload(struct kvm *vm, const struct bzimage *image, u8 *to,
			size_t *len, const char **why)
{
	struct payload payload;
	u8 *in;
	int err;

	/* The kernel is larger than what it is made from. */
	if (unpack_find(image, &payload) || payload.len > *len)
		return refuse(why, "no compressed kernel in it");
	in = mmap(NULL, payload.len, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (in == MAP_FAILED)
		return refuse(why, "out of memory");
	err = image_read(&vm->config->kernel, payload.offset, in, payload.len);
	if (err)
		err = refuse(why, "it cannot be read");
	else
		err = unpack_payload(in, payload.len, to, len, why);
	munmap(in, payload.len);
	return err;
}

/* Give back what unpacking used beside the segments, which are in order. */
static void clear_rest(struct kvm *vm, const struct elf_kernel *elf, u64 gpa,
		       u64 len)
{
	u64 start = gpa;

	for (unsigned int i = 0; i < elf->nr; i++) {
		const struct elf_segment *s = &elf->segments[i];
		u64 to = gpa + (s->gpa - elf->start);

		memory_clear(&vm->memory, start, to - start);
		start = to + s->file_len;
	}
	if (start < gpa + len)
		memory_clear(&vm->memory, start, gpa + len - start);
}

static int unpack_at(struct kvm *vm, const struct bzimage *image,
		     struct unpack_place *place, struct vmlinux *vmlinux,
		     const char **why)
{
	u8 *to = guest_ptr(&vm->memory, place->gpa, place->room);
	size_t len = place->room;
	int err;

	if (!to)
		return refuse(why, "no room for it");
	err = read_payload(vm, image, to, &len, why);
	if (!err)
		err = unpack_parse(to, len, image->hdr.pref_address,
				   place->room, vmlinux, why);
	if (err)
		return err;
	unpack_settle(vmlinux, to, to);
	/* Without, only its place in physical memory is random. */
	if (!vmlinux->has_relocs)
		place->is_random = false;
	else if (place->is_random &&
		 unpack_relocate(vmlinux, to, place->virtual_offset))
		return refuse(why, "a relocation is damaged");
	clear_rest(vm, &vmlinux->elf, place->gpa, len);
	return 0;
}

int bzimage_unpack(struct kvm *vm, const struct bzimage *image,
		   struct boot_plan *plan)
{
	struct unpack_place place;
	struct vmlinux vmlinux;
	const char *why = "";

	if (find_place(vm, image, &place, &why))
		goto err_refused;
	if (unpack_at(vm, image, &place, &vmlinux, &why))
		goto err_clear;
	plan->is_linux = true;
	plan->entry = place.gpa + (vmlinux.elf.entry - vmlinux.elf.start);
	plan->kernel_start = place.gpa;
	plan->kernel_end = place.gpa + place.room;
	plan->hdr = image->hdr;
	/* The kernel's own memory regions are random, too, if this says so. */
	plan->hdr.loadflags &= (u8)~KASLR_FLAG;
	if (place.is_random)
		plan->hdr.loadflags |= KASLR_FLAG;
	return 0;
err_clear:
	memory_clear(&vm->memory, place.gpa, place.room);
err_refused:
	log_debug("kernel %s: unpacks itself: %s", vm->config->kernel.path,
		  why);
	return -ENOTSUP;
}
