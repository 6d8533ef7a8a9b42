// SPDX-License-Identifier: GPL-2.0-only
/*
 * A crash of another processor than the first, which goes on: the VM ends all the
 * same, as crashed (facts/kvmtool.md 10.2, 26).
 *
 * guest-args: -c 2
 * guest-status: 33
 */
#include "guest.h"

static const struct {
	u16 limit;
	u64 base;
} __attribute__((packed)) no_table;

static volatile bool may_crash;

void cpu_main(u32 index)
{
	while (!may_crash)
		cpu_relax();
	__asm__ volatile("lidt %0; ud2" : : "m"(no_table));
}

void guest_main(void)
{
	check(cpu_start_others(1));
	say_end();
	may_crash = true;
	for (;;)
		cpu_relax();
}
