/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The MMIO transport of virtio 1.2 (4.2): interrupts, doorbells, life, and the
 * registers that both interfaces have. One level-triggered interrupt for all
 * queues; no shared memory regions.
 */
#include "virtio/mmio_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lkvm/arch.h"
#include "lkvm/kvm.h"

#define MAGIC 0x74726976U  /* "virt" */
#define VENDOR 0x4d564b4cU /* "LKVM" */

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

/* ---- For people ---- */

static void locate(struct virtio_transport *transport, char *text, size_t size)
{
	snprintf(text, size, "0x%" PRIx64,
		 from_transport(transport)->region.start);
}

/* All share the device's line, and a bit for all queues. */
static void show_irq(struct virtio_transport *transport, const struct virtq *q,
		     char *text, size_t size)
{
	u32 bit = q ? VIRTIO_MMIO_INT_VRING : VIRTIO_MMIO_INT_CONFIG;
	u32 status = get_irq_status(from_transport(transport));

	snprintf(text, size, "line%s", status & bit ? ", pending" : "");
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
static void update_doorbells(struct virtio_mmio *mmio, bool may)
{
	for (unsigned int i = 0; i < mmio->dev->nr_queues; i++) {
		const struct virtq *q = &mmio->dev->queues[i];
		struct virtio_mmio_wires *wires = &mmio->wires[i];
		struct ioeventfd io = doorbell(mmio, q);
		bool wanted = may && q->enabled;

		if (wanted && !wires->has_doorbell) {
			wires->has_doorbell = !ioeventfd_add(mmio->vm->fd, &io);
		} else if (!wanted && wires->has_doorbell) {
			ioeventfd_remove(mmio->vm->fd, &io);
			wires->has_doorbell = false;
		}
	}
}

void virtio_mmio_sync_doorbells(struct virtio_mmio *mmio)
{
	u8 status = virtio_get_status(mmio->dev);

	update_doorbells(mmio, !mmio->interface->is_legacy ||
				       status & VIRTIO_CONFIG_S_DRIVER_OK);
}

/* ---- Registers (4.2.2); all with mmio->lock held ---- */

struct virtq *virtio_mmio_queue(struct virtio_mmio *mmio)
{
	return virtio_queue(mmio->dev, mmio->queue_select);
}

/* The page size stays: Linux writes it once, and resets the device after that. */
static void reset_transport(struct virtio_mmio *mmio)
{
	virtio_set_status(mmio->dev, 0);
	mmio->device_feature_select = 0;
	mmio->driver_feature_select = 0;
	mmio->queue_select = 0;
	mmio->queue_align = 0;
	acknowledge(mmio, UINT32_MAX);
}

static u32 read_register(struct virtio_mmio *mmio, u64 offset)
{
	struct virtio_device *dev = mmio->dev;
	const struct virtq *q = virtio_mmio_queue(mmio);

	switch (offset) {
	case VIRTIO_MMIO_MAGIC_VALUE:
		return MAGIC;
	case VIRTIO_MMIO_VERSION:
		return mmio->interface->version;
	case VIRTIO_MMIO_DEVICE_ID:
		return dev->ops->id;
	case VIRTIO_MMIO_VENDOR_ID:
		return VENDOR;
	case VIRTIO_MMIO_DEVICE_FEATURES:
		return virtio_get_host_features(dev,
						mmio->device_feature_select);
	case VIRTIO_MMIO_QUEUE_NUM_MAX:
		return q ? q->max_size : 0;
	case VIRTIO_MMIO_INTERRUPT_STATUS:
		return get_irq_status(mmio);
	case VIRTIO_MMIO_STATUS:
		return virtio_get_status(dev);
	default:
		return mmio->interface->read(mmio, offset);
	}
}

/* What is no size a 16-bit number could hold is none. */
static void set_queue_size(struct virtio_mmio *mmio, u32 size)
{
	struct virtq *q = virtio_mmio_queue(mmio);

	if (q)
		virtio_queue_set_size(mmio->dev, q,
				      size <= UINT16_MAX ? (u16)size : 0);
}

static void kick(struct virtio_mmio *mmio, u32 index)
{
	if (mmio->interface->is_legacy)
		virtio_legacy_kick(mmio->dev, index);
	else
		virtio_kick(mmio->dev, index);
}

static void write_status(struct virtio_mmio *mmio, u8 status)
{
	if (status)
		virtio_set_status(mmio->dev, status);
	else
		reset_transport(mmio);
	virtio_mmio_sync_doorbells(mmio);
}

static void write_register(struct virtio_mmio *mmio, u64 offset, u32 value)
{
	switch (offset) {
	case VIRTIO_MMIO_DEVICE_FEATURES_SEL:
		mmio->device_feature_select = value;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES_SEL:
		mmio->driver_feature_select = value;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES:
		virtio_set_driver_features(mmio->dev,
					   mmio->driver_feature_select, value);
		break;
	case VIRTIO_MMIO_QUEUE_SEL:
		mmio->queue_select = value;
		break;
	case VIRTIO_MMIO_QUEUE_NUM:
		set_queue_size(mmio, value);
		break;
	case VIRTIO_MMIO_QUEUE_NOTIFY:
		kick(mmio, value);
		break;
	case VIRTIO_MMIO_INTERRUPT_ACK:
		acknowledge(mmio, value);
		break;
	case VIRTIO_MMIO_STATUS:
		write_status(mmio, (u8)value);
		break;
	default:
		mmio->interface->write(mmio, offset, value);
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
	update_doorbells(mmio, false);
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
	.locate = locate,
	.show_irq = show_irq,
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

static int create(struct kvm *vm, struct virtio_device *dev,
		  const struct virtio_mmio_interface *interface)
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
	mmio->interface = interface;
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
	if (interface->is_legacy)
		virtio_device_make_legacy(dev);
	reset_transport(mmio);
	err = bus_add(place.bus, &mmio->region);
	if (err)
		destroy(&mmio->transport);
	else
		dev->transport = &mmio->transport;
	return err;
}

int virtio_mmio_create(struct kvm *vm, struct virtio_device *dev)
{
	return create(vm, dev, &virtio_mmio_modern);
}

int virtio_mmio_legacy_create(struct kvm *vm, struct virtio_device *dev)
{
	return create(vm, dev, &virtio_mmio_legacy);
}
