/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest without a VM: RAM, and a driver's side of split rings, laid out and
 * filled in by tests and fuzzers. What cannot fail in a test aborts.
 */
#ifndef LKVM_TESTS_FAKE_VIRTIO_H
#define LKVM_TESTS_FAKE_VIRTIO_H

#include <linux/virtio_ring.h>
#include "lkvm/kvm.h"
#include "lkvm/memory.h"
#include "lkvm/virtio.h"

#define FAKE_RAM_START 0x100000ULL

/* RAM at FAKE_RAM_START; the host page behind it is inaccessible. */
struct fake_guest {
	struct memory mem;
	u64 next; /* first address not handed out by fake_alloc() */
	u64 host_len;
};

void fake_guest_init(struct fake_guest *guest, u64 ram_len);
void fake_guest_release(struct fake_guest *guest);
/* Guest address of @len fresh bytes. */
u64 fake_alloc(struct fake_guest *guest, u64 len, u64 align);
/* Host address of guest memory; aborts outside of RAM. */
void *fake_ptr(struct fake_guest *guest, u64 gpa, u64 len);

/*
 * A machine without KVM: guest RAM, buses, an event loop that runs, and PCI.
 * Doorbells trap, and messages go nowhere.
 */
struct fake_vm {
	struct kvm vm;
	struct fake_guest *guest;
	struct failure why;
	struct kvm_config config;
	struct vm_consoles consoles;
	struct bus_reader ports, mmio;
};

void fake_vm_init(struct fake_vm *fake, struct fake_guest *guest);
/* Place BARs and switch decoding on, for the device in slot 1. */
void fake_vm_start(struct fake_vm *fake);
void fake_vm_release(struct fake_vm *fake);
/* Registers of the device in slot 1. */
u32 fake_config_read(struct fake_vm *fake, unsigned int offset,
		     unsigned int size);
void fake_config_write(struct fake_vm *fake, unsigned int offset,
		       unsigned int size, u32 value);
/* An access at @offset of BAR @bar of the device in slot 1. */
u64 fake_bar_read(struct fake_vm *fake, unsigned int bar, u64 offset, u8 size);
void fake_bar_write(struct fake_vm *fake, unsigned int bar, u64 offset, u8 size,
		    u64 value);

/* Counts what a device signals. */
struct fake_transport {
	struct virtio_transport base;
	_Atomic unsigned int queue_irqs, config_irqs;
};

void fake_transport_init(struct fake_transport *transport,
			 struct virtio_device *dev);

/* The driver's end of a queue. */
struct fake_ring {
	struct fake_guest *guest;
	struct virtq *q;
	u16 size;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	u16 seen_used; /* entries of the used ring taken so far */
};

/* Lay out a ring in guest memory and write its addresses into @q. */
void fake_ring_init(struct fake_ring *ring, struct fake_guest *guest,
		    struct virtq *q, u16 size);
void fake_desc(struct fake_ring *ring, u16 index, u64 addr, u32 len, u16 flags,
	       u16 next);
/* Make @head available. */
void fake_post(struct fake_ring *ring, u16 head);
/* The next entry that the device has returned, if there is one. */
bool fake_used(struct fake_ring *ring, struct vring_used_elem *elem);
/* The same, waiting for up to ten seconds. */
bool fake_wait_used(struct fake_ring *ring, struct vring_used_elem *elem);

/* Negotiate @features as a driver does, up to and with FEATURES_OK. */
void fake_negotiate(struct virtio_device *dev, u64 features);
void fake_driver_ok(struct virtio_device *dev);

#endif
