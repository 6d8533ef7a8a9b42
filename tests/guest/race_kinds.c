// SPDX-License-Identifier: GPL-2.0-only
/*
 * One processor moves a 64-bit BAR (memory slot and trapped half), a 32-bit BAR,
 * an I/O BAR and a ROM of one device between two places each, while two others
 * read there and read the device next to it: there is the right answer or none,
 * and the neighbour, which nobody touches, always answers.
 *
 * guest-args: -c 3
 * guest-lkvm: testdev
 */
#include "testdev.h"

#define OTHERS 2
#define RTC_SECONDS 0
#define PLACES 2

static struct testdev devices[2];
static const struct testdev *const mover = &devices[0];
static const struct testdev *const neighbour = &devices[1];

static const struct {
	u32 bar, offset;
	u64 places[PLACES];
} moves[] = {
	{ MAPPED_BAR, 0, { PCI_WINDOW + 0x10000000, PCI_WINDOW + 0x11000000 } },
	{ MEM64_BAR, 8, { PCI_WINDOW + 0x12000000, PCI_WINDOW + 0x13000000 } },
	{ MEM_BAR, 16, { PCI_WINDOW + 0x14000000, PCI_WINDOW + 0x15000000 } },
	{ ROM_BAR, 32, { PCI_WINDOW + 0x16000000, PCI_WINDOW + 0x17000000 } },
	{ IO_BAR, 4, { 0xb000, 0xb100 } },
};
#define MOVES (sizeof(moves) / sizeof(moves[0]))

static volatile bool stop;
static u32 finished, wrong, answers, silent, lost;

static void count(u32 *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_SEQ_CST);
}

static u32 value(u32 *counter)
{
	return __atomic_load_n(counter, __ATOMIC_SEQ_CST);
}

static u32 read_bar(u32 bar, u64 at)
{
	return bar == IO_BAR ? in32((u16)at) : read32(at);
}

static void read_place(u32 i, u32 place)
{
	u32 bar = moves[i].bar, offset = moves[i].offset;
	u32 got = read_bar(bar, moves[i].places[place] + offset);

	count(got == testdev_word(mover, bar, offset) ? &answers
	      : got == NOTHING			      ? &silent
						      : &wrong);
}

static void read_neighbour(u32 bar, u64 home)
{
	if (read_bar(bar, home) != testdev_word(neighbour, bar, 0))
		count(&lost);
}

void cpu_main(u32 index)
{
	u64 mapped = testdev_place(neighbour, MAPPED_BAR);
	u64 memory = testdev_place(neighbour, MEM_BAR);
	u64 ports = testdev_place(neighbour, IO_BAR);
	u32 i;

	while (!stop) {
		for (i = 0; i < MOVES; i++)
			read_place(i, (i + index) % PLACES);
		read_neighbour(MAPPED_BAR, mapped);
		read_neighbour(MEM_BAR, memory);
		read_neighbour(IO_BAR, ports);
	}
	count(&finished);
}

static u8 seconds(void)
{
	out8(0x70, RTC_SECONDS);
	return in8(0x71);
}

static void move_for(u32 duration)
{
	u32 passed = 0, turn = 0, i;
	u8 last = seconds(), now;

	while (passed <= duration) {
		turn++;
		for (i = 0; i < MOVES; i++)
			testdev_move(mover, moves[i].bar,
				     moves[i].places[turn % PLACES]);
		now = seconds();
		passed += now != last;
		last = now;
	}
	note("turns", turn);
}

void guest_main(void)
{
	u32 i;

	check(testdev_find(devices));
	check(cpu_start_others(OTHERS));
	move_for(RACE_SECONDS);
	stop = true;
	while (value(&finished) < OTHERS)
		cpu_relax();
	note("answers", value(&answers));
	note("silent", value(&silent));
	check_equal("wrong answers", value(&wrong), 0);
	check_equal("answers of the neighbour lost", value(&lost), 0);
	check(value(&answers));
	for (i = 0; i < MOVES; i++) {
		testdev_move(mover, moves[i].bar, moves[i].places[0]);
		check_equal("at the end",
			    read_bar(moves[i].bar,
				     moves[i].places[0] + moves[i].offset),
			    testdev_word(mover, moves[i].bar, moves[i].offset));
	}
	end();
}
