/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend/char_*.c: output that never blocks, input that loses nothing, ends
 * of files, ptys, and the keys of the terminal.
 */
#include "backend/char_priv.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include "tests/support/fake_chardev.h"
#include <cmocka.h> /* last: it has a macro named fail */

enum {
	PATIENCE_MS = 20000 /* of machines under load */
};

/* A front end that takes what its test lets it. */
struct front {
	pthread_mutex_t lock; /* guards all below */
	size_t room;
	u8 bytes[256 * 1024];
	size_t len;
	unsigned int writable, resized;
};

static size_t front_room(void *opaque)
{
	struct front *f = opaque;
	size_t room;

	pthread_mutex_lock(&f->lock);
	room = f->room;
	pthread_mutex_unlock(&f->lock);
	return room;
}

static void front_receive(void *opaque, const u8 *bytes, size_t len)
{
	struct front *f = opaque;

	pthread_mutex_lock(&f->lock);
	if (len <= f->room && len <= sizeof(f->bytes) - f->len) {
		memcpy(f->bytes + f->len, bytes, len);
		f->len += len;
		f->room -= len;
	}
	pthread_mutex_unlock(&f->lock);
}

static void front_writable(void *opaque)
{
	struct front *f = opaque;

	pthread_mutex_lock(&f->lock);
	f->writable++;
	pthread_mutex_unlock(&f->lock);
}

static void front_resized(void *opaque)
{
	struct front *f = opaque;

	pthread_mutex_lock(&f->lock);
	f->resized++;
	pthread_mutex_unlock(&f->lock);
}

static const struct chardev_front_ops front_ops = {
	.room = front_room,
	.receive = front_receive,
	.writable = front_writable,
	.resized = front_resized,
};

struct fixture {
	struct fake_chardev fake;
	struct front front;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	fake_chardev_open(&f->fake, 16 * 1024);
	pthread_mutex_init(&f->front.lock, NULL);
	assert_int_equal(chardev_attach(f->fake.chr, &f->fake.loop, &front_ops,
					&f->front),
			 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fake_chardev_close(&f->fake, 0);
	free(f);
	return 0;
}

static void allow(struct fixture *f, size_t room)
{
	pthread_mutex_lock(&f->front.lock);
	f->front.room = room;
	pthread_mutex_unlock(&f->front.lock);
	chardev_kick_input(f->fake.chr);
}

static size_t received(struct fixture *f)
{
	size_t len;

	pthread_mutex_lock(&f->front.lock);
	len = f->front.len;
	pthread_mutex_unlock(&f->front.lock);
	return len;
}

static void assert_receives(struct fixture *f, const char *text)
{
	size_t len = strlen(text);

	for (int ms = 0; ms < PATIENCE_MS && received(f) < len; ms++)
		usleep(1000);
	usleep(5000);
	assert_int_equal(received(f), len);
	assert_memory_equal(f->front.bytes, text, len);
}

static u64 now_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (u64)now.tv_sec * 1000 + (u64)now.tv_nsec / 1000000;
}

static void put_text(struct chardev *chr, const char *text)
{
	size_t len = strlen(text);

	assert_int_equal(chardev_write(chr, (const u8 *)text, len), len);
}

/* ---- Output ---- */

static void test_char__output_arrives_in_order(void **state)
{
	struct fixture *f = *state;

	put_text(f->fake.chr, "one ");
	fake_chardev_expect(&f->fake, "one ");
	put_text(f->fake.chr, "two ");
	put_text(f->fake.chr, "three");
	fake_chardev_expect(&f->fake, "two three");
}

static size_t fill(struct fixture *f)
{
	static const u8 chunk[1000];
	size_t total = 0, n;

	do {
		n = chardev_write(f->fake.chr, chunk, sizeof(chunk));
		total += n;
		assert_true(total < 1 << 20);
	} while (n == sizeof(chunk));
	return total;
}

static bool was_writable(void *opaque)
{
	struct fixture *f = opaque;
	bool writable;

	pthread_mutex_lock(&f->front.lock);
	writable = f->front.writable > 0;
	pthread_mutex_unlock(&f->front.lock);
	return writable;
}

static void
test_char__stopped_reader_blocks_nobody_and_loses_nothing(void **state)
{
	struct fixture *f = *state;
	size_t total = 0, more;
	int quiet;

	/* The pipe takes a page, at some point or other. */
	for (quiet = 0; quiet < 10; quiet++) {
		more = fill(f);
		total += more;
		if (more)
			quiet = 0;
		usleep(10000);
	}
	assert_true(total >= 16 * 1024);
	assert_false(was_writable(f));
	assert_int_equal(fake_chardev_drain(&f->fake, total), total);
	assert_true(wait_until(was_writable, f));
}

static void test_char__close_drains(void **state)
{
	struct fixture *f = *state;
	int copy = dup(f->fake.screen_fd);
	char got[8] = "";

	put_text(f->fake.chr, "the end");
	chardev_detach(f->fake.chr);
	chardev_close(f->fake.chr, -1);
	assert_int_equal(read(copy, got, sizeof(got)), 7);
	assert_string_equal(got, "the end");
	close(copy);
	assert_int_equal(chardev_open_fds(-1, -1, 4096, &f->fake.chr), 0);
}

static void test_char__close_gives_up_on_a_stopped_reader(void **state)
{
	struct fixture *f = *state;
	u64 start;

	fill(f);
	usleep(20000);
	chardev_detach(f->fake.chr);
	start = now_ms(CLOCK_MONOTONIC);
	chardev_close(f->fake.chr, 100);
	assert_in_range(now_ms(CLOCK_MONOTONIC) - start, 90, PATIENCE_MS);
	assert_int_equal(chardev_open_fds(-1, -1, 4096, &f->fake.chr), 0);
}

static bool takes_all(struct chardev *chr)
{
	static const u8 chunk[1000];

	for (int i = 0; i < 100; i++)
		if (chardev_write(chr, chunk, sizeof(chunk)) != sizeof(chunk))
			return false;
	return true;
}

static void test_char__output_is_dropped_once_the_reader_is_gone(void **state)
{
	struct fixture *f = *state;

	close(f->fake.screen_fd);
	f->fake.screen_fd = -1;
	put_text(f->fake.chr, "nobody");
	/* More than the buffer takes, once the thread has found out. */
	for (int ms = 0; ms < PATIENCE_MS && !takes_all(f->fake.chr); ms++)
		usleep(1000);
	assert_true(takes_all(f->fake.chr));
}

static void spin(u64 ns)
{
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((u64)(now.tv_sec - start.tv_sec) * 1000000000 +
		       (u64)now.tv_nsec - (u64)start.tv_nsec <
	       ns);
}

static void test_char__bytes_are_gathered(void **state)
{
	struct fixture *f = *state;
	struct rusage before, after;

	getrusage(RUSAGE_SELF, &before);
	/* A guest's pace: some 10 us for each byte. */
	for (int i = 0; i < 3000; i++) {
		chardev_write(f->fake.chr, (const u8 *)"x", 1);
		spin(10000);
	}
	assert_int_equal(fake_chardev_drain(&f->fake, 3000), 3000);
	getrusage(RUSAGE_SELF, &after);
	assert_true(after.ru_nvcsw - before.ru_nvcsw < 500);
}

/* ---- Input ---- */

static void test_char__input_waits_for_room(void **state)
{
	struct fixture *f = *state;

	fake_chardev_type(&f->fake, "abcdef");
	usleep(20000);
	assert_int_equal(received(f), 0);
	allow(f, 2);
	assert_receives(f, "ab");
	allow(f, 100);
	assert_receives(f, "abcdef");
}

static void test_char__end_of_input_costs_nothing(void **state)
{
	struct fixture *f = *state;
	u64 before;

	allow(f, 100);
	fake_chardev_type(&f->fake, "last");
	close(f->fake.keyboard_fd);
	f->fake.keyboard_fd = -1;
	assert_receives(f, "last");
	before = now_ms(CLOCK_PROCESS_CPUTIME_ID);
	usleep(300000);
	assert_true(now_ms(CLOCK_PROCESS_CPUTIME_ID) - before < 50);
	put_text(f->fake.chr, "still here");
	fake_chardev_expect(&f->fake, "still here");
}

/* EPOLLHUP cannot be masked: a loop that kept the file would spin. */
static void test_char__end_of_input_without_room_costs_nothing(void **state)
{
	struct fixture *f = *state;
	u64 before;

	allow(f, 2);
	fake_chardev_type(&f->fake, "kept");
	assert_receives(f, "ke");
	close(f->fake.keyboard_fd);
	f->fake.keyboard_fd = -1;
	before = now_ms(CLOCK_PROCESS_CPUTIME_ID);
	usleep(300000);
	assert_true(now_ms(CLOCK_PROCESS_CPUTIME_ID) - before < 50);
	allow(f, 100);
	assert_receives(f, "kept");
}

static void test_char__regular_file_is_read_as_room_allows(void **state)
{
	struct fixture *f = *state;
	char name[] = "/tmp/lkvm-char-XXXXXX";
	int fd = mkstemp(name);
	struct chardev *chr;

	assert_true(fd >= 0);
	unlink(name);
	assert_int_equal(ftruncate(fd, 200000), 0);
	assert_int_equal(chardev_open_fds(fd, dup(fd), 4096, &chr), 0);
	chardev_detach(f->fake.chr);
	assert_int_equal(
		chardev_attach(chr, &f->fake.loop, &front_ops, &f->front), 0);
	pthread_mutex_lock(&f->front.lock);
	f->front.room = 150000;
	pthread_mutex_unlock(&f->front.lock);
	chardev_kick_input(chr);
	for (int ms = 0; ms < PATIENCE_MS && received(f) < 150000; ms++)
		usleep(1000);
	assert_int_equal(received(f), 150000);
	chardev_close(chr, 0);
}

static void test_char__resize_reaches_the_front_end(void **state)
{
	struct fixture *f = *state;
	unsigned int resized = 0;

	chardev_notify_resize(f->fake.chr);
	for (int ms = 0; ms < PATIENCE_MS && !resized; ms++) {
		usleep(1000);
		pthread_mutex_lock(&f->front.lock);
		resized = f->front.resized;
		pthread_mutex_unlock(&f->front.lock);
	}
	assert_int_equal(resized, 1);
}

/* ---- Pseudo-terminals ---- */

static int open_reader(const struct chardev *chr)
{
	char name[64];
	int fd;

	assert_int_equal(ptsname_r(chr->in_fd, name, sizeof(name)), 0);
	fd = open(name, O_RDWR | O_NOCTTY);
	assert_true(fd >= 0);
	return fd;
}

static void test_char__pty_passes_bytes_both_ways(void **state)
{
	struct fixture *f = *state;
	struct chardev *chr;
	char got[16] = "";
	int fd;

	assert_int_equal(chardev_open_pty("serial port 1", &f->fake.why, &chr),
			 0);
	chardev_detach(f->fake.chr);
	f->front.room = 100;
	assert_int_equal(
		chardev_attach(chr, &f->fake.loop, &front_ops, &f->front), 0);
	fd = open_reader(chr);
	put_text(chr, "to\r\n\x01x");
	for (ssize_t n = 0, more; n < 6; n += more) {
		more = read(fd, got + n, sizeof(got) - (size_t)n);
		assert_true(more > 0);
	}
	assert_memory_equal(got, "to\r\n\x01x", 6);
	assert_int_equal(write(fd, "fro\r\x01x", 6), 6);
	assert_receives(f, "fro\r\x01x");
	close(fd);
	chardev_close(chr, 0);
}

static void
test_char__pty_without_reader_drops_instead_of_holding_back(void **state)
{
	static const u8 chunk[1024];
	struct fixture *f = *state;
	struct chardev *chr;
	u64 before, start = now_ms(CLOCK_MONOTONIC);

	assert_int_equal(chardev_open_pty("serial port 1", &f->fake.why, &chr),
			 0);
	chardev_detach(f->fake.chr);
	assert_int_equal(
		chardev_attach(chr, &f->fake.loop, &front_ops, &f->front), 0);
	while (chardev_write(chr, chunk, sizeof(chunk)) == sizeof(chunk))
		;
	assert_true(wait_until(was_writable, f));
	assert_true(now_ms(CLOCK_MONOTONIC) - start >= 900);
	for (int i = 0; i < 100; i++)
		assert_int_equal(chardev_write(chr, chunk, sizeof(chunk)),
				 sizeof(chunk));
	before = now_ms(CLOCK_PROCESS_CPUTIME_ID);
	usleep(300000);
	assert_true(now_ms(CLOCK_PROCESS_CPUTIME_ID) - before < 50);
	start = now_ms(CLOCK_MONOTONIC);
	chardev_close(chr, -1);
	assert_true(now_ms(CLOCK_MONOTONIC) - start < PATIENCE_MS);
}

/* ---- Keys and the terminal ---- */

static unsigned int quits;

static void count_quit(void *opaque)
{
	quits++;
}

static void type(struct char_typed *typed, const char *text)
{
	typed_add(typed, (const u8 *)text, strlen(text), count_quit, NULL);
}

static void assert_typed(struct char_typed *typed, const char *text)
{
	const u8 *bytes;
	size_t len = typed_peek(typed, &bytes);

	assert_int_equal(len, strlen(text));
	assert_memory_equal(bytes, text, len);
	typed_consume(typed, len);
}

static void test_char__keys(void **state)
{
	static struct char_typed typed;

	quits = 0;
	type(&typed, "a\x01");
	assert_typed(&typed, "a");
	type(&typed, "\x01"
		     "b");
	assert_typed(&typed, "\x01"
			     "b");
	type(&typed, "\x01q");
	assert_typed(&typed, "\x01q");
	type(&typed, "\x01h");
	assert_typed(&typed, "");
	type(&typed, "\x01\x01x");
	assert_typed(&typed, "\x01x");
	assert_int_equal(quits, 0);
	type(&typed, "\x01");
	type(&typed, "x");
	assert_typed(&typed, "");
	assert_int_equal(quits, 1);
}

static void test_char__quit_works_behind_a_full_buffer(void **state)
{
	static struct char_typed typed;

	quits = 0;
	for (int i = 0; i < 1000; i++)
		type(&typed, "0123456789");
	assert_int_equal(typed.count, CHAR_TYPED_LEN);
	type(&typed, "\x01x");
	assert_int_equal(quits, 1);
}

static void test_char__terminal_goes_raw_and_comes_back(void **state)
{
	struct termios before, raw, after;
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	char name[64];
	int fd;

	assert_int_equal(grantpt(master) | unlockpt(master), 0);
	assert_int_equal(ptsname_r(master, name, sizeof(name)), 0);
	fd = open(name, O_RDWR | O_NOCTTY);
	assert_int_equal(tcgetattr(fd, &before), 0);
	assert_int_equal(terminal_enter_raw(fd), 0);
	assert_int_equal(tcgetattr(fd, &raw), 0);
	assert_false(raw.c_lflag & (ICANON | ECHO | ISIG));
	assert_false(raw.c_iflag & ICRNL);
	assert_false(raw.c_oflag & OPOST);
	terminal_restore();
	terminal_restore();
	assert_int_equal(tcgetattr(fd, &after), 0);
	assert_int_equal(after.c_lflag, before.c_lflag);
	assert_int_equal(after.c_iflag, before.c_iflag);
	assert_int_equal(after.c_oflag, before.c_oflag);
	close(fd);
	close(master);
}

int main(void)
{
#define WITH_FAKE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_FAKE(test_char__output_arrives_in_order),
		WITH_FAKE(
			test_char__stopped_reader_blocks_nobody_and_loses_nothing),
		WITH_FAKE(test_char__close_drains),
		WITH_FAKE(test_char__close_gives_up_on_a_stopped_reader),
		WITH_FAKE(test_char__output_is_dropped_once_the_reader_is_gone),
		WITH_FAKE(test_char__bytes_are_gathered),
		WITH_FAKE(test_char__input_waits_for_room),
		WITH_FAKE(test_char__end_of_input_costs_nothing),
		WITH_FAKE(test_char__end_of_input_without_room_costs_nothing),
		WITH_FAKE(test_char__regular_file_is_read_as_room_allows),
		WITH_FAKE(test_char__resize_reaches_the_front_end),
		WITH_FAKE(test_char__pty_passes_bytes_both_ways),
		WITH_FAKE(
			test_char__pty_without_reader_drops_instead_of_holding_back),
		cmocka_unit_test(test_char__keys),
		cmocka_unit_test(test_char__quit_works_behind_a_full_buffer),
		cmocka_unit_test(test_char__terminal_goes_raw_and_comes_back),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
