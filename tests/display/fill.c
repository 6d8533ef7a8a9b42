// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fills a screen of 1024x768 again and again, each time with another colour, and
 * says so on COM1 after the first: for the figures of tests/display/run.
 */
#include "pci.h"

#define VENDOR 0x1234
#define DEVICE 0x1111
#define VRAM_BAR 0
#define PIXELS (1024 * 768)

static void fill(u64 at, u32 colour)
{
	u64 count = PIXELS;

	__asm__ volatile("rep stosl"
			 : "+D"(at), "+c"(count)
			 : "a"(colour)
			 : "memory");
}

void guest_main(void)
{
	u32 slot = pci_find(VENDOR, DEVICE);
	u64 vram;
	u32 colour = 0;

	check(slot < PCI_SLOTS);
	vram = pci_bar_reach(slot, VRAM_BAR);
	fill(vram, 0);
	print("filling\n");
	for (;;)
		fill(vram, colour += 0x010203);
}
