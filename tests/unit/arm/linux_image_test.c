/* SPDX-License-Identifier: GPL-2.0-only */
/* arm/linux_image.c, on whatever machine this runs. */
/* NOLINTNEXTLINE(bugprone-suspicious-include): the folder of another machine */
#include "arm/linux_image.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h> /* last: it has a macro named fail */

static void put(u8 *head, unsigned int at, u64 value)
{
	for (unsigned int i = 0; i < 8; i++)
		head[at + i] = (u8)(value >> 8 * i);
}

static int parse(u64 text_offset, u64 size, u64 file_len,
		 struct linux_image *image)
{
	u8 head[LINUX_IMAGE_HEAD] = { 0 };
	const char *why;

	put(head, TEXT_OFFSET, text_offset);
	put(head, IMAGE_SIZE, size);
	memcpy(head + MAGIC, "ARM\x64", 4);
	return linux_image_parse(head, sizeof(head), file_len, image, &why);
}

static void test_image__needs_what_its_header_says(void **state)
{
	struct linux_image image;

	assert_int_equal(parse(0, 40 * MIB, 30 * MIB, &image), 0);
	assert_int_equal(image.text_offset, 0);
	assert_int_equal(image.need_len, 40 * MIB);
}

static void test_image__old_ones_name_no_size(void **state)
{
	struct linux_image image;

	assert_int_equal(parse(0x1234, 0, 30 * MIB, &image), 0);
	assert_int_equal(image.text_offset, 0x80000);
	assert_int_equal(image.need_len, 30 * MIB);
}

static void test_image__absurd_sizes_are_refused(void **state)
{
	struct linux_image image;

	assert_int_equal(parse(0, UINT64_MAX, MIB, &image), -EINVAL);
	assert_int_equal(parse(UINT64_MAX, MIB, MIB, &image), -EINVAL);
}

static void test_image__others_are_none(void **state)
{
	u8 head[LINUX_IMAGE_HEAD] = { 0 };
	struct linux_image image;
	const char *why;

	assert_int_equal(linux_image_parse(head, sizeof(head), MIB, &image,
					   &why),
			 -ENOEXEC);
	memcpy(head + MAGIC, "ARM\x64", 4);
	assert_int_equal(linux_image_parse(head, 63, 63, &image, &why),
			 -ENOEXEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_image__needs_what_its_header_says),
		cmocka_unit_test(test_image__old_ones_name_no_size),
		cmocka_unit_test(test_image__absurd_sizes_are_refused),
		cmocka_unit_test(test_image__others_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
