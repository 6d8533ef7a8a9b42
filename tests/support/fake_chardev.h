/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A chardev between two pipes whose other ends the test holds, and an event loop
 * that serves it.
 */
#ifndef LKVM_TEST_FAKE_CHARDEV_H
#define LKVM_TEST_FAKE_CHARDEV_H

#include "lkvm/chardev.h"
#include "lkvm/event.h"
#include "lkvm/failure.h"

struct fake_chardev {
	struct chardev *chr;
	struct event_loop loop;
	struct failure why;
	int keyboard_fd; /* bytes written here come in; -1 once closed */
	int screen_fd;	 /* what was put out is read here; -1 once closed */
};

/* A chardev with an output buffer of @len bytes (a power of two). */
void fake_chardev_open(struct fake_chardev *fake, unsigned int len);
void fake_chardev_close(struct fake_chardev *fake, int timeout_ms);
/* Type @text. */
void fake_chardev_type(struct fake_chardev *fake, const char *text);
/* The next @len bytes of output equal @expected. */
void fake_chardev_expect(struct fake_chardev *fake, const char *expected);
/* Read @expected bytes, and more if there are; returns how many came. */
size_t fake_chardev_drain(struct fake_chardev *fake, size_t expected);

/* Wait until @condition, checked every millisecond; false after 5 seconds. */
bool wait_until(bool (*condition)(void *opaque), void *opaque);

#endif
