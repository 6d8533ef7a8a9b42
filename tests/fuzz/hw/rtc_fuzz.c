/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any sequence of accesses to the real-time clock, and any course of time. Three
 * bytes of the input make one step: what to do, on which register, and a value.
 */
#include "hw/hw_priv.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

static u64 clock_ns;

static u64 fuzz_clock(void)
{
	return clock_ns;
}

static void access_port(struct rtc *rtc, u64 offset, u8 size, bool is_write,
			u64 value)
{
	struct bus_access acc = { .offset = offset,
				  .size = size,
				  .value = value,
				  .is_write = is_write };

	rtc_access(rtc, &acc);
}

static void step(struct rtc *rtc, const u8 *bytes)
{
	switch (bytes[0] & 7) {
	case 0: /* up to about a month */
		clock_ns += (u64)bytes[1] << (bytes[2] % 44);
		break;
	case 1: /* the host's clock is set back */
		clock_ns -= clock_ns >> (1 + bytes[1] % 63);
		break;
	case 2:
		rtc_tick(rtc);
		break;
	case 3: /* wide and odd accesses */
		access_port(rtc, bytes[1] & 1, (u8)(1 << (bytes[1] >> 1 & 3)),
			    bytes[1] & 0x80, bytes[2] * 0x0101010101ULL);
		break;
	default:
		access_port(rtc, 0, 1, true, bytes[1]);
		access_port(rtc, 1, 1, bytes[0] & 1, bytes[2]);
		break;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct rtc rtc;

	if (rtc_init(&rtc, NULL))
		return 0;
	clock_ns = 1700000000ULL * 1000000000ULL;
	rtc.host_clock = fuzz_clock;
	for (size_t i = 0; i + 2 < len; i += 3)
		step(&rtc, data + i);
	rtc_release(&rtc);
	return 0;
}
