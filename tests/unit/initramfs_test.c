/* SPDX-License-Identifier: GPL-2.0-only */
/* initramfs.c: what it writes can be read as the kernel reads it. */
#include "lkvm/initramfs.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "lkvm/failure.h"
#include "lkvm/image.h"
#include <cmocka.h> /* last: it has a macro named fail */

/* One entry, as its header says. */
struct entry {
	unsigned int mode, len, rdev_major, rdev_minor;
	const char *name;
	const char *bytes;
};

static unsigned int field(const char *header, unsigned int index)
{
	char text[9] = "";

	memcpy(text, header + 6 + (size_t)8 * index, 8);
	return (unsigned int)strtoul(text, NULL, 16);
}

static size_t align4(size_t at)
{
	return (at + 3) & ~(size_t)3;
}

/* The entry at @*at, which moves on to the next. */
static struct entry next_entry(const char *archive, size_t *at)
{
	const char *header = archive + *at;
	struct entry entry = {
		.mode = field(header, 1),
		.len = field(header, 6),
		.rdev_major = field(header, 9),
		.rdev_minor = field(header, 10),
		.name = header + 110,
	};

	assert_memory_equal(header, "070701", 6);
	assert_int_equal(field(header, 11), strlen(entry.name) + 1);
	*at = align4(*at + 110 + strlen(entry.name) + 1);
	entry.bytes = archive + *at;
	*at = align4(*at + entry.len);
	return entry;
}

static char *read_all(const struct image *img)
{
	char *bytes = malloc((size_t)img->len);

	assert_non_null(bytes);
	assert_int_equal(image_read(img, 0, bytes, img->len), 0);
	return bytes;
}

static void test_initramfs__holds_what_was_added(void **state)
{
	struct failure why = FAILURE_INIT;
	struct initramfs fs;
	struct image img;
	struct entry entry;
	size_t at = 0;
	char *archive;

	assert_int_equal(initramfs_open(&fs, &why), 0);
	initramfs_add_folder(&fs, "dev");
	initramfs_add_device(&fs, "dev/console", 5, 1);
	initramfs_add_file(&fs, "init", 0755, "12345", 5);
	initramfs_add_file(&fs, "empty", 0600, NULL, 0);
	assert_int_equal(initramfs_finish(&fs, &img, &why), 0);
	archive = read_all(&img);

	entry = next_entry(archive, &at);
	assert_string_equal(entry.name, "dev");
	assert_int_equal(entry.mode, S_IFDIR | 0755);
	entry = next_entry(archive, &at);
	assert_string_equal(entry.name, "dev/console");
	assert_int_equal(entry.mode, S_IFCHR | 0600);
	assert_int_equal(entry.rdev_major, 5);
	assert_int_equal(entry.rdev_minor, 1);
	entry = next_entry(archive, &at);
	assert_string_equal(entry.name, "init");
	assert_int_equal(entry.mode, S_IFREG | 0755);
	assert_int_equal(entry.len, 5);
	assert_memory_equal(entry.bytes, "12345", 5);
	entry = next_entry(archive, &at);
	assert_string_equal(entry.name, "empty");
	assert_int_equal(entry.len, 0);
	entry = next_entry(archive, &at);
	assert_string_equal(entry.name, "TRAILER!!!");
	assert_int_equal(at, img.len);
	free(archive);
	image_release(&img);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_initramfs__holds_what_was_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
