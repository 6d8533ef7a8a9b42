/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The setup header of a kernel: whatever is accepted lies in file and RAM.
 */
#include <stdlib.h>
#include "lkvm/types.h"
#include "x86/bzimage.h"
#include "x86/machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const u64 ram_ends[] = { MIB, 64 * MIB, LOW_RAM_MAX };
	u64 file_len = size << 8;
	struct bzimage image;
	const char *why;
	u64 gpa;

	if (bzimage_parse(data, size, file_len, &image, &why))
		return 0;
	if (!range_within(image.payload_offset, image.payload_len, file_len) ||
	    image.need_len < image.payload_len)
		abort();
	for (unsigned int i = 0; i < ARRAY_SIZE(ram_ends); i++) {
		if (bzimage_place(&image, ram_ends[i], &gpa))
			continue;
		if (gpa < HIGH_GPA ||
		    !range_within(gpa, image.need_len, ram_ends[i]))
			abort();
	}
	return 0;
}
