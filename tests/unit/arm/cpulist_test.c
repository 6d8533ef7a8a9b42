/* SPDX-License-Identifier: GPL-2.0-only */
/* arm/cpulist.c, on whatever machine this runs. */
/* NOLINTNEXTLINE(bugprone-suspicious-include): the folder of another machine */
#include "arm/cpulist.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h> /* last: it has a macro named fail */

static void test_cpulist__ranges_and_numbers(void **state)
{
	cpu_set_t set;

	assert_true(cpulist_parse("0-3,5,1023", &set));
	assert_int_equal(CPU_COUNT(&set), 6);
	assert_true(CPU_ISSET(3, &set) && CPU_ISSET(5, &set) &&
		    CPU_ISSET(1023, &set));
	assert_true(cpulist_parse("7", &set));
	assert_int_equal(CPU_COUNT(&set), 1);
}

static void test_cpulist__what_is_none(void **state)
{
	static const char *const bad[] = {
		"",
		"-",
		"a",
		"1,",
		",1",
		"3-1",
		"1-",
		"1 2",
		"1024",
		"0-1024",
		"99999999999999999999",
	};
	cpu_set_t set;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(cpulist_parse(bad[i], &set));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpulist__ranges_and_numbers),
		cmocka_unit_test(test_cpulist__what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
