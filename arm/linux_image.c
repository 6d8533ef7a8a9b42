/* SPDX-License-Identifier: GPL-2.0-only */
/* The header of an arm64 kernel image. */
#include "arm/linux_image.h"

#include <errno.h>
#include <string.h>

#define TEXT_OFFSET 8
#define IMAGE_SIZE 16
#define MAGIC 56

/* Kernels before 3.17 leave image_size 0, and mean this. */
#define OLD_TEXT_OFFSET 0x80000ULL

#define MAX_LEN (16 * GIB)

static u64 get_le64(const u8 *at)
{
	u64 value = 0;

	for (unsigned int i = 0; i < 8; i++)
		value |= (u64)at[i] << 8 * i;
	return value;
}

int linux_image_parse(const u8 *head, size_t len, u64 file_len,
		      struct linux_image *out, const char **why)
{
	u64 size;

	if (len < LINUX_IMAGE_HEAD || memcmp(head + MAGIC, "ARM\x64", 4) != 0)
		return -ENOEXEC;
	size = get_le64(head + IMAGE_SIZE);
	out->text_offset = size ? get_le64(head + TEXT_OFFSET)
				: OLD_TEXT_OFFSET;
	out->need_len = size > file_len ? size : file_len;
	*why = NULL;
	if (out->text_offset >= MAX_LEN || out->need_len >= MAX_LEN)
		*why = "the file is damaged: its header names a size that "
		       "cannot be";
	return *why ? -EINVAL : 0;
}
