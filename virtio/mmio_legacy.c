/* SPDX-License-Identifier: GPL-2.0-only */
/* The legacy MMIO interface (virtio 1.2, 4.2.4): version 1. */
#include "virtio/mmio_priv.h"

#include <linux/virtio_mmio.h>

static u32 read_register(struct virtio_mmio *mmio, u64 offset)
{
	const struct virtq *q = virtio_mmio_queue(mmio);

	if (offset != VIRTIO_MMIO_QUEUE_PFN || !q || !q->enabled)
		return 0;
	/* It was enabled with one, but the driver may write another later. */
	return mmio->page_size ? (u32)(q->desc_gpa / mmio->page_size) : 0;
}

/* Without an alignment the used ring could not be found: nothing happens. */
static void set_page(struct virtio_mmio *mmio, struct virtq *q, u32 page)
{
	if (page && (!mmio->page_size || !mmio->queue_align))
		return;
	virtio_queue_set_legacy(mmio->dev, q, (u64)page * mmio->page_size,
				mmio->queue_align);
	virtio_mmio_sync_doorbells(mmio);
}

static void write_register(struct virtio_mmio *mmio, u64 offset, u32 value)
{
	struct virtq *q = virtio_mmio_queue(mmio);

	switch (offset) {
	case VIRTIO_MMIO_GUEST_PAGE_SIZE:
		if (is_power_of_two(value))
			mmio->page_size = value;
		break;
	case VIRTIO_MMIO_QUEUE_ALIGN:
		if (is_power_of_two(value))
			mmio->queue_align = value;
		break;
	case VIRTIO_MMIO_QUEUE_PFN:
		if (q)
			set_page(mmio, q, value);
		break;
	default:
		break;
	}
}

const struct virtio_mmio_interface virtio_mmio_legacy = {
	.version = 1,
	.is_legacy = true,
	.read = read_register,
	.write = write_register,
};
