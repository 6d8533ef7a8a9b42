/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of a chardev: char_output.c (buffer and writer thread), char_core.c
 * (front end and input), char_terminal.c (raw mode and keys), and those that put
 * them together: char_stdio.c, char_pty.c, char_file.c, char_stream.c and
 * char_socket.c.
 */
#ifndef LKVM_CHAR_PRIV_H
#define LKVM_CHAR_PRIV_H

#include <pthread.h>
#include <stdatomic.h>
#include "lkvm/chardev.h"
#include "lkvm/event.h"
#include "lkvm/types.h"

/* ---- Output ---- */

#define CHAR_OUTPUT_LEN (1024 * 1024U)

struct char_output {
	/* Owned by the chardev; may be blocking. Changes under lock. */
	int fd;
	const char *name;
	/*
	 * Nobody may be reading, and then what does not fit is dropped rather
	 * than held back. @fd is non-blocking.
	 */
	bool may_drop;
	/* Room again after a short put. Writer thread, no lock held. */
	void (*room)(struct char_output *out);

	u8 *buf;	  /* mmap'd, len bytes; takes memory only where used */
	unsigned int len; /* a power of two */
	pthread_t thread;

	pthread_mutex_t lock;	/* guards all below */
	pthread_cond_t changed; /* for the writer: see output_put() */
	pthread_cond_t exited;	/* finished was set, or writing cleared */
	/*
	 * Running counts of bytes put and written; they start from 0 again
	 * whenever the buffer is empty, so that little of it gets used.
	 */
	u64 put, written;
	bool starved; /* a put was short */
	bool dropping; /* nobody reads, or @fd has failed: what overflows is lost */
	bool failed; /* @fd takes no more, or is none: all that is put is lost */
	bool writing;  /* the thread works on @fd, without the lock */
	bool stopping; /* write out the rest and exit */
	bool abandon;  /* exit now */
	bool finished; /* the thread's last act */
	/*
	 * What was put last, in a ring of CHARDEV_HISTORY_LEN bytes (mmap'd), and how
	 * much it was in all.
	 */
	u8 *history;
	u64 history_end;
	struct chardev_spot *spot; /* what is looked for, or NULL */
};

int output_init(struct char_output *out, int fd, const char *name,
		unsigned int len, bool may_drop,
		void (*room)(struct char_output *out));
/* Drains for at most @timeout_ms (negative: no limit) and stops the thread. */
void output_release(struct char_output *out, int timeout_ms);
size_t output_put(struct char_output *out, const u8 *bytes, size_t len);
/* @len bytes more: are they what @spot waits for? One thread at a time. */
void spot_feed(struct chardev_spot *spot, const u8 *bytes, size_t len);
/* See chardev_read_history(). */
size_t output_read_history(struct char_output *out, u64 *from, u8 *bytes,
			   size_t max);
/* Has what it writes to failed, for good? */
bool output_has_failed(struct char_output *out);
/*
 * Write to @fd from now on, beginning with an empty buffer; -1: to nobody. When
 * it returns, the old one is not used any more; writes to that must fail soon.
 */
void output_set_fd(struct char_output *out, int fd);

/* ---- The whole ---- */

#define CHAR_TYPED_LEN 4096

/*
 * What the keyboard of a terminal sent, or chardev_type(), and the guest has not
 * taken. It lets the escape keys be seen however far behind the guest is. Event
 * loop only.
 */
struct char_typed {
	u8 bytes[CHAR_TYPED_LEN];
	unsigned int first, count;
	bool escaped; /* the last key was Ctrl-A */
};

struct chardev {
	int in_fd; /* -1: none, or at its end */
	int out_fd;
	int slave_fd; /* pty: kept open; else -1 */
	bool owns_fds;
	bool has_terminal; /* in_fd is a terminal: raw mode, keys */
	void (*quit)(void *opaque);
	void *quit_opaque;
	struct char_output output;

	/* Its end is news: see chardev_open_stream(). */
	bool is_stream;
	bool end_told; /* event loop only: output has failed, and that was told */

	/* Of sockets. */
	bool is_socket;
	/*
	 * Guards is_served: while it is set, clients come and go on the event
	 * loop, and in_fd and out_fd with them. Innermost but for event_loop.lock
	 * and char_output.lock.
	 */
	pthread_mutex_t client_lock;
	bool is_served;
	struct event_source listener; /* in the loop while there is no client */
	char *path;		      /* owned */
	atomic_bool has_client;

	/* Set while a front end is attached. */
	const struct chardev_front_ops *front;
	void *front_opaque;
	struct event_loop *loop;
	struct event_source input;     /* in_fd, while it is watched */
	struct event_source notify;    /* eventfd: look at the flags below */
	struct event_timer background; /* terminal not ours: try again */

	/* Requests to the event loop; notify tells it to look. */
	atomic_bool throttled; /* input waits for room: a kick is wanted */
	atomic_bool resize_wanted;
	atomic_bool continue_wanted;
	atomic_bool room_wanted; /* writable() is due */
	/* An eventfd to signal at the next output; see chardev_watch_output(). */
	atomic_int watch_fd;
	atomic_bool watch_armed;

	/* Event loop only, while attached. */
	bool watching;	  /* in_fd is in the loop */
	bool cannot_poll; /* in_fd is a file: always readable */
	bool at_end;	  /* in_fd has nothing more to give */
	struct char_typed typed;
};

/* Without fds, the owner of those that it gets. NULL: no memory. */
struct chardev *chardev_alloc(void);
/* @chr has its fds; creates the output. On failure the fds stay open. */
int chardev_init(struct chardev *chr, const char *name, unsigned int len,
		 bool may_drop);
/* Tell the event loop to look at the flags. Any thread. */
void chardev_notify(struct chardev *chr);

/* A chardev on any pair of fds, which it owns from then on: for tests. */
int chardev_open_fds(int in_fd, int out_fd, unsigned int len,
		     struct chardev **out);

/* Watch in_fd, unless it is watched or there is nothing to come. Event loop. */
void chardev_watch(struct chardev *chr);
void chardev_unwatch(struct chardev *chr);

/* ---- Sockets; event loop ---- */

/* Let clients come and go; main thread, as the next one. */
int socket_serve(struct chardev *chr);
/* No more of that. A client that is there stays connected. */
void socket_unserve(struct chardev *chr);
/*
 * @events came for the client. True: it has gone, and what it sent has been
 * read; chr waits for the next one.
 */
bool socket_client_left(struct chardev *chr, u32 events);
void socket_close(struct chardev *chr);

/* ---- Terminal ---- */

/*
 * Put the terminal @fd into raw mode, unless it is so already. -EAGAIN: this
 * process is in the background, and the terminal belongs to another.
 */
int terminal_enter_raw(int fd);
/* Is somebody else's job in the foreground? */
bool terminal_in_background(int fd);

/* Sort @len bytes from the keyboard into @typed and keys of lkvm's own. */
void typed_add(struct char_typed *typed, const u8 *bytes, size_t len,
	       void (*quit)(void *opaque), void *opaque);
/* Add one byte as it is. False: there is no room. */
bool typed_push(struct char_typed *typed, u8 byte);
/* The oldest bytes in one piece; 0: nothing. */
size_t typed_peek(const struct char_typed *typed, const u8 **bytes);
void typed_consume(struct char_typed *typed, size_t len);

#endif
