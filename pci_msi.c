/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MSI (PCI 3.0, 6.8.1): up to 32 vectors behind one address. All of it lies in
 * configuration space, so the bus lock guards it. Capabilities of lkvm's own have
 * 64-bit addresses and a mask bit for each vector; one that was adopted has
 * what its control register says.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include "lkvm/kvm.h"
#include "pci_priv.h"

#define MSI_MAX_VECTORS 32U
#define MSI_CAP_LEN 0x18

/* Where the registers are, from the capability's start; 0: there is none. */
struct layout {
	unsigned int address_high, data, mask, pending, len;
};

static u32 get(const struct pci_function *fn, unsigned int reg,
	       unsigned int len)
{
	return reg ? pci_get_le(&fn->config[fn->msi_cap + reg], len) : 0;
}

static struct layout layout(const struct pci_function *fn)
{
	u16 control = (u16)get(fn, PCI_MSI_FLAGS, 2);
	struct layout regs = { .data = PCI_MSI_DATA_32, .len = 10 };

	if (control & PCI_MSI_FLAGS_64BIT)
		regs = (struct layout){ .address_high = PCI_MSI_ADDRESS_HI,
					.data = PCI_MSI_DATA_64,
					.len = 14 };
	if (control & PCI_MSI_FLAGS_MASKBIT) {
		regs.mask = regs.address_high ? PCI_MSI_MASK_64
					      : PCI_MSI_MASK_32;
		regs.pending = regs.mask + 4;
		regs.len = regs.pending + 4;
	}
	return regs;
}

/* Vectors that there are. */
static unsigned int able_vectors(const struct pci_function *fn)
{
	return 1U << ((get(fn, PCI_MSI_FLAGS, 2) & PCI_MSI_FLAGS_QMASK) >> 1);
}

int pci_add_msi(struct pci_function *fn, unsigned int vectors)
{
	unsigned int cap, log2 = 0;

	if (!is_power_of_two(vectors) || vectors > MSI_MAX_VECTORS)
		return -EINVAL;
	while (1U << log2 < vectors)
		log2++;
	cap = pci_add_capability(fn, PCI_CAP_ID_MSI, NULL, MSI_CAP_LEN);
	pci_put_le(&fn->config[cap + PCI_MSI_FLAGS], 2,
		   PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT | log2 << 1);
	return pci_adopt_msi(fn, cap);
}

int pci_adopt_msi(struct pci_function *fn, unsigned int cap)
{
	u8 *control = &fn->config[cap + PCI_MSI_FLAGS];
	struct layout regs;

	fn->msi_cap = cap;
	regs = layout(fn);
	if (able_vectors(fn) > MSI_MAX_VECTORS ||
	    !range_within(cap, regs.len, PCI_CFG_SPACE_SIZE)) {
		fn->msi_cap = 0;
		return -EINVAL;
	}
	/* As after a reset. */
	pci_put_le(control, 2,
		   pci_get_le(control, 2) &
			   ~(PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE));
	for (unsigned int i = PCI_MSI_ADDRESS_LO; i < regs.len; i++)
		fn->config[cap + i] = 0;
	pci_set_writable(fn, cap + PCI_MSI_FLAGS, 2,
			 PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
	pci_set_writable(fn, cap + PCI_MSI_ADDRESS_LO, 4, ~3U);
	if (regs.address_high)
		pci_set_writable(fn, cap + regs.address_high, 4, ~0U);
	pci_set_writable(fn, cap + regs.data, 2, 0xffff);
	if (regs.mask)
		pci_set_writable(fn, cap + regs.mask, 4,
				 (u32)(BIT64(able_vectors(fn)) - 1));
	return 0;
}

/* Vectors that the driver has enabled; 0 while MSI is off. */
static unsigned int enabled_vectors_locked(const struct pci_function *fn)
{
	u16 control = (u16)get(fn, PCI_MSI_FLAGS, 2);
	unsigned int able = able_vectors(fn);
	unsigned int enabled = 1U << ((control & PCI_MSI_FLAGS_QSIZE) >> 4);

	if (!fn->msi_cap || !(control & PCI_MSI_FLAGS_ENABLE))
		return 0;
	/* More than there are is the driver's mistake, 128 is reserved. */
	return enabled < able ? enabled : able;
}

static struct msi_message message_locked(const struct pci_function *fn,
					 unsigned int vector)
{
	struct layout regs = layout(fn);

	return (struct msi_message){
		.address = get(fn, PCI_MSI_ADDRESS_LO, 4) |
			   (u64)get(fn, regs.address_high, 4) << 32,
		/* The vector takes the low bits of the data (6.8.1.6). */
		.data = (get(fn, regs.data, 2) &
			 ~(enabled_vectors_locked(fn) - 1)) |
			vector,
		.devid = pci_bdf(fn),
	};
}

static void deliver_locked(struct pci_function *fn, unsigned int vector)
{
	struct msi_message msg = message_locked(fn, vector);

	/* An address that is no interrupt is the guest's own loss. */
	irq_signal_msi(&fn->bus->vm->irq, &msg);
}

unsigned int pci_msi_enabled_vectors(struct pci_function *fn)
{
	unsigned int vectors;

	pthread_mutex_lock(&fn->bus->lock);
	vectors = enabled_vectors_locked(fn);
	pthread_mutex_unlock(&fn->bus->lock);
	return vectors;
}

bool pci_msi_enabled(struct pci_function *fn)
{
	return pci_msi_enabled_vectors(fn);
}

void pci_msi_signal(struct pci_function *fn, unsigned int vector)
{
	struct layout regs;
	unsigned int vectors;

	pthread_mutex_lock(&fn->bus->lock);
	vectors = enabled_vectors_locked(fn);
	if (vectors) {
		regs = layout(fn);
		/* With fewer vectors than events, several share one. */
		vector &= vectors - 1;
		if (get(fn, regs.mask, 4) & BIT(vector))
			fn->config[fn->msi_cap + regs.pending + vector / 8] |=
				BIT(vector % 8);
		else
			deliver_locked(fn, vector);
	}
	pthread_mutex_unlock(&fn->bus->lock);
}

/* Tie or untie the eventfd behind @vector, as the registers now say. */
static void sync_source_locked(struct pci_function *fn, unsigned int vector)
{
	enum msix_vector_state state = MSIX_VECTOR_ON;
	struct msi_message msg = message_locked(fn, vector);

	if (vector >= enabled_vectors_locked(fn))
		state = MSIX_VECTOR_OFF;
	else if (get(fn, layout(fn).mask, 4) & BIT(vector))
		state = MSIX_VECTOR_MASKED;
	if (msix_source_sync(&fn->bus->vm->irq, fn->msi_sources, vector, state,
			     &msg))
		log_guest_error(&fn->bus->no_route,
				"PCI %02x.%u %s: the host has no interrupt "
				"route left; MSI %u stays pending",
				fn->slot, fn->function, fn->name, vector);
}

int pci_msi_connect(struct pci_function *fn, unsigned int vector, int fd)
{
	int err = 0;

	if (!fn->msi_cap || vector >= able_vectors(fn))
		return -EINVAL;
	pthread_mutex_lock(&fn->bus->lock);
	if (!fn->msi_sources)
		fn->msi_sources = msix_sources_create(MSI_MAX_VECTORS);
	if (fn->msi_sources) {
		msix_source_set(&fn->bus->vm->irq, fn->msi_sources, vector, fd);
		sync_source_locked(fn, vector);
	} else {
		err = -ENOMEM;
	}
	pthread_mutex_unlock(&fn->bus->lock);
	return err;
}

void pci_msi_free(struct pci_function *fn)
{
	/* Without a bus it was never added, and so never connected. */
	if (fn->bus)
		msix_sources_destroy(&fn->bus->vm->irq, fn->msi_sources);
	fn->msi_sources = NULL;
}

static void replay_locked(struct pci_function *fn)
{
	struct layout regs = layout(fn);
	u8 *pending = &fn->config[fn->msi_cap + regs.pending];
	unsigned int vectors = enabled_vectors_locked(fn);
	u32 due;

	if (!regs.pending)
		return;
	if (!vectors)
		pci_put_le(pending, 4, 0);
	due = pci_get_le(pending, 4) & ~get(fn, regs.mask, 4);
	for (unsigned int vector = 0; due && vector < vectors; vector++) {
		if (!(due & BIT(vector)))
			continue;
		pending[vector / 8] &= (u8)~BIT(vector % 8);
		deliver_locked(fn, vector);
	}
}

void pci_msi_written_locked(struct pci_function *fn, unsigned int offset,
			    unsigned int len)
{
	if (!fn->msi_cap || offset >= fn->msi_cap + layout(fn).len ||
	    offset + len <= fn->msi_cap)
		return;
	replay_locked(fn);
	for (unsigned int i = 0; fn->msi_sources && i < MSI_MAX_VECTORS; i++)
		sync_source_locked(fn, i);
}

/* The counters of eventfds are pending bits too. */
static u32 pending_locked(const struct pci_function *fn)
{
	u32 pending = get(fn, layout(fn).pending, 4);

	for (unsigned int i = 0; fn->msi_sources && i < MSI_MAX_VECTORS; i++)
		if (msix_source_pending(fn->msi_sources, i))
			pending |= BIT(i);
	return pending;
}

u32 pci_msi_read_locked(const struct pci_function *fn, unsigned int offset,
			unsigned int len, u32 value)
{
	unsigned int reg = fn->msi_cap + layout(fn).pending;
	u8 bytes[4];

	if (!fn->msi_sources || !layout(fn).pending || offset < reg ||
	    offset >= reg + 4)
		return value;
	pci_put_le(bytes, 4, pending_locked(fn));
	return pci_get_le(&bytes[offset - reg], len);
}

struct pci_msi_state pci_msi_state_locked(const struct pci_function *fn)
{
	struct msi_message msg = message_locked(fn, 0);

	return (struct pci_msi_state){
		.control = (u16)get(fn, PCI_MSI_FLAGS, 2),
		.address = msg.address,
		.data = msg.data,
		.pending = pending_locked(fn),
	};
}
