// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSI-X vectors that do not exist: the device takes none (virtio 1.2,
 * 4.1.5.1.2.1) and works without.
 *
 * guest-args: --disk DISK,ro
 */
#include "virtio.h"

void guest_main(void)
{
	/* A disk with one queue has vectors 0 and 1. */
	static const u16 vectors[] = { 2,     3,     33,     64,
				       0x7ff, 0x800, 0x8000, 0xfffe };
	struct blk blk;
	u64 common;
	u32 i;

	check(blk_open(&blk));
	check_equal("vectors", blk.dev.msix_vectors, 2);
	common = blk.dev.common;
	msix_enable(&blk.dev);
	write16(common + COMMON_QUEUE_SELECT, 0);
	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		write16(common + COMMON_QUEUE_VECTOR, vectors[i]);
		check_equal("queue vector",
			    read16(common + COMMON_QUEUE_VECTOR), NO_VECTOR);
		write16(common + COMMON_CONFIG_VECTOR, vectors[i]);
		check_equal("config vector",
			    read16(common + COMMON_CONFIG_VECTOR), NO_VECTOR);
		check_equal("read",
			    blk_request(&blk, BLK_READ, i, BLK_BUFFER, 512),
			    BLK_OK);
	}
	end();
}
