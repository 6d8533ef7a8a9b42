// SPDX-License-Identifier: GPL-2.0-only
/*
 * Output through a virtio console reaches standard output byte for byte.
 *
 * guest-args: --console virtio
 * guest-stdout: hello from the virtio console
 */
#include "virtio.h"

#define TRANSMIT 1
#define HELLO "hello from the "
#define CONSOLE "virtio console\n"

void guest_main(void)
{
	struct virtio dev;
	struct queue q;

	if (virtio_find(&dev, VIRTIO_CONSOLE) && virtio_start(&dev, 0)) {
		queue_setup(&dev, &q, TRANSMIT, DMA_AREA, NO_VECTOR);
		virtio_ready(&dev);
		queue_desc(&q, 0, (u64)(uintptr_t)HELLO, sizeof(HELLO) - 1,
			   DESC_NEXT, 1);
		queue_desc(&q, 1, (u64)(uintptr_t)CONSOLE, sizeof(CONSOLE) - 1,
			   0, 0);
		queue_submit(&q, 0);
		queue_wait(&q, NULL);
	}
	end();
}
