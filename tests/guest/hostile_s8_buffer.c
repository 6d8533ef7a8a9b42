// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers that begin in RAM and end behind it, or lie outside altogether, or in
 * the device's own registers.
 *
 * guest-args: --disk DISK,ro --rng
 */
#include "virtio.h"

static struct blk blk;

static void attack(u64 buffer, u32 len)
{
	check(blk_request(&blk, BLK_READ, 0, buffer, len) != BLK_OK);
	check(blk_open(&blk));
	check_equal("read after a reset",
		    blk_request(&blk, BLK_READ, 2, BLK_BUFFER, 512), BLK_OK);
}

/* The rng fills whatever it is given: it must not fill this. */
static void attack_rng(u64 buffer, u32 len)
{
	struct virtio dev;
	struct queue q;

	check(virtio_find(&dev, VIRTIO_RNG));
	check(virtio_start(&dev, 0));
	queue_setup(&dev, &q, 0, DMA_AREA + 0x20000, NO_VECTOR);
	virtio_ready(&dev);
	queue_desc(&q, 0, buffer, len, DESC_WRITE, 0);
	queue_submit(&q, 0);
	check(queue_is_refused(&dev, &q));
}

void guest_main(void)
{
	check(blk_open(&blk));
	attack(RAM_END - 512, 1024);
	attack(RAM_END - 1, 512);
	attack(RAM_END, 512);
	attack(DMA_AREA, 0xfffffe00);
	attack(~0ULL - 511, 512);
	attack(~0ULL - 511, 1024);
	attack(1ULL << 63, 512);
	attack(blk.dev.common, 512);
	attack_rng(RAM_END - 8, 16);
	attack_rng(~0ULL - 7, 16);
	end();
}
