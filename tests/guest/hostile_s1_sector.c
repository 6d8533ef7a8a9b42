// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sectors beyond the end of a read-only image, and sums that wrap: each request
 * fails by itself, and the disk works on.
 *
 * guest-args: --disk DISK,ro
 */
#include "virtio.h"

#define CAPACITY 64

void guest_main(void)
{
	static const u64 sectors[] = { CAPACITY,   CAPACITY - 1,
				       1ULL << 32, 1ULL << 54,
				       1ULL << 55, (1ULL << 63) - 1,
				       1ULL << 63, ~0ULL - 1,
				       ~0ULL };
	struct blk blk;
	u32 i;

	check(blk_open(&blk));
	for (i = 0; i < sizeof(sectors) / sizeof(sectors[0]); i++) {
		check_equal("read beyond the end",
			    blk_request(&blk, BLK_READ, sectors[i], BLK_BUFFER,
					1024),
			    BLK_ERROR);
		check_equal("write beyond the end",
			    blk_request(&blk, BLK_WRITE, sectors[i], BLK_BUFFER,
					1024),
			    BLK_ERROR);
	}
	check_equal("write to a read-only disk",
		    blk_request(&blk, BLK_WRITE, 0, BLK_BUFFER, 512),
		    BLK_ERROR);
	check_equal("odd length",
		    blk_request(&blk, BLK_READ, 0, BLK_BUFFER, 100), BLK_ERROR);
	check_equal("read", blk_request(&blk, BLK_READ, 3, BLK_BUFFER, 512),
		    BLK_OK);
	check(equal((void *)BLK_BUFFER, "sector 3 ", 9));
	end();
}
