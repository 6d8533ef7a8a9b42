/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * image.c: what is opened can be read again and again, pipes included.
 */
#include "lkvm/image.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lkvm/failure.h"
/* Last: it has a macro named fail. */
#include <cmocka.h>

static void test_image__reads_a_file_anywhere(void **state)
{
	char path[] = "/tmp/lkvm-image-XXXXXX";
	struct failure why = FAILURE_INIT;
	struct image image;
	char buf[4] = "";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "0123456789", 10), 10);

	assert_int_equal(image_open(&image, path, "kernel", &why), 0);
	assert_int_equal(image.len, 10);
	assert_int_equal(image_read(&image, 7, buf, 3), 0);
	assert_string_equal(buf, "789");
	assert_int_equal(image_read(&image, 8, buf, 3), -EINVAL);
	assert_int_equal(image_read(&image, UINT64_MAX, buf, 3), -EINVAL);

	/* The file shrinks under us. */
	assert_int_equal(ftruncate(fd, 8), 0);
	assert_int_equal(image_read(&image, 7, buf, 3), -EINVAL);
	image_release(&image);
	image_release(&image);
	assert_int_equal(image.fd, -1);
	close(fd);
	unlink(path);
}

#define STREAM_LEN 1000000

static void *write_stream(void *opaque)
{
	FILE *f = fdopen(*(int *)opaque, "w");

	for (unsigned int i = 0; i < STREAM_LEN; i++)
		putc((int)(i % 251), f);
	fclose(f);
	return NULL;
}

static void test_image__reads_a_pipe_twice(void **state)
{
	struct failure why = FAILURE_INIT;
	static u8 buf[STREAM_LEN];
	struct image image;
	pthread_t writer;
	char path[64];
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(pthread_create(&writer, NULL, write_stream, &ends[1]),
			 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);

	assert_int_equal(image_open(&image, path, "kernel", &why), 0);
	pthread_join(writer, NULL);
	assert_int_equal(image.len, STREAM_LEN);
	for (unsigned int round = 0; round < 2; round++) {
		memset(buf, 0, sizeof(buf));
		assert_int_equal(image_read(&image, 0, buf, STREAM_LEN), 0);
		for (unsigned int i = 0; i < STREAM_LEN; i++)
			assert_int_equal(buf[i], i % 251);
	}
	image_release(&image);
	close(ends[0]);
}

static void test_image__says_what_cannot_be_opened(void **state)
{
	static const struct {
		const char *path, *text;
	} bad[] = {
		{ "/nonexistent/k", "Unable to open kernel /nonexistent/k: " },
		{ "/proc", "Unable to open kernel /proc: " },
		{ "/dev/null", "kernel /dev/null: the file is empty" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		struct failure why = FAILURE_INIT;
		struct image image;

		assert_true(image_open(&image, bad[i].path, "kernel", &why) <
			    0);
		assert_int_equal(image.fd, -1);
		assert_memory_equal(why.text, bad[i].text, strlen(bad[i].text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_image__reads_a_file_anywhere),
		cmocka_unit_test(test_image__reads_a_pipe_twice),
		cmocka_unit_test(test_image__says_what_cannot_be_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
