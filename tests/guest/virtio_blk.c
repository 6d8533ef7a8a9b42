// SPDX-License-Identifier: GPL-2.0-only
/*
 * A disk driven as Linux does: MSI-X, requests, completion by interrupt.
 *
 * guest-args: --disk COPY
 */
#include "virtio.h"

#define VECTOR 0x22
#define REQUESTS 6

static volatile u32 interrupts;

INTERRUPT static void queue_interrupt(struct interrupt_frame *frame)
{
	interrupts++;
	lapic_eoi();
}

static bool open_with_interrupts(struct blk *blk)
{
	interrupt_set(VECTOR, queue_interrupt);
	interrupts_enable();
	if (!virtio_find(&blk->dev, VIRTIO_BLK) || !virtio_start(&blk->dev, 0))
		return false;
	check(blk->dev.msix_vectors >= 2);
	msix_enable(&blk->dev);
	msix_route(&blk->dev, 1, VECTOR);
	queue_setup(&blk->dev, &blk->queue, 0, DMA_AREA, 1);
	check_equal("vector", read16(blk->dev.common + COMMON_QUEUE_VECTOR), 1);
	virtio_ready(&blk->dev);
	return true;
}

/* The doorbell in port space rings as well as the one in memory. */
static void read_by_port(struct blk *blk)
{
	u64 doorbell = blk->queue.notify;

	check(blk->dev.notify_port);
	blk_prepare(blk, BLK_READ, 1, BLK_BUFFER, 512);
	blk->queue.notify = NOBODY;
	queue_submit(&blk->queue, 0);
	out16(blk->dev.notify_port, 0);
	check(queue_wait(&blk->queue, NULL));
	check_equal("read by port", blk_result(blk), BLK_OK);
	blk->queue.notify = doorbell;
}

void guest_main(void)
{
	const char *text = (void *)BLK_BUFFER;
	struct blk blk;
	u32 i;

	check(open_with_interrupts(&blk));
	check_equal("capacity", read32(blk.dev.config), 64);
	check_equal("read", blk_request(&blk, BLK_READ, 5, BLK_BUFFER, 512),
		    BLK_OK);
	check(equal(text, "sector 5 ", 9));
	check_equal("read 3", blk_request(&blk, BLK_READ, 61, BLK_BUFFER, 1536),
		    BLK_OK);
	check(equal(text + 1024, "sector 63 ", 10));

	read_by_port(&blk);
	memset((void *)BLK_BUFFER, 'w', 1024);
	check_equal("write", blk_request(&blk, BLK_WRITE, 7, BLK_BUFFER, 1024),
		    BLK_OK);
	memset((void *)BLK_BUFFER, 0, 2048);
	check_equal("read back",
		    blk_request(&blk, BLK_READ, 6, BLK_BUFFER, 2048), BLK_OK);
	check(equal(text, "sector 6 ", 9));
	for (i = 512; i < 1536; i += 256)
		check(equal(text + i, "wwww", 4));
	check(equal(text + 1536, "sector 9 ", 9));

	check_equal("unknown type", blk_request(&blk, 0x77, 0, BLK_BUFFER, 512),
		    BLK_UNSUPPORTED);
	for (i = 0; i < 100000 && interrupts < REQUESTS; i++)
		cpu_relax();
	check_equal("interrupts", interrupts, REQUESTS);
	end();
}
