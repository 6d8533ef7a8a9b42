// SPDX-License-Identifier: GPL-2.0-only
/*
 * A memory BAR that moves: registers answer where it is and nowhere else, and
 * the machine's own ranges cannot be covered.
 *
 * guest-args: --rng
 */
#include "virtio.h"

#define NEW_PLACE (PCI_WINDOW + 0x10000000)
#define BEHIND_ECAM 0xf8000000 /* in no window */

void guest_main(void)
{
	struct virtio dev;
	u64 place, queues;
	u32 bar;

	check(virtio_find(&dev, VIRTIO_RNG));
	pci_command(dev.slot, 0, COMMAND_MEMORY);
	check_equal("decode off", read16(dev.common + COMMON_NUM_QUEUES),
		    0xffff);
	pci_command(dev.slot, COMMAND_MEMORY, 0);
	check_equal("decode on", read16(dev.common + COMMON_NUM_QUEUES), 1);

	bar = dev.memory_bar;
	place = pci_read(dev.slot, PCI_BAR(bar), 4) & ~0xfU;
	queues = COMMON_NUM_QUEUES + (dev.common - place);
	pci_bar_move(dev.slot, bar, NEW_PLACE);
	check_equal("moved: there", read16(NEW_PLACE + queues), 1);
	check_equal("moved: not here", read16(place + queues), 0xffff);
	pci_bar_move(dev.slot, bar, 0);
	check_equal("at 0: not there", read16(NEW_PLACE + queues), 0xffff);
	pci_bar_move(dev.slot, bar, BEHIND_ECAM);
	check_equal("in no window: there", read16(BEHIND_ECAM + queues),
		    0xffff);
	check_equal("in no window: register",
		    pci_read(dev.slot, PCI_BAR(bar), 4), BEHIND_ECAM);
	check_equal("in no window: not here", read16(place + queues), 0xffff);
	pci_bar_move(dev.slot, bar, ECAM);
	check(pci_read(0, 0, 4) != 0xffffffff);
	check_equal("on ECAM: register", pci_read(dev.slot, PCI_BAR(bar), 4),
		    ECAM);
	pci_bar_move(dev.slot, bar, DMA_AREA);
	write16(DMA_AREA + queues, 0x1234);
	check_equal("on RAM", read16(DMA_AREA + queues), 0x1234);
	pci_bar_move(dev.slot, bar, 0xfee00000);
	check_equal("on the LAPIC: its version", read32(0xfee00030) & 0xf0,
		    0x10);
	pci_bar_move(dev.slot, bar, place);
	check_equal("back", read16(place + queues), 1);
	end();
}
