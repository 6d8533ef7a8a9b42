// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O BARs that move onto each other and swap: the doorbell at a port rings for
 * the device that has the port, and for nobody else.
 *
 * guest-args: --rng --disk DISK,ro
 */
#include "virtio.h"

#define RNG_RINGS (DMA_AREA + 0x8000)
#define RNG_BUFFER (DMA_AREA + 0xc000)
#define SHORT 20000U /* turns of a loop: long enough for a request */
#define ATTEMPTS 5
#define FREE_PORTS 0xe000

static struct virtio rng;
static struct queue rng_queue;
static struct blk blk;
static u16 rng_home, blk_home;

static bool served(struct queue *q)
{
	u32 turns;

	for (turns = 0; turns < SHORT && q->used->idx == q->seen; turns++)
		cpu_relax();
	return q->used->idx != q->seen;
}

static void offer(void)
{
	queue_desc(&rng_queue, 0, RNG_BUFFER, 16, DESC_WRITE, 0);
	queue_offer(&rng_queue, 0);
	blk_prepare(&blk, BLK_READ, 1, BLK_BUFFER, 512);
	queue_offer(&blk.queue, 0);
}

/* Ring at @port; what is then left undone is done by the doorbells in memory. */
static bool rings_for(u16 port, bool for_rng, bool for_blk)
{
	bool rng_served, blk_served;

	offer();
	out16(port, 0);
	rng_served = served(&rng_queue);
	blk_served = served(&blk.queue);
	write16(rng_queue.notify, 0);
	write16(blk.queue.notify, 0);
	check(queue_wait(&rng_queue, NULL));
	check(queue_wait(&blk.queue, NULL));
	check_equal("request", blk_result(&blk), BLK_OK);
	return rng_served == for_rng && blk_served == for_blk;
}

/*
 * A device may look into its queue unasked, as after a request, and a host with
 * much to do may be late; but not each time.
 */
static void check_ring(const char *what, u16 port, bool for_rng, bool for_blk)
{
	u32 turns, attempt;

	for (attempt = 0; attempt < ATTEMPTS; attempt++) {
		if (rings_for(port, for_rng, for_blk))
			return;
		for (turns = 0; turns < SHORT; turns++)
			cpu_relax();
	}
	check_equal(what, false, true);
}

static void move_rng(u16 to)
{
	pci_bar_move(rng.slot, rng.port_bar, to);
}

static void move_blk(u16 to)
{
	pci_bar_move(blk.dev.slot, blk.dev.port_bar, to);
}

static void decode(u16 set, u16 clear)
{
	pci_command(rng.slot, set, clear);
	pci_command(blk.dev.slot, set, clear);
}

static void check_all(void)
{
	check_ring("rng at home", rng_home, true, false);
	check_ring("blk at home", blk_home, false, true);
	move_blk(FREE_PORTS);
	check_ring("moved", FREE_PORTS, false, true);
	check_ring("not here", blk_home, false, false);
	move_blk(rng_home);
	check_ring("blk covers rng", rng_home, false, true);
	move_blk(blk_home);
	check_ring("rng is back", rng_home, true, false);
	decode(0, COMMAND_IO);
	check_ring("off", rng_home, false, false);
	move_rng(blk_home);
	move_blk(rng_home);
	decode(COMMAND_IO, 0);
	check_ring("swapped: blk", rng_home, false, true);
	check_ring("swapped: rng", blk_home, true, false);
	/* Fixed ports cannot be covered, and 0x10000 is no port. */
	move_rng(COM1);
	check_ring("below the window", blk_home, false, false);
	move_rng(rng_home);
	move_blk(blk_home);
	check_ring("rng home again", rng_home, true, false);
	check_ring("blk home again", blk_home, false, true);
}

void guest_main(void)
{
	check(virtio_find(&rng, VIRTIO_RNG) && virtio_start(&rng, 0));
	queue_setup(&rng, &rng_queue, 0, RNG_RINGS, NO_VECTOR);
	virtio_ready(&rng);
	check(blk_open(&blk));
	rng_home = rng.notify_port;
	blk_home = blk.dev.notify_port;
	check_all();
	end();
}
