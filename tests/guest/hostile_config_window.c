// SPDX-License-Identifier: GPL-2.0-only
/*
 * The window of virtio 1.2, 4.1.4.9, through which configuration space reaches
 * BARs: BARs, offsets and lengths that do not exist.
 *
 * guest-args: --disk DISK,ro
 */
#include "virtio.h"

#define CFG_PCI 5

static u32 find_window(u32 slot)
{
	u32 cap = 0;

	while ((cap = pci_capability(slot, CAP_VENDOR, cap)))
		if (pci_read(slot, cap + 3, 1) == CFG_PCI)
			break;
	return cap;
}

static void poke(u32 slot, u32 cap, u32 bar, u32 offset, u32 len)
{
	pci_write(slot, cap + 4, 1, bar);
	pci_write(slot, cap + 8, 4, offset);
	pci_write(slot, cap + 12, 4, len);
	pci_read(slot, cap + 16, 4);
	pci_read(slot, cap + 17, 1);
	pci_write(slot, cap + 16, 4, 0xffffffff);
	pci_write(slot, cap + 18, 2, 0xffff);
}

static void check_window_works(struct virtio *dev, u32 cap)
{
	u64 place = pci_read(dev->slot, PCI_BAR(1), 4) & ~0xfU;

	pci_write(dev->slot, cap + 4, 1, 1);
	pci_write(dev->slot, cap + 8, 4, (u32)(dev->config - place));
	pci_write(dev->slot, cap + 12, 4, 4);
	check_equal("capacity through the window",
		    pci_read(dev->slot, cap + 16, 4), read32(dev->config));
}

void guest_main(void)
{
	static const u32 bars[] = { 0, 1, 2, 5, 6, 7, 255 };
	static const u32 offsets[] = { 0x6000, 0xffffffff, 0x7ffffffc, 1 };
	static const u32 lens[] = { 0, 1, 2, 3, 4, 8, 0xffffffff };
	u32 cap, bar, offset, len;
	struct blk blk;

	check(blk_open(&blk));
	cap = find_window(blk.dev.slot);
	check(cap);
	for (bar = 0; bar < 7; bar++)
		for (offset = 0; offset < 4; offset++)
			for (len = 0; len < 7; len++)
				poke(blk.dev.slot, cap, bars[bar],
				     offsets[offset], lens[len]);
	check(blk_open(&blk));
	if (!(pci_read(blk.dev.slot, PCI_BAR(1), 4) & 1))
		check_window_works(&blk.dev, cap);
	check_equal("read", blk_request(&blk, BLK_READ, 2, BLK_BUFFER, 512),
		    BLK_OK);
	end();
}
