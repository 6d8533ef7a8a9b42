/* SPDX-License-Identifier: GPL-2.0-only */
/* arm/walk.c on tables laid out by hand, on whatever machine this runs. */
/* NOLINTNEXTLINE(bugprone-suspicious-include): the folder of another machine */
#include "arm/walk.c"

#include <setjmp.h>
#include <stdarg.h>
#include "tests/support/fake_virtio.h"
#include <cmocka.h> /* last: it has a macro named fail */

#define TABLE 3U /* valid, and a table or a page */
#define BLOCK 1U
/* T0SZ and T1SZ for 48, 39 and 42 bits; TG0 and TG1. */
#define TCR_4K_48 (16ULL | 16ULL << 16 | 2ULL << 30)
#define TCR_4K_39 (25ULL | 25ULL << 16 | 2ULL << 30)
#define TCR_64K_42 (22ULL | 1ULL << 14 | 22ULL << 16 | 3ULL << 30)
#define TCR_16K_48 (16ULL | 2ULL << 14 | 16ULL << 16 | 1ULL << 30)

struct fixture {
	struct fake_guest guest;
	struct walk_regime regime;
	struct walk walk;
};

static struct fixture f;

static int setup(void **state)
{
	memset(&f, 0, sizeof(f));
	fake_guest_init(&f.guest, MIB);
	f.regime.sctlr = SCTLR_M;
	return 0;
}

static int teardown(void **state)
{
	fake_guest_release(&f.guest);
	return 0;
}

static void set_entry(u64 table, unsigned int index, u64 entry)
{
	memcpy(fake_ptr(&f.guest, table + 8ULL * index, 8), &entry, 8);
}

static void walk(u64 address)
{
	walk_address(&f.guest.mem, &f.regime, address, &f.walk);
}

static void assert_gpa(u64 want)
{
	assert_null(f.walk.fault);
	assert_int_equal(f.walk.gpa, want);
}

static void test_walk__without_mmu_addresses_are_physical(void **state)
{
	f.regime.sctlr = 0;
	walk(0x80000123);
	assert_gpa(0x80000123);
	assert_int_equal(f.walk.nr_steps, 0);
}

static void test_walk__four_levels_of_4k(void **state)
{
	u64 l0 = fake_alloc(&f.guest, 4096, 4096);
	u64 l1 = fake_alloc(&f.guest, 4096, 4096);
	u64 l2 = fake_alloc(&f.guest, 4096, 4096);
	u64 l3 = fake_alloc(&f.guest, 4096, 4096);

	f.regime.tcr = TCR_4K_48;
	f.regime.ttbr[0] = l0 | 1ULL << 48 | 1; /* ASID, CnP */
	set_entry(l0, 1, l1 | TABLE);
	set_entry(l1, 2, l2 | TABLE | 1ULL << 59); /* PXNTable */
	set_entry(l2, 3, l3 | TABLE);
	set_entry(l3, 4, 0x80005000ULL | TABLE | 1ULL << 54 | 0x700);
	walk(1ULL << 39 | 2ULL << 30 | 3ULL << 21 | 4ULL << 12 | 0x567);
	assert_gpa(0x80005567);
	assert_int_equal(f.walk.nr_steps, 4);
	assert_string_equal(f.walk.steps[2].name, "level 2");
	assert_int_equal(f.walk.steps[2].index, 3);
	assert_int_equal(f.walk.steps[2].table_gpa, l2);
}

static void
test_walk__upper_half_starts_at_level_1_and_ends_in_a_block(void **state)
{
	u64 l1 = fake_alloc(&f.guest, 4096, 4096);
	u64 l2 = fake_alloc(&f.guest, 4096, 4096);

	f.regime.tcr = TCR_4K_39;
	f.regime.ttbr[1] = l1;
	set_entry(l1, 256, l2 | TABLE);
	set_entry(l2, 511, 0x80200000ULL | BLOCK);
	walk(0xffffff8000000000ULL + (256ULL << 30) + (511ULL << 21) + 0x12345);
	assert_gpa(0x80212345);
	assert_int_equal(f.walk.nr_steps, 2);
	assert_string_equal(f.walk.steps[0].name, "level 1");
}

static void test_walk__64k_and_16k(void **state)
{
	u64 first = fake_alloc(&f.guest, 65536, 65536);
	u64 second = fake_alloc(&f.guest, 65536, 65536);
	u64 third = fake_alloc(&f.guest, 65536, 65536);
	u64 fourth = fake_alloc(&f.guest, 65536, 65536);

	f.regime.tcr = TCR_64K_42;
	f.regime.ttbr[0] = first;
	set_entry(first, 5, second | TABLE);
	set_entry(second, 6, 0x80010000ULL | TABLE);
	walk(5ULL << 29 | 6ULL << 16 | 0xabcd);
	assert_gpa(0x8001abcd);
	assert_int_equal(f.walk.nr_steps, 2);

	f.regime.tcr = TCR_16K_48;
	set_entry(first, 1, second | TABLE);
	set_entry(second, 7, third | TABLE);
	set_entry(third, 8, fourth | TABLE);
	set_entry(fourth, 9, 0x80004000ULL | TABLE);
	walk(1ULL << 47 | 7ULL << 36 | 8ULL << 25 | 9ULL << 14 | 0x3210);
	assert_gpa(0x80007210);
	assert_int_equal(f.walk.nr_steps, 4);
}

static void test_walk__says_where_it_ends(void **state)
{
	u64 l0 = fake_alloc(&f.guest, 4096, 4096);

	f.regime.tcr = TCR_4K_48;
	f.regime.ttbr[0] = l0;
	walk(0);
	assert_string_equal(f.walk.fault, "not valid");
	set_entry(l0, 0, 0x4000000000ULL | TABLE);
	walk(0);
	assert_string_equal(f.walk.fault, "the table is not in RAM");
	assert_int_equal(f.walk.nr_steps, 2);
	walk(1ULL << 50);
	assert_string_equal(f.walk.fault, "outside both halves");
	f.regime.tcr |= 3ULL << 14;
	walk(0);
	assert_string_equal(f.walk.fault, "a size that is not known here");
}

static void test_walk__whatever_the_registers_say_it_ends(void **state)
{
	u64 table = fake_alloc(&f.guest, 65536, 65536);

	for (unsigned int i = 0; i < 8192; i++)
		set_entry(table, i, table | TABLE);
	f.regime.ttbr[0] = f.regime.ttbr[1] = table;
	for (unsigned int code = 0; code < 4; code++) {
		for (unsigned int size = 0; size < 64; size++) {
			f.regime.tcr = (u64)size | (u64)size << 16 |
				       (u64)code << 14 | (u64)code << 30;
			walk(0x123456789abcULL);
			assert_true(f.walk.nr_steps <= WALK_MAX_STEPS);
			walk(~0ULL);
			assert_true(f.walk.nr_steps <= WALK_MAX_STEPS);
		}
	}
}

#define WALK_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WALK_TEST(test_walk__without_mmu_addresses_are_physical),
		WALK_TEST(test_walk__four_levels_of_4k),
		WALK_TEST(
			test_walk__upper_half_starts_at_level_1_and_ends_in_a_block),
		WALK_TEST(test_walk__64k_and_16k),
		WALK_TEST(test_walk__says_where_it_ends),
		WALK_TEST(test_walk__whatever_the_registers_say_it_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
