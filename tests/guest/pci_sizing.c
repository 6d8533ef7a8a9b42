// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sizing BARs, a table of cases: whatever pattern is written, at once or in
 * pieces, decoding on or off, the address bits take it and nothing else does;
 * the old value brings the device back.
 *
 * guest-args: --rng
 */
#include "virtio.h"

#define QUEUES_OF_RNG 1
#define NOTHING 0xffff

static struct virtio dev;
static u64 home;

static void write_in_pieces(u32 reg, u32 width, u32 value)
{
	u32 i;

	for (i = 0; i < 4; i += width)
		pci_write(dev.slot, reg + i, width, value >> (8 * i));
}

static u32 read_in_pieces(u32 reg, u32 width)
{
	u32 value = 0, i;

	for (i = 0; i < 4; i += width)
		value |= pci_read(dev.slot, reg + i, width) << (8 * i);
	return value;
}

static void check_pattern(u32 bar, u32 width, u32 mask, u32 pattern)
{
	u32 reg = PCI_BAR(bar);
	u32 saved = pci_read(dev.slot, reg, 4);
	u32 want = (pattern & mask) | (saved & ~mask);

	write_in_pieces(reg, width, pattern);
	check_equal("dword", read_in_pieces(reg, 4), want);
	check_equal("words", read_in_pieces(reg, 2), want);
	check_equal("bytes", read_in_pieces(reg, 1), want);
	write_in_pieces(reg, width, saved);
	check_equal("restored", pci_read(dev.slot, reg, 4), saved);
}

static void check_bar(u32 bar, u32 mask)
{
	static const u32 patterns[] = { 0xffffffff, 0xfffffffe, 0xfffffff0,
					0xfffff800, 0xffff0000, 0x80000000,
					0xaaaaaaaa, 0x55555555, 0 };
	u32 width, i;

	for (width = 1; width <= 4; width *= 2)
		for (i = 0; i < sizeof(patterns) / sizeof(u32); i++)
			check_pattern(bar, width, mask, patterns[i]);
}

/* A function without BARs 2 to 5 and without a ROM. */
static void check_absent(void)
{
	u32 bar;

	for (bar = 0; bar < 6; bar++)
		if (bar != dev.memory_bar && bar != dev.port_bar)
			check_bar(bar, 0);
	pci_write(dev.slot, PCI_ROM, 4, 0xfffff800);
	check_equal("ROM", pci_read(dev.slot, PCI_ROM, 4), 0);
	pci_write(dev.slot, PCI_ROM, 4, 0xffffffff);
	check_equal("ROM enable", pci_read(dev.slot, PCI_ROM, 4), 0);
}

static void check_all(u32 memory_mask, u32 port_mask, u16 answer)
{
	u64 queues = dev.common + COMMON_NUM_QUEUES;

	check_equal("before", read16(queues), answer);
	check_bar(dev.memory_bar, memory_mask);
	check_equal("after memory", read16(queues), answer);
	check_bar(dev.port_bar, port_mask);
	check_absent();
	check_equal("after all", read16(queues), answer);
}

static u32 mask_of(u32 bar)
{
	u32 saved = pci_read(dev.slot, PCI_BAR(bar), 4), mask;

	pci_write(dev.slot, PCI_BAR(bar), 4, 0xffffffff);
	mask = pci_read(dev.slot, PCI_BAR(bar), 4);
	pci_write(dev.slot, PCI_BAR(bar), 4, saved);
	return mask & ((saved & 1) ? ~3U : ~0xfU);
}

void guest_main(void)
{
	u32 memory, port;

	check(virtio_find(&dev, VIRTIO_RNG));
	check(dev.notify_port);
	home = pci_read(dev.slot, PCI_BAR(dev.memory_bar), 4) & ~0xfU;
	memory = mask_of(dev.memory_bar);
	port = mask_of(dev.port_bar);
	/* A power of two, naturally aligned, and all structures within it. */
	check_equal("power of two", (~memory + 1) & ~memory, 0);
	check_equal("aligned", home & ~memory, 0);
	check(dev.msix_pba - home <= ~memory);
	check_equal("port: power of two", (~port + 1) & ~port, 0);
	check(~port <= 0xff);

	check_all(memory, port, QUEUES_OF_RNG);
	pci_command(dev.slot, 0, COMMAND_MEMORY | COMMAND_IO);
	check_all(memory, port, NOTHING);
	pci_command(dev.slot, COMMAND_MEMORY, 0);
	check_all(memory, port, QUEUES_OF_RNG);
	end();
}
