// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two devices that want the same addresses: the last writer has them, the other
 * comes back when it leaves; BARs swap places with decoding on and off. Each
 * device is told by a number left in a register of its own.
 *
 * guest-args: --rng --disk DISK,ro
 */
#include "virtio.h"

#define RNG 0x1111
#define BLK 0x2222
#define NOBODY_ANSWERS 0xffff
#define SELECT(dev) ((dev).common + COMMON_QUEUE_SELECT)

static struct virtio rng, blk;
static u64 rng_home, blk_home;
static u64 select_offset; /* the same in both BARs */

static u16 who(u64 place)
{
	return read16(place + select_offset);
}

static void check_places(const char *what, u16 at_rng_home, u16 at_blk_home)
{
	check_equal(what, who(rng_home), at_rng_home);
	check_equal(what, who(blk_home), at_blk_home);
}

static void move_rng(u64 to)
{
	pci_bar_move(rng.slot, rng.memory_bar, to);
}

static void move_blk(u64 to)
{
	pci_bar_move(blk.slot, blk.memory_bar, to);
}

static void decode(struct virtio *dev, bool on)
{
	pci_command(dev->slot, on ? COMMAND_MEMORY : 0,
		    on ? 0 : COMMAND_MEMORY);
}

static void check_cover(void)
{
	move_rng(blk_home);
	check_places("rng covers blk", NOBODY_ANSWERS, RNG);
	move_rng(rng_home);
	check_places("rng left", RNG, BLK);
	move_blk(rng_home);
	check_places("blk covers rng", BLK, NOBODY_ANSWERS);
	move_rng(rng_home);
	check_places("rng wrote last", RNG, NOBODY_ANSWERS);
	move_blk(blk_home);
	check_places("blk left", RNG, BLK);
}

static void check_decode(void)
{
	move_blk(rng_home);
	decode(&blk, false);
	check_places("cover off", RNG, NOBODY_ANSWERS);
	decode(&rng, false);
	check_places("both off", NOBODY_ANSWERS, NOBODY_ANSWERS);
	decode(&blk, true);
	check_places("cover on", BLK, NOBODY_ANSWERS);
	decode(&rng, true);
	check_places("turned on last", RNG, NOBODY_ANSWERS);
	decode(&rng, false);
	check_places("and off", BLK, NOBODY_ANSWERS);
	/* Moved away unseen: nothing of it appears where it was. */
	move_rng(NOBODY);
	move_blk(blk_home);
	check_places("moved while off", NOBODY_ANSWERS, BLK);
	move_rng(rng_home);
	decode(&rng, true);
	check_places("all home", RNG, BLK);
}

static void check_swap(bool with_decode)
{
	decode(&rng, with_decode);
	decode(&blk, with_decode);
	move_rng(blk_home);
	move_blk(rng_home);
	decode(&rng, true);
	decode(&blk, true);
	check_places("swapped", BLK, RNG);
	decode(&rng, with_decode);
	decode(&blk, with_decode);
	move_blk(blk_home);
	move_rng(rng_home);
	decode(&blk, true);
	decode(&rng, true);
	check_places("swapped back", RNG, BLK);
}

/* I/O decoding does not hide memory, nor the other way round. */
static void check_kinds_apart(void)
{
	u16 port = rng.notify_port;

	pci_command(rng.slot, 0, COMMAND_IO);
	check_equal("port off", in16(port), 0xffff);
	check_places("ports off", RNG, BLK);
	pci_command(rng.slot, COMMAND_IO, COMMAND_MEMORY);
	check_equal("port on", in16(port), 0);
	check_places("memory off", NOBODY_ANSWERS, BLK);
	pci_command(rng.slot, COMMAND_MEMORY, 0);
	check_places("both on", RNG, BLK);
}

static u64 home_of(struct virtio *dev)
{
	return pci_read(dev->slot, PCI_BAR(dev->memory_bar), 4) & ~0xfU;
}

void guest_main(void)
{
	check(virtio_find(&rng, VIRTIO_RNG));
	check(virtio_find(&blk, VIRTIO_BLK));
	rng_home = home_of(&rng);
	blk_home = home_of(&blk);
	select_offset = SELECT(rng) - rng_home;
	check_equal("same layout", SELECT(blk) - blk_home, select_offset);
	write16(SELECT(rng), RNG);
	write16(SELECT(blk), BLK);

	check_places("at first", RNG, BLK);
	check_cover();
	check_decode();
	check_swap(false);
	check_swap(true);
	check_kinds_apart();
	end();
}
