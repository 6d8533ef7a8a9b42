/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MSI (PCI 3.0, 6.8.1): up to 32 vectors behind one address, with 64-bit
 * addresses and a mask bit for each vector. All of it lies in configuration
 * space, so the bus lock guards it.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include "lkvm/kvm.h"
#include "pci_priv.h"

#define MSI_MAX_VECTORS 32U
#define MSI_CAP_LEN 0x18

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
	pci_set_writable(fn, cap + PCI_MSI_FLAGS, 2,
			 PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
	pci_set_writable(fn, cap + PCI_MSI_ADDRESS_LO, 4, ~3U);
	pci_set_writable(fn, cap + PCI_MSI_ADDRESS_HI, 4, ~0U);
	pci_set_writable(fn, cap + PCI_MSI_DATA_64, 2, 0xffff);
	pci_set_writable(fn, cap + PCI_MSI_MASK_64, 4,
			 (u32)(BIT64(vectors) - 1));
	fn->msi_cap = cap;
	return 0;
}

static u32 get(const struct pci_function *fn, unsigned int reg,
	       unsigned int len)
{
	return pci_get_le(&fn->config[fn->msi_cap + reg], len);
}

/* Vectors that the driver has enabled; 0 while MSI is off. */
static unsigned int enabled_vectors_locked(const struct pci_function *fn)
{
	u16 control = (u16)get(fn, PCI_MSI_FLAGS, 2);
	unsigned int able = 1U << ((control & PCI_MSI_FLAGS_QMASK) >> 1);
	unsigned int enabled = 1U << ((control & PCI_MSI_FLAGS_QSIZE) >> 4);

	if (!fn->msi_cap || !(control & PCI_MSI_FLAGS_ENABLE))
		return 0;
	/* More than there are is the driver's mistake, 128 is reserved. */
	return enabled < able ? enabled : able;
}

static void deliver_locked(struct pci_function *fn, unsigned int vector)
{
	struct msi_message msg = {
		.address = get(fn, PCI_MSI_ADDRESS_LO, 4) |
			   (u64)get(fn, PCI_MSI_ADDRESS_HI, 4) << 32,
		/* The vector takes the low bits of the data (6.8.1.6). */
		.data = (get(fn, PCI_MSI_DATA_64, 2) &
			 ~(enabled_vectors_locked(fn) - 1)) |
			vector,
		.devid = pci_bdf(fn),
	};

	/* An address that is no interrupt is the guest's own loss. */
	irq_signal_msi(&fn->bus->vm->irq, &msg);
}

bool pci_msi_enabled(struct pci_function *fn)
{
	bool enabled;

	pthread_mutex_lock(&fn->bus->lock);
	enabled = enabled_vectors_locked(fn);
	pthread_mutex_unlock(&fn->bus->lock);
	return enabled;
}

void pci_msi_signal(struct pci_function *fn, unsigned int vector)
{
	unsigned int vectors, pending = fn->msi_cap + PCI_MSI_PENDING_64;

	pthread_mutex_lock(&fn->bus->lock);
	vectors = enabled_vectors_locked(fn);
	if (vectors) {
		/* With fewer vectors than events, several share one. */
		vector &= vectors - 1;
		if (get(fn, PCI_MSI_MASK_64, 4) & BIT(vector))
			fn->config[pending + vector / 8] |= BIT(vector % 8);
		else
			deliver_locked(fn, vector);
	}
	pthread_mutex_unlock(&fn->bus->lock);
}

void pci_msi_written_locked(struct pci_function *fn)
{
	u8 *pending = &fn->config[fn->msi_cap + PCI_MSI_PENDING_64];
	unsigned int vectors;
	u32 due;

	if (!fn->msi_cap)
		return;
	vectors = enabled_vectors_locked(fn);
	if (!vectors)
		pci_put_le(pending, 4, 0);
	due = pci_get_le(pending, 4) & ~get(fn, PCI_MSI_MASK_64, 4);
	for (unsigned int vector = 0; due && vector < vectors; vector++) {
		if (!(due & BIT(vector)))
			continue;
		pending[vector / 8] &= (u8)~BIT(vector % 8);
		deliver_locked(fn, vector);
	}
}
