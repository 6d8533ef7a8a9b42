// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sizing and moving BARs: any pattern of ones gives the same mask, decode on or
 * off; registers answer where the BAR is and nowhere else.
 *
 * guest-args: --rng
 */
#include "virtio.h"

#define NEW_PLACE (PCI_WINDOW + 0x10000000)

static void check_sizing(u32 slot, u32 bar)
{
	static const u32 patterns[] = { 0xffffffff, 0xfffffffe, 0xfffffff0 };
	u32 saved = pci_read(slot, PCI_BAR(bar), 4), i;
	/* The last one is meant for memory: a port BAR may have four bytes. */
	u32 mask = 0, nr = saved & 1 ? 2 : 3;

	for (i = 0; i < nr; i++) {
		pci_write(slot, PCI_BAR(bar), 4, patterns[i]);
		if (i == 0)
			mask = pci_read(slot, PCI_BAR(bar), 4);
		check_equal("size mask", pci_read(slot, PCI_BAR(bar), 4), mask);
	}
	pci_write(slot, PCI_BAR(bar), 4, saved);
	check_equal("restored", pci_read(slot, PCI_BAR(bar), 4), saved);
}

static void check_all_sizes(u32 slot)
{
	u32 bar;

	for (bar = 0; bar < 6; bar++)
		check_sizing(slot, bar);
	check_equal("ROM", pci_read(slot, 0x30, 4), 0);
}

static void move(u32 slot, u32 bar, u64 to)
{
	pci_write(slot, PCI_BAR(bar), 4, (u32)to);
}

void guest_main(void)
{
	struct virtio dev;
	u64 place, size, queues;
	u32 bar;

	check(virtio_find(&dev, VIRTIO_RNG));
	check_all_sizes(dev.slot);
	pci_command(dev.slot, 0, COMMAND_MEMORY);
	check_equal("decode off", read16(dev.common + COMMON_NUM_QUEUES),
		    0xffff);
	check_all_sizes(dev.slot);
	pci_command(dev.slot, COMMAND_MEMORY, 0);
	check_equal("decode on", read16(dev.common + COMMON_NUM_QUEUES), 1);

	/* Which BAR has the registers? */
	for (bar = 0; bar < 5; bar++) {
		place = pci_read(dev.slot, PCI_BAR(bar), 4) & ~0xfU;
		size = pci_bar_size(dev.slot, bar);
		if (place && dev.common - place < size)
			break;
	}
	check(bar < 5);
	queues = COMMON_NUM_QUEUES + (dev.common - place);
	move(dev.slot, bar, NEW_PLACE);
	check_equal("moved: there", read16(NEW_PLACE + queues), 1);
	check_equal("moved: not here", read16(place + queues), 0xffff);
	move(dev.slot, bar, 0);
	check_equal("at 0: not there", read16(NEW_PLACE + queues), 0xffff);
	move(dev.slot, bar, ECAM);
	check(pci_read(0, 0, 4) != 0xffffffff);
	move(dev.slot, bar, 0xfee00000);
	check_equal("on the LAPIC: its version", read32(0xfee00030) & 0xf0,
		    0x10);
	move(dev.slot, bar, place);
	check_equal("back", read16(place + queues), 1);
	end();
}
