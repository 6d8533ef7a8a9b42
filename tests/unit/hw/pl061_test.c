/* SPDX-License-Identifier: GPL-2.0-only */
/* hw/pl061.c: lines, interrupts of each kind, and the button. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include "hw/hw_priv.h"
#include <cmocka.h> /* last: it has a macro named fail */

#define DIR 0x400
#define IS 0x404
#define IBE 0x408
#define IEV 0x40c
#define IE 0x410
#define RIS 0x414
#define MIS 0x418
#define IC 0x41c

static struct pl061 gpio;

static int set_up(void **state)
{
	return pl061_init(&gpio, NULL);
}

static int tear_down(void **state)
{
	pl061_release(&gpio);
	return 0;
}

static u8 get(u64 offset)
{
	struct bus_access acc = { .offset = offset, .size = 4 };

	assert_int_equal(pl061_access(&gpio, &acc), BUS_HANDLED);
	return (u8)acc.value;
}

static void put(u64 offset, u8 value)
{
	struct bus_access acc = {
		.offset = offset, .size = 4, .value = value, .is_write = true
	};

	assert_int_equal(pl061_access(&gpio, &acc), BUS_HANDLED);
}

static void test_pl061__is_a_primecell(void **state)
{
	assert_int_equal(get(0xfe0), 0x61);
	assert_int_equal(get(0xfe4), 0x10);
	assert_int_equal(get(0xffc), 0xb1);
}

static void test_pl061__the_address_selects_lines(void **state)
{
	put(DIR, 0xf0);
	put(0xff << 2, 0xff);
	assert_int_equal(get(0xff << 2), 0xf0); /* inputs are low */
	put(0x10 << 2, 0);
	assert_int_equal(get(0xff << 2), 0xe0);
	assert_int_equal(get(0x40 << 2), 0x40);
}

static void test_pl061__nobody_listens_to_the_button(void **state)
{
	assert_int_equal(pl061_press(&gpio), -ENOTSUP);
}

static void test_pl061__both_edges_as_linux_sets_them(void **state)
{
	put(IBE, 1);
	put(IE, 1);
	assert_int_equal(pl061_press(&gpio), 0);
	assert_int_equal(get(1 << 2), 1);
	assert_int_equal(get(MIS), 1);
	put(IC, 1);
	assert_int_equal(get(MIS), 0);
	pl061_release_button(&gpio);
	assert_int_equal(get(1 << 2), 0);
	assert_int_equal(get(MIS), 1);
}

static void test_pl061__one_edge(void **state)
{
	put(IEV, 1);
	put(IE, 1);
	pl061_press(&gpio);
	assert_int_equal(get(RIS), 1);
	put(IC, 0xff);
	pl061_release_button(&gpio);
	assert_int_equal(get(RIS), 0);
	put(IEV, 0);
	pl061_press(&gpio);
	assert_int_equal(get(RIS), 0);
	pl061_release_button(&gpio);
	assert_int_equal(get(RIS), 1);
}

static void test_pl061__each_press_is_an_edge(void **state)
{
	put(IBE, 1);
	put(IE, 1);
	pl061_press(&gpio);
	put(IC, 1);
	pl061_press(&gpio);
	assert_int_equal(get(MIS), 1);
}

static bool is_about_to_let_go(struct pl061 *with_loop)
{
	struct itimerspec left;

	assert_int_equal(timerfd_gettime(with_loop->timer.source.fd, &left), 0);
	return left.it_value.tv_nsec;
}

static u8 get_lines(struct pl061 *with_loop, u8 lines)
{
	struct bus_access acc = { .offset = (u64)lines << 2, .size = 4 };

	assert_int_equal(pl061_access(with_loop, &acc), BUS_HANDLED);
	return (u8)acc.value;
}

/* A guest under load may look at the line long after its interrupt. */
static void test_pl061__the_finger_stays_until_it_is_seen(void **state)
{
	struct bus_access enable = {
		.offset = IE, .size = 4, .value = 1, .is_write = true
	};
	struct event_loop loop;
	struct pl061 pressed;

	assert_int_equal(event_loop_init(&loop, NULL), 0);
	assert_int_equal(pl061_init(&pressed, &loop), 0);
	pl061_access(&pressed, &enable);
	assert_int_equal(pl061_press(&pressed), 0);
	assert_false(is_about_to_let_go(&pressed));
	assert_int_equal(get_lines(&pressed, 0xfe), 0);
	assert_false(is_about_to_let_go(&pressed));
	assert_int_equal(get_lines(&pressed, 1), 1);
	assert_true(is_about_to_let_go(&pressed));
	pl061_release(&pressed);
	event_loop_release(&loop);
}

static void test_pl061__level(void **state)
{
	put(IS, 1);
	put(IEV, 1);
	put(IE, 1);
	assert_int_equal(get(MIS), 0);
	pl061_press(&gpio);
	put(IC, 0xff); /* does nothing to levels */
	assert_int_equal(get(MIS), 1);
	pl061_release_button(&gpio);
	assert_int_equal(get(MIS), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pl061__is_a_primecell),
		TEST(test_pl061__the_address_selects_lines),
		TEST(test_pl061__nobody_listens_to_the_button),
		TEST(test_pl061__both_edges_as_linux_sets_them),
		TEST(test_pl061__one_edge),
		TEST(test_pl061__each_press_is_an_edge),
		TEST(test_pl061__the_finger_stays_until_it_is_seen),
		TEST(test_pl061__level),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
