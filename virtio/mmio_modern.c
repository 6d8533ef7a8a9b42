/* SPDX-License-Identifier: GPL-2.0-only */
/* The MMIO interface of virtio 1.0 and later (virtio 1.2, 4.2.2): version 2. */
#include "virtio/mmio_priv.h"

#include <linux/virtio_mmio.h>

/* 4.2.2; the system's header may not have it. */
#define QUEUE_RESET 0x0c0

static u32 read_register(struct virtio_mmio *mmio, u64 offset)
{
	const struct virtq *q = virtio_mmio_queue(mmio);

	switch (offset) {
	case VIRTIO_MMIO_QUEUE_READY:
		return q && q->enabled;
	case VIRTIO_MMIO_CONFIG_GENERATION:
		return mmio->dev->config_generation;
	case VIRTIO_MMIO_SHM_LEN_LOW: /* no such region: 2^64 - 1 */
	case VIRTIO_MMIO_SHM_LEN_HIGH:
	case VIRTIO_MMIO_SHM_BASE_LOW:
	case VIRTIO_MMIO_SHM_BASE_HIGH:
		return UINT32_MAX;
	default:
		/* QUEUE_RESET among them: it is done at once. */
		return 0;
	}
}

static void set_address(struct virtio_mmio *mmio, struct virtq *q, u64 offset,
			u32 value)
{
	/* Three addresses of two words each, 16 bytes apart. */
	u64 word = offset - VIRTIO_MMIO_QUEUE_DESC_LOW;

	virtio_queue_set_address(mmio->dev, q, (enum virtq_area)(word / 16),
				 word % 16 / 4, value);
}

static void write_register(struct virtio_mmio *mmio, u64 offset, u32 value)
{
	struct virtq *q = virtio_mmio_queue(mmio);

	if (!q)
		return;
	switch (offset) {
	case VIRTIO_MMIO_QUEUE_READY:
		if (value == 1)
			virtio_queue_enable(mmio->dev, q);
		virtio_mmio_sync_doorbells(mmio);
		break;
	case QUEUE_RESET:
		if (value == 1)
			virtio_queue_reset(mmio->dev, q);
		virtio_mmio_sync_doorbells(mmio);
		break;
	case VIRTIO_MMIO_QUEUE_DESC_LOW:
	case VIRTIO_MMIO_QUEUE_DESC_HIGH:
	case VIRTIO_MMIO_QUEUE_AVAIL_LOW:
	case VIRTIO_MMIO_QUEUE_AVAIL_HIGH:
	case VIRTIO_MMIO_QUEUE_USED_LOW:
	case VIRTIO_MMIO_QUEUE_USED_HIGH:
		set_address(mmio, q, offset, value);
		break;
	default:
		break;
	}
}

const struct virtio_mmio_interface virtio_mmio_modern = {
	.version = 2,
	.read = read_register,
	.write = write_register,
};
