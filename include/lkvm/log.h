/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only way to standard error. One line a message; standard output belongs
 * to the guest. Any thread may log; a line is written with one write(2).
 */
#ifndef LKVM_LOG_H
#define LKVM_LOG_H

#include <stdarg.h>
#include <stdatomic.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/* Messages above @level are dropped. Default: info. */
void log_set_level(enum log_level level);

/* A copy of all messages goes to @fd; -1: no more. Before there are threads. */
void log_copy_to(int fd);

#define LOG_FORMAT(f, a) __attribute__((format(printf, f, a)))

/* "  Fatal: ...": why this command ends. Printed at every level. */
void log_fatal(const char *fmt, ...) LOG_FORMAT(1, 2);
void log_error(const char *fmt, ...) LOG_FORMAT(1, 2);
void log_warning(const char *fmt, ...) LOG_FORMAT(1, 2);
void log_info(const char *fmt, ...) LOG_FORMAT(1, 2);
void log_debug(const char *fmt, ...) LOG_FORMAT(1, 2);
/* What the user asked to see: at every level, with nothing in front. */
void log_text(const char *fmt, ...) LOG_FORMAT(1, 2);

/*
 * Where a report of several lines goes: one call a line, no newline in it. Must not
 * block.
 */
struct text_sink {
	void (*line)(void *opaque, const char *text);
	void *opaque;
};

void text_emit(const struct text_sink *sink, const char *fmt, ...)
	LOG_FORMAT(2, 3);

/* A sink of log_info(). */
extern const struct text_sink log_info_sink;

/*
 * For what a guest can cause: a warning the first time, silence afterwards, so
 * that a hostile guest cannot flood the log. One instance per device, zeroed.
 */
struct log_once {
	atomic_flag done;
};

void log_guest_error(struct log_once *once, const char *fmt, ...)
	LOG_FORMAT(2, 3);

#endif
