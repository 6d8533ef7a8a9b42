/* SPDX-License-Identifier: GPL-2.0-only */
/* Between virtio/device.c (status, features) and virtio/setup.c (queues). */
#ifndef LKVM_VIRTIO_DEVICE_PRIV_H
#define LKVM_VIRTIO_DEVICE_PRIV_H

#include "lkvm/virtio.h"

/* dev->lock held. Does nothing while paused; a failure sets NEEDS_RESET. */
void virtio_activate_locked(struct virtio_device *dev);
/* Idempotent. */
void virtio_deactivate_locked(struct virtio_device *dev);
/* What the driver set up, back to what it finds at first (2.4.1). */
void virtq_reset_locked(struct virtq *q);

#endif
