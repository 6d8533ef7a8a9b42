// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which bits of configuration space take a write: those that PCI says, and no
 * others, with every width. Registers that are not there read 0.
 *
 * guest-args: --rng
 */
#include "virtio.h"

static struct virtio dev;

struct reg {
	u32 offset, writable;
};

static void check_reg(u32 offset, u32 writable, u32 width)
{
	u32 old = pci_read(dev.slot, offset, 4), i;
	u32 want = (old & ~writable) | (~old & writable);

	for (i = 0; i < 4; i += width)
		pci_write(dev.slot, offset + i, width, ~old >> (8 * i));
	if (pci_read(dev.slot, offset, 4) != want)
		note("at offset", offset);
	check_equal("after a write", pci_read(dev.slot, offset, 4), want);
	pci_write(dev.slot, offset, 4, old);
	check_equal("put back", pci_read(dev.slot, offset, 4), old);
}

/* Type 0 header (PCI 3.0, figure 6-1), without its BARs. */
static void check_header(void)
{
	static const struct reg regs[] = {
		{ 0x00, 0 }, { 0x04, 0x0547 }, { 0x08, 0 }, { 0x0c, 0xffff },
		{ 0x28, 0 }, { 0x2c, 0 },      { 0x30, 0 }, { 0x34, 0 },
		{ 0x38, 0 }, { 0x3c, 0xff },
	};
	u32 i, width;

	for (width = 1; width <= 4; width *= 2)
		for (i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
			check_reg(regs[i].offset, regs[i].writable, width);
}

/* The list cannot be bent; the last capability's end is not known, so 0xfc. */
static void check_capabilities(void)
{
	u32 at = pci_read(dev.slot, PCI_CAPABILITIES, 1), turns, old;

	for (turns = 0; at && turns < 48; turns++) {
		old = pci_read(dev.slot, at, 2);
		pci_write(dev.slot, at, 2, ~old);
		check_equal("capability", pci_read(dev.slot, at, 2), old);
		at = old >> 8;
	}
	check(turns > 1 && !at);
	check_reg(0xfc, 0, 4);
}

/* The same offsets within each 256 bytes are other registers. */
static void check_extended(void)
{
	u32 memory = pci_read(dev.slot, PCI_BAR(dev.memory_bar), 4);
	u32 port = pci_read(dev.slot, PCI_BAR(dev.port_bar), 4);
	u32 offset;

	for (offset = 0x100; offset < 0x1000; offset += 4) {
		check_equal("extended", pci_read(dev.slot, offset, 4), 0);
		check_reg(offset, 0, 4);
	}
	check_equal("memory BAR",
		    pci_read(dev.slot, PCI_BAR(dev.memory_bar), 4), memory);
	check_equal("port BAR", pci_read(dev.slot, PCI_BAR(dev.port_bar), 4),
		    port);
}

/* A byte or a word changes that byte or word. */
static void check_narrow_command(void)
{
	u16 all = COMMAND_IO | COMMAND_MEMORY | COMMAND_MASTER |
		  COMMAND_INTX_DISABLE;

	pci_write(dev.slot, PCI_COMMAND, 2, all);
	pci_write(dev.slot, PCI_COMMAND, 1, COMMAND_MEMORY);
	check_equal("low byte", pci_read(dev.slot, PCI_COMMAND, 2),
		    COMMAND_MEMORY | COMMAND_INTX_DISABLE);
	pci_write(dev.slot, PCI_COMMAND + 1, 1, 0);
	check_equal("high byte", pci_read(dev.slot, PCI_COMMAND, 2),
		    COMMAND_MEMORY);
	pci_write(dev.slot, PCI_STATUS, 2, 0xffff);
	check_equal("by the status word", pci_read(dev.slot, PCI_COMMAND, 2),
		    COMMAND_MEMORY);
}

static void check_narrow_bar(void)
{
	u32 reg = PCI_BAR(dev.memory_bar);
	u32 home = pci_read(dev.slot, reg, 4);
	u64 queues = dev.common + COMMON_NUM_QUEUES;

	check_equal("home", read16(queues), 1);
	pci_write(dev.slot, reg + 3, 1, 0xd0);
	check_equal("byte", pci_read(dev.slot, reg, 4),
		    (home & 0xffffff) | 0xd0000000);
	check_equal("not home", read16(queues), 0xffff);
	check_equal("there", read16(queues + 0x10000000), 1);
	pci_write(dev.slot, reg + 2, 2, 0xc800 | home >> 16);
	check_equal("word", pci_read(dev.slot, reg, 4), home | 0x08000000);
	check_equal("and there", read16(queues + 0x08000000), 1);
	pci_write(dev.slot, reg, 2, 0xffff);
	check_equal("low word", pci_read(dev.slot, reg, 4) & 0xffff0000,
		    (home | 0x08000000) & 0xffff0000);
	pci_write(dev.slot, reg, 4, home);
	check_equal("home again", read16(queues), 1);
}

void guest_main(void)
{
	check(virtio_find(&dev, VIRTIO_RNG));
	check_header();
	check_capabilities();
	check_extended();
	check_narrow_command();
	check_narrow_bar();
	end();
}
