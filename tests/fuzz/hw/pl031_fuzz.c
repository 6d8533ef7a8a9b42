/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any sequence of accesses to the PL031, and any course of time. Six bytes of
 * the input make one step: what to do, on which register, and a value.
 */
#include "hw/hw_priv.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

#define STEP_LEN 6
#define NOW 0x00
#define RAW_STATUS 0x14
#define STATUS 0x18

static u64 clock_ns;

static u64 fuzz_clock(void)
{
	return clock_ns;
}

static u32 access_register(struct pl031 *rtc, u64 offset, u8 size,
			   bool is_write, u64 value)
{
	struct bus_access acc = { .offset = offset,
				  .size = size,
				  .value = value,
				  .is_write = is_write };

	pl031_access(rtc, &acc);
	return (u32)acc.value;
}

static void step(struct pl031 *rtc, const u8 *bytes)
{
	u32 value;

	memcpy(&value, bytes + 2, sizeof(value));
	switch (bytes[0] & 7) {
	case 0:
		clock_ns += (u64)value << (bytes[1] % 32);
		break;
	case 1: /* the host's clock is set */
		clock_ns = value * 1000000000ULL;
		break;
	case 2:
		pl031_tick(rtc);
		break;
	case 3: /* of any size, anywhere */
		access_register(rtc, value & 0xfff, (u8)(1 << (bytes[1] & 3)),
				bytes[1] & 0x80, value);
		break;
	default:
		access_register(rtc, (bytes[1] & 7) * 4, 4, bytes[0] & 1,
				value);
		break;
	}
}

/* It interrupts only for an alarm; time is the host's plus a constant. */
static void check(struct pl031 *rtc)
{
	u32 now = access_register(rtc, NOW, 4, false, 0);

	if (access_register(rtc, STATUS, 4, false, 0) &
	    ~access_register(rtc, RAW_STATUS, 4, false, 0))
		abort();
	clock_ns += 1000000000ULL;
	if (access_register(rtc, NOW, 4, false, 0) != now + 1)
		abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct pl031 rtc;

	if (pl031_init(&rtc, NULL))
		return 0;
	clock_ns = 1700000000ULL * 1000000000ULL;
	rtc.host_clock = fuzz_clock;
	for (size_t i = 0; i + STEP_LEN <= len; i += STEP_LEN)
		step(&rtc, data + i);
	/* Far from where nanoseconds wrap, the step is one second. */
	clock_ns %= 1ULL << 62;
	check(&rtc);
	pl031_release(&rtc);
	return 0;
}
