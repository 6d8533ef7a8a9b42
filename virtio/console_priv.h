/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of the console device: console.c (the device), console_port.c (data
 * of a port, both ways) and console_control.c (what driver and device tell each
 * other about ports).
 */
#ifndef LKVM_VIRTIO_CONSOLE_PRIV_H
#define LKVM_VIRTIO_CONSOLE_PRIV_H

#include <linux/virtio_console.h>
#include <pthread.h>
#include "lkvm/chardev.h"
#include "lkvm/config.h"
#include "lkvm/event.h"
#include "lkvm/virtio.h"

#define CONSOLE_QUEUE_SIZE 64U
/* Requests of one turn on the event loop, before others have theirs. */
#define CONSOLE_MAX_REQUESTS 32U

/* 5.3.2: port 0, then control, then the other ports; to the guest comes first. */
#define CONSOLE_CONTROL_QUEUE 2U

struct console;

/* A queue: its doorbell, and a chain that was taken and not finished. */
struct console_stream {
	struct event_source kick;
	struct console *console;
	struct console_port *port; /* NULL: control */
	struct virtq *q;
	bool has_chain;
	struct virtq_chain chain;
	u64 done; /* bytes of it */
	struct iovec iov[CONSOLE_QUEUE_SIZE];
};

/* Messages that the driver is to get, in this order. */
enum console_news {
	CONSOLE_NEWS_ADD = 1 << 0,
	CONSOLE_NEWS_CONSOLE = 1 << 1,
	CONSOLE_NEWS_RESIZE = 1 << 2,
	CONSOLE_NEWS_NAME = 1 << 3,
	CONSOLE_NEWS_OPEN = 1 << 4, /* whether somebody is at the host's end */
};

struct console_port {
	struct console *console;
	unsigned int id;
	const char *name; /* NULL: the console, port 0 */
	struct chardev
		*chr; /* borrowed from the VM; NULL: there is no port 0 */
	bool attached;
	struct console_stream receive, transmit;
	/* Guarded by console->lock. */
	bool is_known;	    /* the driver has said that it is ready */
	bool is_guest_open; /* a program in the guest has opened it */
	unsigned int news;  /* bits of enum console_news that are due */
};

struct console {
	struct virtio_device vdev;
	struct event_loop *loop;
	_Atomic u32 size; /* rows << 16 | columns; 0: there is no terminal */

	/*
	 * Guards serving, the streams and what ports have under it. Callbacks
	 * of chardevs come whether the driver has set up the queues or not.
	 * Taken after dev->lock.
	 */
	pthread_mutex_t lock;
	bool serving;
	struct console_stream to_driver,
		from_driver; /* control; if multiport */

	bool is_multiport; /* offered; const after creation */
	unsigned int nr_ports;
	struct console_port *ports; /* owned; port 0 is always there */
};

/* Has the driver accepted more than one port? Lock held, serving. */
static inline bool console_has_control(const struct console *console)
{
	return virtio_has_feature(&console->vdev, VIRTIO_CONSOLE_F_MULTIPORT);
}

/* Have a chain to work on. Lock held, serving. */
bool stream_has_chain(struct console_stream *stream);
/* Return the chain. */
void stream_finish(struct console_stream *stream, u32 written);

/* ---- console_port.c; event loop ---- */

extern const struct chardev_front_ops console_front_ops;

void port_receive_kicked(struct event_source *source, u32 events);
void port_transmit_kicked(struct event_source *source, u32 events);
/* Has the port's chardev all that the guest gave it? Any thread. */
bool port_is_drained(struct console_port *port);

/* ---- console_control.c; event loop ---- */

void control_to_driver_kicked(struct event_source *source, u32 events);
void control_from_driver_kicked(struct event_source *source, u32 events);
/* @news of @port have come up: tell the driver, if it knows the port. */
void control_tell(struct console_port *port, unsigned int news);

/* ---- console.c; event loop ---- */

/* The terminal's size may have changed. */
void console_resized(struct console *console);

#endif
