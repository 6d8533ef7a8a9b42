/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages to standard error: one line, one write(2) each, so that lines of
 * several threads, or of several processes on one terminal, do not mix.
 */
#include "lkvm/log.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_LEN 1024
#define STALLED_READER_MS 1000
#define TEXT_LINE_LEN 256

static _Atomic enum log_level max_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&max_level, level, memory_order_relaxed);
}

static int copy_fd = -1;

void log_copy_to(int fd)
{
	copy_fd = fd;
}

static bool is_enabled(enum log_level level)
{
	return level <= atomic_load_explicit(&max_level, memory_order_relaxed);
}

/*
 * Standard error may be non-blocking, because whoever shares the file made it
 * so. Then a reader that stalls costs a second and the rest of the line, and
 * not the VM.
 */
static void write_all(int fd, const char *buf, size_t len)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	ssize_t written;

	while (len) {
		written = write(fd, buf, len);
		if (written >= 0) {
			buf += written;
			len -= (size_t)written;
		} else if (errno == EAGAIN) {
			if (poll(&pfd, 1, STALLED_READER_MS) == 0)
				return;
		} else if (errno != EINTR) {
			return;
		}
	}
}

/* A file name may hold anything; a message stays one line of text. */
static void replace_control_characters(char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			text[i] = '?';
}

static void write_line(const char *prefix, const char *fmt, va_list args)
{
	char line[LINE_MAX_LEN];
	int saved_errno = errno;
	size_t len = strlen(prefix);
	size_t room = sizeof(line) - len - 1; /* 1: the newline */
	int text_len;

	memcpy(line, prefix, len);
	text_len = vsnprintf(line + len, room, fmt, args);
	if (text_len < 0)
		text_len = 0;
	if ((size_t)text_len >= room)
		text_len = (int)room - 1;
	replace_control_characters(line + len, (size_t)text_len);
	len += (size_t)text_len;
	line[len++] = '\n';
	write_all(STDERR_FILENO, line, len);
	if (copy_fd >= 0)
		write_all(copy_fd, line, len);
	errno = saved_errno;
}

void log_fatal(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	write_line("  Fatal: ", fmt, args);
	va_end(args);
}

void log_error(const char *fmt, ...)
{
	va_list args;

	if (!is_enabled(LOG_LEVEL_ERROR))
		return;
	va_start(args, fmt);
	write_line("  Error: ", fmt, args);
	va_end(args);
}

void log_warning(const char *fmt, ...)
{
	va_list args;

	if (!is_enabled(LOG_LEVEL_WARNING))
		return;
	va_start(args, fmt);
	write_line("  Warning: ", fmt, args);
	va_end(args);
}

void log_info(const char *fmt, ...)
{
	va_list args;

	if (!is_enabled(LOG_LEVEL_INFO))
		return;
	va_start(args, fmt);
	write_line("  Info: ", fmt, args);
	va_end(args);
}

void log_text(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	write_line("", fmt, args);
	va_end(args);
}

void log_debug(const char *fmt, ...)
{
	va_list args;

	if (!is_enabled(LOG_LEVEL_DEBUG))
		return;
	va_start(args, fmt);
	write_line("  Debug: ", fmt, args);
	va_end(args);
}

void text_emit(const struct text_sink *sink, const char *fmt, ...)
{
	char text[TEXT_LINE_LEN];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	sink->line(sink->opaque, text);
}

static void info_line(void *opaque, const char *text)
{
	log_info("%s", text);
}

const struct text_sink log_info_sink = { .line = info_line };

void log_guest_error(struct log_once *once, const char *fmt, ...)
{
	va_list args;

	if (!is_enabled(LOG_LEVEL_WARNING) ||
	    atomic_flag_test_and_set_explicit(&once->done,
					      memory_order_relaxed))
		return;
	va_start(args, fmt);
	write_line("  Warning: ", fmt, args);
	va_end(args);
}
