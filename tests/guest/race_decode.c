// SPDX-License-Identifier: GPL-2.0-only
/*
 * Four processors access BARs while two toggle their decoding and two move them;
 * a neighbour answers right all the time.
 *
 * guest-args: -c 8 --rng --disk DISK,ro
 */
#include "virtio.h"

#define OTHERS 7
#define READERS 4 /* processors 0 to 3 */
#define CAPACITY 64
#define RTC_SECONDS 0
#define OTHER_PLACE (PCI_WINDOW + 0x10000000)
#define OTHER_PORTS 0xe000

static struct virtio rng, blk;
static u64 registers; /* of the rng, from the start of its BAR */
static u64 home;
static volatile bool stop;
static u32 finished, wrong, hits, misses, toggles, moves;

static void count(u32 *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_SEQ_CST);
}

static u32 value(u32 *counter)
{
	return __atomic_load_n(counter, __ATOMIC_SEQ_CST);
}

static void access(void)
{
	u16 queues = read16(home + registers + COMMON_NUM_QUEUES);

	count(queues == 1 ? &hits : queues == 0xffff ? &misses : &wrong);
	write16(home + registers + COMMON_QUEUE_SELECT, 0);
	write16(rng.notify, 0);
	out16(rng.notify_port, 0);
	if (read32(blk.config) != CAPACITY)
		count(&wrong);
}

static void toggle(void)
{
	pci_write(rng.slot, PCI_COMMAND, 2, COMMAND_MASTER);
	pci_write(rng.slot, PCI_COMMAND, 2,
		  COMMAND_MASTER | COMMAND_MEMORY | COMMAND_IO);
	count(&toggles);
}

static void move(void)
{
	pci_bar_move(rng.slot, rng.memory_bar, OTHER_PLACE);
	pci_bar_move(rng.slot, rng.port_bar, OTHER_PORTS);
	pci_bar_move(rng.slot, rng.memory_bar, home);
	pci_bar_move(rng.slot, rng.port_bar, rng.notify_port);
	count(&moves);
}

void cpu_main(u32 index)
{
	while (!stop) {
		if (index < READERS)
			access();
		else if (index % 2)
			toggle();
		else
			move();
	}
	count(&finished);
}

static u8 seconds(void)
{
	out8(0x70, RTC_SECONDS);
	return in8(0x71);
}

static void access_for(u32 duration)
{
	u32 passed = 0, i;
	u8 last = seconds(), now;

	while (passed <= duration) {
		for (i = 0; i < 50; i++)
			access();
		now = seconds();
		passed += now != last;
		last = now;
	}
}

void guest_main(void)
{
	check(virtio_find(&rng, VIRTIO_RNG));
	check(virtio_find(&blk, VIRTIO_BLK));
	check(rng.notify_port);
	home = pci_read(rng.slot, PCI_BAR(rng.memory_bar), 4) & ~0xfU;
	registers = rng.common - home;
	check(cpu_start_others(OTHERS));
	access_for(RACE_SECONDS);
	stop = true;
	while (value(&finished) < OTHERS)
		cpu_relax();
	note("hits", value(&hits));
	note("misses", value(&misses));
	note("toggles", value(&toggles));
	note("moves", value(&moves));
	check_equal("wrong answers", value(&wrong), 0);
	check(hits && misses && toggles && moves);
	check_equal("at home again",
		    read16(home + registers + COMMON_NUM_QUEUES), 1);
	end();
}
