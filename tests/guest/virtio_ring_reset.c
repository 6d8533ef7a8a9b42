// SPDX-License-Identifier: GPL-2.0-only
/*
 * One queue reset and set up again (virtio 1.2, 2.6.1), while the device runs:
 * the ring starts anew, elsewhere and smaller, and is served.
 *
 * guest-args: --disk COPY
 */
#include "virtio.h"

#define COMMON_QUEUE_RESET 58
#define RING_RESET (1U << (40 - 32))
#define VERSION_1 1U
#define OTHER_RINGS (DMA_AREA + 0x40000)

static u16 queue_field(struct virtio *dev, u64 field)
{
	write16(dev->common + COMMON_QUEUE_SELECT, 0);
	return read16(dev->common + field);
}

static void start(struct virtio *dev)
{
	u64 status = dev->common + COMMON_STATUS;

	write8(status, 0);
	write8(status, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	write32(dev->common + COMMON_DEVICE_FEATURE_SELECT, 1);
	check(read32(dev->common + COMMON_DEVICE_FEATURE) & RING_RESET);
	write32(dev->common + COMMON_DRIVER_FEATURE_SELECT, 1);
	write32(dev->common + COMMON_DRIVER_FEATURE, VERSION_1 | RING_RESET);
	write8(status, read8(status) | STATUS_FEATURES_OK);
	check(read8(status) & STATUS_FEATURES_OK);
}

static void check_read(struct blk *blk, u64 sector, const char *text)
{
	memset((void *)BLK_BUFFER, 0, 512);
	check_equal("read", blk_request(blk, BLK_READ, sector, BLK_BUFFER, 512),
		    BLK_OK);
	check(equal((void *)BLK_BUFFER, text, 9));
}

static void reset_queue(struct virtio *dev)
{
	write16(dev->common + COMMON_QUEUE_SELECT, 0);
	write16(dev->common + COMMON_QUEUE_RESET, 1);
	check_equal("queue_reset", queue_field(dev, COMMON_QUEUE_RESET), 0);
	check_equal("queue_enable", queue_field(dev, COMMON_QUEUE_ENABLE), 0);
	check_equal("queue_vector", queue_field(dev, COMMON_QUEUE_VECTOR),
		    NO_VECTOR);
}

void guest_main(void)
{
	struct blk blk;
	u16 max;

	check(virtio_find(&blk.dev, VIRTIO_BLK));
	max = queue_field(&blk.dev, COMMON_QUEUE_SIZE);
	start(&blk.dev);
	queue_setup(&blk.dev, &blk.queue, 0, DMA_AREA, NO_VECTOR);
	virtio_ready(&blk.dev);
	check_read(&blk, 1, "sector 1 ");
	check_read(&blk, 2, "sector 2 ");

	reset_queue(&blk.dev);
	check_equal("queue_size", queue_field(&blk.dev, COMMON_QUEUE_SIZE),
		    max);
	/* Nobody answers now, and nothing breaks. */
	blk_prepare(&blk, BLK_READ, 3, BLK_BUFFER, 512);
	queue_submit(&blk.queue, 0);
	check(!virtio_needs_reset(&blk.dev));

	queue_setup(&blk.dev, &blk.queue, 0, OTHER_RINGS, NO_VECTOR);
	check_equal("queue_enable", queue_field(&blk.dev, COMMON_QUEUE_ENABLE),
		    1);
	check_equal("queue_size", queue_field(&blk.dev, COMMON_QUEUE_SIZE),
		    QUEUE_SIZE);
	check_read(&blk, 4, "sector 4 ");
	check_read(&blk, 5, "sector 5 ");
	check(!virtio_needs_reset(&blk.dev));
	end();
}
