/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The MMIO transport of virtio 1.2 (4.2), without the legacy interface. One
 * level-triggered interrupt for all queues; no shared memory regions.
 */
#include "lkvm/virtio.h"

#include <errno.h>
#include <linux/virtio_mmio.h>
#include <stdlib.h>
#include <string.h>
#include "lkvm/arch.h"
#include "lkvm/kvm.h"
#include "virtio/call.h"

#define MAGIC 0x74726976U  /* "virt" */
#define VENDOR 0x4d564b4cU /* "LKVM" */
#define VERSION 2U

struct queue_wires {
	bool has_doorbell;	 /* KVM has it */
	struct virtio_call call; /* guarded by dev->lock */
};

struct virtio_mmio {
	struct virtio_transport transport;
	struct kvm *vm;
	struct virtio_device *dev;
	struct bus *bus;
	struct bus_region region;

	/* As in virtio/pci.c: one register access at a time. */
	pthread_mutex_t lock;
	u32 device_feature_select;
	u32 driver_feature_select;
	u32 queue_select;
	struct queue_wires *wires; /* one per queue, owned */

	pthread_mutex_t status_lock; /* guards irq_status, and irq with it */
	u32 irq_status;
	struct irq_line irq;
};

static struct virtio_mmio *from_transport(struct virtio_transport *transport)
{
	return container_of(transport, struct virtio_mmio, transport);
}

/* ---- Interrupts ---- */

static void raise(struct virtio_mmio *mmio, u32 bit)
{
	pthread_mutex_lock(&mmio->status_lock);
	mmio->irq_status |= bit;
	irq_line_set(&mmio->irq, true);
	pthread_mutex_unlock(&mmio->status_lock);
}

static void acknowledge(struct virtio_mmio *mmio, u32 bits)
{
	pthread_mutex_lock(&mmio->status_lock);
	mmio->irq_status &= ~bits;
	irq_line_set(&mmio->irq, mmio->irq_status);
	pthread_mutex_unlock(&mmio->status_lock);
}

static u32 get_irq_status(struct virtio_mmio *mmio)
{
	u32 status;

	pthread_mutex_lock(&mmio->status_lock);
	status = mmio->irq_status;
	pthread_mutex_unlock(&mmio->status_lock);
	return status;
}

static void queue_irq(struct virtio_transport *transport, struct virtq *q)
{
	raise(from_transport(transport), VIRTIO_MMIO_INT_VRING);
}

static void config_irq(struct virtio_transport *transport)
{
	raise(from_transport(transport), VIRTIO_MMIO_INT_CONFIG);
}

/* One line for all: KVM could not set its bit in the interrupt status. */
static void queue_call_fd(struct virtio_transport *transport, struct virtq *q,
			  int fd)
{
	struct virtio_mmio *mmio = from_transport(transport);
	struct virtio_call *call = &mmio->wires[q->index].call;

	virtio_call_unpoll(call);
	call->source.fd = fd;
	virtio_call_poll(call);
}

/* ---- Doorbells ---- */

static struct ioeventfd doorbell(const struct virtio_mmio *mmio,
				 const struct virtq *q)
{
	return (struct ioeventfd){
		.addr = mmio->region.start + VIRTIO_MMIO_QUEUE_NOTIFY,
		.len = 4,
		.has_match = true,
		.match = q->index,
		.fd = q->kick_fd,
	};
}

/* Without room in the host the doorbell traps, and works. */
static void add_doorbell(struct virtio_mmio *mmio, struct virtq *q)
{
	struct ioeventfd io = doorbell(mmio, q);

	mmio->wires[q->index].has_doorbell = !ioeventfd_add(mmio->vm->fd, &io);
}

static void remove_doorbells(struct virtio_mmio *mmio)
{
	for (unsigned int i = 0; i < mmio->dev->nr_queues; i++) {
		struct ioeventfd io = doorbell(mmio, &mmio->dev->queues[i]);

		if (mmio->wires[i].has_doorbell)
			ioeventfd_remove(mmio->vm->fd, &io);
		mmio->wires[i].has_doorbell = false;
	}
}

/* ---- Registers (4.2.2); all with mmio->lock held ---- */

static void reset_transport(struct virtio_mmio *mmio)
{
	remove_doorbells(mmio);
	virtio_set_status(mmio->dev, 0);
	mmio->device_feature_select = 0;
	mmio->driver_feature_select = 0;
	mmio->queue_select = 0;
	acknowledge(mmio, UINT32_MAX);
}

static u32 read_register(struct virtio_mmio *mmio, u64 offset)
{
	struct virtio_device *dev = mmio->dev;
	const struct virtq *q = virtio_queue(dev, mmio->queue_select);

	switch (offset) {
	case VIRTIO_MMIO_MAGIC_VALUE:
		return MAGIC;
	case VIRTIO_MMIO_VERSION:
		return VERSION;
	case VIRTIO_MMIO_DEVICE_ID:
		return dev->ops->id;
	case VIRTIO_MMIO_VENDOR_ID:
		return VENDOR;
	case VIRTIO_MMIO_DEVICE_FEATURES:
		return virtio_get_host_features(dev,
						mmio->device_feature_select);
	case VIRTIO_MMIO_QUEUE_NUM_MAX:
		return q ? q->max_size : 0;
	case VIRTIO_MMIO_QUEUE_READY:
		return q && q->enabled;
	case VIRTIO_MMIO_INTERRUPT_STATUS:
		return get_irq_status(mmio);
	case VIRTIO_MMIO_STATUS:
		return virtio_get_status(dev);
	case VIRTIO_MMIO_CONFIG_GENERATION:
		return dev->config_generation;
	case VIRTIO_MMIO_SHM_LEN_LOW: /* no such region: 2^64 - 1 */
	case VIRTIO_MMIO_SHM_LEN_HIGH:
	case VIRTIO_MMIO_SHM_BASE_LOW:
	case VIRTIO_MMIO_SHM_BASE_HIGH:
		return UINT32_MAX;
	default:
		return 0;
	}
}

static void write_queue(struct virtio_mmio *mmio, u64 offset, u32 value)
{
	struct virtio_device *dev = mmio->dev;
	struct virtq *q = virtio_queue(dev, mmio->queue_select);
	u64 word;

	if (!q)
		return;
	switch (offset) {
	case VIRTIO_MMIO_QUEUE_NUM:
		/* What is no size a 16-bit number could hold is none. */
		virtio_queue_set_size(dev, q,
				      value <= UINT16_MAX ? (u16)value : 0);
		break;
	case VIRTIO_MMIO_QUEUE_READY:
		if (value == 1 && !virtio_queue_enable(dev, q))
			add_doorbell(mmio, q);
		break;
	case VIRTIO_MMIO_QUEUE_DESC_LOW:
	case VIRTIO_MMIO_QUEUE_DESC_HIGH:
	case VIRTIO_MMIO_QUEUE_AVAIL_LOW:
	case VIRTIO_MMIO_QUEUE_AVAIL_HIGH:
	case VIRTIO_MMIO_QUEUE_USED_LOW:
	case VIRTIO_MMIO_QUEUE_USED_HIGH:
		/* Three addresses of two words each, 16 bytes apart. */
		word = offset - VIRTIO_MMIO_QUEUE_DESC_LOW;
		virtio_queue_set_address(dev, q, (enum virtq_area)(word / 16),
					 word % 16 / 4, value);
		break;
	default:
		break;
	}
}

static void write_register(struct virtio_mmio *mmio, u64 offset, u32 value)
{
	struct virtio_device *dev = mmio->dev;

	switch (offset) {
	case VIRTIO_MMIO_DEVICE_FEATURES_SEL:
		mmio->device_feature_select = value;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES_SEL:
		mmio->driver_feature_select = value;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES:
		virtio_set_driver_features(dev, mmio->driver_feature_select,
					   value);
		break;
	case VIRTIO_MMIO_QUEUE_SEL:
		mmio->queue_select = value;
		break;
	case VIRTIO_MMIO_QUEUE_NOTIFY:
		virtio_kick(dev, value);
		break;
	case VIRTIO_MMIO_INTERRUPT_ACK:
		acknowledge(mmio, value);
		break;
	case VIRTIO_MMIO_STATUS:
		if (value)
			virtio_set_status(dev, (u8)value);
		else
			reset_transport(mmio);
		break;
	default:
		write_queue(mmio, offset, value);
	}
}

static void config_access(struct virtio_mmio *mmio, struct bus_access *acc)
{
	u64 offset = acc->offset - VIRTIO_MMIO_CONFIG;

	if (acc->is_write) {
		virtio_config_write(mmio->dev, offset, &acc->value, acc->size);
	} else {
		acc->value = 0;
		virtio_config_read(mmio->dev, offset, &acc->value, acc->size);
	}
}

/* Registers are 32 bits wide and accessed so (4.2.2.2). */
static enum bus_result mmio_access(void *opaque, struct bus_access *acc)
{
	struct virtio_mmio *mmio = opaque;

	if (acc->offset >= VIRTIO_MMIO_CONFIG) {
		config_access(mmio, acc);
		return BUS_HANDLED;
	}
	if (acc->size != 4 || acc->offset % 4) {
		acc->value = acc->is_write ? acc->value : 0;
		return BUS_HANDLED;
	}
	pthread_mutex_lock(&mmio->lock);
	if (acc->is_write)
		write_register(mmio, acc->offset, (u32)acc->value);
	else
		acc->value = read_register(mmio, acc->offset);
	pthread_mutex_unlock(&mmio->lock);
	return BUS_HANDLED;
}

/* ---- Creation ---- */

static void describe(struct virtio_transport *transport,
		     struct device_desc *out)
{
	const struct virtio_mmio *mmio = from_transport(transport);

	*out = (struct device_desc){
		.node = "virtio",
		DEVICE_COMPATIBLE("virtio,mmio"),
		.start = mmio->region.start,
		.len = mmio->region.len,
		.irq = mmio->irq.hub,
		.is_dma_coherent = true,
	};
}

/* Device is to be stopped before: nothing interrupts any more. */
static void destroy(struct virtio_transport *transport)
{
	struct virtio_mmio *mmio = from_transport(transport);

	virtio_device_stop(&mmio->dev->base);
	remove_doorbells(mmio);
	bus_remove(mmio->bus, &mmio->region);
	mmio->dev->transport = NULL;
	pthread_mutex_destroy(&mmio->status_lock);
	pthread_mutex_destroy(&mmio->lock);
	free(mmio->wires);
	free(mmio);
}

static const struct virtio_transport_ops transport_ops = {
	.queue_irq = queue_irq,
	.config_irq = config_irq,
	.queue_call_fd = queue_call_fd,
	.describe = describe,
	.destroy = destroy,
};

static int find_place(struct kvm *vm, struct device_place *place)
{
	int err = arch_place(vm, PLACE_VIRTIO_MMIO, vm->nr_virtio_mmio, place);

	if (err)
		return vm_fail(vm, -ENOSPC,
			       "no room for more than %u virtio devices on "
			       "MMIO: use fewer, or --virtio-transport pci",
			       vm->nr_virtio_mmio);
	vm->nr_virtio_mmio++;
	return 0;
}

int virtio_mmio_create(struct kvm *vm, struct virtio_device *dev)
{
	struct device_place place;
	struct virtio_mmio *mmio;
	int err = find_place(vm, &place);

	if (err)
		return err;
	mmio = calloc(1, sizeof(*mmio));
	if (!mmio)
		return -ENOMEM;
	mmio->wires = calloc(dev->nr_queues, sizeof(*mmio->wires));
	if (!mmio->wires) {
		free(mmio);
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < dev->nr_queues; i++)
		virtio_call_init(&mmio->wires[i].call, &dev->queues[i],
				 &vm->loop);
	mmio->transport.ops = &transport_ops;
	mmio->vm = vm;
	mmio->dev = dev;
	mmio->bus = place.bus;
	mmio->irq = place.irq;
	mmio->region = (struct bus_region){
		.start = place.start,
		.len = place.len,
		.name = dev->ops->name,
		.access = mmio_access,
		.opaque = mmio,
	};
	pthread_mutex_init(&mmio->lock, NULL);
	pthread_mutex_init(&mmio->status_lock, NULL);
	reset_transport(mmio);
	err = bus_add(place.bus, &mmio->region);
	if (err)
		destroy(&mmio->transport);
	else
		dev->transport = &mmio->transport;
	return err;
}
