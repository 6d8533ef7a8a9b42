// SPDX-License-Identifier: GPL-2.0-only
/*
 * Four processors: three wake up by INIT and SIPI, and all access ports and
 * memory at once. Each gets its own answers.
 *
 * guest-args: -c 4
 */
#include "pci.h"

#define OTHERS 3
#define TURNS 300
#define COM2_SCRATCH 0x2ff

static volatile u32 finished, wrong;

static void work(u32 index)
{
	u32 turn;

	for (turn = 0; turn < TURNS; turn++) {
		bool nobody = index & 1;

		if (in8(nobody ? 0x9f0 : COM2_SCRATCH) !=
		    (nobody ? 0xff : 0x5a))
			__atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
		if (read16(ECAM) == 0xffff)
			__atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
		if (read32(NOBODY + 4 * index) != 0xffffffff)
			__atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
	}
}

void cpu_main(u32 index)
{
	work(index);
	__atomic_fetch_add(&finished, 1, __ATOMIC_SEQ_CST);
}

void guest_main(void)
{
	out8(COM2_SCRATCH, 0x5a);
	check(cpu_start_others(OTHERS));
	work(0);
	while (finished < OTHERS)
		cpu_relax();
	check_equal("wrong answers", wrong, 0);
	end();
}
