// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses for BARs that the device does not have, while it decodes memory and
 * ports: they stay zero and nothing else changes.
 *
 * guest-args: --disk DISK,ro
 */
#include "virtio.h"

static u32 size_mask(u32 slot, u32 bar)
{
	u32 saved = pci_read(slot, PCI_BAR(bar), 4), mask;

	pci_write(slot, PCI_BAR(bar), 4, 0xffffffff);
	mask = pci_read(slot, PCI_BAR(bar), 4);
	pci_write(slot, PCI_BAR(bar), 4, saved);
	return mask;
}

void guest_main(void)
{
	static const u32 addresses[] = { 0xc0000000, 0x1000,	 0x6001,
					 0xffffffff, 0xfee00000, 0xdffffff4 };
	struct blk blk;
	u32 bar, i, absent = 0, slot;

	check(blk_open(&blk));
	slot = blk.dev.slot;
	pci_command(slot, COMMAND_IO | COMMAND_MEMORY, 0);
	for (bar = 0; bar < 6; bar++) {
		if (size_mask(slot, bar))
			continue;
		absent++;
		for (i = 0; i < sizeof(addresses) / sizeof(u32); i++) {
			pci_write(slot, PCI_BAR(bar), 4, addresses[i]);
			check_equal("absent BAR",
				    pci_read(slot, PCI_BAR(bar), 4), 0);
		}
	}
	check(absent > 0);
	check_equal("read", blk_request(&blk, BLK_READ, 2, BLK_BUFFER, 512),
		    BLK_OK);
	end();
}
