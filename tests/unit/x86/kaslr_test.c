/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "lkvm/types.h"
#include "x86/kaslr.h"

static void test_kaslr__reads_the_command_line(void **state)
{
	assert_int_equal(kaslr_mode(""), KASLR_ON);
	assert_int_equal(kaslr_mode("console=ttyS0 quiet"), KASLR_ON);
	assert_int_equal(kaslr_mode("nokaslr"), KASLR_OFF);
	assert_int_equal(kaslr_mode("  a\tnokaslr\n"), KASLR_OFF);
	assert_int_equal(kaslr_mode("xnokaslr nokaslrx nokaslr=1"), KASLR_ON);
	assert_int_equal(kaslr_mode("quiet mem=1G"), KASLR_GUEST);
	assert_int_equal(kaslr_mode("memmap=1M$16M"), KASLR_GUEST);
	assert_int_equal(kaslr_mode("mem=1G nokaslr"), KASLR_OFF);
	assert_int_equal(kaslr_mode("mem me m="), KASLR_ON);
}

static void test_kaslr__places_lie_in_the_spans(void **state)
{
	const struct kaslr_span spans[] = {
		{ 16 * MIB, 65 * MIB },	  /* 16 to 34: ten places */
		{ 70 * MIB, 90 * MIB },	  /* too small */
		{ 101 * MIB, 133 * MIB }, /* 102: one */
	};

	for (u64 i = 0; i < 10; i++)
		assert_int_equal(kaslr_place(spans, 3, 31 * MIB, 2 * MIB, i),
				 (16 + 2 * i) * MIB);
	assert_int_equal(kaslr_place(spans, 3, 31 * MIB, 2 * MIB, 10),
			 102 * MIB);
	assert_int_equal(kaslr_place(spans, 3, 31 * MIB, 2 * MIB, 11),
			 16 * MIB);
}

static void test_kaslr__no_place_is_said(void **state)
{
	const struct kaslr_span none = { 64 * MIB, 32 * MIB };
	const struct kaslr_span top = { UINT64_MAX - 10, UINT64_MAX };
	const struct kaslr_span some = { 16 * MIB, 64 * MIB };

	assert_int_equal(kaslr_place(&none, 1, MIB, 2 * MIB, 7), 0);
	assert_int_equal(kaslr_place(&top, 1, 1, 2 * MIB, 7), 0);
	assert_int_equal(kaslr_place(&some, 1, 49 * MIB, 2 * MIB, 7), 0);
	assert_int_equal(kaslr_place(&some, 1, 48 * MIB, 2 * MIB, 7), 16 * MIB);
	assert_int_equal(kaslr_place(&some, 0, MIB, 2 * MIB, 7), 0);
}

static void test_kaslr__offsets_stay_in_the_mapping(void **state)
{
	/* 16 MiB and 64 MiB of 1 GiB: 472 steps of 2 MiB are left. */
	assert_int_equal(kaslr_offset(16 * MIB, 64 * MIB, 2 * MIB, 0), 0);
	assert_int_equal(kaslr_offset(16 * MIB, 64 * MIB, 2 * MIB, 472),
			 944 * MIB);
	assert_int_equal(kaslr_offset(16 * MIB, 64 * MIB, 2 * MIB, 473), 0);
	assert_int_equal(kaslr_offset(16 * MIB, GIB, 2 * MIB, 5), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kaslr__reads_the_command_line),
		cmocka_unit_test(test_kaslr__places_lie_in_the_spans),
		cmocka_unit_test(test_kaslr__no_place_is_said),
		cmocka_unit_test(test_kaslr__offsets_stay_in_the_mapping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
