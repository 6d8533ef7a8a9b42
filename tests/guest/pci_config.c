// SPDX-License-Identifier: GPL-2.0-only
/*
 * CF8/CFC and ECAM show the same bytes; absent functions and buses read ones on
 * both; accesses that are wide or cross a dword are what their parts are.
 *
 * guest-args: --rng --disk DISK,ro
 */
#include "virtio.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc
#define ENABLE 0x80000000U

static u64 ecam(u32 bus, u32 slot, u32 function, u32 offset)
{
	return ECAM | bus << 20 | slot << 15 | function << 12 | offset;
}

static void check_same(u32 slot)
{
	u32 offset, width;

	for (width = 1; width <= 4; width *= 2)
		for (offset = 0; offset < 256; offset += width)
			check_equal("register through both ways",
				    pci_read_port(slot, offset, width),
				    pci_read(slot, offset, width));
}

/* Writes through one way are read through the other. */
static void check_write_through(u32 slot)
{
	u32 line = pci_read(slot, PCI_INTERRUPT_LINE, 1);

	pci_write_port(slot, PCI_INTERRUPT_LINE, 1, 0x5a);
	check_equal("written by port", pci_read(slot, PCI_INTERRUPT_LINE, 1),
		    0x5a);
	pci_write(slot, PCI_INTERRUPT_LINE, 1, 0xa5);
	check_equal("written by ECAM",
		    pci_read_port(slot, PCI_INTERRUPT_LINE, 1), 0xa5);
	pci_write(slot, PCI_INTERRUPT_LINE, 1, line);
}

static void check_absent(u32 bus, u32 slot, u32 function)
{
	u64 at = ecam(bus, slot, function, 0);
	u32 offset;

	write16(at + PCI_COMMAND, 7);
	write32(at + PCI_BAR(1), 0xd0000000);
	write64(at + PCI_BAR(0), ~0ULL);
	check_equal("absent dword", read32(at), 0xffffffff);
	check_equal("absent word", read16(at + 2), 0xffff);
	check_equal("absent byte", read8(at + 0xe), 0xff);
	check_equal("absent quadword", read64(at), ~0ULL);
	check_equal("absent extended", read32(at + 0xffc), 0xffffffff);
	for (offset = 0; offset < 0x40; offset += 4) {
		out32(CONFIG_ADDRESS,
		      ENABLE | bus << 16 | slot << 11 | function << 8 | offset);
		out32(CONFIG_DATA, 0xd0000007);
		check_equal("absent by port", in32(CONFIG_DATA), 0xffffffff);
	}
}

static void check_other_functions(u32 slot)
{
	u32 command = pci_read(slot, PCI_COMMAND, 2), function;

	for (function = 1; function < 8; function++)
		check_absent(0, slot, function);
	check_equal("command of function 0", pci_read(slot, PCI_COMMAND, 2),
		    command);
}

/* Only bus 0 is announced; the others' space in ECAM is nobody's. */
static void check_other_buses(void)
{
	static const u32 buses[] = { 1, 2, 127, 128, 255 };
	u32 i;

	for (i = 0; i < sizeof(buses) / sizeof(u32); i++) {
		check_absent(buses[i], 0, 0);
		check_absent(buses[i], 1, 0);
		check_absent(buses[i], 31, 7);
	}
}

static void check_wide_reads(u32 slot)
{
	u64 at = ecam(0, slot, 0, 0);
	u64 first = pci_read(slot, 0, 4), second = pci_read(slot, 4, 4);
	u64 both = second << 32 | first;

	check_equal("quadword", read64(at), both);
	check_equal("dword across two", read32(at + 2), (u32)(both >> 16));
	check_equal("word across two", read16(at + 3), (u16)(both >> 24));
	check_equal("crooked quadword", read64(at + 1),
		    both >> 8 | (u64)pci_read(slot, 8, 1) << 56);
	/* Behind the last register is function 1, which is not there. */
	check_equal("across functions", read64(at + 0xffc),
		    0xffffffff00000000ULL);
}

/* The BARs of a device stand side by side. */
static void check_wide_writes(u32 slot)
{
	u64 at = ecam(0, slot, 0, PCI_BAR(0)), saved = read64(at), sizes;
	u32 line = pci_read(slot, PCI_INTERRUPT_LINE, 4);

	write64(at, ~0ULL);
	sizes = read64(at);
	check_equal("low half", (u32)sizes, pci_read(slot, PCI_BAR(0), 4));
	check_equal("high half", sizes >> 32, pci_read(slot, PCI_BAR(1), 4));
	check(sizes != saved && (sizes & ~0xfULL) >> 32 >= 0x80000000);
	write64(at, saved);
	check_equal("restored", read64(at), saved);
	/* Two bytes of BAR 1, two of BAR 2, which is not there. */
	write32(at + 6, 0xffffd000);
	check_equal("crossing write", pci_read(slot, PCI_BAR(1), 4),
		    (u32)(saved >> 32 & 0xffff) | 0xd0000000);
	check_equal("its other half", pci_read(slot, PCI_BAR(2), 4), 0);
	write64(at, saved);
	/* Eight bytes at the header's end go into the first capability. */
	write64(ecam(0, slot, 0, PCI_INTERRUPT_LINE), line);
	check_equal("line", pci_read(slot, PCI_INTERRUPT_LINE, 4), line);
}

/* The latch: without its top bit there is no configuration space. */
static void check_latch(u32 slot)
{
	out32(CONFIG_ADDRESS, slot << 11);
	check_equal("not enabled", in32(CONFIG_DATA), 0xffffffff);
	out32(CONFIG_ADDRESS, ENABLE | slot << 11 | 3);
	check_equal("low bits do not count", in32(CONFIG_DATA),
		    pci_read(slot, 0, 4));
	check_equal("second word", in16(CONFIG_DATA + 2), pci_read(slot, 2, 2));
	check_equal("crossing the data port", in32(CONFIG_DATA + 2),
		    0xffff0000 | pci_read(slot, 2, 2));
}

void guest_main(void)
{
	u32 slot, present = 0;

	check_equal("class of 00.0", pci_read(0, 8, 4) >> 8, 0x060000);
	for (slot = 0; slot < PCI_SLOTS; slot++) {
		if (pci_read(slot, 0, 4) == 0xffffffff) {
			check_absent(0, slot, 0);
			continue;
		}
		present++;
		check_same(slot);
		check_other_functions(slot);
		check_wide_reads(slot);
		check_latch(slot);
		if (slot == 0)
			continue;
		check_write_through(slot);
		check_wide_writes(slot);
	}
	check_equal("functions", present, 3);
	check_other_buses();
	end();
}
