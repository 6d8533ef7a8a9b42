// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two processors access BARs while one toggles their decode and one moves the
 * memory BAR; a neighbour answers right all the time.
 *
 * guest-args: -c 4 --rng --disk DISK,ro
 */
#include "virtio.h"

#define OTHERS 3
#define CAPACITY 64
#define RTC_SECONDS 0
#define OTHER_PLACE (PCI_WINDOW + 0x10000000)

static struct virtio rng, blk;
static u64 registers; /* of the rng, from the start of its BAR */
static u64 home;
static u32 bar;
static volatile bool stop;
static volatile u32 finished, wrong;
static volatile u32 hits, misses, toggles, moves;

static void access(void)
{
	u16 queues = read16(home + registers + COMMON_NUM_QUEUES);

	if (queues == 1)
		hits++;
	else if (queues == 0xffff)
		misses++;
	else
		__atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
	write16(home + registers + COMMON_QUEUE_SELECT, 0);
	write16(rng.notify, 0);
	out16(rng.notify_port, 0);
	if (read32(blk.config) != CAPACITY)
		__atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
}

static void toggle(void)
{
	pci_write(rng.slot, PCI_COMMAND, 2, COMMAND_MASTER);
	pci_write(rng.slot, PCI_COMMAND, 2,
		  COMMAND_MASTER | COMMAND_MEMORY | COMMAND_IO);
	toggles++;
}

static void move(void)
{
	pci_write(rng.slot, PCI_BAR(bar), 4, (u32)OTHER_PLACE);
	pci_write(rng.slot, PCI_BAR(bar), 4, (u32)home);
	moves++;
}

void cpu_main(u32 index)
{
	while (!stop) {
		if (index == 1)
			access();
		else if (index == 2)
			toggle();
		else
			move();
	}
	__atomic_fetch_add(&finished, 1, __ATOMIC_SEQ_CST);
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

static bool find_bar(void)
{
	for (bar = 0; bar < 5; bar++) {
		home = pci_read(rng.slot, PCI_BAR(bar), 4) & ~0xfU;
		if (home && !(pci_read(rng.slot, PCI_BAR(bar), 4) & 1) &&
		    rng.common - home < pci_bar_size(rng.slot, bar))
			break;
	}
	registers = rng.common - home;
	return bar < 5;
}

void guest_main(void)
{
	check(virtio_find(&rng, VIRTIO_RNG));
	check(virtio_find(&blk, VIRTIO_BLK));
	check(find_bar() && rng.notify_port);
	check(cpu_start_others(OTHERS));
	access_for(RACE_SECONDS);
	stop = true;
	while (finished < OTHERS)
		cpu_relax();
	note("hits", hits);
	note("misses", misses);
	note("toggles", toggles);
	note("moves", moves);
	check_equal("wrong answers", wrong, 0);
	check(hits && misses && toggles && moves);
	check_equal("at home again",
		    read16(home + registers + COMMON_NUM_QUEUES), 1);
	end();
}
