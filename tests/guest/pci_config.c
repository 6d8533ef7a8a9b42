// SPDX-License-Identifier: GPL-2.0-only
/*
 * CF8/CFC and ECAM show the same bytes; absent functions read ones on both.
 *
 * guest-args: --rng --disk DISK,ro
 */
#include "virtio.h"

static void check_same(u32 slot)
{
	u32 offset;

	for (offset = 0; offset < 256; offset += 4)
		check_equal("register through both ways",
			    pci_read_port(slot, offset, 4),
			    pci_read(slot, offset, 4));
	for (offset = 0x2c; offset < 0x30; offset++)
		check_equal("byte through both ways",
			    pci_read_port(slot, offset, 1),
			    pci_read(slot, offset, 1));
}

static void check_absent(u32 slot)
{
	pci_write(slot, PCI_COMMAND, 2, 7);
	check_equal("absent dword", pci_read(slot, 0, 4), 0xffffffff);
	check_equal("absent word", pci_read(slot, 2, 2), 0xffff);
	check_equal("absent byte", pci_read(slot, 0xe, 1), 0xff);
	check_equal("absent extended", pci_read(slot, 0xffc, 4), 0xffffffff);
	check_equal("absent by port", pci_read_port(slot, 0, 4), 0xffffffff);
	check_equal("absent quadword", read64(ECAM + (slot << 15)), ~0ULL);
}

void guest_main(void)
{
	u32 slot, present = 0;

	check_equal("class of 00.0", pci_read(0, 8, 4) >> 8, 0x060000);
	for (slot = 0; slot < PCI_SLOTS; slot++) {
		if (pci_read(slot, 0, 4) == 0xffffffff) {
			check_absent(slot);
			continue;
		}
		present++;
		check_same(slot);
	}
	check(present >= 3);
	/* Another function, another bus. */
	check_equal("function 1", read32(ECAM + (1 << 12)), 0xffffffff);
	check_equal("bus 1", read32(ECAM + (1 << 20)), 0xffffffff);
	check_equal("bus 255", read32(ECAM + (255 << 20)), 0xffffffff);
	end();
}
