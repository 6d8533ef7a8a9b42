// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random bytes: as many as the used ring says, and different ones each time.
 *
 * guest-args: --rng
 */
#include "virtio.h"

#define BUFFER (DMA_AREA + 0x8000)
#define LEN 64

static u32 fill(struct queue *q, u64 at)
{
	u32 len = 0;

	queue_desc(q, 0, at, LEN, DESC_WRITE, 0);
	queue_submit(q, 0);
	check(queue_wait(q, &len));
	return len;
}

void guest_main(void)
{
	struct virtio dev;
	struct queue q;
	u32 first, second;

	check(virtio_find(&dev, VIRTIO_RNG));
	check(virtio_start(&dev, 0));
	queue_setup(&dev, &q, 0, DMA_AREA, NO_VECTOR);
	virtio_ready(&dev);
	first = fill(&q, BUFFER);
	second = fill(&q, BUFFER + LEN);
	check(first > 0 && first <= LEN);
	check(second > 0 && second <= LEN);
	check(!equal((void *)BUFFER, (void *)(BUFFER + LEN), 16));
	end();
}
