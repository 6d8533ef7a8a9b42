/* SPDX-License-Identifier: GPL-2.0-only */
/* hw/rtc.c: time, alarm, flags and CMOS RAM, on a clock that the test sets. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include "hw/hw_priv.h"
#include <cmocka.h> /* last: it has a macro named fail */

#define SECOND 1000000000ULL
/* 2024-02-28 23:59:58 UTC, a Wednesday */
#define LEAP_DAY_EVE 1709164798ULL

static u64 clock_ns;

static u64 test_clock(void)
{
	return clock_ns;
}

static void setup(struct rtc *rtc)
{
	assert_int_equal(rtc_init(rtc, NULL), 0);
	clock_ns = LEAP_DAY_EVE * SECOND;
	rtc->host_clock = test_clock;
	rtc->flags_ns = clock_ns;
	rtc->periodic_ns = clock_ns;
}

static u8 access_register(struct rtc *rtc, u8 reg, bool is_write, u8 value)
{
	struct bus_access index = { .size = 1, .value = reg, .is_write = true };
	struct bus_access data = {
		.offset = 1, .size = 1, .value = value, .is_write = is_write
	};

	rtc_access(rtc, &index);
	rtc_access(rtc, &data);
	return (u8)data.value;
}

static u8 get(struct rtc *rtc, u8 reg)
{
	return access_register(rtc, reg, false, 0);
}

static void set(struct rtc *rtc, u8 reg, u8 value)
{
	access_register(rtc, reg, true, value);
}

static void assert_date(struct rtc *rtc, u32 yyyymmdd, u32 hhmmss)
{
	assert_int_equal(get(rtc, 0x00), hhmmss & 0xff);
	assert_int_equal(get(rtc, 0x02), hhmmss >> 8 & 0xff);
	assert_int_equal(get(rtc, 0x04), hhmmss >> 16);
	assert_int_equal(get(rtc, 0x07), yyyymmdd & 0xff);
	assert_int_equal(get(rtc, 0x08), yyyymmdd >> 8 & 0xff);
	assert_int_equal(get(rtc, 0x09), yyyymmdd >> 16 & 0xff);
	assert_int_equal(get(rtc, 0x32), yyyymmdd >> 24);
}

static void test_rtc__registers_after_power_on(void **state)
{
	struct rtc rtc;

	setup(&rtc);
	assert_int_equal(get(&rtc, 0x0a), 0x26);
	assert_int_equal(get(&rtc, 0x0b), 0x02);
	assert_int_equal(get(&rtc, 0x0c), 0x00);
	assert_int_equal(get(&rtc, 0x0d), 0x80);
	rtc_release(&rtc);
}

static void test_rtc__bcd_time_goes_on_over_a_leap_day(void **state)
{
	struct rtc rtc;

	setup(&rtc);
	assert_date(&rtc, 0x20240228, 0x235958);
	assert_int_equal(get(&rtc, 0x06), 4);
	clock_ns += 2 * SECOND;
	assert_date(&rtc, 0x20240229, 0x000000);
	assert_int_equal(get(&rtc, 0x06), 5);
	rtc_release(&rtc);
}

static void test_rtc__binary_and_12_hours(void **state)
{
	struct rtc rtc;

	setup(&rtc);
	set(&rtc, 0x0b, 0x04);
	assert_int_equal(get(&rtc, 0x00), 58);
	assert_int_equal(get(&rtc, 0x04), 0x80 | 11);
	clock_ns += 2 * SECOND;
	assert_int_equal(get(&rtc, 0x00), 0);
	assert_int_equal(get(&rtc, 0x04), 12);
	rtc_release(&rtc);
}

static void test_rtc__nmi_bit_is_no_part_of_the_index(void **state)
{
	struct rtc rtc;

	setup(&rtc);
	set(&rtc, 0x80 | 0x40, 0x5a);
	assert_int_equal(get(&rtc, 0x40), 0x5a);
	rtc_release(&rtc);
}

/* As Linux sets it: SET on, all registers, SET off. */
static void test_rtc__set_time_is_kept_as_an_offset(void **state)
{
	struct rtc rtc;

	setup(&rtc);
	set(&rtc, 0x0b, 0x82);
	set(&rtc, 0x00, 0x56);
	set(&rtc, 0x02, 0x34);
	set(&rtc, 0x04, 0x12);
	set(&rtc, 0x07, 0x31);
	set(&rtc, 0x08, 0x12);
	set(&rtc, 0x09, 0x99);
	set(&rtc, 0x32, 0x19);
	clock_ns += 100 * SECOND;
	assert_int_equal(get(&rtc, 0x00), 0x56);
	set(&rtc, 0x0b, 0x02);
	assert_date(&rtc, 0x19991231, 0x123456);
	clock_ns += 12 * 3600 * SECOND;
	assert_date(&rtc, 0x20000101, 0x003456);
	rtc_release(&rtc);
}

static void test_rtc__time_does_not_fall_apart_between_registers(void **state)
{
	struct rtc rtc;

	setup(&rtc);
	clock_ns += SECOND;
	assert_int_equal(get(&rtc, 0x00), 0x59);
	clock_ns += SECOND / 2;
	clock_ns += SECOND / 2 - 1;
	assert_int_equal(get(&rtc, 0x02), 0x59);
	assert_int_equal(get(&rtc, 0x04), 0x23);
	rtc_release(&rtc);
}

static void set_alarm(struct rtc *rtc, u8 hour, u8 minute, u8 second)
{
	set(rtc, 0x05, hour);
	set(rtc, 0x03, minute);
	set(rtc, 0x01, second);
}

static void test_rtc__alarm_sets_flag_and_irqf_once(void **state)
{
	struct rtc rtc;

	setup(&rtc);
	set_alarm(&rtc, 0x00, 0x00, 0x05);
	set(&rtc, 0x0b, 0x22);
	clock_ns += 6 * SECOND;
	rtc_tick(&rtc);
	assert_int_equal(get(&rtc, 0x0c) & 0x20, 0);
	clock_ns += SECOND;
	rtc_tick(&rtc);
	assert_int_equal(get(&rtc, 0x0c) & 0xa0, 0xa0);
	assert_int_equal(get(&rtc, 0x0c), 0);
	clock_ns += 3600 * SECOND;
	assert_int_equal(get(&rtc, 0x0c) & 0xa0, 0);
	clock_ns += 23 * 3600 * SECOND;
	assert_int_equal(get(&rtc, 0x0c) & 0xa0, 0xa0);
	rtc_release(&rtc);
}

static void test_rtc__alarm_at_a_minute_far_away(void **state)
{
	struct rtc rtc;

	setup(&rtc);
	set_alarm(&rtc, 0x23, 0x58, 0x00);
	clock_ns += (24 * 3600 - 119) * SECOND;
	assert_int_equal(get(&rtc, 0x0c) & 0x20, 0);
	clock_ns += SECOND;
	assert_int_equal(get(&rtc, 0x0c) & 0x20, 0x20);
	/* Found from afar, too. */
	clock_ns += 24 * 3600 * SECOND;
	assert_int_equal(get(&rtc, 0x0c) & 0x20, 0x20);
	rtc_release(&rtc);
}

static void test_rtc__alarm_wildcards(void **state)
{
	struct rtc rtc;

	setup(&rtc);
	set_alarm(&rtc, 0xff, 0xff, 0x10);
	clock_ns += 11 * SECOND;
	assert_int_equal(get(&rtc, 0x0c) & 0x20, 0);
	clock_ns += SECOND;
	assert_int_equal(get(&rtc, 0x0c) & 0x20, 0x20);
	clock_ns += 60 * SECOND;
	assert_int_equal(get(&rtc, 0x0c) & 0x20, 0x20);
	rtc_release(&rtc);
}

static void test_rtc__impossible_alarm_never_comes(void **state)
{
	struct rtc rtc;

	setup(&rtc);
	set_alarm(&rtc, 0x99, 0x99, 0x99);
	clock_ns += 3 * 24 * 3600 * SECOND;
	assert_int_equal(get(&rtc, 0x0c) & 0x20, 0);
	rtc_release(&rtc);
}

static void test_rtc__update_ended(void **state)
{
	struct rtc rtc;

	setup(&rtc);
	set(&rtc, 0x0b, 0x12);
	clock_ns += SECOND / 2;
	assert_int_equal(get(&rtc, 0x0c) & 0x10, 0);
	clock_ns += SECOND / 2;
	assert_int_equal(get(&rtc, 0x0c) & 0x90, 0x90);
	rtc_release(&rtc);
}

static void test_rtc__periodic_at_the_selected_rate(void **state)
{
	struct rtc rtc;

	setup(&rtc);
	set(&rtc, 0x0a, 0x2f); /* 2 Hz */
	clock_ns += SECOND / 2 - 1;
	assert_int_equal(get(&rtc, 0x0c) & 0x40, 0);
	clock_ns += 1;
	assert_int_equal(get(&rtc, 0x0c) & 0x40, 0x40);
	set(&rtc, 0x0a, 0x20); /* off */
	clock_ns += 10 * SECOND;
	assert_int_equal(get(&rtc, 0x0c) & 0x40, 0);
	rtc_release(&rtc);
}

static void test_rtc__memory_sizes(void **state)
{
	struct rtc rtc;

	setup(&rtc);
	rtc_set_memory(&rtc, 3 * GIB, 5 * GIB);
	assert_int_equal(get(&rtc, 0x15) | get(&rtc, 0x16) << 8, 640);
	assert_int_equal(get(&rtc, 0x17) | get(&rtc, 0x18) << 8, 0xffff);
	assert_int_equal(get(&rtc, 0x30) | get(&rtc, 0x31) << 8, 0xffff);
	assert_int_equal(get(&rtc, 0x34) | get(&rtc, 0x35) << 8,
			 (3 * GIB - 16 * MIB) >> 16);
	assert_int_equal(get(&rtc, 0x5b) | get(&rtc, 0x5c) << 8 |
				 get(&rtc, 0x5d) << 16,
			 5 * GIB >> 16);
	rtc_set_memory(&rtc, 8 * MIB, 0);
	assert_int_equal(get(&rtc, 0x17) | get(&rtc, 0x18) << 8, 7 * 1024);
	assert_int_equal(get(&rtc, 0x34) | get(&rtc, 0x35) << 8, 0);
	rtc_release(&rtc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rtc__registers_after_power_on),
		cmocka_unit_test(test_rtc__bcd_time_goes_on_over_a_leap_day),
		cmocka_unit_test(test_rtc__binary_and_12_hours),
		cmocka_unit_test(test_rtc__nmi_bit_is_no_part_of_the_index),
		cmocka_unit_test(test_rtc__set_time_is_kept_as_an_offset),
		cmocka_unit_test(
			test_rtc__time_does_not_fall_apart_between_registers),
		cmocka_unit_test(test_rtc__alarm_sets_flag_and_irqf_once),
		cmocka_unit_test(test_rtc__alarm_at_a_minute_far_away),
		cmocka_unit_test(test_rtc__alarm_wildcards),
		cmocka_unit_test(test_rtc__impossible_alarm_never_comes),
		cmocka_unit_test(test_rtc__update_ended),
		cmocka_unit_test(test_rtc__periodic_at_the_selected_rate),
		cmocka_unit_test(test_rtc__memory_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
