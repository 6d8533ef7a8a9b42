/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iov.c: copies and cuts across the entries of a list.
 */
#include "lkvm/iov.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static char a[4], b[3], c[5];

struct list {
	struct iovec iov[4];
	unsigned int nr;
};

/* Twelve bytes in three pieces, with an empty one among them. */
static struct list list(void)
{
	memcpy(a, "0123", 4);
	memcpy(b, "456", 3);
	memcpy(c, "789ab", 5);
	return (struct list){
		.iov = { { a, 4 }, { a, 0 }, { b, 3 }, { c, 5 } },
		.nr = 4,
	};
}

static void test_iov_to_buf__crosses_entries(void **state)
{
	struct list l = list();
	char buf[13] = "";

	assert_int_equal(iov_to_buf(l.iov, l.nr, 2, buf, 6), 6);
	assert_string_equal(buf, "234567");
	assert_int_equal(iov_to_buf(l.iov, l.nr, 10, buf, 6), 2);
	assert_int_equal(iov_to_buf(l.iov, l.nr, 12, buf, 6), 0);
	assert_int_equal(iov_to_buf(l.iov, l.nr, UINT64_MAX, buf, 6), 0);
}

static void test_iov_from_buf__crosses_entries(void **state)
{
	struct list l = list();

	assert_int_equal(iov_from_buf(l.iov, l.nr, 3, "xxxxx", 5), 5);
	assert_memory_equal(a, "012x", 4);
	assert_memory_equal(b, "xxx", 3);
	assert_memory_equal(c, "x89ab", 5);
}

static void test_iov_drop_front__cuts_an_entry(void **state)
{
	struct list l = list();
	struct iovec *iov = l.iov;

	assert_int_equal(iov_drop_front(&iov, &l.nr, 5), 5);
	assert_int_equal(l.nr, 2);
	assert_ptr_equal(iov->iov_base, b + 1);
	assert_int_equal(iov_len(iov, l.nr), 7);
	assert_int_equal(iov_drop_front(&iov, &l.nr, 100), 7);
	assert_int_equal(l.nr, 0);
}

static void test_iov_drop_back__cuts_an_entry(void **state)
{
	struct list l = list();

	assert_int_equal(iov_drop_back(l.iov, &l.nr, 9), 9);
	assert_int_equal(iov_len(l.iov, l.nr), 3);
	assert_int_equal(iov_drop_back(l.iov, &l.nr, 100), 3);
	assert_int_equal(l.nr, 0);
}

static void test_iov_is_aligned__looks_at_addresses_and_lengths(void **state)
{
	static _Alignas(16) char buf[64];
	struct iovec iov[2] = { { buf, 16 }, { buf + 32, 32 } };

	assert_true(iov_is_aligned(iov, 2, 16));
	iov[1].iov_len = 8;
	assert_false(iov_is_aligned(iov, 2, 16));
	iov[1].iov_len = 16;
	iov[1].iov_base = buf + 40;
	assert_false(iov_is_aligned(iov, 2, 16));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_iov_to_buf__crosses_entries),
		cmocka_unit_test(test_iov_from_buf__crosses_entries),
		cmocka_unit_test(test_iov_drop_front__cuts_an_entry),
		cmocka_unit_test(test_iov_drop_back__cuts_an_entry),
		cmocka_unit_test(
			test_iov_is_aligned__looks_at_addresses_and_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
