/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * failure.c: the first reason wins.
 */
#include "lkvm/failure.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* cmocka has a macro of that name. */
#undef fail

static void test_failure__records_text_and_returns_the_error(void **state)
{
	struct failure why = FAILURE_INIT;

	assert_int_equal(why.kind, FAILURE_NONE);
	assert_int_equal(fail(&why, -EINVAL, "disk %s: %d", "a.img", 7),
			 -EINVAL);
	assert_int_equal(why.kind, FAILURE_FATAL);
	assert_string_equal(why.text, "disk a.img: 7");
}

static void test_failure__first_reason_wins(void **state)
{
	struct failure why = FAILURE_INIT;

	assert_int_equal(fail_host(&why, -ENOENT, "no /dev/kvm"), -ENOENT);
	assert_int_equal(fail(&why, -EIO, "cannot create the VM"), -EIO);
	assert_int_equal(why.kind, FAILURE_HOST);
	assert_string_equal(why.text, "no /dev/kvm");
}

static void test_failure__long_text_is_cut(void **state)
{
	struct failure why = FAILURE_INIT;
	char text[2 * sizeof(why.text)];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	fail(&why, -EIO, "%s", text);
	assert_int_equal(strlen(why.text), sizeof(why.text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_failure__records_text_and_returns_the_error),
		cmocka_unit_test(test_failure__first_reason_wins),
		cmocka_unit_test(test_failure__long_text_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
