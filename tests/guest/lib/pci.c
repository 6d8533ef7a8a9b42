/* SPDX-License-Identifier: GPL-2.0-only */
#include "pci.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc

static void select_register(u32 slot, u32 offset)
{
	out32(CONFIG_ADDRESS, 0x80000000U | slot << 11 | (offset & 0xfc));
}

u32 pci_read_port(u32 slot, u32 offset, u32 size)
{
	u16 port = (u16)(CONFIG_DATA + (offset & 3));

	select_register(slot, offset);
	return size == 1 ? in8(port) : size == 2 ? in16(port) : in32(port);
}

void pci_write_port(u32 slot, u32 offset, u32 size, u32 value)
{
	u16 port = (u16)(CONFIG_DATA + (offset & 3));

	select_register(slot, offset);
	if (size == 1)
		out8(port, (u8)value);
	else if (size == 2)
		out16(port, (u16)value);
	else
		out32(port, value);
}

u32 pci_read(u32 slot, u32 offset, u32 size)
{
	u64 at = ECAM + (slot << 15) + offset;

	return size == 1 ? read8(at) : size == 2 ? read16(at) : read32(at);
}

void pci_write(u32 slot, u32 offset, u32 size, u32 value)
{
	u64 at = ECAM + (slot << 15) + offset;

	if (size == 1)
		write8(at, (u8)value);
	else if (size == 2)
		write16(at, (u16)value);
	else
		write32(at, value);
}

void pci_command(u32 slot, u16 set, u16 clear)
{
	u32 command = pci_read(slot, PCI_COMMAND, 2);

	pci_write(slot, PCI_COMMAND, 2, (command | set) & ~(u32)clear);
}

u32 pci_capability(u32 slot, u8 id, u32 after)
{
	u32 at = pci_read(slot, after ? after + 1 : PCI_CAPABILITIES, 1);
	u32 turns;

	for (turns = 0; at && turns < 48; turns++) {
		if (pci_read(slot, at, 1) == id)
			return at;
		at = pci_read(slot, at + 1, 1);
	}
	return 0;
}

u32 pci_find(u16 vendor, u16 device)
{
	u32 slot;

	for (slot = 0; slot < PCI_SLOTS; slot++)
		if (pci_read(slot, 0, 4) == (vendor | (u32)device << 16))
			break;
	return slot;
}

static bool is_64bit(u32 slot, u32 bar)
{
	return (pci_read(slot, PCI_BAR(bar), 4) & 7) == 4;
}

static u32 size_mask(u32 slot, u32 bar)
{
	u32 saved = pci_read(slot, PCI_BAR(bar), 4), mask;

	pci_write(slot, PCI_BAR(bar), 4, 0xffffffff);
	mask = pci_read(slot, PCI_BAR(bar), 4);
	pci_write(slot, PCI_BAR(bar), 4, saved);
	return mask;
}

u64 pci_bar_size(u32 slot, u32 bar)
{
	u64 mask = size_mask(slot, bar) & ~0xfULL;

	if (is_64bit(slot, bar))
		mask |= (u64)size_mask(slot, bar + 1) << 32;
	else
		mask |= 0xffffffffULL << 32;
	return ~mask + 1;
}

u64 pci_bar_reach(u32 slot, u32 bar)
{
	/* Far from where lkvm starts to place, one MiB for each BAR. */
	u64 place = PCI_WINDOW + 0x18000000 + (slot * 6 + bar) * 0x100000ULL;

	if (!is_64bit(slot, bar) || !pci_read(slot, PCI_BAR(bar + 1), 4))
		return pci_read(slot, PCI_BAR(bar), 4) & ~0xfU;
	pci_command(slot, 0, COMMAND_MEMORY);
	pci_write(slot, PCI_BAR(bar), 4, (u32)place);
	pci_write(slot, PCI_BAR(bar + 1), 4, 0);
	pci_command(slot, COMMAND_MEMORY, 0);
	return place;
}

void pci_bar_move(u32 slot, u32 bar, u64 to)
{
	pci_write(slot, PCI_BAR(bar), 4, (u32)to);
}

u16 pci_bar_port(u32 slot, u32 bar)
{
	return (u16)(pci_read(slot, PCI_BAR(bar), 4) & ~3U);
}
