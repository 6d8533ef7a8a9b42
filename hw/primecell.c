/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What ARM's PrimeCells share: eight bytes, each in a word of its own, at the
 * end of their page by which the guest's bus tells them apart.
 */
#include "hw/hw_priv.h"

#define FIRST_ID 0xfe0

u8 hw_primecell_id(u16 part, u64 offset)
{
	/* Part number; designer 'A' (ARM), revision 1; then those of all. */
	const u8 ids[8] = {
		(u8)part, (u8)(0x10 | part >> 8), 0x14, 0, 0x0d, 0xf0, 0x05,
		0xb1,
	};
	u64 nr = (offset - FIRST_ID) / 4;

	return offset >= FIRST_ID && nr < sizeof(ids) ? ids[nr] : 0;
}
