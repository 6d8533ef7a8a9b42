/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend/char_socket.c: clients come, go, half-close, and do not read.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "lkvm/chardev.h"
#include "lkvm/event.h"
#include "lkvm/failure.h"
#include "tests/support/fake_chardev.h"
#include <cmocka.h> /* last: it has a macro named fail */

struct fixture {
	struct event_loop loop;
	struct failure why;
	char dir[32];
	char path[48];
	struct chardev *chr;
	/* The front end. */
	_Atomic size_t room;
	_Atomic unsigned int writable, connected;
	char got[4096];
	_Atomic size_t got_len;
};

static struct fixture f;

static size_t front_room(void *opaque)
{
	return f.room;
}

static void front_receive(void *opaque, const u8 *bytes, size_t len)
{
	memcpy(f.got + f.got_len, bytes, len);
	f.room -= len;
	f.got_len += len;
}

static void front_writable(void *opaque)
{
	f.writable++;
}

static void front_connected(void *opaque)
{
	f.connected++;
}

static const struct chardev_front_ops front_ops = {
	.room = front_room,
	.receive = front_receive,
	.writable = front_writable,
	.connected = front_connected,
};

static int setup(void **state)
{
	memset(&f, 0, sizeof(f));
	f.why = (struct failure)FAILURE_INIT;
	f.room = sizeof(f.got);
	snprintf(f.dir, sizeof(f.dir), "/tmp/lkvm-socket-XXXXXX");
	assert_non_null(mkdtemp(f.dir));
	snprintf(f.path, sizeof(f.path), "%s/port", f.dir);
	assert_int_equal(event_loop_init(&f.loop, &f.why), 0);
	assert_int_equal(event_loop_start(&f.loop), 0);
	assert_int_equal(chardev_open_socket("port x", f.path, &f.why, &f.chr),
			 0);
	assert_int_equal(chardev_attach(f.chr, &f.loop, &front_ops, NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	chardev_detach(f.chr);
	chardev_close(f.chr, 0);
	event_loop_release(&f.loop);
	assert_int_equal(access(f.path, F_OK), -1);
	rmdir(f.dir);
	return 0;
}

static int join(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, f.path, strlen(f.path));
	assert_int_equal(
		connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static bool is_open(void *opaque)
{
	return chardev_is_open(f.chr);
}

static bool is_closed(void *opaque)
{
	return !chardev_is_open(f.chr);
}

static bool has_got(void *opaque)
{
	return f.got_len >= strlen(opaque);
}

static void expect_input(const char *text)
{
	assert_true(wait_until(has_got, (void *)(uintptr_t)text));
	assert_int_equal(f.got_len, strlen(text));
	assert_memory_equal(f.got, text, strlen(text));
}

static void put(const char *text)
{
	size_t len = strlen(text);

	assert_int_equal(chardev_write(f.chr, (const u8 *)text, len), len);
}

static void expect_output(int fd, const char *text)
{
	char got[64] = "";
	size_t n = 0;

	while (n < strlen(text)) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		ssize_t more;

		assert_int_equal(poll(&pfd, 1, 10000), 1);
		more = read(fd, got + n, strlen(text) - n);
		assert_true(more > 0);
		n += (size_t)more;
	}
	assert_string_equal(got, text);
}

static void test_char_socket__only_its_user_may_connect(void **state)
{
	struct stat st;

	assert_int_equal(stat(f.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_char_socket__bytes_go_both_ways(void **state)
{
	int fd = join();

	assert_true(wait_until(is_open, NULL));
	assert_int_equal(f.connected, 1);
	put("to the client");
	expect_output(fd, "to the client");
	assert_int_equal(write(fd, "from it", 7), 7);
	expect_input("from it");
	close(fd);
	assert_true(wait_until(is_closed, NULL));
	assert_int_equal(f.connected, 2);
}

static void test_char_socket__the_next_client_waits_its_turn(void **state)
{
	int one = join(), two = join();

	assert_int_equal(write(two, "second", 6), 6);
	assert_int_equal(write(one, "first ", 6), 6);
	expect_input("first ");
	close(one);
	expect_input("first second");
	put("to two");
	expect_output(two, "to two");
	close(two);
}

static void test_char_socket__output_without_a_client_is_dropped(void **state)
{
	int fd;

	put("for nobody");
	fd = join();
	assert_true(wait_until(is_open, NULL));
	put("for you");
	expect_output(fd, "for you");
	close(fd);
}

static void test_char_socket__last_words_are_heard(void **state)
{
	int fd;

	f.room = 0;
	fd = join();
	assert_int_equal(write(fd, "bye", 3), 3);
	close(fd);
	assert_true(wait_until(is_open, NULL));
	f.room = 100;
	chardev_kick_input(f.chr);
	expect_input("bye");
	assert_true(wait_until(is_closed, NULL));
}

static void test_char_socket__half_closed_client_hears_the_answer(void **state)
{
	int fd = join();

	assert_int_equal(write(fd, "question", 8), 8);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	expect_input("question");
	put("answer");
	expect_output(fd, "answer");
	assert_true(chardev_is_open(f.chr));
	close(fd);
	assert_true(wait_until(is_closed, NULL));
}

static bool was_writable(void *opaque)
{
	return f.writable;
}

static void test_char_socket__client_that_never_reads_can_leave(void **state)
{
	static const u8 chunk[1024];
	int fd = join();

	assert_true(wait_until(is_open, NULL));
	while (chardev_write(f.chr, chunk, sizeof(chunk)) == sizeof(chunk))
		;
	close(fd);
	assert_true(wait_until(is_closed, NULL));
	assert_true(wait_until(was_writable, NULL));
	fd = join();
	assert_true(wait_until(is_open, NULL));
	put("fresh");
	expect_output(fd, "fresh");
	close(fd);
}

static void test_char_socket__client_stays_when_the_vm_restarts(void **state)
{
	int fd = join();

	assert_true(wait_until(is_open, NULL));
	chardev_detach(f.chr);
	assert_int_equal(chardev_attach(f.chr, &f.loop, &front_ops, NULL), 0);
	assert_int_equal(write(fd, "still here", 10), 10);
	expect_input("still here");
	close(fd);
	assert_true(wait_until(is_closed, NULL));
}

static void test_char_socket__replaces_what_is_stale_only(void **state)
{
	struct failure why = FAILURE_INIT;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char stale[64];
	struct chardev *chr;
	FILE *file;
	int fd;

	assert_int_equal(chardev_open_socket("port y", f.path, &why, &chr),
			 -EADDRINUSE);

	snprintf(stale, sizeof(stale), "%s/stale", f.dir);
	memcpy(address.sun_path, stale, strlen(stale));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)),
			 0);
	close(fd);
	assert_int_equal(chardev_open_socket("port y", stale, &why, &chr), 0);
	chardev_close(chr, 0);
	assert_int_equal(access(stale, F_OK), -1);

	file = fopen(stale, "w");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(chardev_open_socket("port y", stale, &why, &chr),
			 -EADDRINUSE);
	assert_int_equal(unlink(stale), 0);
}

#define SOCKET(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SOCKET(test_char_socket__only_its_user_may_connect),
		SOCKET(test_char_socket__bytes_go_both_ways),
		SOCKET(test_char_socket__the_next_client_waits_its_turn),
		SOCKET(test_char_socket__output_without_a_client_is_dropped),
		SOCKET(test_char_socket__last_words_are_heard),
		SOCKET(test_char_socket__half_closed_client_hears_the_answer),
		SOCKET(test_char_socket__client_that_never_reads_can_leave),
		SOCKET(test_char_socket__client_stays_when_the_vm_restarts),
		SOCKET(test_char_socket__replaces_what_is_stale_only),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
