/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include "lkvm/types.h"
#include "x86/bzimage.h"

#define FILE_LEN (MIB + 512 * 5)

/* The first bytes of a kernel like Debian's. */
static void make_head(u8 *head, struct setup_header hdr)
{
	memset(head, 0, BZIMAGE_HEAD);
	memcpy(head + 0x1f1, &hdr, sizeof(hdr));
	head[0x200] = 0xeb;
	head[0x201] = (u8)(0x1f1 + sizeof(hdr) - 0x202);
}

static struct setup_header good_header(void)
{
	return (struct setup_header){
		.boot_flag = 0xaa55,
		.header = 0x53726448,
		.jump = 0x6aeb,
		.version = 0x20f,
		.loadflags = LOADED_HIGH,
		.setup_sects = 4,
		.syssize = MIB / 16,
		.xloadflags = XLF_KERNEL_64,
		.relocatable_kernel = 1,
		.kernel_alignment = 2 * MIB,
		.pref_address = 16 * MIB,
		.init_size = 48 * MIB,
		.cmdline_size = 2047,
	};
}

static int parse(struct setup_header hdr, u64 file_len, struct bzimage *image)
{
	const char *why = NULL;
	u8 head[BZIMAGE_HEAD];
	int err;

	make_head(head, hdr);
	err = bzimage_parse(head, sizeof(head), file_len, image, &why);
	assert_true((err == -EINVAL) == (why != NULL));
	return err;
}

static void test_bzimage__reads_a_good_header(void **state)
{
	struct bzimage image;
	u64 gpa;

	assert_int_equal(parse(good_header(), FILE_LEN, &image), 0);
	assert_int_equal(image.payload_offset, 5 * 512);
	assert_int_equal(image.payload_len, MIB);
	assert_int_equal(image.need_len, 48 * MIB);
	assert_int_equal(image.hdr.cmdline_size, 2047);

	assert_int_equal(bzimage_place(&image, 256 * MIB, &gpa), 0);
	assert_int_equal(gpa, 16 * MIB);
	assert_int_equal(bzimage_place(&image, 60 * MIB, &gpa), 0);
	assert_int_equal(gpa, 2 * MIB);
	assert_int_equal(bzimage_place(&image, 40 * MIB, &gpa), -ENOSPC);
}

static void test_bzimage__zero_setup_sectors_are_four(void **state)
{
	struct setup_header hdr = good_header();
	struct bzimage image;

	hdr.setup_sects = 0;
	assert_int_equal(parse(hdr, FILE_LEN, &image), 0);
	assert_int_equal(image.payload_offset, 5 * 512);
}

static void test_bzimage__other_files_are_not_executable(void **state)
{
	struct setup_header hdr = good_header();
	struct bzimage image;
	const char *why;
	u8 head[BZIMAGE_HEAD] = { 0 };

	assert_int_equal(bzimage_parse(head, sizeof(head), FILE_LEN, &image,
				       &why),
			 -ENOEXEC);
	assert_int_equal(bzimage_parse(head, 3, 3, &image, &why), -ENOEXEC);
	hdr.header = 0;
	assert_int_equal(parse(hdr, FILE_LEN, &image), -ENOEXEC);
}

static void test_bzimage__old_kernels_are_refused(void **state)
{
	struct setup_header hdr = good_header();
	struct bzimage image;

	hdr.version = 0x206;
	assert_int_equal(parse(hdr, FILE_LEN, &image), -EINVAL);
	hdr = good_header();
	hdr.xloadflags = 0; /* 32 bits only */
	assert_int_equal(parse(hdr, FILE_LEN, &image), -EINVAL);
	hdr = good_header();
	hdr.loadflags = 0;
	assert_int_equal(parse(hdr, FILE_LEN, &image), -EINVAL);
}

static void test_bzimage__short_files_are_refused(void **state)
{
	struct setup_header hdr = good_header();
	struct bzimage image;

	assert_int_equal(parse(hdr, BZIMAGE_HEAD, &image), -EINVAL);
	assert_int_equal(parse(hdr, 5 * 512, &image), -EINVAL);
	assert_int_equal(parse(hdr, FILE_LEN - 16, &image), -EINVAL);
	/* The last 16 bytes may be there in part. */
	assert_int_equal(parse(hdr, FILE_LEN - 15, &image), 0);
	assert_int_equal(image.payload_len, MIB - 15);
	hdr.syssize = 0;
	assert_int_equal(parse(hdr, FILE_LEN, &image), -EINVAL);
	hdr.syssize = UINT32_MAX;
	assert_int_equal(parse(hdr, FILE_LEN, &image), -EINVAL);
}

static void test_bzimage__wild_addresses_fit_nowhere(void **state)
{
	struct setup_header hdr = good_header();
	struct bzimage image;
	u64 gpa;

	hdr.pref_address = UINT64_MAX - 100;
	assert_int_equal(parse(hdr, FILE_LEN, &image), 0);
	assert_int_equal(bzimage_place(&image, 256 * MIB, &gpa), 0);
	assert_int_equal(gpa, 2 * MIB);

	hdr.pref_address = 0; /* over the zero page */
	assert_int_equal(parse(hdr, FILE_LEN, &image), 0);
	assert_int_equal(bzimage_place(&image, 256 * MIB, &gpa), 0);
	assert_int_equal(gpa, 2 * MIB);

	hdr.kernel_alignment = 3;
	assert_int_equal(parse(hdr, FILE_LEN, &image), -EINVAL);
	hdr.kernel_alignment = BIT(31);
	assert_int_equal(parse(hdr, FILE_LEN, &image), 0);
	assert_int_equal(bzimage_place(&image, 256 * MIB, &gpa), -ENOSPC);

	hdr = good_header();
	hdr.init_size = UINT32_MAX;
	assert_int_equal(parse(hdr, FILE_LEN, &image), 0);
	assert_int_equal(bzimage_place(&image, 3 * GIB, &gpa), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bzimage__reads_a_good_header),
		cmocka_unit_test(test_bzimage__zero_setup_sectors_are_four),
		cmocka_unit_test(test_bzimage__other_files_are_not_executable),
		cmocka_unit_test(test_bzimage__old_kernels_are_refused),
		cmocka_unit_test(test_bzimage__short_files_are_refused),
		cmocka_unit_test(test_bzimage__wild_addresses_fit_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
