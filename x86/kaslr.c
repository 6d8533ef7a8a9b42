// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random addresses for kernels: what Linux's decompressor would choose from,
 * except that all is in RAM below the PCI hole.
 */
#include "x86/kaslr.h"

#include <string.h>

/* Virtual memory for the image of a kernel with KASLR: modules come next. */
#define KERNEL_IMAGE_MAX GIB

#define BLANKS " \t\n"

/* Is the @len bytes long word a parameter that takes memory away? */
static bool limits_memory(const char *word, size_t len)
{
	static const char *const names[] = { "mem=", "memmap=", "hugepagesz=",
					     "efi_fake_mem=" };

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		if (len >= strlen(names[i]) &&
		    !memcmp(word, names[i], strlen(names[i])))
			return true;
	return false;
}

enum kaslr_mode kaslr_mode(const char *cmdline)
{
	enum kaslr_mode mode = KASLR_ON;
	size_t len;

	for (; *cmdline; cmdline += len) {
		cmdline += strspn(cmdline, BLANKS);
		len = strcspn(cmdline, BLANKS);
		if (len == strlen("nokaslr") &&
		    !memcmp(cmdline, "nokaslr", len))
			return KASLR_OFF;
		if (limits_memory(cmdline, len))
			mode = KASLR_GUEST;
	}
	return mode;
}

static u64 count_slots(const struct kaslr_span *span, u64 need, u64 align)
{
	u64 first = align_up(span->start, align);

	if (span->end < need || first < span->start || first > span->end - need)
		return 0;
	return (span->end - need - first) / align + 1;
}

u64 kaslr_place(const struct kaslr_span *spans, unsigned int nr, u64 need,
		u64 align, u64 random)
{
	u64 slots = 0;

	for (unsigned int i = 0; i < nr; i++)
		slots += count_slots(&spans[i], need, align);
	if (!slots)
		return 0;
	random %= slots;
	for (unsigned int i = 0; i < nr; i++) {
		slots = count_slots(&spans[i], need, align);
		if (random < slots)
			return align_up(spans[i].start, align) + random * align;
		random -= slots;
	}
	return 0;
}

u64 kaslr_offset(u64 start, u64 need, u64 align, u64 random)
{
	if (!range_within(start, need, KERNEL_IMAGE_MAX))
		return 0;
	return random % ((KERNEL_IMAGE_MAX - start - need) / align + 1) * align;
}
