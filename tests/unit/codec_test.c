/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lkvm/codec.h"
#include "lkvm/types.h"

/* LINE, 64 times, as gzip, xz, "xz --format=lzma" and zstd pack it. */
#define LINE "lkvm unpacks its kernel\n"
#define LINES 64
#define TEXT_LEN (LINES * (sizeof(LINE) - 1))

static const u8 gzip_file[] = {
	0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xcb, 0xc9,
	0x2e, 0xcb, 0x55, 0x28, 0xcd, 0x2b, 0x48, 0x4c, 0xce, 0x2e, 0x56, 0xc8,
	0x2c, 0x29, 0x56, 0xc8, 0x4e, 0x2d, 0xca, 0x4b, 0xcd, 0xe1, 0xca, 0x19,
	0x15, 0x1f, 0x15, 0x1f, 0x15, 0x1f, 0x15, 0x1f, 0x15, 0x1f, 0xd6, 0xe2,
	0x00, 0x14, 0x68, 0x05, 0xd3, 0x00, 0x06, 0x00, 0x00,
};

static const u8 xz_file[] = {
	0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x01, 0x69, 0x22, 0xde, 0x36,
	0x02, 0x01, 0x04, 0x00, 0x21, 0x01, 0x1a, 0x00, 0x01, 0xc9, 0x80, 0xb3,
	0xe0, 0x05, 0xff, 0x00, 0x27, 0x5d, 0x00, 0x36, 0x1a, 0xcb, 0x33, 0x86,
	0x81, 0xeb, 0x72, 0x15, 0x78, 0x66, 0xb0, 0x50, 0x33, 0xfe, 0x98, 0xc9,
	0x5d, 0xa1, 0xa7, 0x70, 0xbd, 0x4e, 0xe9, 0x5c, 0x1f, 0x48, 0x31, 0x2e,
	0xb6, 0x9a, 0xa1, 0x69, 0x7c, 0x6b, 0xd2, 0x09, 0xbb, 0x00, 0x00, 0x00,
	0x14, 0x68, 0x05, 0xd3, 0x00, 0x01, 0x3f, 0x80, 0x0c, 0x00, 0x00, 0x00,
	0x8f, 0x6e, 0x49, 0xcd, 0x3e, 0x30, 0x0d, 0x8b, 0x02, 0x00, 0x00, 0x00,
	0x00, 0x01, 0x59, 0x5a,
};

static const u8 lzma_file[] = {
	0x5d, 0x00, 0x00, 0x80, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0x00, 0x36, 0x1a, 0xcb, 0x33, 0x86, 0x81, 0xeb, 0x72, 0x15, 0x78,
	0x66, 0xb0, 0x50, 0x33, 0xfe, 0x98, 0xc9, 0x5d, 0xa1, 0xa7, 0x70, 0xbd,
	0x4e, 0xe9, 0x5c, 0x1f, 0x48, 0x31, 0x2e, 0xb6, 0x9a, 0xa1, 0x69, 0x7c,
	0x6b, 0xd4, 0xda, 0x03, 0xdb, 0xff, 0xfe, 0xc2, 0x7c, 0x00,
};

static const u8 zstd_file[] = {
	0x28, 0xb5, 0x2f, 0xfd, 0x60, 0x00, 0x05, 0x05, 0x01, 0x00, 0xc0,
	0x6c, 0x6b, 0x76, 0x6d, 0x20, 0x75, 0x6e, 0x70, 0x61, 0x63, 0x6b,
	0x73, 0x20, 0x69, 0x74, 0x73, 0x20, 0x6b, 0x65, 0x72, 0x6e, 0x65,
	0x6c, 0x0a, 0x01, 0x00, 0x94, 0xb7, 0xff, 0x1c, 0x03,
};

struct packed {
	enum codec codec;
	const u8 *bytes;
	size_t len;
};

static const struct packed all[] = {
	{ CODEC_GZIP, gzip_file, sizeof(gzip_file) },
	{ CODEC_LZMA, lzma_file, sizeof(lzma_file) },
	{ CODEC_XZ, xz_file, sizeof(xz_file) },
	{ CODEC_ZSTD, zstd_file, sizeof(zstd_file) },
};

/*
 * Unpack the first @len bytes into a buffer of just @room bytes. Codecs that
 * this build or host lacks answer -ENOTSUP.
 */
static int unpack(const struct packed *p, size_t len, size_t room, u8 **out,
		  size_t *out_len)
{
	u8 *in = malloc(len ? len : 1);
	int err;

	*out = malloc(room ? room : 1);
	assert_non_null(in);
	assert_non_null(*out);
	memcpy(in, p->bytes, len);
	*out_len = room;
	err = codec_unpack(p->codec, in, len, *out, out_len);
	free(in);
	return err;
}

static void assert_refused(const struct packed *p, size_t len, size_t room)
{
	size_t out_len;
	u8 *out;
	int err = unpack(p, len, room, &out, &out_len);

	assert_true(err == -EINVAL || err == -ENOTSUP);
	free(out);
}

static void test_codec__detects_by_magic(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		assert_int_equal(codec_detect(all[i].bytes, all[i].len),
				 all[i].codec);
		assert_int_equal(codec_detect(all[i].bytes, 2), CODEC_NONE);
	}
	assert_int_equal(codec_detect("\x7f"
				      "ELF\x02\x01\x01",
				      7),
			 CODEC_NONE);
	assert_int_equal(codec_detect("", 0), CODEC_NONE);
	assert_string_equal(codec_name(CODEC_XZ), "xz");
}

static void test_codec__unpacks(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		size_t out_len;
		u8 *out;
		int err = unpack(&all[i], all[i].len, TEXT_LEN, &out, &out_len);

		if (err != -ENOTSUP) {
			assert_int_equal(err, 0);
			assert_int_equal(out_len, TEXT_LEN);
			for (size_t n = 0; n < LINES; n++)
				assert_memory_equal(
					out + n * (sizeof(LINE) - 1), LINE,
					sizeof(LINE) - 1);
		}
		free(out);
	}
}

static void test_codec__none_is_not_supported(void **state)
{
	size_t out_len = 1;
	u8 out;

	assert_int_equal(codec_unpack(CODEC_NONE, "x", 1, &out, &out_len),
			 -ENOTSUP);
}

/* The sanitizers see whether anything is written beyond the room. */
static void test_codec__refuses_what_does_not_fit(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		assert_refused(&all[i], all[i].len, TEXT_LEN - 1);
		assert_refused(&all[i], all[i].len, 1);
		assert_refused(&all[i], all[i].len, 0);
	}
}

static void test_codec__refuses_cut_files(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		for (size_t len = 0; len < all[i].len; len++)
			assert_refused(&all[i], len, TEXT_LEN);
}

static void test_codec__refuses_more_than_one_file(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct packed longer = all[i];
		u8 bytes[256] = { 0 };

		memcpy(bytes, all[i].bytes, all[i].len);
		longer.bytes = bytes;
		assert_refused(&longer, all[i].len + 4, TEXT_LEN);
	}
}

/* The lie would need 4 GiB of window: nothing like that is allocated. */
static void test_codec__refuses_huge_windows(void **state)
{
	struct packed hostile = all[1];
	u8 bytes[sizeof(lzma_file)];

	memcpy(bytes, lzma_file, sizeof(bytes));
	memcpy(bytes + 1, "\xff\xff\xff\xff", 4);
	hostile.bytes = bytes;
	assert_refused(&hostile, sizeof(bytes), TEXT_LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codec__detects_by_magic),
		cmocka_unit_test(test_codec__unpacks),
		cmocka_unit_test(test_codec__none_is_not_supported),
		cmocka_unit_test(test_codec__refuses_what_does_not_fit),
		cmocka_unit_test(test_codec__refuses_cut_files),
		cmocka_unit_test(test_codec__refuses_more_than_one_file),
		cmocka_unit_test(test_codec__refuses_huge_windows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
