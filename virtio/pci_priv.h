/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PCI transport: what both interfaces share (virtio/pci.c), and what each of
 * them is (virtio/pci_modern.c, virtio/pci_legacy.c).
 */
#ifndef LKVM_VIRTIO_PCI_PRIV_H
#define LKVM_VIRTIO_PCI_PRIV_H

#include <linux/virtio_pci.h>
#include <pthread.h>
#include "lkvm/pci.h"
#include "lkvm/virtio.h"
#include "virtio/call.h"

struct virtio_pci;

#define VIRTIO_PCI_DOORBELLS 2

/* What one interface is. Const. */
struct virtio_pci_interface {
	/* Device, subsystem and revision; the rest is filled in. */
	void (*identify)(const struct virtio_device *dev,
			 struct pci_identity *id);
	/* BARs, capabilities, MSI-X. Negative errno. */
	int (*build)(struct virtio_pci *vpci);
	/* Where the driver rings for @q, and in which BARs that is. */
	void (*find_doorbells)(const struct virtq *q,
			       struct pci_doorbell doorbells[]);
	u8 doorbell_bars[VIRTIO_PCI_DOORBELLS];
	unsigned int nr_doorbells;
	bool is_legacy;
	struct pci_function_ops function_ops;
};

struct virtio_pci_wires {
	struct pci_doorbell doorbells[VIRTIO_PCI_DOORBELLS];
	bool has_doorbells;
	struct virtio_call call;
	/* KVM ties call's eventfd to this vector; NO_VECTOR: it does not. */
	u16 tied_vector;
};

struct virtio_pci {
	struct virtio_transport transport;
	const struct virtio_pci_interface *interface;
	struct pci_function fn;
	struct virtio_device *dev;
	unsigned int nr_vectors;
	unsigned int cfg_cap; /* modern: PCI_CFG in configuration space */
	_Atomic u16 config_vector;

	/*
	 * Guards the selectors and doorbells, and makes accesses to the
	 * driver's registers one at a time. Taken before dev->lock; held while a
	 * reset waits for the device.
	 */
	pthread_mutex_t lock;
	u32 device_feature_select;
	u32 driver_feature_select;
	u16 queue_select;

	struct virtio_pci_wires *wires; /* one per queue, owned */
	/*
	 * Guards call and tied_vector of the queues. Taken after dev->lock, and
	 * held over pci_msix_connect().
	 */
	pthread_mutex_t call_lock;

	pthread_mutex_t isr_lock; /* guards isr, and INTx going with it */
	u8 isr;
};

extern const struct virtio_pci_interface virtio_pci_modern;
extern const struct virtio_pci_interface virtio_pci_legacy;

static inline struct virtio_pci *virtio_pci_of(struct pci_function *fn)
{
	return container_of(fn, struct virtio_pci, fn);
}

/* ---- virtio/pci.c, for the interfaces; vpci->lock held where not said ---- */

/* Reading acknowledges (4.1.4.5.1). Any lock. */
u8 virtio_pci_take_isr(struct virtio_pci *vpci);
/* The driver chose @vector for configuration changes, or for @q (4.1.5.1.2). */
void virtio_pci_set_config_vector(struct virtio_pci *vpci, u32 vector);
void virtio_pci_set_queue_vector(struct virtio_pci *vpci, struct virtq *q,
				 u32 vector);
/* 0 resets the device and what the transport knows of the driver. */
void virtio_pci_write_status(struct virtio_pci *vpci, u8 status);
/*
 * Queues were enabled or reset: their doorbells come or go. Those of a legacy
 * driver trap before DRIVER_OK, since a ring may have to start the device.
 */
void virtio_pci_sync_doorbells(struct virtio_pci *vpci);
/* MSI-X may have been switched: let eventfds go where it says. No lock. */
void virtio_pci_config_written(struct virtio_pci *vpci);
/* Device configuration (2.5) at acc->offset. No lock. */
void virtio_pci_device_access(struct virtio_pci *vpci, struct bus_access *acc);

#endif
