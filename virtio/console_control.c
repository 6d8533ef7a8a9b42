/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control messages of a console with several ports (virtio 1.2, 5.3.6.2).
 *
 * What the driver is to be told is kept as bits of each port, not as messages:
 * so there is no queue of them that a driver who does not listen could fill,
 * and it always hears the latest.
 */
#include "virtio/console_priv.h"

#include <string.h>
#include "lkvm/iov.h"

/* A message and what follows it: a size, or a name. */
struct message {
	struct virtio_console_control head;
	u8 tail[CONFIG_PORT_NAME_LEN];
};

/* ---- To the driver ---- */

static size_t add_name(struct message *message, const char *name)
{
	size_t len = strnlen(name, sizeof(message->tail));

	memcpy(message->tail, name, len);
	return sizeof(message->head) + len;
}

/*
 * 5.3.6.2: columns first. Linux took rows first until 6.15; its stable kernels and
 * Debian's of now have the repair (5326ab737a47), and show the size that is meant.
 */
static size_t add_size(struct message *message, u32 size)
{
	u16 fields[2] = { (u16)size, (u16)(size >> 16) };

	memcpy(message->tail, fields, sizeof(fields));
	return sizeof(message->head) + sizeof(fields);
}

static size_t make_message(const struct console_port *port, unsigned int news,
			   struct message *message)
{
	struct virtio_console_control *head = &message->head;

	*head = (struct virtio_console_control){ .id = port->id, .value = 1 };
	switch (news) {
	case CONSOLE_NEWS_ADD:
		head->event = VIRTIO_CONSOLE_PORT_ADD;
		break;
	case CONSOLE_NEWS_CONSOLE:
		head->event = VIRTIO_CONSOLE_CONSOLE_PORT;
		break;
	case CONSOLE_NEWS_RESIZE:
		head->event = VIRTIO_CONSOLE_RESIZE;
		return add_size(message, port->console->size);
	case CONSOLE_NEWS_NAME:
		head->event = VIRTIO_CONSOLE_PORT_NAME;
		return add_name(message, port->name);
	default:
		head->event = VIRTIO_CONSOLE_PORT_OPEN;
		head->value = chardev_is_open(port->chr);
		break;
	}
	return sizeof(*head);
}

/* Send what is due for @port, as far as there are buffers. Lock held. */
static void send_news_locked(struct console_port *port)
{
	struct console_stream *stream = &port->console->to_driver;
	const struct virtq_chain *chain = &stream->chain;

	while (port->news && stream_has_chain(stream)) {
		unsigned int first = port->news & -port->news;
		struct message message;
		size_t len = make_message(port, first, &message);

		len = iov_from_buf(chain->iov + chain->nr_out, chain->nr_in, 0,
				   &message, len);
		stream_finish(stream, (u32)len);
		port->news &= ~first;
	}
}

static void send_all_locked(struct console *console)
{
	if (!console->serving || !console_has_control(console))
		return;
	for (unsigned int i = 0; i < console->nr_ports; i++)
		send_news_locked(&console->ports[i]);
	virtq_notify(console->to_driver.q);
}

void control_to_driver_kicked(struct event_source *source, u32 events)
{
	struct console_stream *stream =
		container_of(source, struct console_stream, kick);

	virtq_take_kick(stream->q);
	pthread_mutex_lock(&stream->console->lock);
	send_all_locked(stream->console);
	pthread_mutex_unlock(&stream->console->lock);
}

void control_tell(struct console_port *port, unsigned int news)
{
	struct console *console = port->console;

	pthread_mutex_lock(&console->lock);
	if (port->is_known) {
		port->news |= news;
		send_all_locked(console);
	}
	pthread_mutex_unlock(&console->lock);
}

/* ---- From the driver ---- */

static void driver_ready_locked(struct console *console)
{
	for (unsigned int i = 0; i < console->nr_ports; i++)
		if (console->ports[i].chr)
			console->ports[i].news |= CONSOLE_NEWS_ADD;
}

static void port_ready_locked(struct console_port *port)
{
	port->is_known = true;
	port->news |= CONSOLE_NEWS_OPEN;
	if (port->name)
		port->news |= CONSOLE_NEWS_NAME;
	else
		port->news |= CONSOLE_NEWS_CONSOLE;
	if (!port->name && port->console->size)
		port->news |= CONSOLE_NEWS_RESIZE;
}

/* Whoever asks for ports that there are not, or in another order, gets nothing. */
static void take_message_locked(struct console *console,
				const struct virtio_console_control *message)
{
	struct console_port *port = NULL;

	if (message->id < console->nr_ports && console->ports[message->id].chr)
		port = &console->ports[message->id];
	switch (message->event) {
	case VIRTIO_CONSOLE_DEVICE_READY:
		if (message->value)
			driver_ready_locked(console);
		break;
	case VIRTIO_CONSOLE_PORT_READY:
		if (port && message->value)
			port_ready_locked(port);
		break;
	case VIRTIO_CONSOLE_PORT_OPEN:
		if (!port)
			break;
		port->is_guest_open = message->value;
		chardev_kick_input(port->chr);
		break;
	}
}

static void take_messages_locked(struct console *console)
{
	struct console_stream *stream = &console->from_driver;
	const struct virtq_chain *chain = &stream->chain;
	unsigned int taken = 0;

	while (stream_has_chain(stream)) {
		struct virtio_console_control message;

		if (taken++ == CONSOLE_MAX_REQUESTS) {
			virtq_kick(stream->q); /* after the others' turn */
			break;
		}
		if (iov_to_buf(chain->iov, chain->nr_out, 0, &message,
			       sizeof(message)) == sizeof(message))
			take_message_locked(console, &message);
		stream_finish(stream, 0);
	}
	virtq_notify(stream->q);
}

void control_from_driver_kicked(struct event_source *source, u32 events)
{
	struct console_stream *stream =
		container_of(source, struct console_stream, kick);
	struct console *console = stream->console;

	virtq_take_kick(stream->q);
	pthread_mutex_lock(&console->lock);
	if (console->serving && console_has_control(console)) {
		take_messages_locked(console);
		send_all_locked(console);
	}
	pthread_mutex_unlock(&console->lock);
}
