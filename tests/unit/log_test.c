/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * log.c: what reaches standard error, and how.
 */
#include "lkvm/log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

/*
 * Standard error is a packet-mode pipe while a test runs: each read gives what
 * one write(2) wrote.
 */
struct fixture {
	int read_fd;
	int saved_stderr;
};

static int setup(void **state)
{
	static struct fixture f;
	int fds[2];

	if (pipe2(fds, O_DIRECT | O_NONBLOCK) < 0)
		return -1;
	f.read_fd = fds[0];
	f.saved_stderr = dup(STDERR_FILENO);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	dup2(f->saved_stderr, STDERR_FILENO);
	close(f->saved_stderr);
	close(f->read_fd);
	log_set_level(LOG_LEVEL_INFO);
	return 0;
}

/* The next message, or "" if there is none. */
static const char *next_write(struct fixture *f)
{
	static char buf[4097];
	ssize_t len = read(f->read_fd, buf, sizeof(buf) - 1);

	buf[len > 0 ? len : 0] = '\0';
	return buf;
}

static void test_log__each_message_is_one_write_with_its_prefix(void **state)
{
	struct fixture *f = *state;

	log_set_level(LOG_LEVEL_DEBUG);
	log_fatal("no %s", "kernel");
	log_error("e%d", 1);
	log_warning("w");
	log_info("i");
	log_debug("d");
	assert_string_equal(next_write(f), "  Fatal: no kernel\n");
	assert_string_equal(next_write(f), "  Error: e1\n");
	assert_string_equal(next_write(f), "  Warning: w\n");
	assert_string_equal(next_write(f), "  Info: i\n");
	assert_string_equal(next_write(f), "  Debug: d\n");
	assert_string_equal(next_write(f), "");
}

static void test_log__level_drops_what_is_above_but_never_fatal(void **state)
{
	struct fixture *f = *state;

	log_debug("dropped by default");
	log_set_level(LOG_LEVEL_ERROR);
	log_warning("dropped");
	log_info("dropped");
	log_error("kept");
	log_fatal("kept");
	assert_string_equal(next_write(f), "  Error: kept\n");
	assert_string_equal(next_write(f), "  Fatal: kept\n");
	assert_string_equal(next_write(f), "");
}

static void test_log__message_stays_one_line(void **state)
{
	struct fixture *f = *state;

	log_info("disk %s", "a\nb\033[31m\x7f: \xc3\xa4");
	assert_string_equal(next_write(f),
			    "  Info: disk a?b?[31m?: \xc3\xa4\n");
}

static void test_log__long_message_is_cut_and_ends_its_line(void **state)
{
	struct fixture *f = *state;
	char text[3000];
	const char *line;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_info("%s", text);
	line = next_write(f);
	assert_true(strlen(line) > 500 && strlen(line) < sizeof(text));
	assert_int_equal(line[strlen(line) - 1], '\n');
	assert_string_equal(next_write(f), "");
}

static void test_log__guest_error_is_said_once_per_device(void **state)
{
	struct fixture *f = *state;
	struct log_once disk = { 0 }, net = { 0 };

	log_guest_error(&disk, "disk %d", 1);
	log_guest_error(&disk, "disk %d", 2);
	log_guest_error(&net, "net");
	assert_string_equal(next_write(f), "  Warning: disk 1\n");
	assert_string_equal(next_write(f), "  Warning: net\n");
	assert_string_equal(next_write(f), "");
}

static void test_log__errno_survives(void **state)
{
	struct fixture *f = *state;

	int err;

	close(STDERR_FILENO);
	errno = EBADMSG;
	log_info("to nobody");
	err = errno;
	dup2(f->saved_stderr, STDERR_FILENO);
	assert_int_equal(err, EBADMSG);
}

static void test_log__stalled_reader_costs_a_second_at_most(void **state)
{
	struct timespec start, end;

	while (write(STDERR_FILENO, "x", 1) == 1)
		;
	clock_gettime(CLOCK_MONOTONIC, &start);
	log_info("nobody reads this");
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_true(end.tv_sec - start.tv_sec <= 20);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_log__each_message_is_one_write_with_its_prefix),
		CASE(test_log__level_drops_what_is_above_but_never_fatal),
		CASE(test_log__message_stays_one_line),
		CASE(test_log__long_message_is_cut_and_ends_its_line),
		CASE(test_log__guest_error_is_said_once_per_device),
		CASE(test_log__errno_survives),
		CASE(test_log__stalled_reader_costs_a_second_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
