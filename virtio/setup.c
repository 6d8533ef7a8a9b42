/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the driver does to queues (virtio 1.2, 2.6, 2.7 and 4.x): sizes,
 * addresses, enabling, resetting one, and the legacy way to do it.
 */
#include "virtio/device_priv.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

void virtq_reset_locked(struct virtq *q)
{
	virtq_disable(q);
	q->size = q->max_size;
	q->desc_gpa = 0;
	q->avail_gpa = 0;
	q->used_gpa = 0;
}

struct virtq *virtio_queue(struct virtio_device *dev, u32 index)
{
	return index < dev->nr_queues ? &dev->queues[index] : NULL;
}

void virtio_queue_set_size(struct virtio_device *dev, struct virtq *q, u16 size)
{
	pthread_mutex_lock(&dev->lock);
	if (!q->enabled && is_power_of_two(size) && size <= q->max_size)
		q->size = size;
	pthread_mutex_unlock(&dev->lock);
}

static u64 *queue_area(struct virtq *q, enum virtq_area area)
{
	switch (area) {
	case VIRTQ_DESC:
		return &q->desc_gpa;
	case VIRTQ_AVAIL:
		return &q->avail_gpa;
	default:
		return &q->used_gpa;
	}
}

void virtio_queue_set_address(struct virtio_device *dev, struct virtq *q,
			      enum virtq_area area, unsigned int half,
			      u32 value)
{
	u64 *address = queue_area(q, area);
	unsigned int shift = half ? 32 : 0;

	pthread_mutex_lock(&dev->lock);
	if (!q->enabled)
		*address = (*address & ~((u64)UINT32_MAX << shift)) |
			   (u64)value << shift;
	pthread_mutex_unlock(&dev->lock);
}

/*
 * 3.1.1: between FEATURES_OK and DRIVER_OK, once. 2.6.1.2: later, too, where
 * queues are reset one by one.
 */
static bool may_enable(const struct virtio_device *dev, const struct virtq *q)
{
	return dev->status & VIRTIO_CONFIG_S_FEATURES_OK && !q->enabled &&
	       (!(dev->status & VIRTIO_CONFIG_S_DRIVER_OK) ||
		virtio_has_feature(dev, VIRTIO_F_RING_RESET));
}

/*
 * While one queue changes none is served: serving threads read a queue's state
 * without a lock.
 */
static int enable_locked(struct virtio_device *dev, struct virtq *q)
{
	bool was_active = dev->active;
	int err;

	virtio_deactivate_locked(dev);
	err = virtq_enable(q, dev->driver_features);
	if (was_active)
		virtio_activate_locked(dev);
	if (err)
		virtio_needs_reset(dev, "a queue is not in RAM or misaligned");
	return err;
}

static void reset_queue_locked(struct virtio_device *dev, struct virtq *q)
{
	bool was_active = dev->active;

	virtio_deactivate_locked(dev);
	if (dev->ops->queue_reset)
		dev->ops->queue_reset(dev, q);
	virtq_reset_locked(q);
	if (was_active)
		virtio_activate_locked(dev);
}

int virtio_queue_enable(struct virtio_device *dev, struct virtq *q)
{
	int err = -EBUSY;

	pthread_mutex_lock(&dev->lock);
	if (may_enable(dev, q))
		err = enable_locked(dev, q);
	pthread_mutex_unlock(&dev->lock);
	return err;
}

void virtio_queue_reset(struct virtio_device *dev, struct virtq *q)
{
	pthread_mutex_lock(&dev->lock);
	if (q->enabled && virtio_has_feature(dev, VIRTIO_F_RING_RESET))
		reset_queue_locked(dev, q);
	pthread_mutex_unlock(&dev->lock);
}

/* ---- The legacy interface: the whole queue in one piece ---- */

/* 2.7.2: descriptors, available ring, and at the next @align the used ring. */
static void lay_out(struct virtq *q, u64 gpa, u32 align)
{
	q->desc_gpa = gpa;
	q->avail_gpa = gpa + q->size * sizeof(struct vring_desc);
	/* flags, idx, the ring and used_event. */
	q->used_gpa = align_up(q->avail_gpa + (3 + q->size) * sizeof(u16),
			       (u64)align);
}

void virtio_queue_set_legacy(struct virtio_device *dev, struct virtq *q,
			     u64 gpa, u32 align)
{
	pthread_mutex_lock(&dev->lock);
	if (q->enabled && !gpa) {
		reset_queue_locked(dev, q);
	} else if (!q->enabled && gpa) {
		lay_out(q, gpa, align);
		enable_locked(dev, q);
	}
	pthread_mutex_unlock(&dev->lock);
}

void virtio_legacy_kick(struct virtio_device *dev, u32 index)
{
	struct virtq *q = virtio_queue(dev, index);

	if (!q)
		return;
	pthread_mutex_lock(&dev->lock);
	if (q->usable && !dev->active &&
	    !(dev->status & VIRTIO_CONFIG_S_NEEDS_RESET))
		virtio_activate_locked(dev);
	pthread_mutex_unlock(&dev->lock);
	virtq_kick(q);
}

void virtio_kick(struct virtio_device *dev, u32 index)
{
	struct virtq *q = virtio_queue(dev, index);

	if (q)
		virtq_kick(q);
}
