/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Output of a chardev: a ring buffer, and a thread that writes it out with
 * plain, blocking write(2)s. Standard output may be shared with other processes,
 * so it cannot be made non-blocking; a thread of its own blocks instead of the
 * caller.
 *
 * A guest writes byte by byte. So the thread is woken when the buffer stops
 * being empty, and then lets more come in for a millisecond: one wake-up per
 * millisecond at most, and none while there is nothing to write.
 */
#include "backend/char_priv.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "lkvm/clock.h"
#include "lkvm/confine.h"
#include "lkvm/log.h"
#include "lkvm/thread.h"

#define GATHER_NS NSEC_PER_MSEC
/* The thread stops gathering when this much is there. */
#define GATHER_LEN (16 * 1024U)
/* Large writes to a slow reader would hide that it makes progress. */
#define WRITE_MAX_LEN (64 * 1024U)
/* Memory kept when the buffer is empty. */
#define KEEP_LEN (64 * 1024U)
#define NO_READER_MS 1000

/* Interrupts a write(2) that is stuck; the kick of vCPUs is SIGRTMIN. */
#define INTERRUPT_SIGNAL (SIGRTMIN + 1)

static void deadline_after(struct timespec *when, u64 ns)
{
	*when = timespec_of_ns(monotonic_ns() + ns);
}

static unsigned int used_locked(const struct char_output *out)
{
	return (unsigned int)(out->put - out->written);
}

/* The same, where there is somebody to write to: see output_set_fd(). */
static unsigned int pending_locked(const struct char_output *out)
{
	return out->fd < 0 ? 0 : used_locked(out);
}

/* ---- Writer thread ---- */

/* Wait until there is something to write, and for more of it. */
static void gather_locked(struct char_output *out)
{
	struct timespec deadline;

	while (!pending_locked(out) && !out->stopping)
		pthread_cond_wait(&out->changed, &out->lock);
	deadline_after(&deadline, GATHER_NS);
	while (used_locked(out) < GATHER_LEN && !out->stopping)
		if (pthread_cond_timedwait(&out->changed, &out->lock,
					   &deadline))
			return;
}

/* -EAGAIN: nobody reads. Only where @fd does not block. */
static int wait_writable(struct char_output *out, int fd, bool was_dropping)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	int patience = out->may_drop && !was_dropping ? NO_READER_MS : -1;
	int ready = poll(&pfd, 1, patience);

	if (ready < 0)
		return -errno;
	return ready ? 0 : -EAGAIN;
}

/* One write(2). Bytes written, or negative errno. */
static ssize_t write_some(int fd, const u8 *bytes, size_t len)
{
	ssize_t n = write(fd, bytes, len);

	return n < 0 ? -errno : n;
}

/* @bytes of the buffer have been written. */
static void advance_locked(struct char_output *out, size_t bytes)
{
	out->written += bytes;
	out->dropping = out->failed;
	if (used_locked(out))
		return;
	/* Nobody holds a position in an empty buffer: give memory back. */
	if (out->put > KEEP_LEN)
		madvise(out->buf, out->len, MADV_DONTNEED);
	out->put = 0;
	out->written = 0;
}

static void fail_locked(struct char_output *out, int err)
{
	out->failed = true;
	out->starved = true; /* news for who waits for room, and for streams */
	advance_locked(out, used_locked(out));
	pthread_mutex_unlock(&out->lock);
	/* A reader that has had enough is no surprise: "lkvm run | head". */
	if (err == -EPIPE || err == -ECONNRESET)
		log_debug("%s: the reader has gone, output is dropped",
			  out->name);
	else
		log_warning("%s: %s, output is dropped from here on", out->name,
			    strerror(-err));
	pthread_mutex_lock(&out->lock);
}

/* Tell the front end, once half of the buffer is free. */
static void report_room_locked(struct char_output *out)
{
	if (!out->starved ||
	    (used_locked(out) > out->len / 2 && !out->dropping))
		return;
	out->starved = false;
	pthread_mutex_unlock(&out->lock);
	out->room(out);
	pthread_mutex_lock(&out->lock);
}

/* Write one piece; the lock is free meanwhile. */
static void write_piece_locked(struct char_output *out)
{
	unsigned int at = (unsigned int)(out->written & (out->len - 1));
	size_t len = used_locked(out);
	bool was_dropping = out->dropping;
	int fd = out->fd;
	ssize_t n;

	if (len > out->len - at)
		len = out->len - at;
	if (len > WRITE_MAX_LEN)
		len = WRITE_MAX_LEN;

	out->writing = true;
	pthread_mutex_unlock(&out->lock);
	n = write_some(fd, out->buf + at, len);
	if (n == -EAGAIN) {
		int err = wait_writable(out, fd, was_dropping);

		n = err == -EAGAIN ? -ETIMEDOUT : err;
	}
	pthread_mutex_lock(&out->lock);
	out->writing = false;

	if (fd != out->fd)
		pthread_cond_broadcast(&out->exited); /* output_set_fd() */
	else if (n > 0)
		advance_locked(out, (size_t)n);
	else if (n == -ETIMEDOUT)
		out->dropping = true;
	else if (n < 0 && n != -EINTR)
		fail_locked(out, (int)n);
}

static void *run_writer(void *opaque)
{
	struct char_output *out = opaque;
	sigset_t unblocked;

	/* Neither those that the process waits for, nor SIGPIPE or SIGTTOU. */
	sigemptyset(&unblocked);
	sigaddset(&unblocked, INTERRUPT_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &unblocked, NULL);
	confine_thread(CONFINE_WRITER);

	pthread_mutex_lock(&out->lock);
	while (!out->abandon) {
		gather_locked(out);
		if (!pending_locked(out) && out->stopping)
			break;
		if (!pending_locked(out))
			continue; /* output_set_fd() */
		write_piece_locked(out);
		report_room_locked(out);
	}
	out->finished = true;
	pthread_cond_signal(&out->exited);
	pthread_mutex_unlock(&out->lock);
	return NULL;
}

/* ---- The owner's side ---- */

static void interrupted(int signal)
{
}

/* No SA_RESTART: the point is that write(2) returns. */
static void install_interrupt_handler(void)
{
	struct sigaction action = { .sa_handler = interrupted };

	sigaction(INTERRUPT_SIGNAL, &action, NULL);
}

static void init_locks(struct char_output *out)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&out->changed, &attr);
	pthread_cond_init(&out->exited, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&out->lock, NULL);
}

static void free_all(struct char_output *out)
{
	pthread_mutex_destroy(&out->lock);
	pthread_cond_destroy(&out->exited);
	pthread_cond_destroy(&out->changed);
	munmap(out->history, CHARDEV_HISTORY_LEN);
	munmap(out->buf, out->len);
}

/* Takes memory only where it is used. */
static void *map_buffer(size_t len)
{
	void *buf = mmap(NULL, len, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return buf == MAP_FAILED ? NULL : buf;
}

int output_init(struct char_output *out, int fd, const char *name,
		unsigned int len, bool may_drop,
		void (*room)(struct char_output *out))
{
	u8 *buf = map_buffer(len), *history = map_buffer(CHARDEV_HISTORY_LEN);
	int err;

	if (!buf || !history) {
		if (buf)
			munmap(buf, len);
		return -ENOMEM;
	}
	*out = (struct char_output){
		.fd = fd,
		.name = name,
		.may_drop = may_drop,
		.room = room,
		.buf = buf,
		.len = len,
		.history = history,
	};
	init_locks(out);
	install_interrupt_handler();
	err = thread_start(&out->thread, "console", run_writer, out);
	if (err)
		free_all(out);
	return err;
}

/* False: the time is up. @deadline NULL: there is no limit. */
static bool wait_finished_locked(struct char_output *out,
				 const struct timespec *deadline)
{
	while (!out->finished) {
		if (!deadline)
			pthread_cond_wait(&out->exited, &out->lock);
		else if (pthread_cond_timedwait(&out->exited, &out->lock,
						deadline) == ETIMEDOUT)
			return out->finished;
	}
	return true;
}

/*
 * The signal may come just before write(2) begins, and then does nothing: so
 * it is sent until it has worked.
 */
static void interrupt_writer_locked(struct char_output *out)
{
	struct timespec deadline;

	out->abandon = true;
	do {
		pthread_kill(out->thread, INTERRUPT_SIGNAL);
		deadline_after(&deadline, GATHER_NS);
	} while (!wait_finished_locked(out, &deadline));
}

void output_release(struct char_output *out, int timeout_ms)
{
	struct timespec deadline;

	if (timeout_ms >= 0)
		deadline_after(&deadline, (u64)timeout_ms * NSEC_PER_MSEC);
	pthread_mutex_lock(&out->lock);
	out->stopping = true;
	pthread_cond_signal(&out->changed);
	if (!wait_finished_locked(out, timeout_ms < 0 ? NULL : &deadline))
		interrupt_writer_locked(out);
	pthread_mutex_unlock(&out->lock);
	pthread_join(out->thread, NULL);
	free_all(out);
}

bool output_has_failed(struct char_output *out)
{
	bool failed;

	pthread_mutex_lock(&out->lock);
	failed = out->failed && out->fd >= 0;
	pthread_mutex_unlock(&out->lock);
	return failed;
}

void output_set_fd(struct char_output *out, int fd)
{
	bool starved;

	pthread_mutex_lock(&out->lock);
	out->failed = true;
	out->fd = -1;
	while (out->writing)
		pthread_cond_wait(&out->exited, &out->lock);
	advance_locked(out, used_locked(out));
	out->fd = fd;
	out->failed = fd < 0;
	out->dropping = out->failed;
	starved = out->starved;
	out->starved = false;
	pthread_mutex_unlock(&out->lock);
	if (starved)
		out->room(out);
}

/* ---- History ---- */

/* @len bytes to or from a ring of @ring_len, a power of two, at @position. */
static void copy_to_ring(u8 *ring, size_t ring_len, u64 position,
			 const u8 *bytes, size_t len)
{
	size_t at = position & (ring_len - 1);
	size_t first = ring_len - at < len ? ring_len - at : len;

	memcpy(ring + at, bytes, first);
	memcpy(ring, bytes + first, len - first);
}

static void remember_locked(struct char_output *out, const u8 *bytes,
			    size_t len)
{
	size_t skipped = 0;

	if (len > CHARDEV_HISTORY_LEN)
		skipped = len - CHARDEV_HISTORY_LEN;
	out->history_end += skipped;
	copy_to_ring(out->history, CHARDEV_HISTORY_LEN, out->history_end,
		     bytes + skipped, len - skipped);
	out->history_end += len - skipped;
	if (out->spot)
		spot_feed(out->spot, bytes, len);
}

size_t output_read_history(struct char_output *out, u64 *from, u8 *bytes,
			   size_t max)
{
	size_t at, first, len;

	pthread_mutex_lock(&out->lock);
	if (out->history_end - *from > CHARDEV_HISTORY_LEN)
		*from = out->history_end - CHARDEV_HISTORY_LEN;
	len = out->history_end - *from < max
		      ? (size_t)(out->history_end - *from)
		      : max;
	at = *from & (CHARDEV_HISTORY_LEN - 1);
	first = CHARDEV_HISTORY_LEN - at < len ? CHARDEV_HISTORY_LEN - at : len;
	memcpy(bytes, out->history + at, first);
	memcpy(bytes + first, out->history, len - first);
	*from += len;
	pthread_mutex_unlock(&out->lock);
	return len;
}

/* ---- What comes in ---- */

/* Runs on vCPUs, often for one byte at a time. */
size_t output_put(struct char_output *out, const u8 *bytes, size_t len)
{
	size_t before, taken;
	bool wake;

	pthread_mutex_lock(&out->lock);
	before = used_locked(out);
	taken = out->len - before < len ? out->len - before : len;
	if (out->failed)
		taken = 0;
	copy_to_ring(out->buf, out->len, out->put, bytes, taken);
	out->put += taken;
	/* The thread sleeps for good, or may be gathering. */
	wake = taken && (!before ||
			 (before < GATHER_LEN && before + taken >= GATHER_LEN));
	if (taken < len && !out->failed && !out->dropping)
		out->starved = true;
	else
		taken = len; /* whatever did not fit is lost */
	remember_locked(out, bytes, taken);
	pthread_mutex_unlock(&out->lock);
	if (wake)
		pthread_cond_signal(&out->changed);
	return taken;
}
