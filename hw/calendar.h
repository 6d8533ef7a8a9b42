/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Dates and days. gmtime_r() and timegm() are not for threads that are confined:
 * glibc's look for the local time zone in files.
 */
#ifndef LKVM_HW_CALENDAR_H
#define LKVM_HW_CALENDAR_H

#include <stdint.h>
#include "lkvm/types.h"

/* Of the Gregorian calendar; year 0 and later. */
struct date {
	int year;
	int month; /* 0: January; from -1, and above 11 in later years */
	int day;   /* 1: the first; from 0, and on into later months */
};

/* Days from 1 January 1970 to @date; negative before it. */
int64_t days_from_date(const struct date *date);
/* The date so many days after 1 January 1970. */
struct date date_from_days(u64 days);
/* 0: Sunday. */
int weekday_from_days(u64 days);

#endif
