// SPDX-License-Identifier: GPL-2.0-only
/*
 * One processor moves a device's memory BAR over another device and back, one
 * does so with its ports, two read and ring: whoever answers is one of the two,
 * or nobody for a moment; and at the end both work.
 *
 * guest-args: -c 4 --rng --disk DISK,ro
 */
#include "virtio.h"

#define OTHERS 3
#define RNG 0x1111
#define BLK 0x2222
#define NOBODY_ANSWERS 0xffff
#define RTC_SECONDS 0
#define RNG_RINGS (DMA_AREA + 0x8000)
#define RNG_BUFFER (DMA_AREA + 0xc000)

static struct virtio rng;
static struct queue rng_queue;
static struct blk blk;
static u64 rng_home, blk_home;
static volatile bool stop;
static u32 finished, wrong, of_rng, of_blk, nobody, moves;

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
	u16 who = read16(blk.dev.common + COMMON_QUEUE_SELECT);

	count(who == BLK	      ? &of_blk
	      : who == RNG	      ? &of_rng
	      : who == NOBODY_ANSWERS ? &nobody
				      : &wrong);
	write16(blk.queue.notify, 0);
	write16(rng_queue.notify, 0);
	out16(blk.dev.notify_port, 0);
	out16(rng.notify_port, 0);
}

static void move_memory(void)
{
	pci_bar_move(rng.slot, rng.memory_bar, blk_home);
	pci_bar_move(rng.slot, rng.memory_bar, rng_home);
	count(&moves);
}

static void move_ports(void)
{
	pci_bar_move(rng.slot, rng.port_bar, blk.dev.notify_port);
	pci_bar_move(rng.slot, rng.port_bar, rng.notify_port);
	count(&moves);
}

void cpu_main(u32 index)
{
	while (!stop) {
		if (index == 1)
			access();
		else if (index == 2)
			move_memory();
		else
			move_ports();
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

static void open_both(void)
{
	check(virtio_find(&rng, VIRTIO_RNG) && virtio_start(&rng, 0));
	queue_setup(&rng, &rng_queue, 0, RNG_RINGS, NO_VECTOR);
	virtio_ready(&rng);
	check(blk_open(&blk));
	rng_home = pci_read(rng.slot, PCI_BAR(rng.memory_bar), 4) & ~0xfU;
	blk_home = pci_read(blk.dev.slot, PCI_BAR(blk.dev.memory_bar), 4) &
		   ~0xfU;
	write16(rng.common + COMMON_QUEUE_SELECT, RNG);
	write16(blk.dev.common + COMMON_QUEUE_SELECT, BLK);
}

/* By both of its doorbells. */
static void check_works(struct queue *q, u16 port, const char *what)
{
	queue_submit(q, 0);
	check_equal(what, queue_wait(q, NULL), true);
	queue_offer(q, 0);
	out16(port, 0);
	check_equal(what, queue_wait(q, NULL), true);
}

void guest_main(void)
{
	open_both();
	check(cpu_start_others(OTHERS));
	access_for(RACE_SECONDS);
	stop = true;
	while (value(&finished) < OTHERS)
		cpu_relax();
	note("disk", value(&of_blk));
	note("rng", value(&of_rng));
	note("nobody", value(&nobody));
	note("moves", value(&moves));
	check_equal("wrong answers", value(&wrong), 0);
	check(value(&of_blk) + value(&of_rng) && moves);

	queue_desc(&rng_queue, 0, RNG_BUFFER, 16, DESC_WRITE, 0);
	check_works(&rng_queue, rng.notify_port, "rng works");
	blk_prepare(&blk, BLK_READ, 1, BLK_BUFFER, 512);
	check_works(&blk.queue, blk.dev.notify_port, "disk works");
	check(equal((void *)BLK_BUFFER, "sector 1 ", 9));
	end();
}
