// SPDX-License-Identifier: GPL-2.0-only
/*
 * Doorbells and queue selections for queues that do not exist.
 *
 * guest-args: --disk DISK,ro
 */
#include "virtio.h"

static void select_absent(struct blk *blk, u16 queue)
{
	u64 common = blk->dev.common;

	write16(common + COMMON_QUEUE_SELECT, queue);
	check_equal("size of no queue", read16(common + COMMON_QUEUE_SIZE), 0);
	write16(common + COMMON_QUEUE_SIZE, 8);
	write16(common + COMMON_QUEUE_VECTOR, 0);
	write64(common + COMMON_QUEUE_DESC, DMA_AREA);
	write64(common + COMMON_QUEUE_AVAIL, DMA_AREA);
	write64(common + COMMON_QUEUE_USED, DMA_AREA);
	write16(common + COMMON_QUEUE_ENABLE, 1);
	check_equal("no queue is enabled", read16(common + COMMON_QUEUE_ENABLE),
		    0);
	write16(blk->dev.notify, queue);
	write32(blk->dev.notify, queue);
	write8(blk->dev.notify, (u8)queue);
	if (!blk->dev.notify_port)
		return;
	out16(blk->dev.notify_port, queue);
	out32(blk->dev.notify_port, queue);
	out8(blk->dev.notify_port, (u8)queue);
}

void guest_main(void)
{
	static const u16 queues[] = {
		1, 2, 63, 64, 65, 0x7fff, 0x8000, 0xffff
	};
	struct blk blk;
	u32 i;

	check(blk_open(&blk));
	for (i = 0; i < sizeof(queues) / sizeof(queues[0]); i++)
		select_absent(&blk, queues[i]);
	write32(blk.dev.notify, 0xffffffff);
	write64(blk.dev.notify, ~0ULL);
	write32(blk.dev.common + COMMON_DEVICE_FEATURE_SELECT, 0xffffffff);
	check_equal("features of no window",
		    read32(blk.dev.common + COMMON_DEVICE_FEATURE), 0);
	write32(blk.dev.common + COMMON_DRIVER_FEATURE_SELECT, 0xffffffff);
	write32(blk.dev.common + COMMON_DRIVER_FEATURE, 0xffffffff);
	check_equal("read", blk_request(&blk, BLK_READ, 2, BLK_BUFFER, 512),
		    BLK_OK);
	end();
}
