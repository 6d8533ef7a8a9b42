/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Chardevs: the front end's calls, and input on the event loop.
 *
 * Standard input may be shared with other processes and so cannot be made
 * non-blocking: there is one read(2) each time that epoll reports input, for no
 * more than the front end has room for. While it has none, the file is not in
 * the loop at all (a closed pipe would report EPOLLHUP over and over).
 */
#include "backend/char_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define READ_MAX_LEN 4096U
/* A file that is always readable gives the loop back after as many reads. */
#define FILE_READS_MAX 16
#define BACKGROUND_RETRY_NS 1000000000ULL
/* What a pty's reader gets to take the last output before the pty goes. */
#define PTY_CLOSE_MS 100
/* The same for the client of a socket, which may have stopped reading. */
#define SOCKET_CLOSE_MS 1000

/* ---- The event loop's side ---- */

static size_t room_of_front(const struct chardev *chr)
{
	return chr->front->room(chr->front_opaque);
}

/*
 * Ask for a kick when there is room; true: there is already. The flag comes
 * first, so that a kick after the look at the room is not lost.
 */
static bool throttle(struct chardev *chr)
{
	atomic_store(&chr->throttled, true);
	if (!room_of_front(chr))
		return false;
	atomic_store(&chr->throttled, false);
	return true;
}

void chardev_unwatch(struct chardev *chr)
{
	if (chr->watching)
		event_remove(chr->loop, &chr->input);
	chr->watching = false;
}

void chardev_watch(struct chardev *chr)
{
	int err;

	if (chr->watching || chr->at_end || chr->cannot_poll)
		return;
	err = event_add(chr->loop, &chr->input, EPOLLIN);
	chr->watching = !err;
	chr->cannot_poll = err == -EPERM;
	chr->at_end = err && err != -EPERM;
}

/* Give the guest what was typed, as far as it takes it. */
static void deliver_typed(struct chardev *chr)
{
	const u8 *bytes;
	size_t len, room;

	while ((len = typed_peek(&chr->typed, &bytes))) {
		room = room_of_front(chr);
		if (!room && !throttle(chr))
			return;
		if (len > room)
			len = room;
		chr->front->receive(chr->front_opaque, bytes, len);
		typed_consume(&chr->typed, len);
	}
}

/* Raw mode if the terminal is ours to change; else try again later. */
static void take_terminal(struct chardev *chr)
{
	if (terminal_enter_raw(chr->in_fd) != -EAGAIN) {
		chardev_watch(chr);
		return;
	}
	chardev_unwatch(chr);
	event_timer_set(&chr->background, BACKGROUND_RETRY_NS);
}

static void background_expired(struct event_timer *timer)
{
	take_terminal(container_of(timer, struct chardev, background));
}

static void tell_end(const struct chardev *chr)
{
	if (chr->front->connected)
		chr->front->connected(chr->front_opaque);
}

/* Up to @max bytes; 0 also when there are none for now. */
static size_t read_input(struct chardev *chr, u8 *bytes, size_t max)
{
	ssize_t n = read(chr->in_fd, bytes, max);

	if (n > 0)
		return (size_t)n;
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n < 0 && chr->has_terminal && terminal_in_background(chr->in_fd)) {
		take_terminal(chr);
		return 0;
	}
	/* The end of the input, which is not the end of the guest. */
	chr->at_end = true;
	if (!chr->is_socket || event_modify(chr->loop, &chr->input, 0) < 0)
		chardev_unwatch(chr);
	if (chr->is_stream)
		tell_end(chr);
	return 0;
}

static void read_terminal(struct chardev *chr)
{
	u8 bytes[256];
	size_t len = read_input(chr, bytes, sizeof(bytes));

	typed_add(&chr->typed, bytes, len, chr->quit, chr->quit_opaque);
	deliver_typed(chr);
}

/* True: there may be more to read and more room. */
static bool read_for_front(struct chardev *chr)
{
	u8 bytes[READ_MAX_LEN];
	size_t room = room_of_front(chr), len;

	if (!room) {
		chardev_unwatch(chr);
		return throttle(chr);
	}
	len = read_input(chr, bytes,
			 room < sizeof(bytes) ? room : sizeof(bytes));
	if (!len)
		return false;
	chr->front->receive(chr->front_opaque, bytes, len);
	return true;
}

static void read_file(struct chardev *chr)
{
	for (int i = 0; i < FILE_READS_MAX; i++)
		if (!read_for_front(chr))
			return;
	chardev_notify(chr);
}

static void input_ready(struct event_source *src, u32 events)
{
	struct chardev *chr = container_of(src, struct chardev, input);

	if (chr->is_socket && socket_client_left(chr, events))
		return;
	if (chr->has_terminal)
		read_terminal(chr);
	else if (read_for_front(chr))
		chardev_watch(chr);
}

/* The front end may have room: get input going again. */
static void pump_input(struct chardev *chr)
{
	deliver_typed(chr);
	if (chr->has_terminal || chr->in_fd < 0 || chr->at_end)
		return;
	if (!chr->cannot_poll && (room_of_front(chr) || throttle(chr)))
		chardev_watch(chr);
	if (chr->cannot_poll)
		read_file(chr);
}

static void notify_ready(struct event_source *src, u32 events)
{
	struct chardev *chr = container_of(src, struct chardev, notify);
	u64 count;

	/* Nothing to read is no reason not to look. */
	if (read(src->fd, &count, sizeof(count)) < 0)
		count = 0;
	if (atomic_exchange(&chr->continue_wanted, false) && chr->has_terminal)
		take_terminal(chr);
	if (atomic_exchange(&chr->resize_wanted, false) && chr->front->resized)
		chr->front->resized(chr->front_opaque);
	if (atomic_exchange(&chr->room_wanted, false))
		chr->front->writable(chr->front_opaque);
	if (chr->is_stream && !chr->end_told &&
	    output_has_failed(&chr->output)) {
		chr->end_told = true;
		tell_end(chr);
	}
	pump_input(chr);
}

/* ---- Any thread ---- */

void chardev_notify(struct chardev *chr)
{
	u64 one = 1;

	/* Fails only when the counter is full, and then the loop wakes too. */
	while (write(chr->notify.fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void chardev_kick_input(struct chardev *chr)
{
	if (atomic_exchange(&chr->throttled, false))
		chardev_notify(chr);
}

void chardev_notify_resize(struct chardev *chr)
{
	atomic_store(&chr->resize_wanted, true);
	chardev_notify(chr);
}

void chardev_notify_continue(struct chardev *chr)
{
	atomic_store(&chr->continue_wanted, true);
	chardev_notify(chr);
}

static void signal_watcher(struct chardev *chr)
{
	int fd = atomic_load(&chr->watch_fd);
	u64 one = 1;

	/* Fails only when the counter is full, and then it is signalled, too. */
	if (fd >= 0)
		while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
			;
}

size_t chardev_write(struct chardev *chr, const u8 *bytes, size_t len)
{
	size_t taken = output_put(&chr->output, bytes, len);

	if (atomic_load_explicit(&chr->watch_armed, memory_order_relaxed) &&
	    atomic_exchange(&chr->watch_armed, false))
		signal_watcher(chr);
	return taken;
}

size_t chardev_read_history(struct chardev *chr, u64 *from, u8 *bytes,
			    size_t max)
{
	return output_read_history(&chr->output, from, bytes, max);
}

void chardev_watch_output(struct chardev *chr, int fd)
{
	atomic_store(&chr->watch_fd, fd);
	atomic_store(&chr->watch_armed, fd >= 0);
}

void chardev_spot_text(struct chardev *chr, struct chardev_spot *spot)
{
	pthread_mutex_lock(&chr->output.lock);
	chr->output.spot = spot;
	pthread_mutex_unlock(&chr->output.lock);
}

size_t chardev_type(struct chardev *chr, const u8 *bytes, size_t len)
{
	size_t taken = 0;

	if (!chr->front)
		return 0;
	deliver_typed(chr);
	while (taken < len && typed_push(&chr->typed, bytes[taken]))
		taken++;
	deliver_typed(chr);
	return taken;
}

bool chardev_is_open(struct chardev *chr)
{
	if (chr->is_stream)
		return !(chr->in_fd >= 0 && chr->at_end) &&
		       !output_has_failed(&chr->output);
	return !chr->is_socket || chr->has_client;
}

int chardev_size(struct chardev *chr, u16 *cols, u16 *rows)
{
	struct winsize size;

	if (ioctl(chr->out_fd, TIOCGWINSZ, &size) < 0 &&
	    ioctl(chr->in_fd, TIOCGWINSZ, &size) < 0)
		return -ENOTTY;
	if (!size.ws_col || !size.ws_row)
		return -ENOTTY;
	*cols = size.ws_col;
	*rows = size.ws_row;
	return 0;
}

static void output_has_room(struct char_output *out)
{
	struct chardev *chr = container_of(out, struct chardev, output);

	atomic_store(&chr->room_wanted, true);
	chardev_notify(chr);
}

/* ---- Front ends come and go ---- */

int chardev_attach(struct chardev *chr, struct event_loop *loop,
		   const struct chardev_front_ops *ops, void *opaque)
{
	int err;

	chr->loop = loop;
	chr->front = ops;
	chr->front_opaque = opaque;
	if (chr->has_terminal) {
		err = event_timer_init(loop, &chr->background);
		if (err)
			goto err_front;
		atomic_store(&chr->continue_wanted, true);
	}
	err = event_add(loop, &chr->notify, EPOLLIN);
	if (err)
		goto err_timer;
	if (chr->is_socket) {
		chr->at_end = false; /* find out again, to watch for its end */
		err = socket_serve(chr);
		if (err)
			goto err_notify;
	}
	chardev_notify(chr);
	return 0;

err_notify:
	event_remove(loop, &chr->notify);
err_timer:
	if (chr->has_terminal)
		event_timer_release(loop, &chr->background);
err_front:
	chr->front = NULL;
	return err;
}

/* In this order: what may put in_fd back into the loop goes first. */
void chardev_detach(struct chardev *chr)
{
	if (!chr->front)
		return;
	event_remove(chr->loop, &chr->notify);
	if (chr->has_terminal)
		event_timer_release(chr->loop, &chr->background);
	if (chr->is_socket)
		socket_unserve(chr);
	else if (chr->in_fd >= 0)
		event_remove(chr->loop, &chr->input);
	chr->watching = false;
	chr->front = NULL;
}

int chardev_init(struct chardev *chr, const char *name, unsigned int len,
		 bool may_drop)
{
	int err;

	chr->input = (struct event_source){ chr->in_fd, input_ready };
	atomic_init(&chr->watch_fd, -1);
	chr->background.expired = background_expired;
	chr->notify.ready = notify_ready;
	chr->notify.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (chr->notify.fd < 0)
		return -errno;
	err = output_init(&chr->output, chr->out_fd, name, len, may_drop,
			  output_has_room);
	if (err)
		close(chr->notify.fd);
	return err;
}

/* Hanging up a pty throws away what its reader has not read yet. */
static void wait_for_pty_reader(int slave_fd)
{
	int unread;

	for (int ms = 0; ms < PTY_CLOSE_MS; ms += 5) {
		if (ioctl(slave_fd, FIONREAD, &unread) < 0 || !unread)
			return;
		usleep(5000);
	}
}

static void close_fds(struct chardev *chr)
{
	if (chr->slave_fd >= 0)
		close(chr->slave_fd);
	if (!chr->owns_fds)
		return;
	if (chr->out_fd >= 0 && chr->out_fd != chr->in_fd)
		close(chr->out_fd);
	if (chr->in_fd >= 0)
		close(chr->in_fd);
}

/* What nobody reads would never be drained. */
static int shorten(int timeout_ms, int max)
{
	return timeout_ms < 0 || timeout_ms > max ? max : timeout_ms;
}

void chardev_close(struct chardev *chr, int timeout_ms)
{
	if (!chr)
		return;
	chardev_detach(chr);
	if (chr->slave_fd >= 0)
		timeout_ms = shorten(timeout_ms, PTY_CLOSE_MS);
	else if (chr->is_socket)
		timeout_ms = shorten(timeout_ms, SOCKET_CLOSE_MS);
	output_release(&chr->output, timeout_ms);
	if (chr->slave_fd >= 0 && timeout_ms)
		wait_for_pty_reader(chr->slave_fd);
	close(chr->notify.fd);
	close_fds(chr);
	if (chr->is_socket)
		socket_close(chr);
	if (chr->has_terminal)
		terminal_restore();
	free(chr);
}

struct chardev *chardev_alloc(void)
{
	struct chardev *chr = calloc(1, sizeof(*chr));

	if (!chr)
		return NULL;
	chr->in_fd = -1;
	chr->out_fd = -1;
	chr->slave_fd = -1;
	chr->owns_fds = true;
	return chr;
}

int chardev_open_fds(int in_fd, int out_fd, unsigned int len,
		     struct chardev **out)
{
	struct chardev *chr = chardev_alloc();
	int err;

	if (!chr)
		return -ENOMEM;
	chr->in_fd = in_fd;
	chr->out_fd = out_fd;
	err = chardev_init(chr, "chardev", len, false);
	if (err) {
		free(chr);
		return err;
	}
	*out = chr;
	return 0;
}
