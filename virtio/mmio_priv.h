/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The MMIO transport: what both interfaces share (virtio/mmio.c), and the
 * registers that only one of them has (virtio/mmio_modern.c, _legacy.c).
 */
#ifndef LKVM_VIRTIO_MMIO_PRIV_H
#define LKVM_VIRTIO_MMIO_PRIV_H

#include <pthread.h>
#include "lkvm/bus.h"
#include "lkvm/irq.h"
#include "lkvm/virtio.h"
#include "virtio/call.h"

struct virtio_mmio;

/* What one interface is. Const; called with mmio->lock held. */
struct virtio_mmio_interface {
	u32 version;
	bool is_legacy;
	/* Registers that the other interface has not; reads give 0 else. */
	u32 (*read)(struct virtio_mmio *mmio, u64 offset);
	void (*write)(struct virtio_mmio *mmio, u64 offset, u32 value);
};

struct virtio_mmio_wires {
	bool has_doorbell;	 /* KVM has it; guarded by mmio->lock */
	struct virtio_call call; /* guarded by dev->lock */
};

struct virtio_mmio {
	struct virtio_transport transport;
	const struct virtio_mmio_interface *interface;
	struct kvm *vm;
	struct virtio_device *dev;
	struct bus *bus;
	struct bus_region region;

	/* As in virtio/pci_priv.h: one register access at a time. */
	pthread_mutex_t lock;
	u32 device_feature_select;
	u32 driver_feature_select;
	u32 queue_select;
	u32 page_size, queue_align;	 /* legacy; 0: not written yet */
	struct virtio_mmio_wires *wires; /* one per queue, owned */

	pthread_mutex_t status_lock; /* guards irq_status, and irq with it */
	u32 irq_status;
	struct irq_line irq;
};

extern const struct virtio_mmio_interface virtio_mmio_modern;
extern const struct virtio_mmio_interface virtio_mmio_legacy;

/* The queue that the driver has selected, or NULL. */
struct virtq *virtio_mmio_queue(struct virtio_mmio *mmio);
/* As virtio_pci_sync_doorbells(). */
void virtio_mmio_sync_doorbells(struct virtio_mmio *mmio);

#endif
