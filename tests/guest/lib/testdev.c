/* SPDX-License-Identifier: GPL-2.0-only */
#include "testdev.h"

#define ENTRIES 512
#define PAGE_LEN 4096
#define LARGE_PAGE 0x200000ULL
#define PRESENT 0x3
#define UNCACHED_LARGE 0x9b

extern u64 pml4[ENTRIES];
extern u64 pdpt[ENTRIES];

bool testdev_find(struct testdev devices[2])
{
	u32 id = TESTDEV_VENDOR | TESTDEV_DEVICE << 16;
	u32 slot, nr = 0;

	for (slot = 0; slot < PCI_SLOTS && nr < 2; slot++) {
		if (pci_read(slot, 0, 4) == id) {
			devices[nr].slot = slot;
			devices[nr].number = nr + 1;
			nr++;
		}
	}
	return nr == 2;
}

u32 testdev_word(const struct testdev *dev, u32 bar, u32 offset)
{
	return dev->number << 24 | bar << 16 | offset;
}

static u32 bar_register(u32 bar)
{
	return bar == ROM_BAR ? PCI_ROM : PCI_BAR(bar);
}

static bool is_64bit(u32 bar)
{
	return bar == MAPPED_BAR || bar == MEM64_BAR;
}

u64 testdev_place(const struct testdev *dev, u32 bar)
{
	u64 place = pci_read(dev->slot, bar_register(bar), 4);

	if (bar == IO_BAR)
		return place & ~3ULL;
	if (is_64bit(bar))
		place |= (u64)pci_read(dev->slot, PCI_BAR(bar + 1), 4) << 32;
	return place & ~0xfULL;
}

void testdev_move(const struct testdev *dev, u32 bar, u64 to)
{
	u32 low = (u32)to | (bar == ROM_BAR ? ROM_ENABLE : 0);

	pci_write(dev->slot, bar_register(bar), 4, low);
	if (is_64bit(bar))
		pci_write(dev->slot, PCI_BAR(bar + 1), 4, (u32)(to >> 32));
}

static u32 address_bits(void)
{
	u32 a = 0x80000008, b, c, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	return a & 0xff;
}

/* x86/kvm.c: the largest aligned window, at most 1 TiB, clear of AMD's hole. */
u64 far_window(void)
{
	u32 bits = address_bits();

	return 1ULL << (bits > 40 ? 40 : bits == 40 ? 38 : bits - 1);
}

volatile u32 *far_map(u64 gpa)
{
	static u64 far_pdpt[ENTRIES] __attribute__((aligned(PAGE_LEN)));
	static u64 far_pd[ENTRIES] __attribute__((aligned(PAGE_LEN)));
	u64 *table = pdpt;

	if (gpa >> 39) {
		table = far_pdpt;
		pml4[gpa >> 39] = (u64)far_pdpt | PRESENT;
	}
	table[(gpa >> 30) % ENTRIES] = (u64)far_pd | PRESENT;
	far_pd[(gpa >> 21) % ENTRIES] = (gpa & ~(LARGE_PAGE - 1)) |
					UNCACHED_LARGE;
	__asm__ volatile("mov %%cr3, %%rax\n\tmov %%rax, %%cr3" ::
				 : "rax", "memory");
	return (volatile u32 *)gpa;
}
