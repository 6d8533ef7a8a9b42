/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Linux/x86 boot protocol (Documentation/arch/x86/boot.rst), 64-bit entry.
 * Pure functions over the first bytes of a file that nobody vouches for.
 */
#ifndef LKVM_X86_BZIMAGE_H
#define LKVM_X86_BZIMAGE_H

#include <asm/bootparam.h>
#include "lkvm/types.h"

struct bzimage {
	struct setup_header hdr;
	u64 payload_offset; /* of the protected-mode kernel in the file */
	u64 payload_len;
	u64 need_len; /* memory it needs from where it is loaded */
};

/* Bytes at the start of the file that bzimage_parse() wants to see. */
#define BZIMAGE_HEAD 0x290U
/* Where the 64-bit entry is in the protected-mode kernel. */
#define BZIMAGE_ENTRY_64 0x200U

/*
 * @head: the first @head_len bytes of a file of @file_len. -ENOEXEC: this is no
 * Linux kernel; -EINVAL: it is one that cannot be booted, *why says why.
 */
int bzimage_parse(const u8 *head, size_t head_len, u64 file_len,
		  struct bzimage *out, const char **why);

/* Where to load it when RAM ends at @ram_end. -ENOSPC: nowhere. */
int bzimage_place(const struct bzimage *image, u64 ram_end, u64 *gpa);

#endif
