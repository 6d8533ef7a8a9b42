/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "lkvm/types.h"
#include "x86/e820.h"
#include "x86/machine.h"

static u64 ram_in(const struct e820_map *map)
{
	u64 sum = 0;

	for (unsigned int i = 0; i < map->nr; i++)
		if (map->entries[i].type == E820_RAM)
			sum += map->entries[i].size;
	return sum;
}

static void assert_sorted(const struct e820_map *map)
{
	for (unsigned int i = 1; i < map->nr; i++) {
		const struct boot_e820_entry *e = &map->entries[i];

		assert_true(e[-1].addr + e[-1].size <= e[0].addr);
	}
}

static bool is_reserved(const struct e820_map *map, u64 gpa, u64 len)
{
	for (unsigned int i = 0; i < map->nr; i++) {
		const struct boot_e820_entry *e = &map->entries[i];

		if (e->type == E820_RESERVED && gpa >= e->addr &&
		    gpa + len <= e->addr + e->size)
			return true;
	}
	return false;
}

static void test_e820__covers_ram_of_any_size(void **state)
{
	static const u64 sizes[] = { 1,	   2,	 64,   128,   3071,
				     3072, 3073, 4096, 16384, 1 << 20 };

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		u64 len = sizes[i] * MIB;
		u64 low = len < LOW_RAM_MAX ? len : LOW_RAM_MAX;
		struct e820_map map;

		e820_build(&map, low, len - low);

		assert_sorted(&map);
		/* All but what lies between base memory and 1 MiB. */
		assert_int_equal(ram_in(&map), len - (HIGH_GPA - EBDA_GPA));
	}
}

static void test_e820__reserves_what_the_machine_uses(void **state)
{
	struct e820_map map;

	e820_build(&map, LOW_RAM_MAX, GIB);

	assert_true(is_reserved(&map, ACPI_GPA, ACPI_MAX));
	assert_true(is_reserved(&map, MPTABLE_GPA, MPTABLE_MAX));
	assert_true(is_reserved(&map, ECAM_GPA, ECAM_LEN));
	assert_true(is_reserved(&map, IOAPIC_GPA, 0x1000));
	assert_true(is_reserved(&map, LAPIC_GPA, 0x1000));
	assert_true(is_reserved(&map, IDENTITY_MAP_GPA, 0x1000));
	assert_true(is_reserved(&map, TSS_GPA, 0x3000));
	assert_false(is_reserved(&map, MEM32_GPA, 0x1000));
}

static void test_e820__has_high_ram_only_above_the_hole(void **state)
{
	struct e820_map map;

	e820_build(&map, LOW_RAM_MAX, 0);
	assert_true(map.entries[map.nr - 1].addr < HIGH_RAM_GPA);

	e820_build(&map, LOW_RAM_MAX, 2 * MIB);
	assert_int_equal(map.entries[map.nr - 1].addr, HIGH_RAM_GPA);
	assert_int_equal(map.entries[map.nr - 1].size, 2 * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_e820__covers_ram_of_any_size),
		cmocka_unit_test(test_e820__reserves_what_the_machine_uses),
		cmocka_unit_test(test_e820__has_high_ram_only_above_the_hole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
