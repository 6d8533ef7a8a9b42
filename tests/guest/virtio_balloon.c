// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages given up and pages reported free read as zero afterwards, and no others.
 * Statistics longer than there are tags (S5 of facts/kvmtool.md) harm nobody.
 *
 * guest-args: --balloon
 */
#include "virtio.h"

#define INFLATE 0
#define STATISTICS 2
#define REPORTING 3
#define FEATURES (1U << 1 | 1U << 5) /* STATS_VQ, REPORTING */

#define RINGS 0x4000ULL /* of one queue */
#define LIST (DMA_AREA + 0x20000)
#define PAGES 0x800000ULL
#define NR_PAGES 1024
#define PAGE 4096ULL

static u64 *page(u32 i)
{
	return (u64 *)(PAGES + i * PAGE);
}

static bool is_given(u32 i)
{
	return (i >= 3 && i < 200) || i == 300 || (i >= 512 && i < 768);
}

static void submit(struct queue *q, u64 addr, u32 len, u16 flags)
{
	queue_desc(q, 0, addr, len, flags, 0);
	queue_submit(q, 0);
	check(queue_wait(q, NULL));
}

void guest_main(void)
{
	u32 *list = (u32 *)LIST, nr = 0;
	struct queue inflate, statistics, reporting;
	struct virtio dev;

	check(virtio_find(&dev, VIRTIO_BALLOON));
	check(virtio_start(&dev, FEATURES));
	queue_setup(&dev, &inflate, INFLATE, DMA_AREA, NO_VECTOR);
	queue_setup(&dev, &statistics, STATISTICS, DMA_AREA + RINGS, NO_VECTOR);
	queue_setup(&dev, &reporting, REPORTING, DMA_AREA + 2 * RINGS,
		    NO_VECTOR);
	virtio_ready(&dev);
	for (u32 i = 0; i < NR_PAGES; i++)
		page(i)[0] = page(i)[511] = i + 1;

	for (u32 i = 3; i < 200; i++)
		list[nr++] = PAGES / PAGE + i;
	list[nr++] = PAGES / PAGE + 300;
	list[nr++] = 0xffffffff;
	list[nr++] = 0xc0000;
	submit(&inflate, LIST, nr * sizeof(*list), 0);
	submit(&reporting, (u64)page(512), 256 * PAGE, DESC_WRITE);
	queue_desc(&statistics, 0, PAGES, 4 * NR_PAGES, 0, 0);
	queue_submit(&statistics, 0);

	for (u32 i = 0; i < NR_PAGES; i++) {
		u64 wanted = is_given(i) ? 0 : i + 1;

		check(page(i)[0] == wanted && page(i)[511] == wanted);
	}
	/* And they are RAM as ever. */
	page(600)[0] = 7;
	check(page(600)[0] == 7);
	check(!virtio_needs_reset(&dev));
	end();
}
