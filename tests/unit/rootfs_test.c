/* SPDX-License-Identifier: GPL-2.0-only */
/* rootfs.c: folders of root file systems. */
#include "lkvm/rootfs.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lkvm/failure.h"
#include "tests/support/shell.h"
#include <cmocka.h> /* last: it has a macro named fail */

static char home[32];

static int setup(void **state)
{
	snprintf(home, sizeof(home), "/tmp/lkvm-home-XXXXXX");
	return mkdtemp(home) && !setenv("HOME", home, 1) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", home);
	return shell(command);
}

static char *path_of(const char *name)
{
	struct failure why = FAILURE_INIT;
	char *path = NULL;

	assert_int_equal(rootfs_path(name, &path, &why), 0);
	return path;
}

static void test_rootfs__names(void **state)
{
	static const char *const wrong[] = { "",    ".",  "..",
					     "a/b", ".x", "x.sock" };
	char *path = path_of("a.b-c");

	assert_non_null(strstr(path, "/.lkvm/a.b-c"));
	free(path);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct failure why = FAILURE_INIT;

		assert_int_equal(rootfs_path(wrong[i], &path, &why), -EINVAL);
	}
}

static void test_rootfs__needs_a_home(void **state)
{
	struct failure why = FAILURE_INIT;
	char *path;

	unsetenv("HOME");
	assert_int_equal(rootfs_path("x", &path, &why), -ENOENT);
	assert_non_null(strstr(why.text, "set HOME"));
}

static void test_rootfs__is_made_once(void **state)
{
	struct failure why = FAILURE_INIT;
	char *path = path_of("box");
	char file[128], target[64] = "";
	struct stat st;

	assert_int_equal(rootfs_create(path, &why), 0);
	snprintf(file, sizeof(file), "%s/bin", path);
	assert_int_equal(readlink(file, target, sizeof(target) - 1), 9);
	assert_string_equal(target, "/host/bin");
	snprintf(file, sizeof(file), "%s/.lkvm", home);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(rootfs_create(path, &why), -EEXIST);
	assert_non_null(strstr(why.text, "exists already"));
	free(path);
}

static void test_rootfs__has_one_vm_at_a_time(void **state)
{
	struct failure why = FAILURE_INIT, busy = FAILURE_INIT;
	char *path = path_of("box");
	int fd;

	assert_int_equal(rootfs_create(path, &why), 0);
	fd = rootfs_lock(path, &why);
	assert_true(fd >= 0);
	assert_int_equal(rootfs_lock(path, &busy), -EBUSY);
	close(fd);
	fd = rootfs_lock(path, &why);
	assert_true(fd >= 0);
	close(fd);
	free(path);
}

#define HOME_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOME_TEST(test_rootfs__names),
		HOME_TEST(test_rootfs__needs_a_home),
		HOME_TEST(test_rootfs__is_made_once),
		HOME_TEST(test_rootfs__has_one_vm_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
