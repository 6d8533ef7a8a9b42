// SPDX-License-Identifier: GPL-2.0-only
/*
 * The keyboard controller: more replies than it can hold, and reads of what is not
 * there. It counts right, and goes on.
 *
 * guest-stdout: end
 */
#include "guest.h"

#define DATA 0x60
#define STATUS 0x64
#define OUTPUT_FULL 1
#define TURNS 600 /* more than any queue, and than a byte counts */

static void flood(u8 command)
{
	for (u32 i = 0; i < TURNS; i++)
		out8(STATUS, command);
}

static void drain(void)
{
	for (u32 i = 0; i < TURNS; i++)
		in8(DATA);
	check_equal("nothing left", in8(STATUS) & OUTPUT_FULL, 0);
}

static void self_test(void)
{
	out8(STATUS, 0xaa);
	check_equal("a reply", in8(STATUS) & OUTPUT_FULL, OUTPUT_FULL);
	check_equal("self-test", in8(DATA), 0x55);
	check_equal("one reply", in8(STATUS) & OUTPUT_FULL, 0);
}

void guest_main(void)
{
	static const u8 commands[] = {
		0x20, 0xaa, 0xa9, 0xab, 0xc0, 0xd0, 0xe0
	};

	drain();
	for (u32 i = 0; i < sizeof(commands); i++) {
		flood(commands[i]);
		drain();
	}
	/* Commands that wait for a byte, one after the other. */
	flood(0xd2);
	flood(0xd4);
	for (u32 i = 0; i < TURNS; i++)
		out8(DATA, (u8)i);
	drain();
	self_test();
	end();
}
