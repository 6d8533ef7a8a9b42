/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The console device (virtio 1.2, 5.3): one port, a queue for each direction,
 * and the terminal's size. Served on the event loop. No multiport, no
 * emergency write.
 */
#include "lkvm/virtio.h"

#include <errno.h>
#include <linux/virtio_console.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include "lkvm/chardev.h"
#include "lkvm/devices.h"
#include "lkvm/iov.h"
#include "lkvm/kvm.h"

#define CONSOLE_CLASS 0x078000 /* communication, other */
#define CONSOLE_QUEUE_SIZE 64U

enum {
	RECEIVE_QUEUE,
	TRANSMIT_QUEUE,
	NR_CONSOLE_QUEUES
};

/* Requests of one turn on the event loop, before others have theirs. */
#define CONSOLE_MAX_REQUESTS 32U

/* One direction: its doorbell, and a chain that was taken and not finished. */
struct console_port {
	struct event_source kick;
	struct virtq *q;
	bool has_chain;
	struct virtq_chain chain;
	u64 done; /* bytes of it */
	struct iovec iov[CONSOLE_QUEUE_SIZE];
};

struct console {
	struct virtio_device vdev;
	struct event_loop *loop;
	struct chardev *chr; /* borrowed from the VM */
	bool attached;
	_Atomic u32 size; /* rows << 16 | columns */

	/*
	 * Guards serving and the ports. Callbacks of the chardev come whether
	 * the driver has set up the queues or not. Taken after dev->lock.
	 */
	pthread_mutex_t lock;
	bool serving;
	struct console_port receive, transmit;
};

/* Have a chain to work on. Lock held, serving. */
static bool port_has_chain(struct console_port *port)
{
	while (!port->has_chain) {
		if (virtq_pop(port->q, &port->chain) > 0) {
			port->has_chain = true;
			port->done = 0;
		} else if (!virtq_enable_kicks(port->q)) {
			return false;
		}
	}
	return true;
}

static void port_finish(struct console_port *port, u32 written)
{
	virtq_push(port->q, port->chain.head, written);
	port->has_chain = false;
}

/* ---- To the guest; event loop ---- */

static size_t console_room(void *opaque)
{
	struct console *console = opaque;
	struct console_port *port = &console->receive;
	size_t room = 0;

	pthread_mutex_lock(&console->lock);
	if (console->serving && port_has_chain(port))
		room = port->chain.in_len;
	if (port->has_chain && !port->chain.in_len) {
		/* A buffer without room is of no use: give it back. */
		port_finish(port, 0);
		virtq_notify(port->q);
	}
	pthread_mutex_unlock(&console->lock);
	return room;
}

static void console_receive(void *opaque, const u8 *bytes, size_t len)
{
	struct console *console = opaque;
	struct console_port *port = &console->receive;
	const struct virtq_chain *chain = &port->chain;

	pthread_mutex_lock(&console->lock);
	/* A reset since room() loses what was typed in between. */
	if (console->serving && port->has_chain) {
		size_t done = iov_from_buf(chain->iov + chain->nr_out,
					   chain->nr_in, 0, bytes, len);

		port_finish(port, (u32)done);
		virtq_notify(port->q);
	}
	pthread_mutex_unlock(&console->lock);
}

/* The driver has put in buffers. */
static void receive_kicked(struct event_source *source, u32 events)
{
	struct console *console =
		container_of(source, struct console, receive.kick);

	virtq_take_kick(console->receive.q);
	chardev_kick_input(console->chr);
}

/* ---- From the guest; event loop ---- */

/* Write the rest of the port's chain. False: the chardev is full. */
static bool transmit_chain(struct console *console, struct console_port *port)
{
	struct iovec *iov = port->chain.iov;
	unsigned int nr = port->chain.nr_out;

	/*
	 * On a copy of the entry being cut: the list stays as popped, and done
	 * alone says how far we are.
	 */
	for (u64 skip = port->done; nr; nr--, iov++) {
		u64 from = skip < iov->iov_len ? skip : iov->iov_len;
		size_t len = iov->iov_len - from;
		size_t taken = 0;

		skip -= from;
		if (len)
			taken = chardev_write(console->chr,
					      (u8 *)iov->iov_base + from, len);
		port->done += taken;
		if (taken < len)
			return false;
	}
	return true;
}

static void transmit(struct console *console)
{
	struct console_port *port = &console->transmit;
	unsigned int served = 0;

	pthread_mutex_lock(&console->lock);
	while (console->serving && port_has_chain(port)) {
		if (served++ == CONSOLE_MAX_REQUESTS) {
			virtq_kick(port->q); /* after the others' turn */
			break;
		}
		if (!transmit_chain(console, port))
			break; /* console_writable() goes on */
		port_finish(port, 0);
	}
	if (console->serving)
		virtq_notify(port->q);
	pthread_mutex_unlock(&console->lock);
}

static void transmit_kicked(struct event_source *source, u32 events)
{
	struct console *console =
		container_of(source, struct console, transmit.kick);

	virtq_take_kick(console->transmit.q);
	transmit(console);
}

static void console_writable(void *opaque)
{
	transmit(opaque);
}

/* ---- Size of the terminal ---- */

/* False where it has none. */
static bool update_size(struct console *console)
{
	u16 cols, rows;

	if (chardev_size(console->chr, &cols, &rows) < 0)
		return false;
	console->size = (u32)rows << 16 | cols;
	return true;
}

static void console_resized(void *opaque)
{
	struct console *console = opaque;

	if (update_size(console))
		virtio_config_changed(&console->vdev);
}

static const struct chardev_front_ops console_front_ops = {
	.room = console_room,
	.receive = console_receive,
	.writable = console_writable,
	.resized = console_resized,
};

/* ---- The device ---- */

static void console_config_read(struct virtio_device *vdev, unsigned int offset,
				void *buf, unsigned int len)
{
	u32 size = container_of(vdev, struct console, vdev)->size;
	struct virtio_console_config config = {
		.cols = (u16)size,
		.rows = size >> 16,
		.max_nr_ports = 1,
	};

	memcpy(buf, (const u8 *)&config + offset, len);
}

static void set_serving(struct console *console, bool serving)
{
	pthread_mutex_lock(&console->lock);
	console->serving = serving;
	pthread_mutex_unlock(&console->lock);
}

static int console_activate(struct virtio_device *vdev)
{
	struct console *console = container_of(vdev, struct console, vdev);
	int err;

	err = event_add(console->loop, &console->receive.kick, EPOLLIN);
	if (err)
		return err;
	err = event_add(console->loop, &console->transmit.kick, EPOLLIN);
	if (err) {
		event_remove(console->loop, &console->receive.kick);
		return err;
	}
	set_serving(console, true);
	virtq_kick(console->receive.q);
	virtq_kick(console->transmit.q);
	return 0;
}

static void console_deactivate(struct virtio_device *vdev)
{
	struct console *console = container_of(vdev, struct console, vdev);

	set_serving(console, false);
	event_remove(console->loop, &console->receive.kick);
	event_remove(console->loop, &console->transmit.kick);
}

static void console_reset(struct virtio_device *vdev)
{
	struct console *console = container_of(vdev, struct console, vdev);

	pthread_mutex_lock(&console->lock);
	console->receive.has_chain = false;
	console->transmit.has_chain = false;
	pthread_mutex_unlock(&console->lock);
}

static const struct virtio_dev_ops console_vdev_ops = {
	.name = "console",
	.id = VIRTIO_ID_CONSOLE,
	.pci_class = CONSOLE_CLASS,
	.config_read = console_config_read,
	.activate = console_activate,
	.deactivate = console_deactivate,
	.reset = console_reset,
};

/* ---- Life ---- */

static void port_init(struct console_port *port, struct virtq *q,
		      void (*kicked)(struct event_source *, u32))
{
	port->q = q;
	port->kick.fd = q->kick_fd;
	port->kick.ready = kicked;
	port->chain.iov = port->iov;
	port->chain.max_iov = ARRAY_SIZE(port->iov);
}

static int console_init(struct console *console, struct kvm *vm)
{
	u64 features;
	int err;

	console->loop = &vm->loop;
	console->chr = vm->consoles->console;
	features = update_size(console) ? BIT64(VIRTIO_CONSOLE_F_SIZE) : 0;
	err = virtio_device_init(&console->vdev, &console_vdev_ops, &vm->memory,
				 features, sizeof(struct virtio_console_config),
				 NR_CONSOLE_QUEUES, CONSOLE_QUEUE_SIZE);
	if (err)
		return err;
	port_init(&console->receive, &console->vdev.queues[RECEIVE_QUEUE],
		  receive_kicked);
	port_init(&console->transmit, &console->vdev.queues[TRANSMIT_QUEUE],
		  transmit_kicked);
	return virtio_transport_create(vm, &console->vdev);
}

/* From here on keys are read, so that Ctrl-A works before a driver does. */
static int console_start(struct device *dev)
{
	struct console *console = container_of(dev, struct console, vdev.base);
	int err = chardev_attach(console->chr, console->loop,
				 &console_front_ops, console);

	if (err)
		return vm_fail(dev->vm, err,
			       "virtio-console: cannot use the terminal: %s",
			       strerror(-err));
	console->attached = true;
	return 0;
}

static void console_stop(struct device *dev)
{
	struct console *console = container_of(dev, struct console, vdev.base);

	virtio_device_stop(dev);
	if (console->attached)
		chardev_detach(console->chr);
	console->attached = false;
}

static void console_destroy(struct console *console)
{
	console_stop(&console->vdev.base);
	virtio_transport_destroy(&console->vdev);
	virtio_device_release(&console->vdev);
	pthread_mutex_destroy(&console->lock);
	free(console);
}

static void console_device_destroy(struct device *dev)
{
	console_destroy(container_of(dev, struct console, vdev.base));
}

static const struct device_ops console_device_ops = {
	.name = "virtio-console",
	.start = console_start,
	.describe = virtio_device_describe,
	.pause = virtio_device_pause,
	.resume = virtio_device_resume,
	.stop = console_stop,
	.destroy = console_device_destroy,
};

static int console_class_create(struct kvm *vm, const struct kvm_config *config)
{
	struct console *console;
	int err;

	if (config->console != CONSOLE_VIRTIO)
		return 0;
	console = calloc(1, sizeof(*console));
	if (!console)
		return -ENOMEM;
	pthread_mutex_init(&console->lock, NULL);
	err = console_init(console, vm);
	if (err) {
		console_destroy(console);
		return vm_fail(vm, err, "cannot create virtio-console: %s",
			       strerror(-err));
	}
	device_register(vm, &console->vdev.base, &console_device_ops);
	return 0;
}

const struct device_class virtio_console_class = {
	.name = "virtio-console",
	.create = console_class_create,
};
