/* SPDX-License-Identifier: GPL-2.0-only */
/* keys.c: names of keys. */
#include "lkvm/keys.h"

#include <errno.h>
#include <linux/input-event-codes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "lkvm/failure.h"
#include <cmocka.h> /* last: it has a macro named fail */

static void assert_keys(const char *text, const u16 *want, unsigned int nr_want)
{
	struct failure why = FAILURE_INIT;
	u16 codes[KEYS_MAX];
	unsigned int nr;

	assert_int_equal(keys_parse(text, codes, &nr, &why), 0);
	assert_int_equal(nr, nr_want);
	assert_memory_equal(codes, want, nr * sizeof(*codes));
}

static void assert_refused(const char *text, const char *said)
{
	struct failure why = FAILURE_INIT;
	u16 codes[KEYS_MAX];
	unsigned int nr;

	assert_int_equal(keys_parse(text, codes, &nr, &why), -EINVAL);
	assert_string_equal(why.text, said);
}

static void test_keys__names_joined(void **state)
{
	const u16 console[] = { KEY_LEFTCTRL, KEY_LEFTALT, KEY_F2 };
	const u16 five[] = { KEY_1, KEY_MINUS, KEY_3, KEY_KPENTER, KEY_Z };

	assert_keys("ctrl-alt-f2", console, 3);
	assert_keys("Ctrl-ALT-F2", console, 3);
	assert_keys("1-minus-3-kpenter-z", five, 5);
	assert_keys("a", (const u16[]){ KEY_A }, 1);
}

static void test_keys__what_is_none(void **state)
{
	assert_refused("", "\"\" is no key");
	assert_refused("-", "\"\" is no key");
	assert_refused("a-", "\"\" is no key");
	assert_refused("f13", "\"f13\" is no key");
	assert_refused("ctrl-al", "\"al\" is no key");
	assert_refused("a-b-c-d-e-f", "at most 5 keys together");
	assert_refused("0123456789012345678901234567890123456789",
		       "\"01234567890123456789012345678901\" is no key");
}

/* Each word of the help, behind its sentence, is a key. */
static void test_keys__help_lists_them(void **state)
{
	const char *at = strchr(keys_help, ':') + 1;
	unsigned int found = 0;

	for (at += strspn(at, " \n"); *at; at += strspn(at, " \n")) {
		size_t len = strcspn(at, " \n");
		struct failure why = FAILURE_INIT;
		u16 codes[KEYS_MAX];
		char name[32] = "";
		unsigned int nr;

		assert_true(len < sizeof(name));
		memcpy(name, at, len);
		assert_int_equal(keys_parse(name, codes, &nr, &why), 0);
		/* What the guest's keyboards have. */
		assert_in_range(codes[0], KEY_ESC, KEY_COMPOSE);
		found++;
		at += len;
	}
	assert_int_equal(found, KEYS_NR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys__names_joined),
		cmocka_unit_test(test_keys__what_is_none),
		cmocka_unit_test(test_keys__help_lists_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
