/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ELF headers: whatever is accepted lies in file and RAM.
 */
#include <stdlib.h>
#include "lkvm/types.h"
#include "x86/elf.h"
#include "x86/machine.h"

#define RAM_END (64 * MIB)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_kernel elf;
	const char *why;

	if (elf_parse(data, size, size, RAM_END, &elf, &why))
		return 0;
	if (elf.nr > ELF_MAX_SEGMENTS || elf.entry < elf.start ||
	    elf.entry >= elf.end || elf.end > RAM_END)
		abort();
	for (unsigned int i = 0; i < elf.nr; i++) {
		const struct elf_segment *s = &elf.segments[i];

		if (!range_within(s->offset, s->file_len, size) ||
		    s->file_len > s->mem_len || s->gpa < HIGH_GPA ||
		    !range_within(s->gpa, s->mem_len, RAM_END))
			abort();
	}
	return 0;
}
