/* SPDX-License-Identifier: GPL-2.0-only */
/* backend/char_stream.c: the ends of streams are told, and history is kept. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lkvm/chardev.h"
#include "lkvm/event.h"
#include "lkvm/failure.h"
#include "tests/support/fake_chardev.h"
#include <cmocka.h> /* last: it has a macro named fail */

/* A front end that notes what it is told. */
struct front {
	struct event_loop loop;
	struct chardev *chr;
	char got[64];
	atomic_uint got_len;
	atomic_bool is_open;
	atomic_uint news; /* how often connected() came */
};

static size_t front_room(void *opaque)
{
	const struct front *front = opaque;

	return sizeof(front->got) - front->got_len;
}

static void front_receive(void *opaque, const u8 *bytes, size_t len)
{
	struct front *front = opaque;

	memcpy(front->got + front->got_len, bytes, len);
	front->got_len += (unsigned int)len;
}

static void front_writable(void *opaque)
{
}

static void front_connected(void *opaque)
{
	struct front *front = opaque;

	front->is_open = chardev_is_open(front->chr);
	front->news++;
}

static const struct chardev_front_ops front_ops = {
	.room = front_room,
	.receive = front_receive,
	.writable = front_writable,
	.connected = front_connected,
};

static void front_start(struct front *front, int in_fd, int out_fd)
{
	struct failure why = FAILURE_INIT;

	*front = (struct front){ .is_open = true };
	assert_int_equal(event_loop_init(&front->loop, &why), 0);
	assert_int_equal(event_loop_start(&front->loop), 0);
	assert_int_equal(chardev_open_stream("stream", in_fd, out_fd, &why,
					     &front->chr),
			 0);
	assert_true(chardev_is_open(front->chr));
	assert_int_equal(
		chardev_attach(front->chr, &front->loop, &front_ops, front), 0);
}

static void front_stop(struct front *front)
{
	chardev_close(front->chr, 0);
	event_loop_stop(&front->loop);
	event_loop_release(&front->loop);
}

static bool has_news(void *opaque)
{
	const struct front *front = opaque;

	return front->news;
}

static void test_char_stream__tells_the_end_of_input(void **state)
{
	struct front front;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	front_start(&front, fds[0], -1);
	assert_int_equal(write(fds[1], "last words", 10), 10);
	close(fds[1]);
	assert_true(wait_until(has_news, &front));
	assert_false(front.is_open);
	assert_int_equal(front.got_len, 10);
	assert_memory_equal(front.got, "last words", 10);
	front_stop(&front);
	close(fds[0]);
}

static void test_char_stream__tells_that_the_reader_has_gone(void **state)
{
	struct front front;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	front_start(&front, -1, fds[1]);
	close(fds[0]);
	assert_int_equal(chardev_write(front.chr, (const u8 *)"x", 1), 1);
	assert_true(wait_until(has_news, &front));
	assert_false(front.is_open);
	/* It stays a place to write to, that holds nobody up. */
	assert_int_equal(chardev_write(front.chr, (const u8 *)"yz", 2), 2);
	front_stop(&front);
	close(fds[1]);
}

static void test_char_stream__keeps_what_goes_nowhere(void **state)
{
	struct front front;
	u64 from = 0;
	u8 got[16];

	front_start(&front, -1, -1);
	assert_true(chardev_is_open(front.chr));
	assert_int_equal(chardev_write(front.chr, (const u8 *)"exit 7", 6), 6);
	assert_int_equal(
		chardev_read_history(front.chr, &from, got, sizeof(got)), 6);
	assert_memory_equal(got, "exit 7", 6);
	front_stop(&front);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_char_stream__tells_the_end_of_input),
		cmocka_unit_test(
			test_char_stream__tells_that_the_reader_has_gone),
		cmocka_unit_test(test_char_stream__keeps_what_goes_nowhere),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
