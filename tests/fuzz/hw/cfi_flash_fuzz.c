/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any sequence of accesses to flash memory. Four bytes of the input make one
 * access: direction and size, offset, value.
 */
#include <stdlib.h>
#include <string.h>
#include "hw/hw_priv.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

#define LEN (4 * CFI_FLASH_BLOCK)

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct cfi_flash flash;
	u8 *array = malloc(LEN); /* on the heap: its end is watched */

	if (!array || cfi_flash_init(&flash, array, LEN)) {
		free(array);
		return 0;
	}
	memset(array, 0xff, LEN);
	for (size_t i = 0; i + 3 < len; i += 4) {
		struct bus_access acc = {
			.is_write = data[i] & 1,
			.size = (u8)(1 << (data[i] >> 1 & 3)),
			/* Near the ends of blocks, and of the whole. */
			.offset = (data[i + 1] * CFI_FLASH_BLOCK / 32 +
				   data[i + 2]) &
				  ~(data[i] & 0x80 ? 0ULL : 3ULL),
			.value = data[i + 3] * 0x0001000100010001ULL,
		};

		cfi_flash_access(&flash, &acc);
	}
	cfi_flash_release(&flash);
	free(array);
	return 0;
}
