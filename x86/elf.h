/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ELF kernels: the PT_LOAD segments of a 64-bit x86 executable, at their
 * physical addresses. A pure parser of files that nobody vouches for.
 */
#ifndef LKVM_X86_ELF_H
#define LKVM_X86_ELF_H

#include "lkvm/types.h"

#define ELF_MAX_SEGMENTS 16U
/* Bytes at the start of the file: the program headers must lie there. */
#define ELF_HEAD 4096U

struct elf_segment {
	u64 gpa;
	u64 offset; /* in the file */
	u64 file_len;
	u64 mem_len; /* at least file_len; the rest is zero */
};

struct elf_kernel {
	u64 entry; /* physical */
	unsigned int nr;
	struct elf_segment segments[ELF_MAX_SEGMENTS];
	u64 start, end; /* guest memory that they lie in */
};

/*
 * @head: the first @head_len bytes of a file of @file_len. -ENOEXEC: not ELF;
 * -EINVAL: not a kernel that can be booted in RAM from HIGH_GPA to @ram_end,
 * *why says why.
 */
int elf_parse(const u8 *head, size_t head_len, u64 file_len, u64 ram_end,
	      struct elf_kernel *out, const char **why);

#endif
