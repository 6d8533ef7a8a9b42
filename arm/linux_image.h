/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The header of an arm64 kernel image (Linux, arch/arm64/booting.rst, 4).
 */
#ifndef LKVM_ARM_LINUX_IMAGE_H
#define LKVM_ARM_LINUX_IMAGE_H

#include "lkvm/types.h"

#define LINUX_IMAGE_HEAD 64U

struct linux_image {
	u64 text_offset; /* from a multiple of 2 MiB */
	u64 need_len;	 /* memory from there on, with what the file lacks */
};

/*
 * Read the header in the @len first bytes of a file of @file_len bytes.
 * -ENOEXEC: it is no such file. -EINVAL: it is, and no good; *why says it.
 */
int linux_image_parse(const u8 *head, size_t len, u64 file_len,
		      struct linux_image *out, const char **why);

#endif
