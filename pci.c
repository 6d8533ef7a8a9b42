/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Configuration space of the root bus: registers as bytes with two masks (what
 * a write changes, what writing one clears), reached through ECAM here and
 * through CF8/CFC in x86/. BARs are in pci_bar.c, MSI-X in pci_msix.c.
 */
#include "lkvm/pci.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>
#include "lkvm/arch.h"
#include "lkvm/kvm.h"
#include "pci_priv.h"

#define COMMAND_WRITABLE                                                       \
	(PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |            \
	 PCI_COMMAND_PARITY | PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE)

/* Error bits of the status register, cleared by writing one (6.2.3). */
#define STATUS_CLEARABLE 0xf900

/* PCIe capability of version 2 (PCIe 7.5.3). */
#define EXPRESS_CAP_LEN 0x3c

/* Of the header type register: functions 1 to 7 may exist (6.2.1). */
#define HEADER_MULTI_FUNCTION 0x80

/* The bridge that PCI Express machines of other hypervisors show too. */
static const struct pci_identity host_bridge_identity = {
	.vendor = 0x1b36,
	.device = 0x0008,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x060000,
};

u32 pci_get_le(const u8 *bytes, unsigned int len)
{
	u32 value = 0;

	for (unsigned int i = 0; i < len; i++)
		value |= (u32)bytes[i] << (8 * i);
	return value;
}

void pci_put_le(u8 *bytes, unsigned int len, u32 value)
{
	for (unsigned int i = 0; i < len; i++)
		bytes[i] = (u8)(value >> (8 * i));
}

/* ---- Building a function ---- */

void pci_set_writable(struct pci_function *fn, unsigned int offset,
		      unsigned int len, u32 mask)
{
	pci_put_le(&fn->writable[offset], len, mask);
}

void pci_function_init(struct pci_function *fn, const char *name,
		       const struct pci_function_ops *ops,
		       const struct pci_identity *id)
{
	*fn = (struct pci_function){
		.ops = ops,
		.name = name,
		.next_cap = PCI_STD_HEADER_SIZEOF,
		.last_cap = PCI_CAPABILITY_LIST,
		.next_extended_cap = PCI_CFG_SPACE_SIZE,
	};
	pci_put_le(&fn->config[PCI_VENDOR_ID], 2, id->vendor);
	pci_put_le(&fn->config[PCI_DEVICE_ID], 2, id->device);
	pci_put_le(&fn->config[PCI_REVISION_ID], 1, id->revision);
	pci_put_le(&fn->config[PCI_CLASS_PROG], 3, id->class_code);
	pci_put_le(&fn->config[PCI_SUBSYSTEM_VENDOR_ID], 2,
		   id->subsystem_vendor);
	pci_put_le(&fn->config[PCI_SUBSYSTEM_ID], 2, id->subsystem);
	pci_set_writable(fn, PCI_COMMAND, 2, COMMAND_WRITABLE);
	pci_put_le(&fn->clearable[PCI_STATUS], 2, STATUS_CLEARABLE);
	pci_set_writable(fn, PCI_CACHE_LINE_SIZE, 1, 0xff);
	pci_set_writable(fn, PCI_LATENCY_TIMER, 1, 0xff);
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		fn->bars[i].fn = fn;
		fn->bars[i].index = (u8)i;
	}
}

unsigned int pci_add_capability(struct pci_function *fn, u8 id,
				const void *body, unsigned int len)
{
	unsigned int offset = fn->next_cap;

	fn->config[fn->last_cap] = (u8)offset;
	fn->config[offset] = id;
	if (body)
		memcpy(&fn->config[offset + 2], body, len - 2);
	fn->last_cap = offset + PCI_CAP_LIST_NEXT;
	fn->next_cap = (unsigned int)align_up(offset + len, 4);
	fn->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	return offset;
}

void pci_add_express_capability(struct pci_function *fn)
{
	unsigned int cap =
		pci_add_capability(fn, PCI_CAP_ID_EXP, NULL, EXPRESS_CAP_LEN);

	pci_put_le(&fn->config[cap + PCI_EXP_FLAGS], 2,
		   2 | PCI_EXP_TYPE_RC_END << 4);
	pci_put_le(&fn->config[cap + PCI_EXP_DEVCAP], 4, PCI_EXP_DEVCAP_RBER);
	pci_put_le(&fn->config[cap + PCI_EXP_DEVCTL], 2,
		   PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN |
			   PCI_EXP_DEVCTL_READRQ_512B);
	pci_set_writable(
		fn, cap + PCI_EXP_DEVCTL, 2,
		PCI_EXP_DEVCTL_CERE | PCI_EXP_DEVCTL_NFERE |
			PCI_EXP_DEVCTL_FERE | PCI_EXP_DEVCTL_URRE |
			PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_PAYLOAD |
			PCI_EXP_DEVCTL_NOSNOOP_EN | PCI_EXP_DEVCTL_READRQ);
	pci_put_le(&fn->clearable[cap + PCI_EXP_DEVSTA], 2,
		   PCI_EXP_DEVSTA_CED | PCI_EXP_DEVSTA_NFED |
			   PCI_EXP_DEVSTA_FED | PCI_EXP_DEVSTA_URD);
}

/* Nothing is lost in D3hot, so only the state bits are there to be written. */
void pci_add_power_management(struct pci_function *fn)
{
	unsigned int cap =
		pci_add_capability(fn, PCI_CAP_ID_PM, NULL, PCI_PM_SIZEOF);

	pci_put_le(&fn->config[cap + PCI_PM_PMC], 2, 3);
	pci_put_le(&fn->config[cap + PCI_PM_CTRL], 2,
		   PCI_PM_CTRL_NO_SOFT_RESET);
	pci_set_writable(fn, cap + PCI_PM_CTRL, 2, PCI_PM_CTRL_STATE_MASK);
}

unsigned int pci_add_extended_capability(struct pci_function *fn, u16 id,
					 u8 version, const void *body,
					 unsigned int len)
{
	unsigned int offset = fn->next_extended_cap;
	unsigned int last = PCI_CFG_SPACE_SIZE;

	/* The first stands at a fixed place; the last one's next is 0. */
	while (offset != last && pci_get_le(&fn->config[last], 4) >> 20)
		last = pci_get_le(&fn->config[last], 4) >> 20;
	if (offset != last)
		pci_put_le(&fn->config[last + 2], 2,
			   (pci_get_le(&fn->config[last + 2], 2) & 0xf) |
				   offset << 4);
	pci_put_le(&fn->config[offset], 4, id | (u32)version << 16);
	if (body)
		memcpy(&fn->config[offset + 4], body, len - 4);
	fn->next_extended_cap = (unsigned int)align_up(offset + len, 4);
	return offset;
}

void pci_use_intx(struct pci_function *fn)
{
	fn->config[PCI_INTERRUPT_PIN] = 1;
	pci_set_writable(fn, PCI_INTERRUPT_LINE, 1, 0xff);
}

/* ---- The bus ---- */

/* Registers of @bdf, or NULL where no function is. */
static struct pci_function *find_locked(struct pci_bus *bus, u32 bdf)
{
	return bdf < PCI_DEVFNS ? bus->functions[bdf] : NULL;
}

/* All-ones, cut to @size bytes: what an absent function reads as. */
static u32 all_ones(unsigned int size)
{
	return size >= 4 ? ~0U : (1U << (8 * size)) - 1;
}

void pci_get_locked(struct pci_function *fn)
{
	fn->users++;
}

void pci_put_locked(struct pci_function *fn)
{
	if (!--fn->users)
		pthread_cond_broadcast(&fn->bus->unused);
}

u32 pci_config_read(struct pci_bus *bus, u32 bdf, unsigned int offset,
		    unsigned int size)
{
	struct pci_function *fn;
	u32 value = all_ones(size);

	if (!range_within(offset, size, PCI_CONFIG_LEN))
		return value;
	pthread_mutex_lock(&bus->lock);
	fn = find_locked(bus, bdf);
	if (fn && fn->ops->config_read) {
		pci_get_locked(fn);
		pthread_mutex_unlock(&bus->lock);
		fn->ops->config_read(fn, offset, size);
		pthread_mutex_lock(&bus->lock);
		pci_put_locked(fn);
	}
	if (fn)
		value = pci_msi_read_locked(fn, offset, size,
					    pci_get_le(&fn->config[offset],
						       size));
	pthread_mutex_unlock(&bus->lock);
	return value;
}

static bool overlaps(unsigned int offset, unsigned int len, unsigned int reg,
		     unsigned int reg_len)
{
	return offset < reg + reg_len && reg < offset + len;
}

static void store_locked(struct pci_function *fn, unsigned int offset,
			 unsigned int size, u32 value)
{
	for (unsigned int i = 0; i < size; i++) {
		u8 byte = (u8)(value >> (8 * i));
		u8 writable = fn->writable[offset + i];
		u8 *reg = &fn->config[offset + i];

		*reg = (u8)((*reg & ~writable) | (byte & writable));
		*reg &= (u8) ~(byte & fn->clearable[offset + i]);
	}
}

static u16 command_locked(const struct pci_function *fn)
{
	return (u16)pci_get_le(&fn->config[PCI_COMMAND], 2);
}

static bool has_bits_locked(const struct pci_function *fn, unsigned int offset,
			    u16 bits)
{
	return offset && (pci_get_le(&fn->config[offset], 2) & bits);
}

/* Messages take the place of the pin (6.8.1.3, 6.8.2.3). */
static bool uses_messages_locked(const struct pci_function *fn)
{
	unsigned int msi = fn->msi_cap ? fn->msi_cap + PCI_MSI_FLAGS : 0;

	return has_bits_locked(fn, msi, PCI_MSI_FLAGS_ENABLE) ||
	       has_bits_locked(fn, pci_msix_control_offset(fn),
			       PCI_MSIX_FLAGS_ENABLE);
}

static void drive_intx_locked(struct pci_function *fn)
{
	bool enabled = !(command_locked(fn) & PCI_COMMAND_INTX_DISABLE) &&
		       !uses_messages_locked(fn);

	if (fn->intx_level)
		fn->config[PCI_STATUS] |= PCI_STATUS_INTERRUPT;
	else
		fn->config[PCI_STATUS] &= (u8)~PCI_STATUS_INTERRUPT;
	irq_line_set(&fn->intx, fn->intx_level && enabled);
}

/* BARs whose kind of decoding the new command register turns on. */
static void command_changed_locked(struct pci_function *fn, u16 turned_on)
{
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		struct pci_bar *bar = &fn->bars[i];
		u16 bit = bar->kind == PCI_BAR_IO ? PCI_COMMAND_IO
						  : PCI_COMMAND_MEMORY;

		if (bar->kind != PCI_BAR_NONE && (turned_on & bit))
			pci_bar_claim_locked(bar);
	}
}

/* Returns whether BARs have to be looked at again. */
static bool write_locked(struct pci_function *fn, unsigned int offset,
			 unsigned int size, u32 value)
{
	u16 old_command = command_locked(fn);
	struct pci_bar *bar = pci_bar_at(fn, offset);
	u16 command;

	store_locked(fn, offset, size, value);
	pci_msi_written_locked(fn, offset, size);
	command = command_locked(fn);
	if (command != old_command)
		command_changed_locked(fn, command & ~old_command);
	/* INTX_DISABLE, or a capability's enable bit, may be new. */
	drive_intx_locked(fn);
	/* A write lies within one dword, so it concerns one BAR at most. */
	if (bar)
		pci_bar_claim_locked(bar);
	return bar || command != old_command;
}

/* What a write may change, to put it back. */
struct undo {
	unsigned int offset;
	u32 dword;
	struct pci_bar bars[PCI_BARS];
};

static void undo_prepare_locked(struct undo *undo,
				const struct pci_function *fn,
				unsigned int offset)
{
	undo->offset = offset & ~3U;
	undo->dword = pci_get_le(&fn->config[undo->offset], 4);
	memcpy(undo->bars, fn->bars, sizeof(undo->bars));
}

/* The host cannot follow: mappings are, and registers become, what they were. */
static void undo_locked(const struct undo *undo, struct pci_function *fn)
{
	log_guest_error(&fn->bus->refused,
			"PCI %02x.0 %s: the host has no room to map a BAR at "
			"its new address; it stays where it was",
			fn->slot, fn->name);
	pci_put_le(&fn->config[undo->offset], 4, undo->dword);
	drive_intx_locked(fn);
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		fn->bars[i].address = undo->bars[i].address;
		fn->bars[i].stamp = undo->bars[i].stamp;
	}
}

static void write_and_remap_locked(struct pci_function *fn, unsigned int offset,
				   unsigned int size, u32 value,
				   struct pci_fragment **retired)
{
	struct undo undo;

	undo_prepare_locked(&undo, fn, offset);
	if (write_locked(fn, offset, size, value) &&
	    pci_remap_locked(fn->bus, retired))
		undo_locked(&undo, fn);
}

void pci_config_write(struct pci_bus *bus, u32 bdf, unsigned int offset,
		      unsigned int size, u32 value)
{
	struct pci_fragment *retired = NULL;
	unsigned int control_reg;
	struct pci_function *fn;

	if (!range_within(offset, size, PCI_CONFIG_LEN))
		return;
	pthread_mutex_lock(&bus->lock);
	fn = find_locked(bus, bdf);
	if (!fn) {
		pthread_mutex_unlock(&bus->lock);
		return;
	}
	pci_get_locked(fn);
	write_and_remap_locked(fn, offset, size, value, &retired);
	control_reg = pci_msix_control_offset(fn);
	if (control_reg && overlaps(offset, size, control_reg, 2))
		pci_msix_control_written_locked(
			fn, (u16)pci_get_le(&fn->config[control_reg], 2));
	pthread_mutex_unlock(&bus->lock);
	pci_free_retired(bus, retired);
	if (fn->ops->config_written)
		fn->ops->config_written(fn, offset, size, value);
	pthread_mutex_lock(&bus->lock);
	pci_put_locked(fn);
	pthread_mutex_unlock(&bus->lock);
}

/*
 * ECAM (PCIe 7.2.2): bus, device, function and register are bits of the
 * address. Accesses that cross a dword are carried out dword by dword.
 */
static enum bus_result ecam_access(void *opaque, struct bus_access *acc)
{
	struct pci_bus *bus = opaque;
	u64 offset = acc->offset;
	unsigned int done = 0;
	u64 value = 0;

	while (done < acc->size) {
		unsigned int chunk = 4 - (offset & 3);
		u32 bdf = (u32)(offset >> 12);
		unsigned int reg = offset & (PCI_CONFIG_LEN - 1);

		if (chunk > acc->size - done)
			chunk = acc->size - done;
		if (acc->is_write)
			pci_config_write(bus, bdf, reg, chunk,
					 (u32)(acc->value >> (8 * done)));
		else
			value |= (u64)pci_config_read(bus, bdf, reg, chunk)
				 << (8 * done);
		offset += chunk;
		done += chunk;
	}
	if (!acc->is_write)
		acc->value = value;
	return BUS_HANDLED;
}

static const struct pci_function_ops host_bridge_ops;

int pci_create(struct kvm *vm, const struct pci_windows *windows)
{
	struct pci_bus *bus;
	int err;

	bus = calloc(1, sizeof(*bus));
	if (!bus)
		return vm_fail(vm, -ENOMEM, "no memory for the PCI bus");
	vm->pci = bus;
	bus->vm = vm;
	pthread_mutex_init(&bus->lock, NULL);
	pthread_cond_init(&bus->unused, NULL);
	bus->windows = *windows;
	bus->ecam = (struct bus_region){
		.start = bus->windows.ecam.start,
		.len = bus->windows.ecam.len,
		.name = "PCI configuration space",
		.access = ecam_access,
		.opaque = bus,
	};
	err = bus_add(&vm->mmio, &bus->ecam);
	if (err)
		return err;
	pci_function_init(&bus->host_bridge, "host bridge", &host_bridge_ops,
			  &host_bridge_identity);
	pci_add_express_capability(&bus->host_bridge);
	return pci_add(bus, &bus->host_bridge);
}

void pci_destroy(struct kvm *vm)
{
	struct pci_bus *bus = vm->pci;

	if (!bus)
		return;
	if (bus->host_bridge.bus)
		pci_remove(&bus->host_bridge);
	bus_remove(&vm->mmio, &bus->ecam);
	pci_bar_release_all(bus);
	pthread_cond_destroy(&bus->unused);
	pthread_mutex_destroy(&bus->lock);
	free(bus);
	vm->pci = NULL;
}

static void connect_intx(struct pci_function *fn)
{
	u8 pin = fn->config[PCI_INTERRUPT_PIN];

	if (!pin)
		return;
	fn->intx = arch_pci_irq_line(fn->bus->vm, fn->slot, pin - 1);
	if (fn->intx.hub)
		fn->config[PCI_INTERRUPT_LINE] = (u8)fn->intx.hub->irq;
}

static void enter_locked(struct pci_bus *bus, struct pci_function *fn,
			 unsigned int slot, unsigned int function)
{
	fn->bus = bus;
	fn->slot = (u8)slot;
	fn->function = (u8)function;
	connect_intx(fn);
	bus->functions[pci_bdf(fn)] = fn;
}

static bool is_free_locked(const struct pci_bus *bus, unsigned int slot)
{
	for (unsigned int function = 0; function < 8; function++)
		if (bus->functions[slot << 3 | function])
			return false;
	return true;
}

int pci_add(struct pci_bus *bus, struct pci_function *fn)
{
	unsigned int slot = 0;

	pthread_mutex_lock(&bus->lock);
	while (slot < PCI_SLOTS && !is_free_locked(bus, slot))
		slot++;
	if (slot < PCI_SLOTS)
		enter_locked(bus, fn, slot, 0);
	pthread_mutex_unlock(&bus->lock);
	if (slot < PCI_SLOTS)
		return 0;
	return vm_fail(bus->vm, -ENOSPC,
		       "no PCI slot is left for %s: a VM has %u, one of them "
		       "for the host bridge; give it fewer devices",
		       fn->name, PCI_SLOTS);
}

int pci_add_function(struct pci_function *first, unsigned int number,
		     struct pci_function *fn)
{
	struct pci_bus *bus = first->bus;
	int err = -EBUSY;

	pthread_mutex_lock(&bus->lock);
	if (number < 8 && !bus->functions[pci_bdf(first) + number]) {
		/* The guest looks for more only where function 0 says so. */
		first->config[PCI_HEADER_TYPE] |= HEADER_MULTI_FUNCTION;
		enter_locked(bus, fn, first->slot, number);
		err = 0;
	}
	pthread_mutex_unlock(&bus->lock);
	return err;
}

void pci_remove(struct pci_function *fn)
{
	struct pci_fragment *retired = NULL;
	struct pci_bus *bus = fn->bus;

	if (!bus) {
		pci_msix_free(fn);
		return;
	}
	pthread_mutex_lock(&bus->lock);
	/* Without decoding nothing of it answers, and its doorbells go. */
	pci_put_le(&fn->config[PCI_COMMAND], 2, 0);
	pci_remap_locked(bus, &retired);
	bus->functions[pci_bdf(fn)] = NULL;
	fn->intx_level = false;
	drive_intx_locked(fn);
	pthread_mutex_unlock(&bus->lock);
	pci_free_retired(bus, retired);
	/* Accesses and other threads' moves that began before. */
	pthread_mutex_lock(&bus->lock);
	while (fn->users)
		pthread_cond_wait(&bus->unused, &bus->lock);
	pthread_mutex_unlock(&bus->lock);
	pci_msi_free(fn);
	pci_msix_free(fn);
	fn->bus = NULL;
}

/* ---- The device's side ---- */

u32 pci_config_get(struct pci_function *fn, unsigned int offset,
		   unsigned int len)
{
	u32 value;

	pthread_mutex_lock(&fn->bus->lock);
	value = pci_get_le(&fn->config[offset], len);
	pthread_mutex_unlock(&fn->bus->lock);
	return value;
}

void pci_config_set(struct pci_function *fn, unsigned int offset,
		    unsigned int len, u32 value)
{
	pthread_mutex_lock(&fn->bus->lock);
	pci_put_le(&fn->config[offset], len, value);
	pthread_mutex_unlock(&fn->bus->lock);
}

void pci_set_intx(struct pci_function *fn, bool level)
{
	pthread_mutex_lock(&fn->bus->lock);
	fn->intx_level = level;
	drive_intx_locked(fn);
	pthread_mutex_unlock(&fn->bus->lock);
}
