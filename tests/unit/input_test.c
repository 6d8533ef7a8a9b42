/* SPDX-License-Identifier: GPL-2.0-only */
/* input.c: which of the guest's devices hears of a key or of the pointer. */
#include "lkvm/input.h"

#include <errno.h>
#include <linux/input-event-codes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h> /* last: it has a macro named fail */

struct probe {
	struct input_device dev;
	const char *name;
	bool ready, busy;
};

struct fixture {
	struct input_hub hub;
	struct probe keyboard, mouse, tablet;
};

static char said[256]; /* by all of them, in order */

__attribute__((format(printf, 2, 3))) static void say(const struct probe *probe,
						      const char *format, ...)
{
	size_t len = strlen(said);
	va_list args;

	len += (size_t)snprintf(said + len, sizeof(said) - len,
				"%s:", probe->name);
	va_start(args, format);
	vsnprintf(said + len, sizeof(said) - len, format, args);
	va_end(args);
}

static bool is_ready(void *opaque)
{
	const struct probe *probe = opaque;

	return probe->ready;
}

static void key(void *opaque, u16 code, bool down)
{
	say(opaque, "%u%c ", code, down ? '+' : '-');
}

static void move_to(void *opaque, u16 x, u16 y)
{
	say(opaque, "%u,%u ", x, y);
}

static void move_by(void *opaque, int dx, int dy)
{
	say(opaque, "%+d%+d ", dx, dy);
}

static void wheel(void *opaque, int notches)
{
	say(opaque, "w%d ", notches);
}

static bool is_idle(void *opaque)
{
	const struct probe *probe = opaque;

	return !probe->busy;
}

static const struct input_ops keyboard_ops = { .is_ready = is_ready,
					       .is_idle = is_idle,
					       .key = key };
static const struct input_ops mouse_ops = {
	.is_ready = is_ready, .key = key, .move_by = move_by, .wheel = wheel
};
static const struct input_ops tablet_ops = { .is_ready = is_ready,
					     .key = key,
					     .move_to = move_to };

static void plug(struct fixture *f, struct probe *probe, const char *name,
		 const struct input_ops *ops)
{
	*probe = (struct probe){ .name = name };
	probe->dev.ops = ops;
	probe->dev.opaque = probe;
	input_attach(&f->hub, &probe->dev);
}

static int setup(void **state)
{
	static struct fixture f;

	input_init(&f.hub);
	plug(&f, &f.keyboard, "kbd", &keyboard_ops);
	plug(&f, &f.mouse, "mouse", &mouse_ops);
	plug(&f, &f.tablet, "tablet", &tablet_ops);
	said[0] = '\0';
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	input_release(&f->hub);
	return 0;
}

static void test_input__the_device_that_is_listened_to(void **state)
{
	struct fixture *f = *state;

	f->mouse.ready = true;
	input_move_to(&f->hub, 10, 10, 640, 480);
	input_move_to(&f->hub, 15, 8, 640, 480);
	input_wheel(&f->hub, 1);
	f->tablet.ready = true;
	input_move_to(&f->hub, 639, 0, 640, 480);
	input_move_to(&f->hub, 9999, 479, 640, 480);
	assert_string_equal(said, "mouse:+5-2 mouse:w1 tablet:32767,0 "
				  "tablet:32767,32767 ");
}

static void test_input__buttons_are_the_pointers(void **state)
{
	struct fixture *f = *state;

	f->tablet.ready = true;
	input_key(&f->hub, KEY_A, true);
	input_key(&f->hub, BTN_LEFT, true);
	assert_string_equal(said, "kbd:30+ tablet:272+ ");
}

/* Otherwise a key would stay down for ever where it was pressed. */
static void test_input__who_heard_down_hears_up(void **state)
{
	struct fixture *f = *state;

	f->mouse.ready = true;
	input_key(&f->hub, BTN_LEFT, true);
	f->tablet.ready = true;
	input_key(&f->hub, BTN_LEFT, false);
	input_key(&f->hub, BTN_LEFT, false);
	assert_string_equal(said, "mouse:272+ mouse:272- ");
}

static void test_input__all_keys_go_up(void **state)
{
	struct fixture *f = *state;

	input_key(&f->hub, KEY_LEFTALT, true);
	input_key(&f->hub, KEY_TAB, true);
	said[0] = '\0';
	input_release_keys(&f->hub);
	assert_string_equal(said, "kbd:15- kbd:56- ");
	input_release_keys(&f->hub);
	assert_string_equal(said, "kbd:15- kbd:56- ");
}

static void test_input__keys_together(void **state)
{
	struct fixture *f = *state;
	const u16 codes[] = { KEY_LEFTCTRL, KEY_LEFTALT, KEY_F2 };

	assert_int_equal(input_press(&f->hub, codes, 3), -EBUSY);
	f->keyboard.ready = true;
	f->keyboard.busy = true;
	assert_int_equal(input_press(&f->hub, codes, 3), -EBUSY);
	assert_string_equal(said, "");
	f->keyboard.busy = false;
	assert_int_equal(input_press(&f->hub, codes, 3), 0);
	assert_string_equal(said, "kbd:29+ kbd:56+ kbd:60+ "
				  "kbd:60- kbd:56- kbd:29- ");
	input_detach(&f->hub, &f->keyboard.dev);
	assert_int_equal(input_press(&f->hub, codes, 3), -ENODEV);
}

static void test_input__device_that_went(void **state)
{
	struct fixture *f = *state;

	input_key(&f->hub, KEY_A, true);
	input_detach(&f->hub, &f->keyboard.dev);
	said[0] = '\0';
	input_key(&f->hub, KEY_A, false);
	input_key(&f->hub, KEY_A, true);
	input_key(&f->hub, 0xffff, true);
	assert_string_equal(said, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_input__the_device_that_is_listened_to),
		TEST(test_input__buttons_are_the_pointers),
		TEST(test_input__who_heard_down_hears_up),
		TEST(test_input__all_keys_go_up),
		TEST(test_input__keys_together),
		TEST(test_input__device_that_went),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
