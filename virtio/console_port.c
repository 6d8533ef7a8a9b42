/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Data of a console's port (virtio 1.2, 5.3.6): bytes in both directions,
 * between its two queues and a chardev. A guest that is not served at once
 * waits, in its own queue.
 */
#include "virtio/console_priv.h"

#include "lkvm/iov.h"

bool stream_has_chain(struct console_stream *stream)
{
	while (!stream->has_chain) {
		if (virtq_pop(stream->q, &stream->chain) > 0) {
			stream->has_chain = true;
			stream->done = 0;
		} else if (!virtq_enable_kicks(stream->q)) {
			return false;
		}
	}
	return true;
}

void stream_finish(struct console_stream *stream, u32 written)
{
	virtq_push(stream->q, stream->chain.head, written);
	stream->has_chain = false;
}

/* ---- To the guest ---- */

/*
 * Without MULTIPORT there is port 0 alone, open for ever. With it, drivers throw
 * away what comes for a port that no program has opened (Linux does).
 */
static bool wants_input(const struct console_port *port)
{
	if (!port->console->serving)
		return false;
	return console_has_control(port->console) ? port->is_guest_open
						  : !port->id;
}

static size_t port_room(void *opaque)
{
	struct console_port *port = opaque;
	struct console_stream *stream = &port->receive;
	size_t room = 0;

	pthread_mutex_lock(&port->console->lock);
	if (wants_input(port) && stream_has_chain(stream))
		room = stream->chain.in_len;
	if (stream->has_chain && !stream->chain.in_len) {
		/* A buffer without room is of no use: give it back. */
		stream_finish(stream, 0);
		virtq_notify(stream->q);
	}
	pthread_mutex_unlock(&port->console->lock);
	return room;
}

static void port_receive(void *opaque, const u8 *bytes, size_t len)
{
	struct console_port *port = opaque;
	struct console_stream *stream = &port->receive;
	const struct virtq_chain *chain = &stream->chain;

	pthread_mutex_lock(&port->console->lock);
	/* A reset since room() loses what was typed in between. */
	if (port->console->serving && stream->has_chain) {
		size_t done = iov_from_buf(chain->iov + chain->nr_out,
					   chain->nr_in, 0, bytes, len);

		stream_finish(stream, (u32)done);
		virtq_notify(stream->q);
	}
	pthread_mutex_unlock(&port->console->lock);
}

/* The driver has put in buffers. */
void port_receive_kicked(struct event_source *source, u32 events)
{
	struct console_stream *stream =
		container_of(source, struct console_stream, kick);

	virtq_take_kick(stream->q);
	if (stream->port->chr)
		chardev_kick_input(stream->port->chr);
}

/* ---- From the guest ---- */

/* Write the rest of the stream's chain. False: the chardev is full. */
static bool transmit_chain(struct chardev *chr, struct console_stream *stream)
{
	struct iovec *iov = stream->chain.iov;
	unsigned int nr = stream->chain.nr_out;

	/*
	 * On a copy of the entry being cut: the list stays as popped, and done
	 * alone says how far we are.
	 */
	for (u64 skip = stream->done; nr; nr--, iov++) {
		u64 from = skip < iov->iov_len ? skip : iov->iov_len;
		size_t len = iov->iov_len - from;
		size_t taken = 0;

		skip -= from;
		if (len)
			taken = chardev_write(chr, (u8 *)iov->iov_base + from,
					      len);
		stream->done += taken;
		if (taken < len)
			return false;
	}
	return true;
}

static void transmit(struct console_port *port)
{
	struct console *console = port->console;
	struct console_stream *stream = &port->transmit;
	unsigned int served = 0;

	pthread_mutex_lock(&console->lock);
	while (console->serving && stream_has_chain(stream)) {
		if (served++ == CONSOLE_MAX_REQUESTS) {
			virtq_kick(stream->q); /* after the others' turn */
			break;
		}
		/* What is written to a port that there is not is lost. */
		if (port->chr && !transmit_chain(port->chr, stream))
			break; /* port_writable() goes on */
		stream_finish(stream, 0);
	}
	if (console->serving)
		virtq_notify(stream->q);
	pthread_mutex_unlock(&console->lock);
}

void port_transmit_kicked(struct event_source *source, u32 events)
{
	struct console_stream *stream =
		container_of(source, struct console_stream, kick);

	virtq_take_kick(stream->q);
	transmit(stream->port);
}

bool port_is_drained(struct console_port *port)
{
	struct console *console = port->console;
	bool drained;

	pthread_mutex_lock(&console->lock);
	drained = !port->chr || !console->serving ||
		  (port->id && !console_has_control(console)) ||
		  !stream_has_chain(&port->transmit);
	pthread_mutex_unlock(&console->lock);
	return drained;
}

static void port_writable(void *opaque)
{
	transmit(opaque);
}

/* ---- The host's end ---- */

static void port_resized(void *opaque)
{
	struct console_port *port = opaque;

	if (!port->id)
		console_resized(port->console);
}

static void port_connected(void *opaque)
{
	control_tell(opaque, CONSOLE_NEWS_OPEN);
}

const struct chardev_front_ops console_front_ops = {
	.room = port_room,
	.receive = port_receive,
	.writable = port_writable,
	.resized = port_resized,
	.connected = port_connected,
};
