// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_EXIT_IO of every width, at devices and at ports that nobody has.
 */
#include "guest.h"

#define SCRATCH (COM1 + 7)
#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc

static void check_nobody(u16 port)
{
	out8(port, 0);
	out16(port, 0);
	out32(port, 0);
	check_equal("8 bits of nobody", in8(port), 0xff);
	check_equal("16 bits of nobody", in16(port), 0xffff);
	check_equal("32 bits of nobody", in32(port), 0xffffffff);
}

static void check_byte_register(void)
{
	out8(SCRATCH, 0x5a);
	check_equal("scratch register", in8(SCRATCH), 0x5a);
	out8(SCRATCH, 0xa5);
	check_equal("scratch register", in8(SCRATCH), 0xa5);
}

static void check_wide_register(void)
{
	u32 id, i;

	out32(CONFIG_ADDRESS, 0x80000000);
	check_equal("CF8", in32(CONFIG_ADDRESS), 0x80000000);
	id = in32(CONFIG_DATA);
	check(id != 0xffffffff);
	check_equal("low word", in16(CONFIG_DATA), id & 0xffff);
	check_equal("high word", in16(CONFIG_DATA + 2), id >> 16);
	for (i = 0; i < 4; i++)
		check_equal("byte", in8((u16)(CONFIG_DATA + i)),
			    id >> (8 * i) & 0xff);
	/* Without the enable bit these ports are nobody's. */
	out32(CONFIG_ADDRESS, 0);
	check_equal("CFC while disabled", in32(CONFIG_DATA), 0xffffffff);
}

void guest_main(void)
{
	check_nobody(0x9f0);
	check_nobody(0x1234);
	check_nobody(0xfffc);
	check_byte_register();
	check_wide_register();
	end();
}
