/* SPDX-License-Identifier: GPL-2.0-only */
/* hw/acpi_pm.c: power button and S5. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include "hw/hw_priv.h"
#include <cmocka.h> /* last: it has a macro named fail */

#define STATUS 0
#define ENABLE 2
#define POWER_BUTTON 0x0100

static enum vm_end ended;

static void note_end(struct kvm *vm, enum vm_end end)
{
	ended = end;
}

static void setup(struct acpi_pm *pm)
{
	acpi_pm_init(pm);
	pm->end = note_end;
	ended = VM_RUNNING;
}

static u64 event(struct acpi_pm *pm, u64 offset, u8 size)
{
	struct bus_access acc = { .offset = offset, .size = size };

	acpi_pm_access_event(pm, &acc);
	return acc.value;
}

static void set_event(struct acpi_pm *pm, u64 offset, u8 size, u64 value)
{
	struct bus_access acc = {
		.offset = offset, .size = size, .value = value, .is_write = true
	};

	acpi_pm_access_event(pm, &acc);
}

static u64 control(struct acpi_pm *pm)
{
	struct bus_access acc = { .size = 2 };

	acpi_pm_access_control(pm, &acc);
	return acc.value;
}

static void set_control(struct acpi_pm *pm, u64 value)
{
	struct bus_access acc = { .size = 2, .value = value, .is_write = true };

	acpi_pm_access_control(pm, &acc);
}

static void test_acpi_pm__button_needs_a_listener(void **state)
{
	struct acpi_pm pm;

	setup(&pm);
	assert_int_equal(acpi_pm_press(&pm), -ENOTSUP);
	assert_int_equal(event(&pm, STATUS, 2), 0);
	acpi_pm_release(&pm);
}

static void test_acpi_pm__button_sets_status_until_cleared(void **state)
{
	struct acpi_pm pm;

	setup(&pm);
	set_event(&pm, ENABLE, 2, POWER_BUTTON);
	assert_int_equal(acpi_pm_press(&pm), 0);
	assert_int_equal(event(&pm, STATUS, 4),
			 POWER_BUTTON << 16 | POWER_BUTTON);
	set_event(&pm, STATUS, 2, (u16)~POWER_BUTTON);
	assert_int_equal(event(&pm, STATUS, 2), POWER_BUTTON);
	set_event(&pm, STATUS + 1, 1, POWER_BUTTON >> 8);
	assert_int_equal(event(&pm, STATUS, 2), 0);
	acpi_pm_release(&pm);
}

static void test_acpi_pm__only_known_events_can_be_enabled(void **state)
{
	struct acpi_pm pm;

	setup(&pm);
	set_event(&pm, ENABLE, 2, 0xffff);
	assert_int_equal(event(&pm, ENABLE, 2), 0x0721);
	acpi_pm_release(&pm);
}

static void test_acpi_pm__sci_is_enabled_for_good(void **state)
{
	struct acpi_pm pm;

	setup(&pm);
	assert_int_equal(control(&pm), 1);
	set_control(&pm, 0);
	assert_int_equal(control(&pm), 1);
	acpi_pm_release(&pm);
}

static void test_acpi_pm__s5_needs_type_and_enable(void **state)
{
	struct acpi_pm pm;

	setup(&pm);
	set_control(&pm, 5 << 10);
	assert_int_equal(ended, VM_RUNNING);
	assert_int_equal(control(&pm), 5 << 10 | 1);
	set_control(&pm, 3 << 10 | 1 << 13);
	assert_int_equal(ended, VM_RUNNING);
	set_control(&pm, 5 << 10 | 1 << 13);
	assert_int_equal(ended, VM_END_POWEROFF);
	assert_int_equal(control(&pm), 5 << 10 | 1);
	acpi_pm_release(&pm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_acpi_pm__button_needs_a_listener),
		cmocka_unit_test(
			test_acpi_pm__button_sets_status_until_cleared),
		cmocka_unit_test(
			test_acpi_pm__only_known_events_can_be_enabled),
		cmocka_unit_test(test_acpi_pm__sci_is_enabled_for_good),
		cmocka_unit_test(test_acpi_pm__s5_needs_type_and_enable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
