/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is in a bzImage: a compressed vmlinux, followed by its relocations.
 * Pure functions over bytes that nobody vouches for. They stand for what the
 * bzImage's own decompressor does in the guest, and refuse whatever they have
 * not seen: then that does it.
 */
#ifndef LKVM_X86_UNPACK_H
#define LKVM_X86_UNPACK_H

#include "lkvm/types.h"
#include "x86/bzimage.h"
#include "x86/elf.h"

/* A compressed kernel in its file. */
struct payload {
	u64 offset;
	u64 len;
};

/* Behind every compressed kernel stands how long it is unpacked, in 4 bytes. */
#define PAYLOAD_TAIL 4U

/* Kinds of relocations, in their order in the file. */
enum reloc_kind {
	RELOC_64,
	RELOC_INVERSE_32, /* the value shrinks: offsets from per-CPU data */
	RELOC_32,
	RELOC_KINDS
};

struct vmlinux {
	struct elf_kernel elf; /* where it was linked to be */
	/* Words of 4 bytes: link addresses of what to change. Borrowed. */
	struct {
		const u8 *words;
		size_t nr;
	} relocs[RELOC_KINDS];
	bool has_relocs; /* it can be moved in virtual memory */
};

/* -EINVAL: this kernel is not compressed. */
int unpack_find(const struct bzimage *image, struct payload *out);

/*
 * @file: an unpacked payload of @len bytes, of a kernel that was linked for
 * physical address @start and has @room there. -EINVAL: not understood, *why
 * says why. What is accepted may go to unpack_settle().
 */
int unpack_parse(const u8 *file, u64 len, u64 start, u64 room,
		 struct vmlinux *out, const char **why);

/*
 * Bring the segments from @file, which was given to unpack_parse(), to @to,
 * which has its @room and is @file or begins before it. What was there between
 * the segments stays; @file is destroyed, except for the relocations.
 */
void unpack_settle(const struct vmlinux *vmlinux, const u8 *file, u8 *to);

/*
 * Make the kernel at @to run at @delta above its virtual addresses. -EINVAL: a
 * relocation is for nothing that it has; then the kernel is spoilt.
 */
int unpack_relocate(const struct vmlinux *vmlinux, u8 *to, u64 delta);

#endif
