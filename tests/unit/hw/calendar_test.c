/* SPDX-License-Identifier: GPL-2.0-only */
/* calendar.c against the C library's idea of the same. */
#include "hw/calendar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#define SECONDS_PER_DAY 86400
/* A u64 of nanoseconds ends in 2554. */
#define LAST_DAY 213503U

static void test_calendar__every_day_is_the_c_librarys(void **state)
{
	for (u64 days = 0; days <= LAST_DAY; days++) {
		time_t seconds = (time_t)days * SECONDS_PER_DAY;
		struct date date = date_from_days(days);
		struct tm tm;

		gmtime_r(&seconds, &tm);
		assert_int_equal(date.year, tm.tm_year + 1900);
		assert_int_equal(date.month, tm.tm_mon);
		assert_int_equal(date.day, tm.tm_mday);
		assert_int_equal(weekday_from_days(days), tm.tm_wday);
		assert_int_equal(days_from_date(&date), days);
	}
}

/* What a guest may write into the registers, valid or not. */
static void test_calendar__odd_dates_are_the_c_librarys(void **state)
{
	for (int year = 0; year < 17000; year += 7) {
		for (int month = -1; month < 165; month += 3) {
			struct date date = { year, month, year % 166 };
			struct tm tm = {
				.tm_year = year - 1900,
				.tm_mon = month,
				.tm_mday = date.day,
			};

			assert_int_equal(days_from_date(&date) *
						 SECONDS_PER_DAY,
					 timegm(&tm));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calendar__every_day_is_the_c_librarys),
		cmocka_unit_test(test_calendar__odd_dates_are_the_c_librarys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
