/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MSI-X (PCI 3.0, 6.8.2): the vector table and pending bits of a function, kept
 * by the core. Messages go to KVM as they stand in the table, so a vector needs
 * no GSI route.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>
#include "lkvm/kvm.h"
#include "pci_priv.h"

#define MSIX_MAX_VECTORS 2048U

struct msix {
	unsigned int control_reg; /* in configuration space */
	unsigned int table_bar, pba_bar;
	u64 table_offset, pba_offset; /* in those BARs */
	unsigned int vectors;
	unsigned int table_len, pba_len; /* bytes */
	pthread_mutex_t lock;		 /* guards all below */
	bool enabled;
	bool function_mask;
	u8 *table;
	u8 *pba;
	struct msix_sources *sources; /* owned; NULL before the first connect */
	struct log_once no_route;
};

int pci_add_msix(struct pci_function *fn, unsigned int bar, u64 table_offset,
		 u64 pba_offset, unsigned int vectors)
{
	unsigned int cap;
	u8 body[10];

	if (!vectors || vectors > MSIX_MAX_VECTORS)
		return -EINVAL;
	pci_put_le(&body[0], 2, vectors - 1);
	pci_put_le(&body[2], 4, (u32)table_offset | bar);
	pci_put_le(&body[6], 4, (u32)pba_offset | bar);
	cap = pci_add_capability(fn, PCI_CAP_ID_MSIX, body,
				 PCI_CAP_MSIX_SIZEOF);
	return pci_adopt_msix(fn, cap);
}

/* Does the BAR that @reg names hold @len bytes at the offset it names? */
static bool lies_in_bar(const struct pci_function *fn, u32 reg, u64 len)
{
	unsigned int index = reg & PCI_MSIX_TABLE_BIR;
	const struct pci_bar *bar = &fn->bars[index];

	return index < PCI_ROM &&
	       (bar->kind == PCI_BAR_MEM32 || bar->kind == PCI_BAR_MEM64) &&
	       range_within(reg & PCI_MSIX_TABLE_OFFSET, len, bar->size);
}

int pci_adopt_msix(struct pci_function *fn, unsigned int cap)
{
	unsigned int vectors;
	struct msix *msix;
	u16 control;
	u32 table, pba;

	if (!range_within(cap, PCI_CAP_MSIX_SIZEOF, PCI_CFG_SPACE_SIZE))
		return -EINVAL;
	control = (u16)pci_get_le(&fn->config[cap + PCI_MSIX_FLAGS], 2);
	table = pci_get_le(&fn->config[cap + PCI_MSIX_TABLE], 4);
	pba = pci_get_le(&fn->config[cap + PCI_MSIX_PBA], 4);
	vectors = (control & PCI_MSIX_FLAGS_QSIZE) + 1U;
	if (!lies_in_bar(fn, table, (u64)vectors * PCI_MSIX_ENTRY_SIZE) ||
	    !lies_in_bar(fn, pba, (vectors + 63) / 64 * 8))
		return -EINVAL;
	msix = calloc(1, sizeof(*msix));
	if (!msix)
		return -ENOMEM;
	msix->table_len = vectors * PCI_MSIX_ENTRY_SIZE;
	/* The PBA is made of 64-bit words. */
	msix->pba_len = (vectors + 63) / 64 * 8;
	msix->table = calloc(1, msix->table_len + msix->pba_len);
	if (!msix->table) {
		free(msix);
		return -ENOMEM;
	}
	msix->pba = msix->table + msix->table_len;
	msix->vectors = vectors;
	msix->table_bar = table & PCI_MSIX_TABLE_BIR;
	msix->table_offset = table & PCI_MSIX_TABLE_OFFSET;
	msix->pba_bar = pba & PCI_MSIX_PBA_BIR;
	msix->pba_offset = pba & PCI_MSIX_PBA_OFFSET;
	pthread_mutex_init(&msix->lock, NULL);
	for (unsigned int i = 0; i < vectors; i++)
		msix->table[i * PCI_MSIX_ENTRY_SIZE +
			    PCI_MSIX_ENTRY_VECTOR_CTRL] =
			PCI_MSIX_ENTRY_CTRL_MASKBIT;
	msix->control_reg = cap + PCI_MSIX_FLAGS;
	/* As after a reset. */
	pci_put_le(&fn->config[msix->control_reg], 2,
		   control & PCI_MSIX_FLAGS_QSIZE);
	pci_set_writable(fn, msix->control_reg, 2,
			 PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	fn->msix = msix;
	return 0;
}

void pci_msix_free(struct pci_function *fn)
{
	struct msix *msix = fn->msix;

	if (!msix)
		return;
	/* Without a bus it was never added, and so never connected. */
	if (fn->bus)
		msix_sources_destroy(&fn->bus->vm->irq, msix->sources);
	pthread_mutex_destroy(&msix->lock);
	free(msix->table);
	free(msix);
	fn->msix = NULL;
}

unsigned int pci_msix_control_offset(const struct pci_function *fn)
{
	return fn->msix ? fn->msix->control_reg : 0;
}

static bool is_masked_locked(const struct msix *msix, unsigned int vector)
{
	return msix->function_mask ||
	       (msix->table[vector * PCI_MSIX_ENTRY_SIZE +
			    PCI_MSIX_ENTRY_VECTOR_CTRL] &
		PCI_MSIX_ENTRY_CTRL_MASKBIT);
}

static struct msi_message message_locked(const struct pci_function *fn,
					 unsigned int vector)
{
	const u8 *entry = &fn->msix->table[vector * PCI_MSIX_ENTRY_SIZE];

	return (struct msi_message){
		.address = pci_get_le(entry + PCI_MSIX_ENTRY_LOWER_ADDR, 4) |
			   (u64)pci_get_le(entry + PCI_MSIX_ENTRY_UPPER_ADDR, 4)
				   << 32,
		.data = pci_get_le(entry + PCI_MSIX_ENTRY_DATA, 4),
		.devid = pci_bdf(fn),
	};
}

static void deliver_locked(struct pci_function *fn, unsigned int vector)
{
	struct msi_message msg = message_locked(fn, vector);

	/* An address that is no interrupt is the guest's own loss. */
	irq_signal_msi(&fn->bus->vm->irq, &msg);
}

/* Whatever is pending and no longer masked goes out now. */
static void replay_locked(struct pci_function *fn)
{
	struct msix *msix = fn->msix;

	if (!msix->enabled || msix->function_mask)
		return;
	for (unsigned int vector = 0; vector < msix->vectors; vector++) {
		u8 bit = (u8)BIT(vector % 8);

		if (!(msix->pba[vector / 8] & bit) ||
		    is_masked_locked(msix, vector))
			continue;
		msix->pba[vector / 8] &= (u8)~bit;
		deliver_locked(fn, vector);
	}
}

/* Tie or untie the eventfd behind @vector, as the registers now say. */
static void sync_source_locked(struct pci_function *fn, unsigned int vector)
{
	struct msix *msix = fn->msix;
	enum msix_vector_state state = MSIX_VECTOR_ON;
	struct msi_message msg = message_locked(fn, vector);

	if (!msix->enabled)
		state = MSIX_VECTOR_OFF;
	else if (is_masked_locked(msix, vector))
		state = MSIX_VECTOR_MASKED;
	if (msix_source_sync(&fn->bus->vm->irq, msix->sources, vector, state,
			     &msg))
		log_guest_error(&msix->no_route,
				"PCI %02x.%u %s: the host has no interrupt "
				"route left; vector %u stays pending",
				fn->slot, fn->function, fn->name, vector);
}

static void sync_sources_locked(struct pci_function *fn)
{
	struct msix *msix = fn->msix;

	for (unsigned int i = 0; msix->sources && i < msix->vectors; i++)
		sync_source_locked(fn, i);
}

int pci_msix_connect(struct pci_function *fn, unsigned int vector, int fd)
{
	struct msix *msix = fn->msix;
	int err = 0;

	if (!msix || vector >= msix->vectors)
		return -EINVAL;
	pthread_mutex_lock(&msix->lock);
	if (!msix->sources)
		msix->sources = msix_sources_create(msix->vectors);
	if (msix->sources) {
		msix_source_set(&fn->bus->vm->irq, msix->sources, vector, fd);
		sync_source_locked(fn, vector);
	} else {
		err = -ENOMEM;
	}
	pthread_mutex_unlock(&msix->lock);
	return err;
}

void pci_msix_control_written_locked(struct pci_function *fn, u16 control)
{
	struct msix *msix = fn->msix;

	pthread_mutex_lock(&msix->lock);
	msix->enabled = control & PCI_MSIX_FLAGS_ENABLE;
	msix->function_mask = control & PCI_MSIX_FLAGS_MASKALL;
	if (!msix->enabled)
		memset(msix->pba, 0, msix->pba_len);
	replay_locked(fn);
	sync_sources_locked(fn);
	pthread_mutex_unlock(&msix->lock);
}

bool pci_msix_enabled(struct pci_function *fn)
{
	struct msix *msix = fn->msix;
	bool enabled;

	if (!msix)
		return false;
	pthread_mutex_lock(&msix->lock);
	enabled = msix->enabled;
	pthread_mutex_unlock(&msix->lock);
	return enabled;
}

bool pci_msix_is_on(struct pci_function *fn, unsigned int vector)
{
	struct msix *msix = fn->msix;
	bool is_on;

	if (!msix || vector >= msix->vectors)
		return false;
	pthread_mutex_lock(&msix->lock);
	is_on = msix->enabled && !is_masked_locked(msix, vector);
	pthread_mutex_unlock(&msix->lock);
	return is_on;
}

bool pci_msix_signal(struct pci_function *fn, unsigned int vector)
{
	struct msix *msix = fn->msix;
	bool enabled;

	if (!msix)
		return false;
	pthread_mutex_lock(&msix->lock);
	enabled = msix->enabled;
	if (enabled && vector < msix->vectors) {
		if (is_masked_locked(msix, vector))
			msix->pba[vector / 8] |= (u8)BIT(vector % 8);
		else
			deliver_locked(fn, vector);
	}
	pthread_mutex_unlock(&msix->lock);
	return enabled;
}

unsigned int pci_msix_vectors(const struct pci_function *fn)
{
	return fn->msix ? fn->msix->vectors : 0;
}

struct pci_msix_state pci_msix_state(struct pci_function *fn,
				     unsigned int vector)
{
	struct msix *msix = fn->msix;
	struct pci_msix_state state;
	struct msi_message msg;

	pthread_mutex_lock(&msix->lock);
	msg = message_locked(fn, vector);
	state = (struct pci_msix_state){
		.address = msg.address,
		.data = msg.data,
		.masked = is_masked_locked(msix, vector),
		.pending = msix->pba[vector / 8] & BIT(vector % 8),
	};
	pthread_mutex_unlock(&msix->lock);
	return state;
}

/* Writes beyond the table's end are cut: an 8-byte write there hits 4 bytes. */
static void write_table_locked(struct pci_function *fn, u64 offset,
			       const struct bus_access *acc)
{
	struct msix *msix = fn->msix;
	unsigned int first = (unsigned int)(offset / PCI_MSIX_ENTRY_SIZE);
	unsigned int last =
		(unsigned int)((offset + acc->size - 1) / PCI_MSIX_ENTRY_SIZE);

	for (unsigned int i = 0; i < acc->size; i++, offset++) {
		u8 byte = (u8)(acc->value >> (8 * i));
		unsigned int field = offset % PCI_MSIX_ENTRY_SIZE;

		if (offset >= msix->table_len)
			break;
		/* Of the vector control only the mask bit exists. */
		if (field >= PCI_MSIX_ENTRY_VECTOR_CTRL)
			byte &= field == PCI_MSIX_ENTRY_VECTOR_CTRL
					? PCI_MSIX_ENTRY_CTRL_MASKBIT
					: 0;
		msix->table[offset] = byte;
	}
	replay_locked(fn);
	for (unsigned int i = first; msix->sources && i <= last; i++)
		if (i < msix->vectors)
			sync_source_locked(fn, i);
}

static void report_written(struct pci_function *fn, u64 offset,
			   unsigned int len)
{
	unsigned int first = (unsigned int)(offset / PCI_MSIX_ENTRY_SIZE);
	unsigned int last =
		(unsigned int)((offset + len - 1) / PCI_MSIX_ENTRY_SIZE);

	if (last >= fn->msix->vectors)
		last = fn->msix->vectors - 1;
	fn->ops->msix_written(fn, first, last - first + 1);
}

/* The counters of eventfds are pending bits too. */
static void read_pba_locked(struct msix *msix, struct bus_access *acc)
{
	unsigned int first = (unsigned int)acc->offset * 8;

	bus_read_bytes(acc, msix->pba, msix->pba_len);
	for (unsigned int i = 0; msix->sources && i < acc->size * 8U; i++)
		if (first + i < msix->vectors &&
		    msix_source_pending(msix->sources, first + i))
			acc->value |= BIT64(i);
}

bool pci_msix_access(struct pci_function *fn, unsigned int bar,
		     struct bus_access *acc)
{
	struct msix *msix = fn->msix;
	u64 in_table, in_pba;
	bool table, pba;

	if (!msix)
		return false;
	/* Below the start these wrap, and fail the comparison. */
	in_table = acc->offset - msix->table_offset;
	in_pba = acc->offset - msix->pba_offset;
	table = bar == msix->table_bar && in_table < msix->table_len;
	pba = bar == msix->pba_bar && in_pba < msix->pba_len;
	if (!table && !pba)
		return false;
	pthread_mutex_lock(&msix->lock);
	if (acc->is_write && table) {
		write_table_locked(fn, in_table, acc);
	} else if (!acc->is_write) {
		struct bus_access part = *acc;

		part.offset = table ? in_table : in_pba;
		if (table)
			bus_read_bytes(&part, msix->table, msix->table_len);
		else
			read_pba_locked(msix, &part);
		acc->value = part.value;
	}
	pthread_mutex_unlock(&msix->lock);
	if (acc->is_write && table && fn->ops->msix_written)
		report_written(fn, in_table, acc->size);
	return true;
}
