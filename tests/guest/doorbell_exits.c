// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wherever the BARs of a virtio device have moved, its doorbells cost no exit to
 * lkvm: as many exits with RINGS rings at each place as with none.
 *
 * guest-args: --rng --disk DISK,ro --loglevel debug
 * guest-exits: RINGS
 */
#include "virtio.h"

#define RNG_RINGS (DMA_AREA + 0x8000)
#define RNG_BUFFER (DMA_AREA + 0xc000)
#define AWAY (PCI_WINDOW + 0x10000000)
#define AWAY_PORTS 0xe000

static struct virtio rng;
static struct queue rng_queue;
static struct blk blk;
static u64 rng_memory, blk_memory; /* their BARs' homes */
static u16 rng_ports, blk_ports;
static u64 notify_offset; /* of the doorbell in the memory BAR */

static void ring(u64 memory, u16 ports)
{
	u32 i;

	for (i = RINGS; i; i--) {
		write16(memory + notify_offset, 0);
		out16(ports, 0);
	}
}

static void await(struct queue *q, const char *what)
{
	if (queue_wait(q, NULL))
		return;
	print("fail: no answer to ");
	print(what);
	print("\n");
}

/* The doorbells at @memory and @ports are the rng's. */
static void check_rng(const char *what, u64 memory, u16 ports)
{
	ring(memory, ports);
	queue_desc(&rng_queue, 0, RNG_BUFFER, 16, DESC_WRITE, 0);
	queue_offer(&rng_queue, 0);
	write16(memory + notify_offset, 0);
	await(&rng_queue, what);
	queue_offer(&rng_queue, 0);
	out16(ports, 0);
	await(&rng_queue, what);
}

static void check_blk(const char *what, u64 memory, u16 ports)
{
	ring(memory, ports);
	blk_prepare(&blk, BLK_READ, 1, BLK_BUFFER, 512);
	queue_offer(&blk.queue, 0);
	write16(memory + notify_offset, 0);
	await(&blk.queue, what);
	queue_offer(&blk.queue, 0);
	out16(ports, 0);
	await(&blk.queue, what);
}

static void move_rng(u64 memory, u16 ports)
{
	pci_bar_move(rng.slot, rng.memory_bar, memory);
	pci_bar_move(rng.slot, rng.port_bar, ports);
}

static void move_blk(u64 memory, u16 ports)
{
	pci_bar_move(blk.dev.slot, blk.dev.memory_bar, memory);
	pci_bar_move(blk.dev.slot, blk.dev.port_bar, ports);
}

static void decode(u32 slot, bool on)
{
	u16 bits = COMMAND_IO | COMMAND_MEMORY;

	pci_command(slot, on ? bits : 0, on ? 0 : bits);
}

static void check_moves(void)
{
	move_rng(AWAY, AWAY_PORTS);
	check_rng("moved", AWAY, AWAY_PORTS);
	move_rng(AWAY + 0x1000000, rng_ports);
	check_rng("moved on", AWAY + 0x1000000, rng_ports);
	move_rng(0xffffffff, 0xffff);
	move_rng(rng_memory, rng_ports);
	check_rng("sized", rng_memory, rng_ports);
}

static void check_decode(void)
{
	decode(rng.slot, false);
	decode(rng.slot, true);
	check_rng("off and on", rng_memory, rng_ports);
	decode(rng.slot, false);
	move_rng(AWAY, AWAY_PORTS);
	decode(rng.slot, true);
	check_rng("moved while off", AWAY, AWAY_PORTS);
	move_rng(rng_memory, rng_ports);
}

static void check_cover(void)
{
	move_rng(blk_memory, blk_ports);
	check_rng("covering", blk_memory, blk_ports);
	move_rng(rng_memory, rng_ports);
	check_blk("uncovered", blk_memory, blk_ports);
	check_rng("home", rng_memory, rng_ports);
}

static void check_swap(void)
{
	decode(rng.slot, false);
	decode(blk.dev.slot, false);
	move_rng(blk_memory, blk_ports);
	move_blk(rng_memory, rng_ports);
	decode(rng.slot, true);
	decode(blk.dev.slot, true);
	check_rng("swapped", blk_memory, blk_ports);
	check_blk("swapped", rng_memory, rng_ports);
}

void guest_main(void)
{
	check(virtio_find(&rng, VIRTIO_RNG) && virtio_start(&rng, 0));
	queue_setup(&rng, &rng_queue, 0, RNG_RINGS, NO_VECTOR);
	virtio_ready(&rng);
	check(blk_open(&blk));
	rng_ports = rng.notify_port;
	blk_ports = blk.dev.notify_port;
	rng_memory = pci_read(rng.slot, PCI_BAR(rng.memory_bar), 4) & ~0xfU;
	blk_memory = pci_read(blk.dev.slot, PCI_BAR(blk.dev.memory_bar), 4) &
		     ~0xfU;
	notify_offset = rng_queue.notify - rng_memory;
	check_equal("layout", blk.queue.notify - blk_memory, notify_offset);

	check_rng("at first", rng_memory, rng_ports);
	check_blk("at first", blk_memory, blk_ports);
	check_moves();
	check_decode();
	check_cover();
	check_swap();
	end();
}
