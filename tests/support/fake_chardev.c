/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/support/fake_chardev.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "backend/char_priv.h"

enum {
	PATIENCE_MS = 20000 /* of machines under load */
};

/* Not cmocka's: fuzzers link this file too. */
static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fake chardev: %s failed\n", what);
	abort();
}

void fake_chardev_open(struct fake_chardev *fake, unsigned int len)
{
	int in[2], out[2];

	*fake = (struct fake_chardev){ .why = FAILURE_INIT };
	check(pipe2(in, O_CLOEXEC) == 0, "set-up");
	check(pipe2(out, O_CLOEXEC) == 0, "set-up");
	/* One page, so that a stopped reader is noticed soon. */
	check(fcntl(out[1], F_SETPIPE_SZ, 4096) >= 0, "F_SETPIPE_SZ");
	fake->keyboard_fd = in[1];
	fake->screen_fd = out[0];
	check(event_loop_init(&fake->loop, &fake->why) == 0, "set-up");
	check(event_loop_start(&fake->loop) == 0, "set-up");
	check(chardev_open_fds(in[0], out[1], len, &fake->chr) == 0, "set-up");
}

void fake_chardev_close(struct fake_chardev *fake, int timeout_ms)
{
	chardev_detach(fake->chr);
	chardev_close(fake->chr, timeout_ms);
	event_loop_release(&fake->loop);
	if (fake->keyboard_fd >= 0)
		close(fake->keyboard_fd);
	if (fake->screen_fd >= 0)
		close(fake->screen_fd);
}

void fake_chardev_type(struct fake_chardev *fake, const char *text)
{
	ssize_t len = (ssize_t)strlen(text);

	check(write(fake->keyboard_fd, text, (size_t)len) == len, "typing");
}

static bool is_readable(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, ms) == 1;
}

void fake_chardev_expect(struct fake_chardev *fake, const char *expected)
{
	char got[256];
	size_t len = strlen(expected), n = 0;

	check(len <= sizeof(got), "expecting so much");
	while (n < len) {
		ssize_t more;

		check(is_readable(fake->screen_fd, PATIENCE_MS), "output");
		more = read(fake->screen_fd, got + n, len - n);
		check(more > 0, "reading output");
		n += (size_t)more;
	}
	check(!memcmp(got, expected, len), "output as expected");
}

size_t fake_chardev_drain(struct fake_chardev *fake, size_t expected)
{
	char buf[4096];
	size_t total = 0;

	while (is_readable(fake->screen_fd,
			   total < expected ? PATIENCE_MS : 20)) {
		ssize_t n = read(fake->screen_fd, buf, sizeof(buf));

		if (n <= 0)
			break;
		total += (size_t)n;
	}
	return total;
}

bool wait_until(bool (*condition)(void *opaque), void *opaque)
{
	for (int ms = 0; ms < PATIENCE_MS; ms++) {
		if (condition(opaque))
			return true;
		usleep(1000);
	}
	return false;
}
