/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Character devices of the host: where a guest's serial port or console sends
 * its bytes, and where they come from (backend/char_*.c). They know nothing of
 * the guest.
 *
 * Output never blocks the caller: it goes to a bounded buffer that a thread of
 * the chardev's own writes out. Input is read by the event loop, only as much
 * as the front end has room for.
 *
 * Locks: chardev_write() and chardev_kick_input() may be called with the front
 * end's lock held; callbacks come with no lock of the chardev held.
 */
#ifndef LKVM_CHARDEV_H
#define LKVM_CHARDEV_H

#include "lkvm/types.h"

struct chardev;
struct event_loop;
struct failure;

/* What the device in front of a chardev implements. Called on the event loop. */
struct chardev_front_ops {
	/* How many bytes receive() would take now. */
	size_t (*room)(void *opaque);
	/* @len bytes, at most what room() said, have come in. */
	void (*receive)(void *opaque, const u8 *bytes, size_t len);
	/* The output buffer has room again after chardev_write() was short. */
	void (*writable)(void *opaque);
	/* The terminal's size changed, or NULL. */
	void (*resized)(void *opaque);
	/* A client came or went, a stream ended: see chardev_is_open(). Or NULL. */
	void (*connected)(void *opaque);
};

/*
 * Standard input and output. The terminal, if stdin is one, goes to raw mode
 * when a front end attaches and comes back on every way out of the process.
 * Keys: Ctrl-A x calls @quit (on the event loop), Ctrl-A h lists the keys,
 * Ctrl-A Ctrl-A sends one; only where stdin is a terminal. They work even if
 * the guest takes no input.
 *
 * SIGTTIN and SIGTTOU are blocked in the calling thread from now on, and in the
 * threads that it creates: a VM in the background goes on running. Call it
 * before kvm_create(). SIGPIPE must be ignored or blocked.
 */
int chardev_open_stdio(void (*quit)(void *opaque), void *opaque,
		       struct failure *why, struct chardev **out);
/*
 * A new pseudo-terminal for @what ("serial port 1"); log_info() says "@what is
 * pty /dev/pts/N". While nobody reads it, output that does not fit into its
 * buffer is dropped.
 */
int chardev_open_pty(const char *what, struct failure *why,
		     struct chardev **out);
/* Output goes to the file @path, which is created or emptied. No input. */
int chardev_open_file(const char *what, const char *path, struct failure *why,
		      struct chardev **out);
/*
 * One direction of a program's standard streams: bytes come from @in_fd, or go to
 * @out_fd, and the other one is -1. Both -1: output is kept as history, and goes
 * nowhere. Descriptors are borrowed. The end of the input, and a reader that has
 * gone, are told to the front end: see chardev_is_open().
 */
int chardev_open_stream(const char *what, int in_fd, int out_fd,
			struct failure *why, struct chardev **out);
/*
 * A Unix socket at @path that programs of the same user connect to, one at a
 * time. A socket that nobody listens to any more is replaced; ours goes with
 * the chardev. Output while nobody is connected is dropped.
 */
int chardev_open_socket(const char *what, const char *path, struct failure *why,
			struct chardev **out);
/*
 * Write out what is buffered, for at most @timeout_ms milliseconds (negative:
 * as long as it takes), then free everything and restore the terminal. The
 * front end must be detached. Accepts NULL.
 */
void chardev_close(struct chardev *chr, int timeout_ms);

/*
 * Connect a front end: from now on input is read on @loop and given to @ops.
 * One at a time. detach returns when no callback runs any more, and does
 * nothing when there is no front end.
 */
int chardev_attach(struct chardev *chr, struct event_loop *loop,
		   const struct chardev_front_ops *ops, void *opaque);
void chardev_detach(struct chardev *chr);

/*
 * Queue up to @len bytes for output; returns how many were taken. Less than
 * @len: the buffer is full, and writable() comes when it has room. Any thread.
 */
size_t chardev_write(struct chardev *chr, const u8 *bytes, size_t len);

/* ---- For a second look at a console, and a second keyboard ---- */

/* What was written last is kept. */
#define CHARDEV_HISTORY_LEN (64 * 1024U)

/*
 * Copy up to @max bytes of all that was ever written, from byte number *@from on.
 * That moves up to the oldest byte that is kept, and then behind what was
 * copied. Any thread.
 */
size_t chardev_read_history(struct chardev *chr, u64 *from, u8 *bytes,
			    size_t max);
/*
 * Signal the eventfd @fd once, when something is written after this call; -1: do
 * not. One watcher at a time. Any thread.
 */
void chardev_watch_output(struct chardev *chr, int fd);
/* When a text was written for the first time. */
struct chardev_spot {
	const char *text;    /* not empty */
	_Atomic u64 seen_ns; /* CLOCK_MONOTONIC; 0: not yet */
	size_t matched;	     /* the chardev's own */
};

/* Before a front end attaches; @spot outlives @chr. One for each chardev. */
void chardev_spot_text(struct chardev *chr, struct chardev_spot *spot);
/*
 * Input as if it had been typed, without keys of lkvm's own. Returns how many
 * bytes were taken: the guest may be slow. Event loop.
 */
size_t chardev_type(struct chardev *chr, const u8 *bytes, size_t len);

/* room() may have grown: look at the input again. Any thread, cheap. */
void chardev_kick_input(struct chardev *chr);

/*
 * False: a socket that nobody is connected to, or a stream at its end. Event
 * loop.
 */
bool chardev_is_open(struct chardev *chr);

/* Columns and rows of the terminal; -ENOTTY if there is none. */
int chardev_size(struct chardev *chr, u16 *cols, u16 *rows);

/* SIGWINCH came: the front end's resized() will be called. Any thread. */
void chardev_notify_resize(struct chardev *chr);
/* SIGCONT came: the terminal goes back to raw mode. Any thread. */
void chardev_notify_continue(struct chardev *chr);

/*
 * Put the terminal back as it was found. Async-signal-safe, idempotent; for
 * the ways out of the process that close nothing: exit() calls it by itself,
 * handlers of fatal signals must.
 */
void terminal_restore(void);

#endif
