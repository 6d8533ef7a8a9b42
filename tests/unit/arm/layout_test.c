/* SPDX-License-Identifier: GPL-2.0-only */
/* arm/layout.c and the fixed map, on whatever machine this runs. */
/* NOLINTNEXTLINE(bugprone-suspicious-include): the folder of another machine */
#include "arm/layout.c"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h> /* last: it has a macro named fail */

/* As a VM with @len bytes of RAM on a host with @max_bits would have it. */
static struct ram_layout ram_of(u64 len, unsigned int max_bits)
{
	return (struct ram_layout){ .start = RAM_GPA,
				    .len = len,
				    .max_bits = max_bits };
}

/* ---- Address bits and the window above RAM ---- */

static void test_layout__a_small_vm_has_the_window_at_512_gib(void **state)
{
	struct ram_layout ram = ram_of(GIB, 40);
	struct pci_window window = ram_layout_mem64(&ram);

	assert_int_equal(window.start, 512 * GIB);
	assert_int_equal(window.start + window.len, 1024 * GIB);
	assert_int_equal(ram_layout_bits(&ram), 40);
}

static void test_layout__hosts_with_few_bits_have_no_window(void **state)
{
	struct ram_layout ram = ram_of(GIB, 36);

	assert_int_equal(ram_layout_mem64(&ram).len, 0);
	assert_int_equal(ram_layout_bits(&ram), 32);
	/* 2 GiB of devices below: 2 GiB of RAM end at 4 GiB. */
	ram.len = 2 * GIB;
	assert_int_equal(ram_layout_bits(&ram), 32);
	ram.len += 2 * MIB;
	assert_int_equal(ram_layout_bits(&ram), 33);
}

static void test_layout__the_window_stays_clear_of_ram(void **state)
{
	struct ram_layout ram = ram_of(510 * GIB, 44);

	assert_int_equal(ram_layout_mem64(&ram).start, 512 * GIB);
	ram.len += 2 * MIB;
	assert_int_equal(ram_layout_mem64(&ram).start, 1024 * GIB);
	assert_int_equal(ram_layout_bits(&ram), 41);
	ram = (struct ram_layout){ .start = 600 * GIB,
				   .len = GIB,
				   .max_bits = 44 };
	assert_int_equal(ram_layout_mem64(&ram).start, 1024 * GIB);
	ram.start = 2048 * GIB;
	assert_int_equal(ram_layout_mem64(&ram).start, 512 * GIB);
	assert_int_equal(ram_layout_bits(&ram), 42);
}

/* ---- What is refused ---- */

static void refused(u64 start, u64 len, bool aarch32, const char *text)
{
	struct ram_layout ram = { start, len, 40, aarch32 };
	struct failure why = FAILURE_INIT;

	assert_int_equal(ram_layout_check(&ram, &why), -EINVAL);
	assert_non_null(strstr(why.text, text));
}

static void test_layout__ram_that_cannot_be(void **state)
{
	refused(0, GIB, false, "2 GiB) or above");
	refused(RAM_GPA - 2 * MIB, GIB, false, "2 GiB) or above");
	refused(RAM_GPA + MIB, GIB, false, "multiple of 2 MiB");
	refused(RAM_GPA, 1023 * GIB, false, "have 40 address bits");
	refused(UINT64_MAX - 2 * MIB + 1, 4 * MIB, false, "40 address bits");
	refused(RAM_GPA, 2 * GIB + 2 * MIB, true, "at most 2048M");
}

static void test_layout__ram_up_to_the_limits(void **state)
{
	struct failure why = FAILURE_INIT;
	struct ram_layout most = ram_of(1022 * GIB, 40);
	struct ram_layout most_32 = { RAM_GPA, 2 * GIB, 40, true };

	assert_int_equal(ram_layout_check(&most, &why), 0);
	assert_int_equal(ram_layout_check(&most_32, &why), 0);
}

/* ---- In RAM ---- */

static void test_layout__initrd_and_tree_end_the_first_256_mib(void **state)
{
	struct boot_plan plan = { .end = RAM_GPA + 40 * MIB };

	assert_true(boot_plan_place(&plan, RAM_GPA, RAM_GPA + GIB, 5));
	assert_int_equal(plan.fdt, RAM_GPA + 254 * MIB);
	assert_int_equal(plan.fdt_max, 2 * MIB);
	assert_int_equal(plan.initrd, RAM_GPA + 254 * MIB - 4096);
	assert_int_equal(plan.initrd_len, 5);
}

static void test_layout__a_small_vm_is_used_to_its_end(void **state)
{
	struct boot_plan plan = { .end = RAM_GPA + 40 * MIB };

	assert_true(boot_plan_place(&plan, RAM_GPA, RAM_GPA + 64 * MIB, MIB));
	assert_int_equal(plan.fdt, RAM_GPA + 62 * MIB);
	assert_true(
		boot_plan_place(&plan, RAM_GPA, RAM_GPA + 64 * MIB, 22 * MIB));
	assert_int_equal(plan.initrd, plan.end);
	assert_false(boot_plan_place(&plan, RAM_GPA, RAM_GPA + 64 * MIB,
				     22 * MIB + 1));
	plan.end = RAM_GPA + 63 * MIB;
	assert_false(boot_plan_place(&plan, RAM_GPA, RAM_GPA + 64 * MIB, 0));
}

static void test_layout__a_large_initrd_goes_further_up(void **state)
{
	struct boot_plan plan = { .end = RAM_GPA + 40 * MIB };

	assert_true(boot_plan_place(&plan, RAM_GPA, RAM_GPA + 64 * GIB, GIB));
	assert_int_equal(plan.fdt, RAM_GPA + 32 * GIB - 2 * MIB);
	/* booting.rst, 2: the initrd within 32 GiB of the kernel. */
	assert_true(plan.initrd + GIB <= plan.fdt);
	assert_false(
		boot_plan_place(&plan, RAM_GPA, RAM_GPA + 64 * GIB, 33 * GIB));
}

static void test_layout__firmware_has_the_tree_behind_it(void **state)
{
	struct boot_plan plan = { .end = RAM_GPA + 2 * MIB + 1,
				  .is_firmware = true };

	assert_true(boot_plan_place(&plan, RAM_GPA, RAM_GPA + GIB, 0));
	assert_int_equal(plan.fdt, RAM_GPA + 4 * MIB);
	assert_int_equal(plan.fdt_max, 32704);
	assert_int_equal(plan.initrd_len, 0);
	assert_false(
		boot_plan_place(&plan, RAM_GPA, RAM_GPA + 4 * MIB + 32703, 0));
}

/* ---- The map, as firmware and test suites have it ---- */

static void test_layout__devices_do_not_overlap(void **state)
{
	const struct {
		u64 start, len;
	} in_order[] = {
		{ PCI_IO_GPA, PCI_IO_LEN },
		{ UART_GPA, 4 * UART_STEP },
		{ RTC_GPA, 0x1000 },
		{ PL031_GPA, 0x1000 },
		{ PL061_GPA, 0x1000 },
		{ PVPANIC_GPA, 2 },
		{ PVTIME_GPA, PVTIME_LEN },
		{ FLASH_GPA, FLASH_MAX },
		{ VIRTIO_MMIO_GPA, VIRTIO_MMIO_SLOTS * VIRTIO_MMIO_STEP },
		{ gic_its_gpa(511), GIC_ITS_LEN },
		{ gic_redist_gpa(511), 511 * GICV3_REDIST_LEN },
		{ GIC_DIST_GPA, GICV3_DIST_LEN },
		{ ECAM_GPA, ECAM_LEN },
		{ MEM32_GPA, MEM32_LEN },
		{ RAM_GPA, GIB },
	};

	for (size_t i = 1; i < ARRAY_SIZE(in_order); i++)
		assert_true(in_order[i - 1].start + in_order[i - 1].len <=
			    in_order[i].start);
}

static void test_layout__controllers_end_at_1_gib(void **state)
{
	assert_int_equal(GIC_DIST_GPA + GICV3_DIST_LEN, GIB);
	assert_int_equal(gic_redist_gpa(4), 0x3ff70000);
	assert_int_equal(gic_its_gpa(4), 0x3ff50000);
	/* GICv2: frame of messages, CPU interface, distributor. */
	assert_int_equal(GICV2M_GPA + GICV2M_LEN, GICV2_CPU_GPA);
	assert_true(GICV2_CPU_GPA + GICV2_CPU_LEN <= GIC_DIST_GPA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_layout__a_small_vm_has_the_window_at_512_gib),
		cmocka_unit_test(
			test_layout__hosts_with_few_bits_have_no_window),
		cmocka_unit_test(test_layout__the_window_stays_clear_of_ram),
		cmocka_unit_test(test_layout__ram_that_cannot_be),
		cmocka_unit_test(test_layout__ram_up_to_the_limits),
		cmocka_unit_test(
			test_layout__initrd_and_tree_end_the_first_256_mib),
		cmocka_unit_test(test_layout__a_small_vm_is_used_to_its_end),
		cmocka_unit_test(test_layout__a_large_initrd_goes_further_up),
		cmocka_unit_test(test_layout__firmware_has_the_tree_behind_it),
		cmocka_unit_test(test_layout__devices_do_not_overlap),
		cmocka_unit_test(test_layout__controllers_end_at_1_gib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
