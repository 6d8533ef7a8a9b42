/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any sequence of accesses to the PL061, and a button that is pressed in
 * between. Three bytes of the input make one step: what to do, on which
 * register, and a value.
 */
#include "hw/hw_priv.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

#define DIR 0x400
#define IE 0x410
#define RIS 0x414
#define MIS 0x418
#define ALL_LINES 0x3fc

static u8 access_register(struct pl061 *gpio, u64 offset, u8 size,
			  bool is_write, u64 value)
{
	struct bus_access acc = { .offset = offset,
				  .size = size,
				  .value = value,
				  .is_write = is_write };

	pl061_access(gpio, &acc);
	return (u8)acc.value;
}

static u8 get(struct pl061 *gpio, u64 offset)
{
	return access_register(gpio, offset, 4, false, 0);
}

/* What leads nowhere cannot be heard from, whatever the guest did. */
static void check(struct pl061 *gpio)
{
	u8 inputs = (u8)~get(gpio, DIR);

	if (get(gpio, MIS) != (get(gpio, RIS) & get(gpio, IE)) ||
	    (get(gpio, ALL_LINES) & inputs & ~1))
		abort();
}

static void step(struct pl061 *gpio, const u8 *bytes)
{
	switch (bytes[0] & 7) {
	case 0:
		pl061_press(gpio);
		break;
	case 1:
		pl061_release_button(gpio);
		break;
	case 2: /* data, by the lines that the address names */
		access_register(gpio, (u64)bytes[1] << 2, 4, bytes[0] & 8,
				bytes[2]);
		break;
	case 3: /* of any size, anywhere */
		access_register(gpio, bytes[1] << 4 | bytes[2],
				(u8)(1 << (bytes[0] >> 4 & 3)), bytes[0] & 8,
				bytes[2] * 0x0101010101ULL);
		break;
	default:
		access_register(gpio, DIR + (bytes[1] & 15) * 4, 4, true,
				bytes[2]);
		break;
	}
	check(gpio);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct pl061 gpio;

	if (pl061_init(&gpio, NULL))
		return 0;
	for (size_t i = 0; i + 2 < len; i += 3)
		step(&gpio, data + i);
	pl061_release(&gpio);
	return 0;
}
