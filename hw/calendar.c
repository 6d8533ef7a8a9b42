/* SPDX-License-Identifier: GPL-2.0-only */
#include "hw/calendar.h"

/* After so many years the calendar repeats: a start before year 0. */
#define CYCLE_YEARS 400
/* Days from 1 March of year -400 to 1 January 1970. */
#define DAYS_TO_1970 (719468 + 146097)

/*
 * With years that begin in March the leap day is the last of its year, and the
 * months' lengths repeat: 153 days in five of them.
 */
int64_t days_from_date(const struct date *date)
{
	int64_t year = (int64_t)date->year + date->month / 12 + CYCLE_YEARS;
	int month = date->month % 12;

	if (month < 2)
		year--;
	month = (month + 10) % 12;
	return year * 365 + year / 4 - year / 100 + year / 400 +
	       (153 * month + 2) / 5 + date->day - 1 - DAYS_TO_1970;
}

static bool is_after(struct date date, u64 days)
{
	return days_from_date(&date) > (int64_t)days;
}

struct date date_from_days(u64 days)
{
	/* Too early by what leap years make up: two years in a millennium. */
	struct date date = { .year = (int)(1970 + days / 366), .day = 1 };

	while (!is_after((struct date){ date.year + 1, 0, 1 }, days))
		date.year++;
	while (!is_after((struct date){ date.year, date.month + 1, 1 }, days))
		date.month++;
	date.day += (int)((int64_t)days - days_from_date(&date));
	return date;
}

int weekday_from_days(u64 days)
{
	/* 1 January 1970 was a Thursday. */
	return (int)((days + 4) % 7);
}
