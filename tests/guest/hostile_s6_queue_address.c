// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queues that lie outside RAM, across its end or nowhere near an alignment, and
 * sizes that are none.
 *
 * guest-args: --disk DISK,ro
 */
#include "virtio.h"

static struct blk blk;

static void start(u64 desc, u64 avail, u64 used, u16 size)
{
	u64 common = blk.dev.common;

	check(virtio_start(&blk.dev, 0));
	queue_setup(&blk.dev, &blk.queue, 1, DMA_AREA, NO_VECTOR); /* absent */
	write16(common + COMMON_QUEUE_SELECT, 0);
	write16(common + COMMON_QUEUE_SIZE, size);
	write64(common + COMMON_QUEUE_DESC, desc);
	write64(common + COMMON_QUEUE_AVAIL, avail);
	write64(common + COMMON_QUEUE_USED, used);
	write16(common + COMMON_QUEUE_ENABLE, 1);
	virtio_ready(&blk.dev);
	write16(blk.dev.notify, 0);
}

static void recover(void)
{
	check(blk_open(&blk));
	check_equal("read after a reset",
		    blk_request(&blk, BLK_READ, 2, BLK_BUFFER, 512), BLK_OK);
}

void guest_main(void)
{
	static const u64 bad[] = { RAM_END,	 RAM_END - 16, 1ULL << 40,
				   ~0ULL - 15,	 ~0ULL,	       0xfee00000,
				   DMA_AREA + 1, NOBODY };
	const u64 good = DMA_AREA;
	u32 i;

	check(blk_open(&blk));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		start(bad[i], good + 0x1000, good + 0x2000, QUEUE_SIZE);
		start(good, bad[i], good + 0x2000, QUEUE_SIZE);
		start(good, good + 0x1000, bad[i], QUEUE_SIZE);
	}
	recover();
	start(good, good + 0x1000, good + 0x2000, 0);
	start(good, good + 0x1000, good + 0x2000, 3);
	start(good, good + 0x1000, good + 0x2000, 0xffff);
	start(good, good + 0x1000, good + 0x2000, 0x8000);
	recover();
	end();
}
