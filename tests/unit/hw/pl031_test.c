/* SPDX-License-Identifier: GPL-2.0-only */
/* hw/pl031.c: the clock, and its alarm. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include "hw/hw_priv.h"
#include <cmocka.h> /* last: it has a macro named fail */

static u64 now_ns;
static struct pl031 rtc;

static u64 test_clock(void)
{
	return now_ns;
}

static int set_up(void **state)
{
	now_ns = 1700000000500000000ULL;
	if (pl031_init(&rtc, NULL))
		return -1;
	rtc.host_clock = test_clock;
	return 0;
}

static int tear_down(void **state)
{
	pl031_release(&rtc);
	return 0;
}

static u32 get(u64 offset)
{
	struct bus_access acc = { .offset = offset, .size = 4 };

	assert_int_equal(pl031_access(&rtc, &acc), BUS_HANDLED);
	return (u32)acc.value;
}

static void put(u64 offset, u32 value)
{
	struct bus_access acc = {
		.offset = offset, .size = 4, .value = value, .is_write = true
	};

	assert_int_equal(pl031_access(&rtc, &acc), BUS_HANDLED);
}

static void test_pl031__is_a_primecell(void **state)
{
	static const u8 ids[] = { 0x31, 0x10, 0x14, 0, 0x0d, 0xf0, 5, 0xb1 };

	for (unsigned int i = 0; i < sizeof(ids); i++)
		assert_int_equal(get(0xfe0 + 4 * i), ids[i]);
	assert_int_equal(get(0xfdc), 0);
}

static void test_pl031__counts_the_hosts_seconds(void **state)
{
	assert_int_equal(get(0), 1700000000);
	now_ns += 2000000000;
	assert_int_equal(get(0), 1700000002);
	assert_int_equal(get(0xc), 1);
}

static void test_pl031__can_be_set(void **state)
{
	put(8, 100);
	assert_int_equal(get(0), 100);
	now_ns += 5000000000ULL;
	assert_int_equal(get(0), 105);
	assert_int_equal(get(8), 100);
}

static void test_pl031__alarm_comes_when_due(void **state)
{
	put(4, 1700000003);
	put(0x10, 1);
	pl031_tick(&rtc);
	assert_int_equal(get(0x14), 0);
	now_ns += 3000000000ULL;
	pl031_tick(&rtc);
	assert_int_equal(get(0x14), 1);
	assert_int_equal(get(0x18), 1);
	put(0x10, 0);
	assert_int_equal(get(0x18), 0);
	put(0x1c, 1);
	assert_int_equal(get(0x14), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pl031__is_a_primecell),
		TEST(test_pl031__counts_the_hosts_seconds),
		TEST(test_pl031__can_be_set),
		TEST(test_pl031__alarm_comes_when_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
