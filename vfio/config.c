/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Configuration space of a passed-through device. The header, BARs, MSI and MSI-X
 * are the core's; power states are too, as a mapped BAR of a device that sleeps
 * cannot be accessed. Everything else is the device's: read from it, and written
 * to it once, at the same offsets. Capabilities that a guest cannot use are
 * unlinked. PCI 3.0, chapter 6; PCI Express 4.0, 7.5 to 7.9.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <string.h>
#include "lkvm/failure.h"
#include "lkvm/kvm.h"
#include "vfio_priv.h"

#define CAP_HEADER_LEN 2U
#define MAX_CAPS 48U /* as many as have room */
#define MAX_EXTENDED_CAPS 960U

#define EXTENDED_ID(header) ((header)&0xffff)
#define EXTENDED_NEXT(header) ((header) >> 20 & 0xffc)
#define EXTENDED_VERSION 0xf0000U
#define EXTENDED_END 0xffcU /* of places where one can begin */

static u32 get_le(const u8 *bytes, unsigned int len)
{
	u32 value = 0;

	for (unsigned int i = 0; i < len; i++)
		value |= (u32)bytes[i] << (8 * i);
	return value;
}

static void put_le(u8 *bytes, unsigned int len, u32 value)
{
	for (unsigned int i = 0; i < len; i++)
		bytes[i] = (u8)(value >> (8 * i));
}

/* ---- Capabilities ---- */

struct cap_list {
	unsigned int at[MAX_CAPS];
	unsigned int nr;
};

/* Those that can be reached; a chain that bites its tail ends there. */
static void list_caps(const u8 *config, struct cap_list *list)
{
	bool seen[PCI_CFG_SPACE_SIZE] = { false };
	unsigned int at = config[PCI_CAPABILITY_LIST] & ~3U;

	list->nr = 0;
	if (!(config[PCI_STATUS] & PCI_STATUS_CAP_LIST))
		return;
	while (at >= PCI_STD_HEADER_SIZEOF && !seen[at] &&
	       list->nr < MAX_CAPS) {
		seen[at] = true;
		list->at[list->nr++] = at;
		at = config[at + PCI_CAP_LIST_NEXT] & ~3U;
	}
}

unsigned int vfio_config_find(const u8 *config, u8 id)
{
	struct cap_list list;

	list_caps(config, &list);
	for (unsigned int i = 0; i < list.nr; i++)
		if (config[list.at[i]] == id)
			return list.at[i];
	return 0;
}

static bool is_hidden(u8 id)
{
	switch (id) {
	case PCI_CAP_ID_EA:	/* BARs at fixed places: VFIO has none */
	case PCI_CAP_ID_SHPC:	/* hot plug is the bridge's, */
	case PCI_CAP_ID_CHSWP:	/* which is the host's */
	case PCI_CAP_ID_SLOTID: /* places on the host's bus */
		return true;
	default:
		return false;
	}
}

static unsigned int msi_len(const u8 *cap)
{
	u32 control = get_le(cap + PCI_MSI_FLAGS, 2);
	unsigned int len = control & PCI_MSI_FLAGS_64BIT ? 14 : 10;

	if (control & PCI_MSI_FLAGS_MASKBIT)
		len = len == 14 ? 24 : 20;
	return len;
}

/* Bytes of the capability that the core answers, its header among them. */
static unsigned int held_len(const u8 *cap)
{
	switch (cap[0]) {
	case PCI_CAP_ID_MSI:
		return msi_len(cap);
	case PCI_CAP_ID_MSIX:
		return PCI_CAP_MSIX_SIZEOF;
	case PCI_CAP_ID_PM:
		return PCI_PM_SIZEOF;
	default:
		return CAP_HEADER_LEN;
	}
}

static void hold(u8 *held, unsigned int at, unsigned int len)
{
	for (unsigned int i = at; i < at + len && i < PCI_CONFIG_LEN; i++)
		held[i] = 0xff;
}

static void sanitize_caps(u8 *config, u8 *held)
{
	unsigned int link = PCI_CAPABILITY_LIST;
	struct cap_list list;

	list_caps(config, &list);
	for (unsigned int i = 0; i < list.nr; i++) {
		unsigned int at = list.at[i];

		hold(held, at, CAP_HEADER_LEN);
		if (is_hidden(config[at])) {
			put_le(&config[at], 2, 0);
			continue;
		}
		/* What lies behind the end is no capability. */
		if (!range_within(at, held_len(&config[at]),
				  PCI_CFG_SPACE_SIZE)) {
			put_le(&config[at], 2, 0);
			continue;
		}
		hold(held, at, held_len(&config[at]));
		config[link] = (u8)at;
		link = at + PCI_CAP_LIST_NEXT;
	}
	config[link] = 0;
	if (link == PCI_CAPABILITY_LIST)
		config[PCI_STATUS] &= (u8)~PCI_STATUS_CAP_LIST;
}

/* ---- Extended capabilities ---- */

static bool is_hidden_extended(u32 id)
{
	switch (id) {
	case PCI_EXT_CAP_ID_SRIOV: /* BARs of functions that are not there */
	case PCI_EXT_CAP_ID_MRIOV:
	case PCI_EXT_CAP_ID_REBAR: /* the host's BAR would have to change */
	case 0x24:		   /* the same for virtual functions */
	case PCI_EXT_CAP_ID_ARI:   /* function numbers are the core's */
	case PCI_EXT_CAP_ID_ATS:   /* translations are the host's, and so are */
	case PCI_EXT_CAP_ID_PRI:   /* page requests */
	case PCI_EXT_CAP_ID_PASID: /* and address spaces */
	case PCI_EXT_CAP_ID_DPC:   /* of bridges */
	case PCI_EXT_CAP_ID_L1SS:  /* the link's power: the host's, */
	case PCI_EXT_CAP_ID_PTM:   /* and its clock */
		return true;
	default:
		return false;
	}
}

static void put_extended(u8 *config, unsigned int at, u32 keep, u32 next)
{
	put_le(&config[at], 4, (keep & ~0xfff00000U) | next << 20);
}

static void sanitize_extended(u8 *config, u8 *held)
{
	bool seen[PCI_CONFIG_LEN] = { false };
	unsigned int at = PCI_CFG_SPACE_SIZE, last = PCI_CFG_SPACE_SIZE;
	u32 header = get_le(&config[at], 4);

	hold(held, at, 4);
	if (header == 0xffffffff)
		header = 0;
	for (unsigned int i = 0; header && i < MAX_EXTENDED_CAPS; i++) {
		unsigned int next = EXTENDED_NEXT(header);

		seen[at] = true;
		hold(held, at, 4);
		if (is_hidden_extended(EXTENDED_ID(header)))
			header = 0;
		/* The first one stays, if only as the head of the list. */
		put_extended(config, at, header, 0);
		if (header && at != last) {
			put_extended(config, last, get_le(&config[last], 4),
				     at);
			last = at;
		}
		if (next < PCI_CFG_SPACE_SIZE || next > EXTENDED_END ||
		    seen[next])
			break;
		at = next;
		header = get_le(&config[at], 4);
	}
	if (!header && at == PCI_CFG_SPACE_SIZE)
		put_le(&config[at], 4, 0);
}

void vfio_config_sanitize(u8 *config, u32 len, u8 *held)
{
	memset(held, 0, PCI_CONFIG_LEN);
	hold(held, 0, PCI_STD_HEADER_SIZEOF);
	/* The device's errors and its interrupt, but the core's list. */
	held[PCI_STATUS] = PCI_STATUS_CAP_LIST;
	held[PCI_STATUS + 1] = 0;
	put_le(&config[PCI_COMMAND], 2, 0);
	/* One function, no self test, no CardBus. */
	config[PCI_HEADER_TYPE] = PCI_HEADER_TYPE_NORMAL;
	config[PCI_BIST] = 0;
	memset(&config[PCI_BASE_ADDRESS_0], 0, 24);
	put_le(&config[PCI_CARDBUS_CIS], 4, 0);
	put_le(&config[PCI_ROM_ADDRESS], 4, 0);
	put_le(&config[PCI_INTERRUPT_LINE], 2, 0);
	sanitize_caps(config, held);
	if (len == PCI_CONFIG_LEN) {
		sanitize_extended(config, held);
	} else {
		memset(&config[PCI_CFG_SPACE_SIZE], 0,
		       PCI_CONFIG_LEN - PCI_CFG_SPACE_SIZE);
		hold(held, PCI_CFG_SPACE_SIZE,
		     PCI_CONFIG_LEN - PCI_CFG_SPACE_SIZE);
	}
}

/* ---- The device's side ---- */

int vfio_config_load(struct vfio_device *dev)
{
	struct vfio_region *region = &dev->config_space;
	u32 len = region->size < PCI_CONFIG_LEN ? PCI_CFG_SPACE_SIZE
						: PCI_CONFIG_LEN;
	u8 *config = dev->raw;
	ssize_t got;

	if (region->size < PCI_CFG_SPACE_SIZE)
		return vm_fail(dev->base.vm, -EINVAL,
			       "%s: VFIO shows no configuration space",
			       dev->host.name);
	got = vfio_sys_pread(dev->fd, config, len, region->offset);
	if (got != (ssize_t)len)
		return vm_fail(dev->base.vm, -EIO,
			       "%s: its configuration space cannot be read; "
			       "does the device still answer?",
			       dev->host.name);
	dev->config_len = len;
	if ((config[PCI_HEADER_TYPE] & 0x7f) != PCI_HEADER_TYPE_NORMAL)
		return vm_fail(dev->base.vm, -EINVAL,
			       "%s: a bridge cannot be passed through, only "
			       "what is behind it",
			       dev->host.name);
	return 0;
}

/* Sleeping is pretended: nothing is lost in D3hot, and it wakes at once. */
static void pretend_power_states(struct pci_function *fn)
{
	unsigned int cap = vfio_config_find(fn->config, PCI_CAP_ID_PM);

	if (!cap)
		return;
	/* It cannot wake the guest either. */
	put_le(&fn->config[cap + PCI_PM_PMC], 2,
	       get_le(&fn->config[cap + PCI_PM_PMC], 2) & PCI_PM_CAP_VER_MASK);
	put_le(&fn->config[cap + PCI_PM_CTRL], 4, PCI_PM_CTRL_NO_SOFT_RESET);
	pci_set_writable(fn, cap + PCI_PM_CTRL, 2, PCI_PM_CTRL_STATE_MASK);
}

int vfio_config_init(struct vfio_device *dev)
{
	struct pci_function *fn = &dev->fn;
	unsigned int cap;
	u8 bars[24];
	u32 rom;

	/* pci_bar_init() has been there. */
	memcpy(bars, &fn->config[PCI_BASE_ADDRESS_0], sizeof(bars));
	rom = get_le(&fn->config[PCI_ROM_ADDRESS], 4);
	memcpy(fn->config, dev->raw, dev->config_len);
	vfio_config_sanitize(fn->config, dev->config_len, dev->held);
	memcpy(&fn->config[PCI_BASE_ADDRESS_0], bars, sizeof(bars));
	put_le(&fn->config[PCI_ROM_ADDRESS], 4, rom);
	if (dev->nr_irqs[VFIO_IRQ_INTX])
		pci_use_intx(fn);
	pretend_power_states(fn);

	cap = vfio_config_find(fn->config, PCI_CAP_ID_MSI);
	if (cap && pci_adopt_msi(fn, cap))
		return vm_fail(dev->base.vm, -EINVAL,
			       "%s: its MSI capability makes no sense",
			       dev->host.name);
	cap = vfio_config_find(fn->config, PCI_CAP_ID_MSIX);
	if (cap && pci_adopt_msix(fn, cap))
		return vm_fail(dev->base.vm, -EINVAL,
			       "%s: its MSI-X capability makes no sense",
			       dev->host.name);
	return 0;
}

void vfio_config_command(struct vfio_device *dev, u16 guest)
{
	/*
	 * Decoding of the device itself stays on: its place in the host never
	 * changes, and a mapped BAR must always answer.
	 */
	u16 command = guest | PCI_COMMAND_MEMORY | PCI_COMMAND_IO;
	u8 bytes[2];

	put_le(bytes, 2, command);
	vfio_sys_pwrite(dev->fd, bytes, sizeof(bytes),
			dev->config_space.offset + PCI_COMMAND);
}

/* ---- The guest's accesses ---- */

static bool is_held(const struct vfio_device *dev, unsigned int offset,
		    unsigned int len)
{
	for (unsigned int i = offset; i < offset + len; i++)
		if (dev->held[i] != 0xff)
			return false;
	return true;
}

void vfio_config_read(struct pci_function *fn, unsigned int offset,
		      unsigned int len)
{
	struct vfio_device *dev = container_of(fn, struct vfio_device, fn);
	u8 bytes[4];

	if (is_held(dev, offset, len) ||
	    vfio_sys_pread(dev->fd, bytes, len,
			   dev->config_space.offset + offset) != (ssize_t)len)
		return;
	for (unsigned int i = 0; i < len; i++) {
		u8 held = dev->held[offset + i];
		/* Bits that are held in such a byte never change. */
		u32 mine = held ? pci_config_get(fn, offset + i, 1) & held : 0;

		if (held != 0xff)
			pci_config_set(fn, offset + i, 1,
				       mine | (bytes[i] & (u8)~held));
	}
}

/* What is not the core's goes to the device: in one piece, if it is one. */
static void forward(struct vfio_device *dev, unsigned int offset,
		    unsigned int len, u32 value)
{
	unsigned int from = 0, to;
	u8 bytes[4];

	put_le(bytes, len, value);
	while (from < len) {
		to = from + 1;
		if (dev->held[offset + from] != 0xff) {
			while (to < len && dev->held[offset + to] != 0xff)
				to++;
			vfio_sys_pwrite(dev->fd, bytes + from, to - from,
					dev->config_space.offset + offset +
						from);
		}
		from = to;
	}
}

static bool overlaps(unsigned int offset, unsigned int len, unsigned int reg,
		     unsigned int reg_len)
{
	return offset < reg + reg_len && reg < offset + len;
}

void vfio_config_written(struct pci_function *fn, unsigned int offset,
			 unsigned int len, u32 value)
{
	struct vfio_device *dev = container_of(fn, struct vfio_device, fn);

	forward(dev, offset, len, value);
	if (overlaps(offset, len, PCI_COMMAND, 2))
		vfio_config_command(dev,
				    (u16)pci_config_get(fn, PCI_COMMAND, 2));
	/* A write to no capability of interrupts changes nothing there. */
	if (is_held(dev, offset, 1) && offset >= PCI_STD_HEADER_SIZEOF)
		vfio_irqs_sync(dev);
}
