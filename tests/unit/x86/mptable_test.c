/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include "lkvm/types.h"
#include "x86/machine.h"
#include "x86/mptable.h"

static u8 sum(const u8 *bytes, size_t len)
{
	u8 total = 0;

	for (size_t i = 0; i < len; i++)
		total = (u8)(total + bytes[i]);
	return total;
}

/* Entries of @type in the table behind the floating pointer. */
static unsigned int count_entries(const u8 *table, u8 type)
{
	unsigned int entries = table[34] | table[35] << 8, count = 0;
	const u8 *entry = table + 44;

	for (unsigned int i = 0; i < entries; i++) {
		count += entry[0] == type;
		entry += entry[0] == 0 ? 20 : 8;
	}
	assert_int_equal(entry - table, table[4] | table[5] << 8);
	return count;
}

static void test_mptable__checksums_and_counts_agree(void **state)
{
	static const unsigned int cpus[] = { 1, 2, 255 };

	for (unsigned int i = 0; i < ARRAY_SIZE(cpus); i++) {
		u8 buf[MPTABLE_MAX] = { 0 };
		const u8 *table = buf + 16;

		assert_int_equal(mptable_build(buf, sizeof(buf), MPTABLE_GPA,
					       cpus[i]),
				 0);

		assert_memory_equal(buf, "_MP_", 4);
		assert_int_equal(sum(buf, 16), 0);
		assert_memory_equal(table, "PCMP", 4);
		assert_int_equal(sum(table, table[4] | table[5] << 8), 0);
		assert_int_equal(count_entries(table, 0), cpus[i]);
		assert_int_equal(count_entries(table, 1), 2);
		assert_int_equal(count_entries(table, 2), 1);
		assert_int_equal(count_entries(table, 3), 15 + 128);
		assert_int_equal(count_entries(table, 4), 2);
	}
}

static void test_mptable__lists_at_most_255_cpus(void **state)
{
	u8 buf[MPTABLE_MAX] = { 0 };

	assert_int_equal(mptable_build(buf, sizeof(buf), MPTABLE_GPA, 1024), 0);
	assert_int_equal(count_entries(buf + 16, 0), 255);
}

static void test_mptable__refuses_a_buffer_that_is_too_small(void **state)
{
	u8 buf[256] = { 0 };

	assert_int_equal(mptable_build(buf, sizeof(buf), MPTABLE_GPA, 1),
			 -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mptable__checksums_and_counts_agree),
		cmocka_unit_test(test_mptable__lists_at_most_255_cpus),
		cmocka_unit_test(
			test_mptable__refuses_a_buffer_that_is_too_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
