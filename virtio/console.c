/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The console device (virtio 1.2, 5.3): the console, with the terminal's size,
 * and named ports. Served on the event loop. No emergency write.
 *
 * MULTIPORT is offered only where there are named ports: without it a guest has
 * its console before it can answer interrupts.
 */
#include "virtio/console_priv.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include "lkvm/devices.h"
#include "lkvm/kvm.h"

#define CONSOLE_CLASS 0x078000 /* communication, other */

/* ---- Size of the terminal ---- */

/* False where it has none. */
static bool update_size(struct console *console)
{
	u16 cols, rows;

	if (!console->ports[0].chr ||
	    chardev_size(console->ports[0].chr, &cols, &rows) < 0)
		return false;
	console->size = (u32)rows << 16 | cols;
	return true;
}

/* With MULTIPORT, Linux looks at the message and not at the configuration. */
void console_resized(struct console *console)
{
	if (!update_size(console))
		return;
	control_tell(&console->ports[0], CONSOLE_NEWS_RESIZE);
	virtio_config_changed(&console->vdev);
}

static void console_config_read(struct virtio_device *vdev, unsigned int offset,
				void *buf, unsigned int len)
{
	const struct console *console =
		container_of(vdev, struct console, vdev);
	u32 size = console->size;
	struct virtio_console_config config = {
		.cols = (u16)size,
		.rows = size >> 16,
		.max_nr_ports = console->nr_ports,
	};

	memcpy(buf, (const u8 *)&config + offset, len);
}

/* ---- The device ---- */

/* Stream @index of all: those of port 0, of control, of the other ports. */
static struct console_stream *stream_at(struct console *console,
					unsigned int index)
{
	struct console_port *port;

	if (index == CONSOLE_CONTROL_QUEUE)
		return &console->to_driver;
	if (index == CONSOLE_CONTROL_QUEUE + 1)
		return &console->from_driver;
	port = &console->ports[index < CONSOLE_CONTROL_QUEUE ? 0
							     : index / 2 - 1];
	return index % 2 ? &port->transmit : &port->receive;
}

static void set_serving(struct console *console, bool serving)
{
	pthread_mutex_lock(&console->lock);
	console->serving = serving;
	pthread_mutex_unlock(&console->lock);
}

static void ignore_kicks(struct console *console, unsigned int nr_queues)
{
	for (unsigned int i = 0; i < nr_queues; i++)
		event_remove(console->loop, &stream_at(console, i)->kick);
}

static int console_activate(struct virtio_device *vdev)
{
	struct console *console = container_of(vdev, struct console, vdev);

	for (unsigned int i = 0; i < vdev->nr_queues; i++) {
		int err = event_add(console->loop, &stream_at(console, i)->kick,
				    EPOLLIN);

		if (err) {
			ignore_kicks(console, i);
			return err;
		}
	}
	set_serving(console, true);
	for (unsigned int i = 0; i < vdev->nr_queues; i++)
		virtq_kick(&vdev->queues[i]);
	return 0;
}

static void console_deactivate(struct virtio_device *vdev)
{
	struct console *console = container_of(vdev, struct console, vdev);

	set_serving(console, false);
	ignore_kicks(console, vdev->nr_queues);
}

static void console_reset(struct virtio_device *vdev)
{
	struct console *console = container_of(vdev, struct console, vdev);

	pthread_mutex_lock(&console->lock);
	for (unsigned int i = 0; i < vdev->nr_queues; i++)
		stream_at(console, i)->has_chain = false;
	for (unsigned int i = 0; i < console->nr_ports; i++) {
		console->ports[i].is_known = false;
		console->ports[i].is_guest_open = false;
		console->ports[i].news = 0;
	}
	pthread_mutex_unlock(&console->lock);
}

static void console_queue_reset(struct virtio_device *vdev, struct virtq *q)
{
	struct console *console = container_of(vdev, struct console, vdev);

	pthread_mutex_lock(&console->lock);
	stream_at(console, q->index)->has_chain = false;
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
	.queue_reset = console_queue_reset,
};

/* ---- Life ---- */

static void stream_init(struct console *console, unsigned int index)
{
	static void (*const kicked[2][2])(struct event_source *, u32) = {
		{ port_receive_kicked, port_transmit_kicked },
		{ control_to_driver_kicked, control_from_driver_kicked },
	};
	struct console_stream *stream = stream_at(console, index);
	struct virtq *q = &console->vdev.queues[index];

	stream->q = q;
	stream->kick.fd = q->kick_fd;
	stream->kick.ready = kicked[!stream->port][index % 2];
	stream->chain.iov = stream->iov;
	stream->chain.max_iov = ARRAY_SIZE(stream->iov);
}

/* Port 0 is the console, or nothing; the others have names. */
static int create_ports(struct console *console, struct kvm *vm,
			const struct kvm_config *config)
{
	unsigned int nr = 1 + config->nr_ports;

	console->ports = calloc(nr, sizeof(*console->ports));
	if (!console->ports)
		return -ENOMEM;
	console->nr_ports = nr;
	console->is_multiport = config->nr_ports;
	console->to_driver.console = console;
	console->from_driver.console = console;
	for (unsigned int i = 0; i < console->nr_ports; i++) {
		struct console_port *port = &console->ports[i];

		port->console = console;
		port->id = i;
		port->receive.console = console;
		port->receive.port = port;
		port->transmit.console = console;
		port->transmit.port = port;
		if (i) {
			port->name = config->ports[i - 1].name;
			port->chr = vm->consoles->ports[i - 1];
		} else if (config->console == CONSOLE_VIRTIO) {
			port->chr = vm->consoles->console;
		}
	}
	return 0;
}

static int console_init(struct console *console, struct kvm *vm,
			const struct kvm_config *config)
{
	u64 features = 0;
	unsigned int nr_queues = 2;
	int err;

	console->loop = &vm->loop;
	err = create_ports(console, vm, config);
	if (err)
		return err;
	if (update_size(console))
		features |= BIT64(VIRTIO_CONSOLE_F_SIZE);
	if (console->is_multiport) {
		features |= BIT64(VIRTIO_CONSOLE_F_MULTIPORT);
		nr_queues = 2 * (console->nr_ports + 1);
	}
	err = virtio_device_init(&console->vdev, &console_vdev_ops, &vm->memory,
				 features, sizeof(struct virtio_console_config),
				 nr_queues, CONSOLE_QUEUE_SIZE);
	if (err)
		return err;
	for (unsigned int i = 0; i < nr_queues; i++)
		stream_init(console, i);
	return virtio_transport_create(vm, &console->vdev);
}

/* From here on keys are read, so that Ctrl-A works before a driver does. */
static int console_start(struct device *dev)
{
	struct console *console = container_of(dev, struct console, vdev.base);

	for (unsigned int i = 0; i < console->nr_ports; i++) {
		struct console_port *port = &console->ports[i];
		int err;

		if (!port->chr)
			continue;
		err = chardev_attach(port->chr, console->loop,
				     &console_front_ops, port);
		if (err)
			return vm_fail(dev->vm, err,
				       "virtio-console: cannot use %s: %s",
				       port->name ? port->name : "the terminal",
				       strerror(-err));
		port->attached = true;
	}
	return 0;
}

static bool console_is_drained(struct device *dev)
{
	struct console *console = container_of(dev, struct console, vdev.base);
	bool drained = true;

	for (unsigned int i = 0; i < console->nr_ports; i++)
		drained = drained && port_is_drained(&console->ports[i]);
	return drained;
}

static void console_stop(struct device *dev)
{
	struct console *console = container_of(dev, struct console, vdev.base);

	virtio_device_stop(dev);
	for (unsigned int i = 0; i < console->nr_ports; i++) {
		if (console->ports[i].attached)
			chardev_detach(console->ports[i].chr);
		console->ports[i].attached = false;
	}
}

static void console_destroy(struct console *console)
{
	console_stop(&console->vdev.base);
	virtio_transport_destroy(&console->vdev);
	virtio_device_release(&console->vdev);
	pthread_mutex_destroy(&console->lock);
	free(console->ports);
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
	.virtio = virtio_device_of,
	.pause = virtio_device_pause,
	.resume = virtio_device_resume,
	.is_drained = console_is_drained,
	.stop = console_stop,
	.destroy = console_device_destroy,
};

static int console_class_create(struct kvm *vm, const struct kvm_config *config)
{
	struct console *console;
	int err;

	if (config->console != CONSOLE_VIRTIO && !config->nr_ports)
		return 0;
	console = calloc(1, sizeof(*console));
	if (!console)
		return -ENOMEM;
	pthread_mutex_init(&console->lock, NULL);
	err = console_init(console, vm, config);
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
