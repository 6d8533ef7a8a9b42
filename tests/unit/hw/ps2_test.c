/* SPDX-License-Identifier: GPL-2.0-only */
/* hw/ps2*.c behind hw/i8042.c: keyboard and mouse as a guest sees them. */
#include <errno.h>
#include <linux/input-event-codes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include "hw/hw_priv.h"
#include <cmocka.h> /* last: it has a macro named fail */

#define STATUS_FULL 1
#define STATUS_MOUSE 0x20
#define WRITE_CONTROL 0x60
#define WRITE_MOUSE 0xd4
#define PLAIN 0x07 /* command byte: both interrupts, system; no translation */
#define TRANSLATING 0x47
#define ACK 0xfa

struct fixture {
	struct i8042 kbc;
	struct input_hub hub;
};

static u8 access_port(struct fixture *f, bool command, bool is_write, u8 value)
{
	struct bus_access acc = { .size = 1,
				  .is_write = is_write,
				  .value = value };

	if (command)
		i8042_access_command(&f->kbc, &acc);
	else
		i8042_access_data(&f->kbc, &acc);
	return (u8)acc.value;
}

static u8 status(struct fixture *f)
{
	return access_port(f, true, false, 0);
}

static void set_control(struct fixture *f, u8 value)
{
	access_port(f, true, true, WRITE_CONTROL);
	access_port(f, false, true, value);
}

static void to_keyboard(struct fixture *f, u8 byte)
{
	access_port(f, false, true, byte);
}

static void to_mouse(struct fixture *f, u8 byte)
{
	access_port(f, true, true, WRITE_MOUSE);
	access_port(f, false, true, byte);
}

static void expect(struct fixture *f, bool mouse, const u8 *bytes, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		assert_int_equal(status(f) & (STATUS_FULL | STATUS_MOUSE),
				 STATUS_FULL | (mouse ? STATUS_MOUSE : 0));
		assert_int_equal(access_port(f, false, false, 0), bytes[i]);
	}
	assert_int_equal(status(f) & STATUS_FULL, 0);
}

#define EXPECT(f, mouse, ...)                                                  \
	expect(f, mouse, (const u8[]){ __VA_ARGS__ },                          \
	       sizeof((const u8[]){ __VA_ARGS__ }))

static int setup(void **state)
{
	static struct fixture f;

	i8042_init(&f.kbc, true);
	input_init(&f.hub);
	input_attach(&f.hub, &f.kbc.keyboard_input);
	input_attach(&f.hub, &f.kbc.mouse_input);
	set_control(&f, PLAIN);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	input_release(&f->hub);
	i8042_release(&f->kbc);
	return 0;
}

static void press(struct fixture *f, u16 code)
{
	input_key(&f->hub, code, true);
	input_key(&f->hub, code, false);
}

static void test_ps2__keys_of_set_2(void **state)
{
	struct fixture *f = *state;

	press(f, KEY_A);
	EXPECT(f, false, 0x1c, 0xf0, 0x1c);
	press(f, KEY_RIGHTCTRL);
	EXPECT(f, false, 0xe0, 0x14, 0xe0, 0xf0, 0x14);
	press(f, KEY_F7);
	EXPECT(f, false, 0x83, 0xf0, 0x83);
	press(f, KEY_PAUSE);
	EXPECT(f, false, 0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77);
	press(f, KEY_MICMUTE); /* no PS/2 keyboard has it */
	assert_int_equal(status(f) & STATUS_FULL, 0);
}

static void test_ps2__controller_translates_to_set_1(void **state)
{
	struct fixture *f = *state;

	set_control(f, TRANSLATING);
	press(f, KEY_A);
	EXPECT(f, false, 0x1e, 0x9e);
	press(f, KEY_F7);
	EXPECT(f, false, 0x41, 0xc1);
	press(f, KEY_DELETE);
	EXPECT(f, false, 0xe0, 0x53, 0xe0, 0xd3);
	press(f, KEY_PAUSE);
	EXPECT(f, false, 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5);
	to_keyboard(f, 0xf2);
	EXPECT(f, false, ACK, 0xab, 0x41);
}

/* Every key that Linux calls 1 to 88 comes out as just that in set 1. */
static void test_ps2__all_plain_keys_translate(void **state)
{
	struct fixture *f = *state;

	set_control(f, TRANSLATING);
	for (u8 code = 1; code <= KEY_F12; code++) {
		if (code == 84 || code == 85) /* Linux has no such keys */
			continue;
		press(f, code);
		EXPECT(f, false, code, (u8)(code | 0x80));
	}
}

static void test_ps2__scan_code_sets(void **state)
{
	struct fixture *f = *state;

	to_keyboard(f, 0xf0);
	EXPECT(f, false, ACK);
	to_keyboard(f, 1);
	EXPECT(f, false, ACK);
	press(f, KEY_A);
	EXPECT(f, false, 0x1e, 0x9e);
	to_keyboard(f, 0xf0);
	to_keyboard(f, 3); /* it does not have it */
	EXPECT(f, false, ACK, ACK);
	to_keyboard(f, 0xf0);
	to_keyboard(f, 0);
	EXPECT(f, false, ACK, ACK, 1);
	to_keyboard(f, 0xff);
	EXPECT(f, false, ACK, 0xaa);
	press(f, KEY_A);
	EXPECT(f, false, 0x1c, 0xf0, 0x1c);
}

static void test_ps2__leds_echo_resend_and_nonsense(void **state)
{
	struct fixture *f = *state;

	to_keyboard(f, 0xed);
	to_keyboard(f, 0x07);
	EXPECT(f, false, ACK, ACK);
	assert_int_equal(f->kbc.keyboard.leds, 7);
	to_keyboard(f, 0xee);
	EXPECT(f, false, 0xee);
	to_keyboard(f, 0xfe);
	EXPECT(f, false, 0xee);
	to_keyboard(f, 0x12);
	EXPECT(f, false, 0xfe);
	/* A command in place of an argument. */
	to_keyboard(f, 0xed);
	to_keyboard(f, 0xf4);
	EXPECT(f, false, ACK, ACK);
}

static void test_ps2__disabled_keyboard_is_silent(void **state)
{
	struct fixture *f = *state;

	to_keyboard(f, 0xf5);
	EXPECT(f, false, ACK);
	press(f, KEY_A);
	assert_int_equal(status(f) & STATUS_FULL, 0);
	to_keyboard(f, 0xf4);
	EXPECT(f, false, ACK);
	/* With the cable held it waits. */
	access_port(f, true, true, 0xad);
	press(f, KEY_B);
	assert_int_equal(status(f) & STATUS_FULL, 0);
	access_port(f, true, true, 0xae);
	EXPECT(f, false, 0x32, 0xf0, 0x32);
}

static void test_ps2__keys_nobody_reads_are_lost(void **state)
{
	struct fixture *f = *state;
	unsigned int nr = 0;

	for (unsigned int i = 0; i < 1000; i++)
		press(f, KEY_A);
	for (; status(f) & STATUS_FULL; nr++)
		access_port(f, false, false, 0);
	assert_in_range(nr, 3, PS2_QUEUE_LEN + 1);
	press(f, KEY_B);
	EXPECT(f, false, 0x32, 0xf0, 0x32);
}

static void enable_mouse(struct fixture *f)
{
	to_mouse(f, 0xf4);
	EXPECT(f, true, ACK);
}

static void test_ps2__mouse_reports(void **state)
{
	struct fixture *f = *state;

	input_move_to(&f->hub, 100, 100, 640, 480);
	input_move_to(&f->hub, 110, 100, 640, 480);
	assert_int_equal(status(f) & STATUS_FULL, 0);
	to_mouse(f, 0xff);
	EXPECT(f, true, ACK, 0xaa, 0);
	enable_mouse(f);
	input_move_to(&f->hub, 113, 95, 640, 480);
	EXPECT(f, true, 0x08, 3, 5);
	input_move_to(&f->hub, 111, 102, 640, 480);
	EXPECT(f, true, 0x38, 0xfe, 0xf9);
	input_key(&f->hub, BTN_LEFT, true);
	EXPECT(f, true, 0x09, 0, 0);
	input_key(&f->hub, BTN_RIGHT, true);
	EXPECT(f, true, 0x0b, 0, 0);
	input_key(&f->hub, BTN_LEFT, false);
	input_key(&f->hub, BTN_RIGHT, false);
	EXPECT(f, true, 0x0a, 0, 0, 0x08, 0, 0);
	/* Further than one report can say. */
	input_move_to(&f->hub, 611, 102, 640, 480);
	EXPECT(f, true, 0x08, 255, 0, 0x08, 245, 0);
	/* No wheel, no report of it that anybody asked for. */
	input_wheel(&f->hub, 1);
	EXPECT(f, true, 0x08, 0, 0);
}

static void set_rate(struct fixture *f, u8 rate)
{
	to_mouse(f, 0xf3);
	to_mouse(f, rate);
	EXPECT(f, true, ACK, ACK);
}

static void test_ps2__mouse_with_wheel_and_five_buttons(void **state)
{
	struct fixture *f = *state;

	set_rate(f, 200);
	set_rate(f, 100);
	set_rate(f, 80);
	to_mouse(f, 0xf2);
	EXPECT(f, true, ACK, 3);
	enable_mouse(f);
	input_wheel(&f->hub, 1);
	EXPECT(f, true, 0x08, 0, 0, 0xff);
	set_rate(f, 200);
	set_rate(f, 200);
	set_rate(f, 80);
	to_mouse(f, 0xf2);
	EXPECT(f, true, ACK, 4);
	input_key(&f->hub, BTN_SIDE, true);
	EXPECT(f, true, 0x08, 0, 0, 0x10);
	to_mouse(f, 0xe9);
	EXPECT(f, true, ACK, 0x20, 2, 80);
	to_mouse(f, 0xf6);
	EXPECT(f, true, ACK);
	to_mouse(f, 0xe9);
	EXPECT(f, true, ACK, 0, 2, 100);
}

static void test_ps2__mouse_wraps_and_is_asked(void **state)
{
	struct fixture *f = *state;

	to_mouse(f, 0xee);
	EXPECT(f, true, ACK);
	to_mouse(f, 0x55);
	EXPECT(f, true, 0x55);
	to_mouse(f, 0xec);
	EXPECT(f, true, ACK);
	to_mouse(f, 0xf0);
	to_mouse(f, 0xf4);
	EXPECT(f, true, ACK, ACK);
	input_move_to(&f->hub, 1, 1, 640, 480);
	input_move_to(&f->hub, 5, 1, 640, 480);
	assert_int_equal(status(f) & STATUS_FULL, 0);
	to_mouse(f, 0xeb);
	EXPECT(f, true, ACK, 0x08, 4, 0);
	to_mouse(f, 0x01);
	EXPECT(f, true, 0xfe);
}

/* A guest that never reads, and a user who never stops (S7). */
static void test_ps2__mouse_floods_nothing(void **state)
{
	struct fixture *f = *state;
	unsigned int nr = 0;

	enable_mouse(f);
	for (u32 i = 0; i < 100000; i++)
		input_move_to(&f->hub, (i * 37) % 640, (i * 91) % 480, 640,
			      480);
	for (; status(f) & STATUS_FULL; nr++) {
		assert_true(nr < 1000);
		access_port(f, false, false, 0);
	}
	assert_true(nr >= 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_ps2__keys_of_set_2),
		TEST(test_ps2__controller_translates_to_set_1),
		TEST(test_ps2__all_plain_keys_translate),
		TEST(test_ps2__scan_code_sets),
		TEST(test_ps2__leds_echo_resend_and_nonsense),
		TEST(test_ps2__disabled_keyboard_is_silent),
		TEST(test_ps2__keys_nobody_reads_are_lost),
		TEST(test_ps2__mouse_reports),
		TEST(test_ps2__mouse_with_wheel_and_five_buttons),
		TEST(test_ps2__mouse_wraps_and_is_asked),
		TEST(test_ps2__mouse_floods_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
