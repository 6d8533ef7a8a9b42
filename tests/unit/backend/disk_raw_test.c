/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend/disk_*.c: which images are opened, and that bytes arrive where they
 * belong, through the page cache and past it.
 */
#include "lkvm/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lkvm/config.h"
#include "lkvm/failure.h"
#include <cmocka.h>

#define IMAGE_LEN (1024 * KIB)
#define BUFFER_LEN (512 * KIB)

struct fixture {
	char path[64];
	int fd; /* the image, from outside */
	int event_fd;
	struct failure why;
	struct disk *disk;
	struct disk_queue *queue;
	u8 *buffer; /* page aligned */
	bool done;
	int result;
};

static struct fixture f;

static u8 pattern(u64 offset)
{
	return (u8)(offset * 7 + offset / 512 + offset / 65536);
}

static int setup(void **state)
{
	f = (struct fixture){
		/* Not in /tmp: that may be a tmpfs, without O_DIRECT. */
		.path = "/var/tmp/lkvm-disk-test-XXXXXX",
		.why = FAILURE_INIT,
	};
	f.fd = mkostemp(f.path, O_CLOEXEC);
	f.event_fd = eventfd(0, EFD_CLOEXEC);
	f.buffer = aligned_alloc(4096, BUFFER_LEN);
	if (f.fd < 0 || f.event_fd < 0 || !f.buffer)
		return -1;
	for (u64 at = 0; at < IMAGE_LEN; at += BUFFER_LEN) {
		for (u64 i = 0; i < BUFFER_LEN; i++)
			f.buffer[i] = pattern(at + i);
		if (write(f.fd, f.buffer, BUFFER_LEN) != BUFFER_LEN)
			return -1;
	}
	return fsync(f.fd);
}

static void close_disk(void)
{
	disk_queue_destroy(f.queue);
	disk_close(f.disk);
	f.queue = NULL;
	f.disk = NULL;
}

static int teardown(void **state)
{
	close_disk();
	free(f.buffer);
	close(f.event_fd);
	close(f.fd);
	unlink(f.path);
	return 0;
}

static int open_with(bool read_only, bool direct)
{
	struct disk_config config = {
		.path = f.path,
		.read_only = read_only,
		.direct = direct,
	};

	int err = disk_open(&config, &f.why, &f.disk);

	return err ? err : disk_queue_create(f.disk, f.event_fd, &f.queue);
}

/* Opening must fail, saying @text. */
static void refuse(const char *path, const char *text)
{
	struct disk_config config = { .path = path };
	struct disk *disk;

	assert_true(disk_open(&config, &f.why, &disk) < 0);
	assert_null(disk);
	assert_non_null(strstr(f.why.text, path));
	assert_non_null(strstr(f.why.text, text));
}

static void count_done(struct disk_request *req, int err)
{
	assert_false(f.done);
	f.done = true;
	f.result = err;
}

/* Carry out a request and wait for it. */
static int run(struct disk_request *req)
{
	f.done = false;
	req->done = count_done;
	disk_submit(f.queue, req);
	disk_commit(f.queue);
	while (!f.done) {
		struct pollfd event = { .fd = f.event_fd, .events = POLLIN };

		assert_int_equal(poll(&event, 1, 10000), 1);
		disk_poll(f.queue);
	}
	return f.result;
}

static int transfer(enum disk_op op, u64 offset, void *buf, u64 len)
{
	struct iovec iov = { .iov_base = buf, .iov_len = len };
	struct disk_request req = {
		.op = op,
		.offset = offset,
		.len = len,
		.iov = &iov,
		.nr_iov = 1,
	};

	return run(&req);
}

static int change(enum disk_op op, u64 offset, u64 len, bool may_unmap)
{
	struct disk_request req = {
		.op = op,
		.offset = offset,
		.len = len,
		.may_unmap = may_unmap,
	};

	return run(&req);
}

static u8 image_byte(u64 offset)
{
	u8 byte = 0;

	assert_int_equal(pread(f.fd, &byte, 1, (off_t)offset), 1);
	return byte;
}

/* ---- Opening ---- */

static void test_disk_open__refuses_missing_file(void **state)
{
	refuse("/nonexistent/image", "No such file");
}

static void test_disk_open__refuses_directory(void **state)
{
	refuse("/tmp", "is a directory");
}

static void test_disk_open__refuses_character_device(void **state)
{
	refuse("/dev/null", "neither a file nor a block device");
}

static void test_disk_open__refuses_qcow2(void **state)
{
	assert_int_equal(pwrite(f.fd, "QFI\xfb", 4, 0), 4);
	refuse(f.path, ",format=qcow2");
}

static void test_disk_open__refuses_empty_file(void **state)
{
	assert_int_equal(ftruncate(f.fd, 511), 0);
	refuse(f.path, "is empty");
}

static void test_disk_open__refuses_second_writer(void **state)
{
	assert_int_equal(open_with(false, false), 0);
	refuse(f.path, "in use by another VM");
}

static void test_disk_open__refuses_writer_beside_reader(void **state)
{
	assert_int_equal(open_with(true, false), 0);
	refuse(f.path, "in use by another VM");
}

static void test_disk_open__readers_share(void **state)
{
	struct disk_config config = { .path = f.path, .read_only = true };
	struct disk *second;

	assert_int_equal(open_with(true, false), 0);
	assert_int_equal(disk_open(&config, &f.why, &second), 0);
	disk_close(second);
}

static void test_disk_open__closing_unlocks(void **state)
{
	assert_int_equal(open_with(false, false), 0);
	close_disk();
	assert_int_equal(open_with(false, false), 0);
}

static void test_disk_info__partial_sector_is_not_there(void **state)
{
	assert_int_equal(ftruncate(f.fd, 3 * DISK_SECTOR + 100), 0);
	assert_int_equal(open_with(false, false), 0);
	assert_int_equal(disk_info(f.disk)->len, 3 * DISK_SECTOR);
}

static void test_disk_info__serial_is_stable(void **state)
{
	char serial[21];

	assert_int_equal(open_with(false, false), 0);
	memcpy(serial, disk_info(f.disk)->serial, sizeof(serial));
	close_disk();
	assert_int_equal(open_with(true, false), 0);
	assert_string_equal(serial, disk_info(f.disk)->serial);
	assert_int_not_equal(serial[0], 0);
}

/* ---- Data, in both ways ---- */

static void open_mode(void **state)
{
	bool direct = *state != NULL;
	int err = open_with(false, direct);

	if (direct && err == -EINVAL)
		skip(); /* this file system has no O_DIRECT */
	assert_int_equal(err, 0);
}

static void check_read(u64 offset, u64 len, u64 misalign)
{
	u8 *buf = f.buffer + misalign;

	memset(f.buffer, 0, BUFFER_LEN);
	assert_int_equal(transfer(DISK_READ, offset, buf, len), 0);
	for (u64 i = 0; i < len; i++)
		assert_int_equal(buf[i], pattern(offset + i));
	assert_int_equal(buf[len], 0);
}

static void check_write(u64 offset, u64 len, u64 misalign)
{
	memset(f.buffer, 0xa5, BUFFER_LEN);
	assert_int_equal(transfer(DISK_WRITE, offset, f.buffer + misalign, len),
			 0);
	assert_int_equal(image_byte(offset), 0xa5);
	assert_int_equal(image_byte(offset + len - 1), 0xa5);
	assert_int_equal(image_byte(offset + len), pattern(offset + len));
	assert_int_equal(image_byte(offset - 1), pattern(offset - 1));
}

static void test_disk__reads(void **state)
{
	open_mode(state);
	check_read(0, 4096, 0);
	check_read(512, 512, 0);
	check_read(4096, 256 * KIB, 0);
}

static void test_disk__reads_into_unaligned_memory(void **state)
{
	open_mode(state);
	check_read(4096, 4096, 1);
	check_read(512 * 3, 300 * KIB, 13);
}

static void test_disk__writes(void **state)
{
	open_mode(state);
	check_write(8192, 4096, 0);
	check_write(32 * KIB, 256 * KIB, 0);
}

static void test_disk__writes_unaligned(void **state)
{
	open_mode(state);
	check_write(512, 512, 3);
	check_write(64 * KIB + 512, 200 * KIB, 7);
}

static void test_disk__scatters(void **state)
{
	struct iovec iov[3] = {
		{ f.buffer + 100, 1000 },
		{ f.buffer + 3000, 0 },
		{ f.buffer + 5000, 536 },
	};
	struct disk_request req = {
		.op = DISK_READ,
		.offset = 1024,
		.len = 1536,
		.iov = iov,
		.nr_iov = 3,
	};

	open_mode(state);
	assert_int_equal(run(&req), 0);
	assert_int_equal(f.buffer[100], pattern(1024));
	assert_int_equal(f.buffer[1099], pattern(2023));
	assert_int_equal(f.buffer[5000], pattern(2024));
	assert_int_equal(f.buffer[5535], pattern(2559));
}

static void test_disk__refuses_requests_past_the_end(void **state)
{
	open_mode(state);
	assert_int_equal(transfer(DISK_READ, IMAGE_LEN, f.buffer, 512),
			 -EINVAL);
	assert_int_equal(transfer(DISK_WRITE, IMAGE_LEN - 512, f.buffer, 1024),
			 -EINVAL);
	assert_int_equal(change(DISK_DISCARD, UINT64_MAX - 511, 1024, false),
			 -EINVAL);
}

static void test_disk__truncated_image_is_an_io_error(void **state)
{
	open_mode(state);
	assert_int_equal(ftruncate(f.fd, 4096), 0);
	assert_int_equal(transfer(DISK_READ, 0, f.buffer, 8192), -EIO);
	assert_int_equal(transfer(DISK_READ, 8192, f.buffer + 1, 512), -EIO);
	assert_int_equal(transfer(DISK_READ, 0, f.buffer, 4096), 0);
}

static void test_disk__zeroes_a_range(void **state)
{
	open_mode(state);
	for (unsigned int i = 0; i < 2; i++) {
		u64 start = (100 + 200 * i) * KIB + 512;

		assert_int_equal(change(DISK_WRITE_ZEROES, start, 70 * KIB, i),
				 0);
		assert_int_equal(image_byte(start - 1), pattern(start - 1));
		assert_int_equal(image_byte(start), 0);
		assert_int_equal(image_byte(start + 70 * KIB - 1), 0);
		assert_int_equal(image_byte(start + 70 * KIB),
				 pattern(start + 70 * KIB));
	}
}

static void test_disk__discards(void **state)
{
	struct stat before, after;

	open_mode(state);
	assert_int_equal(fstat(f.fd, &before), 0);
	assert_int_equal(change(DISK_DISCARD, 0, 512 * KIB, false), 0);
	assert_int_equal(fstat(f.fd, &after), 0);
	assert_int_equal(after.st_size, before.st_size);
	assert_true(after.st_blocks < before.st_blocks);
}

static void test_disk__flushes(void **state)
{
	open_mode(state);
	assert_int_equal(change(DISK_FLUSH, 0, 0, false), 0);
}

static void test_disk__read_only_disk_takes_no_writes(void **state)
{
	assert_int_equal(open_with(true, false), 0);
	assert_int_equal(transfer(DISK_WRITE, 0, f.buffer, 512), -EROFS);
	assert_int_equal(change(DISK_WRITE_ZEROES, 0, 512, true), -EROFS);
	assert_int_equal(change(DISK_FLUSH, 0, 0, false), 0);
}

/* ---- A host that runs out of space ---- */

static void test_disk__full_host_is_an_error(void **state)
{
	/* A file size limit stands in for the full file system. */
	struct rlimit old, small;

	assert_int_equal(ftruncate(f.fd, IMAGE_LEN), 0);
	assert_int_equal(open_with(false, false), 0);
	assert_int_equal(ftruncate(f.fd, 0), 0);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small = old;
	small.rlim_cur = 8192;
	setrlimit(RLIMIT_FSIZE, &small);
	/* The first part fits: a short write, then the error. */
	f.result = transfer(DISK_WRITE, 4096, f.buffer, 16384);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(f.result, -EFBIG);
}

#define DISK_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
/* The same test through the page cache and with O_DIRECT. */
#define BOTH_WAYS(name)                                                        \
	{ #name " (cached)", name, setup, teardown, NULL },                    \
	{                                                                      \
#name " (direct)", name, setup, teardown, &direct_mode         \
	}

int main(void)
{
	static bool direct_mode = true;
	const struct CMUnitTest tests[] = {
		DISK_TEST(test_disk_open__refuses_missing_file),
		DISK_TEST(test_disk_open__refuses_directory),
		DISK_TEST(test_disk_open__refuses_character_device),
		DISK_TEST(test_disk_open__refuses_qcow2),
		DISK_TEST(test_disk_open__refuses_empty_file),
		DISK_TEST(test_disk_open__refuses_second_writer),
		DISK_TEST(test_disk_open__refuses_writer_beside_reader),
		DISK_TEST(test_disk_open__readers_share),
		DISK_TEST(test_disk_open__closing_unlocks),
		DISK_TEST(test_disk_info__partial_sector_is_not_there),
		DISK_TEST(test_disk_info__serial_is_stable),
		BOTH_WAYS(test_disk__reads),
		BOTH_WAYS(test_disk__reads_into_unaligned_memory),
		BOTH_WAYS(test_disk__writes),
		BOTH_WAYS(test_disk__writes_unaligned),
		BOTH_WAYS(test_disk__scatters),
		BOTH_WAYS(test_disk__refuses_requests_past_the_end),
		BOTH_WAYS(test_disk__truncated_image_is_an_io_error),
		BOTH_WAYS(test_disk__zeroes_a_range),
		BOTH_WAYS(test_disk__discards),
		BOTH_WAYS(test_disk__flushes),
		DISK_TEST(test_disk__read_only_disk_takes_no_writes),
		DISK_TEST(test_disk__full_host_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
