/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The user's terminal: raw mode and the way back, and the keys that are not for
 * the guest. The state is the process's, as the terminal is.
 */
#include "backend/char_priv.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <termios.h>
#include <unistd.h>
#include "lkvm/log.h"

#define CTRL_A 0x01

/* Written before is_raw is set; then const until it is cleared. */
static struct termios found;
static int terminal_fd = -1;
/* Release, when found is filled in; acquire in terminal_restore(). */
static atomic_bool is_raw;

bool terminal_in_background(int fd)
{
	pid_t foreground = tcgetpgrp(fd);

	/* -1: not our controlling terminal, so nobody stops us. */
	return foreground > 0 && foreground != getpgrp();
}

void terminal_restore(void)
{
	int saved_errno = errno;
	sigset_t ttou, saved_mask;

	if (!atomic_exchange(&is_raw, false))
		return;
	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &ttou, &saved_mask);
	/* In the background, the modes are those of another program. */
	if (!terminal_in_background(terminal_fd))
		tcsetattr(terminal_fd, TCSANOW, &found);
	pthread_sigmask(SIG_SETMASK, &saved_mask, NULL);
	errno = saved_errno;
}

int terminal_enter_raw(int fd)
{
	struct termios raw;

	if (terminal_in_background(fd))
		return -EAGAIN;
	if (!atomic_load(&is_raw)) {
		if (tcgetattr(fd, &found) < 0)
			return -errno;
		terminal_fd = fd;
		atomic_store(&is_raw, true);
	}
	raw = found;
	cfmakeraw(&raw);
	if (tcsetattr(fd, TCSANOW, &raw) < 0)
		return -errno;
	return 0;
}

/* ---- Keys ---- */

bool typed_push(struct char_typed *typed, u8 byte)
{
	if (typed->count == CHAR_TYPED_LEN)
		return false;
	typed->bytes[(typed->first + typed->count) % CHAR_TYPED_LEN] = byte;
	typed->count++;
	return true;
}

static void list_keys(void)
{
	log_info("Ctrl-A x ends the virtual machine");
	log_info("Ctrl-A h lists the keys");
	log_info("Ctrl-A Ctrl-A sends Ctrl-A to the guest");
}

/* Keys that do not fit are lost, as with a real terminal's buffer. */
void typed_add(struct char_typed *typed, const u8 *bytes, size_t len,
	       void (*quit)(void *opaque), void *opaque)
{
	for (size_t i = 0; i < len; i++) {
		bool was_escaped = typed->escaped;

		typed->escaped = !was_escaped && bytes[i] == CTRL_A;
		if (typed->escaped)
			continue;
		if (was_escaped && bytes[i] == 'x') {
			quit(opaque);
			continue;
		}
		if (was_escaped && bytes[i] == 'h') {
			list_keys();
			continue;
		}
		/* No key of ours: the guest gets what was typed. */
		if (was_escaped && bytes[i] != CTRL_A)
			typed_push(typed, CTRL_A);
		typed_push(typed, bytes[i]);
	}
}

size_t typed_peek(const struct char_typed *typed, const u8 **bytes)
{
	unsigned int to_end = CHAR_TYPED_LEN - typed->first;

	*bytes = typed->bytes + typed->first;
	return typed->count < to_end ? typed->count : to_end;
}

void typed_consume(struct char_typed *typed, size_t len)
{
	typed->first = (unsigned int)(typed->first + len) % CHAR_TYPED_LEN;
	typed->count -= (unsigned int)len;
}
