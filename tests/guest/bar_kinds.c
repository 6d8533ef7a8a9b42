// SPDX-License-Identifier: GPL-2.0-only
/*
 * 64-bit BARs, I/O BARs and an expansion ROM: sized by each half, with decoding
 * on and off, moved anywhere, memory slots and trapped parts alike.
 *
 * guest-lkvm: testdev
 */
#include "testdev.h"

#define NEW_PLACE (PCI_WINDOW + 0x10000000)
#define NEW_PORT 0xb000

static struct testdev devices[2];
static const struct testdev *const dev = &devices[0];

static u32 read_at(u64 place)
{
	return read32(place);
}

/* All of a BAR, or nothing of it, is at @place: both ends and the middle. */
static void check_at(const char *what, u64 place, u32 bar, u32 len, bool there)
{
	u32 offsets[] = { 0, len / 2 - 4, len / 2, len - 4 };
	u32 i;

	for (i = 0; i < 4; i++)
		check_equal(what, read_at(place + offsets[i]),
			    there ? testdev_word(dev, bar, offsets[i])
				  : NOTHING);
}

/* ---- Sizing ---- */

static void check_pattern(u32 bar, u32 pattern, u32 len)
{
	u32 low = PCI_BAR(bar), high = PCI_BAR(bar + 1);
	u32 saved_low = pci_read(dev->slot, low, 4);
	u32 saved_high = pci_read(dev->slot, high, 4);
	u32 flags = saved_low & 0xf;

	pci_write(dev->slot, low, 4, pattern);
	check_equal("low half", pci_read(dev->slot, low, 4),
		    (pattern & ~(len - 1)) | flags);
	check_equal("high half unmoved", pci_read(dev->slot, high, 4),
		    saved_high);
	pci_write(dev->slot, low, 4, saved_low);
	pci_write(dev->slot, high, 4, pattern);
	check_equal("high half", pci_read(dev->slot, high, 4), pattern);
	check_equal("low half unmoved", pci_read(dev->slot, low, 4), saved_low);
	pci_write(dev->slot, low, 4, pattern);
	check_equal("both: low", pci_read(dev->slot, low, 4),
		    (pattern & ~(len - 1)) | flags);
	check_equal("both: high", pci_read(dev->slot, high, 4), pattern);
	pci_write(dev->slot, high, 4, saved_high);
	pci_write(dev->slot, low, 4, saved_low);
}

static void check_sizing(void)
{
	static const u32 patterns[] = { 0xffffffff, 0xfffffffe, 0xfffffff0,
					0xffff0000, 0x80000000, 0xaaaaaaaa,
					0x55555555, 0 };
	u64 mapped = testdev_place(dev, MAPPED_BAR);
	u32 rom = pci_read(dev->slot, PCI_ROM, 4), i;

	for (i = 0; i < sizeof(patterns) / sizeof(u32); i++) {
		check_pattern(MAPPED_BAR, patterns[i], MAPPED_LEN);
		check_pattern(MEM64_BAR, patterns[i], MEM_LEN);
		pci_write(dev->slot, PCI_ROM, 4, patterns[i]);
		check_equal("ROM", pci_read(dev->slot, PCI_ROM, 4),
			    patterns[i] & (~(ROM_LEN - 1) | ROM_ENABLE));
	}
	pci_write(dev->slot, PCI_ROM, 4, rom);
	check_equal("place", testdev_place(dev, MAPPED_BAR), mapped);
}

static void check_all_sizing(void)
{
	u64 place = testdev_place(dev, MAPPED_BAR);

	check_sizing();
	check_at("after sizing", place, MAPPED_BAR, MAPPED_LEN, true);
	pci_command(dev->slot, 0, COMMAND_MEMORY | COMMAND_IO);
	check_sizing();
	check_at("decode off", place, MAPPED_BAR, MAPPED_LEN, false);
	pci_command(dev->slot, COMMAND_MEMORY | COMMAND_IO, 0);
	check_at("decode on", place, MAPPED_BAR, MAPPED_LEN, true);
}

/* ---- Moving ---- */

static void check_memory(u32 bar, u32 len)
{
	u64 home = testdev_place(dev, bar);
	u64 away = far_window() + 0x100000;

	far_map(away);
	check_at("at home", home, bar, len, true);
	testdev_move(dev, bar, NEW_PLACE);
	check_at("moved", NEW_PLACE, bar, len, true);
	check_at("left", home, bar, len, false);
	testdev_move(dev, bar, away);
	check_at("above 4 GiB", away, bar, len, true);
	check_at("left", NEW_PLACE, bar, len, false);
	/* The low half alone: still above 4 GiB. */
	pci_write(dev->slot, PCI_BAR(bar), 4, (u32)away + 2 * len);
	check_at("low half moved", away + 2 * len, bar, len, true);
	check_at("left", away, bar, len, false);
	pci_command(dev->slot, 0, COMMAND_MEMORY);
	check_at("decode off", away + 2 * len, bar, len, false);
	testdev_move(dev, bar, home);
	pci_command(dev->slot, COMMAND_MEMORY, 0);
	check_at("back", home, bar, len, true);
}

/* What the guest writes to memory of a device goes with it. */
static void check_contents_move(void)
{
	u64 home = testdev_place(dev, MAPPED_BAR);
	u32 word = testdev_word(dev, MAPPED_BAR, 8);

	write32(home + 8, 0xcafe);
	testdev_move(dev, MAPPED_BAR, NEW_PLACE);
	check_equal("written", read_at(NEW_PLACE + 8), 0xcafe);
	write32(NEW_PLACE + 8, word);
	testdev_move(dev, MAPPED_BAR, home);
	check_equal("written there", read_at(home + 8), word);
}

static void check_ports(void)
{
	u16 home = (u16)testdev_place(dev, IO_BAR);
	u32 word = testdev_word(dev, IO_BAR, IO_LEN - 4);

	check_equal("port", in32(home + IO_LEN - 4), word);
	testdev_move(dev, IO_BAR, NEW_PORT);
	check_equal("port moved", in32(NEW_PORT + IO_LEN - 4), word);
	check_equal("port left", in32(home + IO_LEN - 4), NOTHING);
	pci_command(dev->slot, 0, COMMAND_IO);
	check_equal("I/O off", in32(NEW_PORT + IO_LEN - 4), NOTHING);
	testdev_move(dev, IO_BAR, home);
	pci_command(dev->slot, COMMAND_IO, 0);
	check_equal("port back", in32(home + IO_LEN - 4), word);
	/* The last ports there are. */
	testdev_move(dev, IO_BAR, 0x10000 - IO_LEN);
	check_equal("last port", in32(0xfffc), word);
	testdev_move(dev, IO_BAR, home);
}

static void check_rom(void)
{
	u64 home = testdev_place(dev, ROM_BAR);

	check_at("ROM off", home, ROM_BAR, ROM_LEN, false);
	testdev_move(dev, ROM_BAR, home);
	check_at("ROM on", home, ROM_BAR, ROM_LEN, true);
	testdev_move(dev, ROM_BAR, NEW_PLACE);
	check_at("ROM moved", NEW_PLACE, ROM_BAR, ROM_LEN, true);
	check_at("ROM left", home, ROM_BAR, ROM_LEN, false);
	pci_command(dev->slot, 0, COMMAND_MEMORY);
	check_at("memory off", NEW_PLACE, ROM_BAR, ROM_LEN, false);
	pci_command(dev->slot, COMMAND_MEMORY, 0);
	check_at("memory on", NEW_PLACE, ROM_BAR, ROM_LEN, true);
	pci_write(dev->slot, PCI_ROM, 4, NEW_PLACE);
	check_at("ROM off again", NEW_PLACE, ROM_BAR, ROM_LEN, false);
	pci_write(dev->slot, PCI_ROM, 4, (u32)home);
}

/* ---- Two devices ---- */

static void check_cover(void)
{
	const struct testdev *other = &devices[1];
	u64 home = testdev_place(dev, MAPPED_BAR);
	u64 place = testdev_place(other, MEM_BAR);
	u32 offset = MAPPED_LEN / 4; /* within the memory */

	testdev_move(other, MEM_BAR, home + offset);
	check_equal("before the hole", read_at(home + offset - 4),
		    testdev_word(dev, MAPPED_BAR, offset - 4));
	check_equal("in the hole", read_at(home + offset),
		    testdev_word(other, MEM_BAR, 0));
	check_equal("in the hole", read_at(home + offset + MEM_LEN - 4),
		    testdev_word(other, MEM_BAR, MEM_LEN - 4));
	check_equal("behind the hole", read_at(home + offset + MEM_LEN),
		    testdev_word(dev, MAPPED_BAR, offset + MEM_LEN));
	testdev_move(other, ROM_BAR, home);
	check_equal("ROM over memory", read_at(home),
		    testdev_word(other, ROM_BAR, 0));
	pci_write(other->slot, PCI_ROM, 4, 0);
	testdev_move(other, MEM_BAR, place);
	check_at("uncovered", home, MAPPED_BAR, MAPPED_LEN, true);
	check_equal("neighbour", read_at(place),
		    testdev_word(other, MEM_BAR, 0));
}

static void check_swap(void)
{
	const struct testdev *other = &devices[1];
	u64 home = testdev_place(dev, MAPPED_BAR);
	u64 place = testdev_place(other, MAPPED_BAR);

	testdev_move(dev, MAPPED_BAR, place);
	testdev_move(other, MAPPED_BAR, home);
	check_at("swapped", place, MAPPED_BAR, MAPPED_LEN, true);
	check_equal("swapped", read_at(home),
		    testdev_word(other, MAPPED_BAR, 0));
	testdev_move(dev, MAPPED_BAR, home);
	testdev_move(other, MAPPED_BAR, place);
	check_at("swapped back", home, MAPPED_BAR, MAPPED_LEN, true);
	check_equal("swapped back", read_at(place),
		    testdev_word(other, MAPPED_BAR, 0));
}

void guest_main(void)
{
	check(testdev_find(devices));
	check_all_sizing();
	check_memory(MAPPED_BAR, MAPPED_LEN);
	check_memory(MEM64_BAR, MEM_LEN);
	check_contents_move();
	check_ports();
	check_rom();
	check_cover();
	check_swap();
	end();
}
