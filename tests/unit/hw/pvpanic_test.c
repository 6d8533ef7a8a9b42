/* SPDX-License-Identifier: GPL-2.0-only */
/* hw/pvpanic.c: what a panicking guest writes. */
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

static void write_event(struct pvpanic *pvpanic, u8 value)
{
	struct bus_access acc = { .size = 1, .value = value, .is_write = true };

	ended = VM_RUNNING;
	assert_int_equal(pvpanic_access(pvpanic, &acc), BUS_HANDLED);
}

static void test_pvpanic__announces_both_events(void **state)
{
	struct pvpanic pvpanic = { .end = note_end };
	struct bus_access acc = { .size = 1 };

	pvpanic_access(&pvpanic, &acc);
	assert_int_equal(acc.value, 3);
}

static void test_pvpanic__panic_ends_the_vm(void **state)
{
	struct pvpanic pvpanic = { .end = note_end };

	write_event(&pvpanic, 1);
	assert_int_equal(ended, VM_END_PANIC);
}

static void test_pvpanic__crash_kernel_goes_on(void **state)
{
	struct pvpanic pvpanic = { .end = note_end };

	write_event(&pvpanic, 2);
	assert_int_equal(ended, VM_RUNNING);
	write_event(&pvpanic, 0xfc);
	assert_int_equal(ended, VM_RUNNING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pvpanic__announces_both_events),
		cmocka_unit_test(test_pvpanic__panic_ends_the_vm),
		cmocka_unit_test(test_pvpanic__crash_kernel_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
