/* SPDX-License-Identifier: GPL-2.0-only */
/* backend/char_file.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lkvm/chardev.h"
#include "lkvm/failure.h"
#include <cmocka.h> /* last: it has a macro named fail */

static char path[64];

static int setup(void **state)
{
	int fd;

	snprintf(path, sizeof(path), "/tmp/lkvm-file-XXXXXX");
	fd = mkstemp(path);
	if (fd < 0 || write(fd, "old contents", 12) != 12)
		return -1;
	close(fd);
	return 0;
}

static int teardown(void **state)
{
	unlink(path);
	return 0;
}

static void test_char_file__holds_all_that_was_put(void **state)
{
	struct failure why = FAILURE_INIT;
	struct chardev *chr;
	char got[32] = "";
	FILE *file;

	assert_int_equal(chardev_open_file("port x", path, &why, &chr), 0);
	assert_true(chardev_is_open(chr));
	assert_int_equal(chardev_write(chr, (const u8 *)"new", 3), 3);
	chardev_close(chr, -1);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fread(got, 1, sizeof(got), file), 3);
	assert_string_equal(got, "new");
	fclose(file);
}

static void test_char_file__says_what_cannot_be_written(void **state)
{
	struct failure why = FAILURE_INIT;
	struct chardev *chr;

	assert_int_equal(chardev_open_file("port x", "/tmp", &why, &chr),
			 -EISDIR);
	assert_non_null(strstr(why.text, "port x"));
	assert_non_null(strstr(why.text, "/tmp"));
}

static void test_char_file__does_not_wait_for_a_reader(void **state)
{
	struct failure why = FAILURE_INIT;
	struct chardev *chr;

	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(chardev_open_file("port x", path, &why, &chr), -ENXIO);
	assert_non_null(strstr(why.text, "nobody reads"));
}

#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(test_char_file__holds_all_that_was_put),
		FILE_TEST(test_char_file__says_what_cannot_be_written),
		FILE_TEST(test_char_file__does_not_wait_for_a_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
