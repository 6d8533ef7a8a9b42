/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What all virtio devices have in common (virtio 1.2, 2.1 - 2.5 and 3.1):
 * status, features, configuration space and the life of the queues. How the
 * driver gets here is the transport's business.
 */
#include "virtio/device_priv.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define GENERIC_FEATURES                                                       \
	(BIT64(VIRTIO_F_VERSION_1) | BIT64(VIRTIO_RING_F_EVENT_IDX) |          \
	 BIT64(VIRTIO_RING_F_INDIRECT_DESC))

/* Bits that a driver may set; the device alone sets NEEDS_RESET. */
#define DRIVER_STATUS                                                          \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |                \
	 VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK |             \
	 VIRTIO_CONFIG_S_FAILED)

static int create_queues(struct virtio_device *dev, unsigned int nr,
			 u16 max_size)
{
	dev->queues = calloc(nr, sizeof(*dev->queues));
	if (!dev->queues)
		return -ENOMEM;
	for (; dev->nr_queues < nr; dev->nr_queues++) {
		struct virtq *q = &dev->queues[dev->nr_queues];

		q->dev = dev;
		q->index = dev->nr_queues;
		q->max_size = max_size;
		virtq_reset_locked(q);
		q->kick_fd = eventfd(0, EFD_CLOEXEC);
		if (q->kick_fd < 0)
			return -errno;
	}
	return 0;
}

/*
 * Resetting one queue needs a device that forgets one queue's chains, or that
 * keeps none.
 */
static u64 generic_features(const struct virtio_dev_ops *ops)
{
	return ops->queue_reset || !ops->reset
		       ? GENERIC_FEATURES | BIT64(VIRTIO_F_RING_RESET)
		       : GENERIC_FEATURES;
}

int virtio_device_init(struct virtio_device *dev,
		       const struct virtio_dev_ops *ops,
		       const struct memory *mem, u64 features,
		       unsigned int config_len, unsigned int nr_queues,
		       u16 queue_size)
{
	int err;

	*dev = (struct virtio_device){
		.base = dev->base,
		.ops = ops,
		.mem = mem,
		.host_features = features | generic_features(ops),
		.config_len = config_len,
	};
	pthread_mutex_init(&dev->lock, NULL);
	err = create_queues(dev, nr_queues, queue_size);
	if (err)
		virtio_device_release(dev);
	return err;
}

void virtio_device_release(struct virtio_device *dev)
{
	if (!dev->ops)
		return;
	virtio_device_stop(&dev->base);
	for (unsigned int i = 0; i < dev->nr_queues; i++)
		close(dev->queues[i].kick_fd);
	free(dev->queues);
	dev->queues = NULL;
	dev->nr_queues = 0;
	pthread_mutex_destroy(&dev->lock);
	dev->ops = NULL;
}

/* ---- Serving or not ---- */

void virtio_activate_locked(struct virtio_device *dev)
{
	if (dev->paused)
		return; /* virtio_device_resume() comes back to it */
	if (dev->ops->activate(dev) < 0)
		virtio_needs_reset(dev, "the device could not start");
	else
		dev->active = true;
}

void virtio_deactivate_locked(struct virtio_device *dev)
{
	if (dev->active)
		dev->ops->deactivate(dev);
	dev->active = false;
}

void virtio_device_pause(struct device *base)
{
	struct virtio_device *dev =
		container_of(base, struct virtio_device, base);

	pthread_mutex_lock(&dev->lock);
	dev->paused = true;
	virtio_deactivate_locked(dev);
	pthread_mutex_unlock(&dev->lock);
}

void virtio_device_resume(struct device *base)
{
	struct virtio_device *dev =
		container_of(base, struct virtio_device, base);

	pthread_mutex_lock(&dev->lock);
	dev->paused = false;
	if (dev->status & VIRTIO_CONFIG_S_DRIVER_OK && !dev->active)
		virtio_activate_locked(dev);
	pthread_mutex_unlock(&dev->lock);
}

/* As a pause that never ends: nothing is served whatever the driver does. */
void virtio_device_stop(struct device *base)
{
	if (container_of(base, struct virtio_device, base)->ops)
		virtio_device_pause(base);
}

/* ---- Status ---- */

u8 virtio_get_status(struct virtio_device *dev)
{
	return dev->status;
}

static void reset_locked(struct virtio_device *dev)
{
	virtio_deactivate_locked(dev);
	if (dev->ops->reset)
		dev->ops->reset(dev);
	for (unsigned int i = 0; i < dev->nr_queues; i++)
		virtq_reset_locked(&dev->queues[i]);
	dev->driver_features = 0;
	/* Last: the driver waits until it reads 0 (2.4.2). */
	dev->status = 0;
}

/*
 * 3.1.1 steps 5 and 6; 6.1: a driver that knows VERSION_1 must accept it. The
 * legacy interface knows no such step (3.1.2), and never has FEATURES_OK.
 */
static bool features_acceptable(const struct virtio_device *dev)
{
	return !(dev->driver_features & ~dev->host_features) &&
	       dev->driver_features & BIT64(VIRTIO_F_VERSION_1);
}

/* Which of the new bits @added the device takes on. */
static u8 acceptable_status(const struct virtio_device *dev, u8 added)
{
	if (added & VIRTIO_CONFIG_S_FEATURES_OK && !features_acceptable(dev))
		added &= ~VIRTIO_CONFIG_S_FEATURES_OK;
	if (!dev->is_legacy &&
	    !((dev->status | added) & VIRTIO_CONFIG_S_FEATURES_OK))
		added &= ~VIRTIO_CONFIG_S_DRIVER_OK;
	return added;
}

void virtio_set_status(struct virtio_device *dev, u8 status)
{
	u8 added;

	pthread_mutex_lock(&dev->lock);
	if (!status) {
		reset_locked(dev);
	} else {
		/* A driver must not clear bits (2.1.1): they stay. */
		added = acceptable_status(dev, status & DRIVER_STATUS &
						       ~dev->status);
		atomic_fetch_or(&dev->status, added);
		/* A legacy driver may have begun before (3.1.2). */
		if (added & VIRTIO_CONFIG_S_DRIVER_OK && !dev->active)
			virtio_activate_locked(dev);
	}
	pthread_mutex_unlock(&dev->lock);
}

void virtio_needs_reset(struct virtio_device *dev, const char *why)
{
	u8 old = atomic_fetch_or(&dev->status, VIRTIO_CONFIG_S_NEEDS_RESET);

	log_guest_error(&dev->guest_error,
			"virtio-%s: %s; the device waits for a reset",
			dev->ops->name, why);
	/* 2.1.2: tell a driver that is past its set-up. */
	if (!(old & VIRTIO_CONFIG_S_NEEDS_RESET) &&
	    old & VIRTIO_CONFIG_S_DRIVER_OK)
		virtio_config_changed(dev);
}

/* ---- Features ---- */

static u32 feature_window(u64 features, u32 select)
{
	return select < 2 ? features >> (32 * select) : 0;
}

u32 virtio_get_host_features(struct virtio_device *dev, u32 select)
{
	return feature_window(dev->host_features, select);
}

u32 virtio_get_driver_features(struct virtio_device *dev, u32 select)
{
	u64 features;

	pthread_mutex_lock(&dev->lock);
	features = dev->driver_features;
	pthread_mutex_unlock(&dev->lock);
	return feature_window(features, select);
}

void virtio_set_driver_features(struct virtio_device *dev, u32 select,
				u32 value)
{
	u64 mask = (u64)UINT32_MAX << (32 * (select & 1));

	if (select > 1)
		return;
	pthread_mutex_lock(&dev->lock);
	/* A legacy driver cannot be told no: what it may not have, it has not. */
	if (dev->is_legacy)
		value &= feature_window(dev->host_features, select);
	/* 3.1.1: no changes behind FEATURES_OK; the queues go by them. */
	if (!(dev->status & VIRTIO_CONFIG_S_FEATURES_OK) && !dev->active)
		dev->driver_features = (dev->driver_features & ~mask) |
				       (u64)value << (32 * select);
	pthread_mutex_unlock(&dev->lock);
}

void virtio_device_make_legacy(struct virtio_device *dev)
{
	dev->is_legacy = true;
	dev->host_features &= UINT32_MAX;
	/* 2.7.4.3, 6.3: no device here cares how a request is cut. */
	dev->host_features |= BIT64(VIRTIO_F_ANY_LAYOUT);
}

bool virtio_has_feature(const struct virtio_device *dev, unsigned int bit)
{
	return dev->driver_features & BIT64(bit);
}

/* ---- Configuration space (2.5) ---- */

/* How many of @len bytes at @offset the device has. */
static unsigned int config_bytes(const struct virtio_device *dev, u64 offset,
				 unsigned int len)
{
	if (offset >= dev->config_len)
		return 0;
	return len < dev->config_len - offset ? len : dev->config_len - offset;
}

void virtio_config_read(struct virtio_device *dev, u64 offset, void *buf,
			unsigned int len)
{
	unsigned int present = config_bytes(dev, offset, len);

	memset(buf, 0, len);
	if (!present)
		return;
	pthread_mutex_lock(&dev->lock);
	dev->ops->config_read(dev, offset, buf, present);
	pthread_mutex_unlock(&dev->lock);
}

void virtio_config_write(struct virtio_device *dev, u64 offset, const void *buf,
			 unsigned int len)
{
	if (!dev->ops->config_write || config_bytes(dev, offset, len) != len)
		return;
	pthread_mutex_lock(&dev->lock);
	dev->ops->config_write(dev, offset, buf, len);
	pthread_mutex_unlock(&dev->lock);
}

void virtio_config_changed(struct virtio_device *dev)
{
	atomic_fetch_add(&dev->config_generation, 1);
	if (!dev->transport)
		return;
	atomic_fetch_add_explicit(&dev->config_irqs, 1, memory_order_relaxed);
	dev->transport->ops->config_irq(dev->transport);
}
