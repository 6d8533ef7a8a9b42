/* SPDX-License-Identifier: GPL-2.0-only */
/* hw/i8042.c: commands and replies of the controller. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include "hw/hw_priv.h"
#include <cmocka.h> /* last: it has a macro named fail */

static enum vm_end ended;

static void note_end(struct kvm *vm, enum vm_end end)
{
	ended = end;
}

static void setup(struct i8042 *kbc)
{
	i8042_init(kbc, false);
	kbc->end = note_end;
	ended = VM_RUNNING;
}

static u8 access_port(struct i8042 *kbc, bool command, bool is_write, u8 value)
{
	struct bus_access acc = { .size = 1,
				  .is_write = is_write,
				  .value = value };

	if (command)
		i8042_access_command(kbc, &acc);
	else
		i8042_access_data(kbc, &acc);
	return (u8)acc.value;
}

static u8 status(struct i8042 *kbc)
{
	return access_port(kbc, true, false, 0);
}

static u8 data(struct i8042 *kbc)
{
	return access_port(kbc, false, false, 0);
}

static void command(struct i8042 *kbc, u8 value)
{
	access_port(kbc, true, true, value);
}

static void write_data(struct i8042 *kbc, u8 value)
{
	access_port(kbc, false, true, value);
}

static void test_i8042__idle_status(void **state)
{
	struct i8042 kbc;

	setup(&kbc);
	assert_int_equal(status(&kbc), 0x1c);
	i8042_release(&kbc);
}

static void test_i8042__tests_pass(void **state)
{
	struct i8042 kbc;

	setup(&kbc);
	command(&kbc, 0xaa);
	assert_int_equal(status(&kbc) & 0x01, 0x01);
	assert_int_equal(data(&kbc), 0x55);
	assert_int_equal(status(&kbc) & 0x01, 0);
	command(&kbc, 0xab);
	assert_int_equal(data(&kbc), 0);
	command(&kbc, 0xa9);
	assert_int_equal(data(&kbc), 0);
	i8042_release(&kbc);
}

static void test_i8042__command_byte_reads_back(void **state)
{
	struct i8042 kbc;

	setup(&kbc);
	command(&kbc, 0x60);
	write_data(&kbc, 0x47);
	command(&kbc, 0x20);
	assert_int_equal(data(&kbc), 0x47);
	command(&kbc, 0xad);
	command(&kbc, 0xa7);
	command(&kbc, 0x20);
	assert_int_equal(data(&kbc), 0x77);
	i8042_release(&kbc);
}

static void test_i8042__missing_devices_time_out(void **state)
{
	struct i8042 kbc;

	setup(&kbc);
	write_data(&kbc, 0xff);
	assert_int_equal(status(&kbc) & 0x61, 0x41);
	assert_int_equal(data(&kbc), 0xfe);
	command(&kbc, 0xd4);
	write_data(&kbc, 0xf2);
	assert_int_equal(status(&kbc) & 0x61, 0x61);
	assert_int_equal(data(&kbc), 0xfe);
	assert_int_equal(status(&kbc) & 0x61, 0);
	i8042_release(&kbc);
}

static void test_i8042__echo_to_the_mouse(void **state)
{
	struct i8042 kbc;

	setup(&kbc);
	command(&kbc, 0xd3);
	write_data(&kbc, 0x5a);
	assert_int_equal(status(&kbc) & 0x21, 0x21);
	assert_int_equal(data(&kbc), 0x5a);
	i8042_release(&kbc);
}

/* kvmtool lost count of its queue here (S7). */
static void test_i8042__many_replies_leave_one_byte(void **state)
{
	struct i8042 kbc;

	setup(&kbc);
	for (int i = 0; i < 1000; i++)
		command(&kbc, 0xaa);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(data(&kbc), 0x55);
	assert_int_equal(status(&kbc) & 0x01, 0);
	i8042_release(&kbc);
}

static void test_i8042__reset_line(void **state)
{
	struct i8042 kbc;

	setup(&kbc);
	command(&kbc, 0xff);
	assert_int_equal(ended, VM_RUNNING);
	command(&kbc, 0xd1);
	write_data(&kbc, 0x03);
	assert_int_equal(ended, VM_RUNNING);
	command(&kbc, 0xfe);
	assert_int_equal(ended, VM_END_RESET);
	ended = VM_RUNNING;
	command(&kbc, 0xd1);
	write_data(&kbc, 0x02);
	assert_int_equal(ended, VM_END_RESET);
	i8042_release(&kbc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_i8042__idle_status),
		cmocka_unit_test(test_i8042__tests_pass),
		cmocka_unit_test(test_i8042__command_byte_reads_back),
		cmocka_unit_test(test_i8042__missing_devices_time_out),
		cmocka_unit_test(test_i8042__echo_to_the_mouse),
		cmocka_unit_test(test_i8042__many_replies_leave_one_byte),
		cmocka_unit_test(test_i8042__reset_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
