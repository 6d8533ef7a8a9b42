/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PCI transport of virtio 1.2 (4.1): interrupts, doorbells and life, which
 * are the same whichever interface the driver sees.
 */
#include "virtio/pci_priv.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <stdio.h>
#include <stdlib.h>
#include "lkvm/kvm.h"

#define VIRTIO_VENDOR 0x1af4

/* ISR status bits (4.1.4.5). */
#define ISR_QUEUE BIT(0)
#define ISR_CONFIG VIRTIO_PCI_ISR_CONFIG

static struct virtio_pci *from_transport(struct virtio_transport *transport)
{
	return container_of(transport, struct virtio_pci, transport);
}

/* ---- Interrupts ---- */

static void raise_isr(struct virtio_pci *vpci, u8 bit)
{
	pthread_mutex_lock(&vpci->isr_lock);
	vpci->isr |= bit;
	pci_set_intx(&vpci->fn, true);
	pthread_mutex_unlock(&vpci->isr_lock);
}

u8 virtio_pci_take_isr(struct virtio_pci *vpci)
{
	u8 isr;

	pthread_mutex_lock(&vpci->isr_lock);
	isr = vpci->isr;
	vpci->isr = 0;
	pci_set_intx(&vpci->fn, false);
	pthread_mutex_unlock(&vpci->isr_lock);
	return isr;
}

/* NO_VECTOR is above every vector there is: signals nothing. */
static void interrupt(struct virtio_pci *vpci, u16 vector, u8 isr_bit)
{
	if (!pci_msix_signal(&vpci->fn, vector))
		raise_isr(vpci, isr_bit);
}

static void queue_irq(struct virtio_transport *transport, struct virtq *q)
{
	interrupt(from_transport(transport), q->msix_vector, ISR_QUEUE);
}

static void config_irq(struct virtio_transport *transport)
{
	struct virtio_pci *vpci = from_transport(transport);

	interrupt(vpci, vpci->config_vector, ISR_CONFIG);
}

/* What a vector register holds after the driver wrote @vector (4.1.5.1.2). */
static u16 checked_vector(const struct virtio_pci *vpci, u32 vector)
{
	return vector < vpci->nr_vectors ? vector : VIRTIO_MSI_NO_VECTOR;
}

void virtio_pci_set_config_vector(struct virtio_pci *vpci, u32 vector)
{
	vpci->config_vector = checked_vector(vpci, vector);
}

/* ---- Eventfds that stand for a queue's interrupt ---- */

/*
 * KVM takes one eventfd a vector: where the driver lets queues share one, the
 * others come through the event loop.
 */
static bool is_tied_locked(const struct virtio_pci *vpci, u16 vector)
{
	for (unsigned int i = 0; i < vpci->dev->nr_queues; i++)
		if (vpci->wires[i].tied_vector == vector)
			return true;
	return false;
}

static void untie_locked(struct virtio_pci *vpci,
			 struct virtio_pci_wires *wires)
{
	if (wires->tied_vector != VIRTIO_MSI_NO_VECTOR)
		pci_msix_connect(&vpci->fn, wires->tied_vector, -1);
	wires->tied_vector = VIRTIO_MSI_NO_VECTOR;
}

static void tie_locked(struct virtio_pci *vpci, struct virtio_pci_wires *wires,
		       u16 vector)
{
	struct virtio_call *call = &wires->call;

	/* Never both: the event loop would take what KVM is to see. */
	virtio_call_unpoll(call);
	if (!pci_msix_connect(&vpci->fn, vector, call->source.fd))
		wires->tied_vector = vector;
}

/* The vector that queue @index wants for its eventfd; NO_VECTOR: none. */
static u16 wanted_vector(struct virtio_pci *vpci, unsigned int index)
{
	if (vpci->wires[index].call.source.fd < 0 ||
	    !pci_msix_enabled(&vpci->fn))
		return VIRTIO_MSI_NO_VECTOR;
	return vpci->dev->queues[index].msix_vector;
}

/*
 * Let the eventfds go where MSI-X and the queues' vectors now say. In two
 * rounds, so that queues may swap their vectors.
 */
static void sync_calls_locked(struct virtio_pci *vpci)
{
	for (unsigned int i = 0; i < vpci->dev->nr_queues; i++)
		if (vpci->wires[i].tied_vector != wanted_vector(vpci, i))
			untie_locked(vpci, &vpci->wires[i]);
	for (unsigned int i = 0; i < vpci->dev->nr_queues; i++) {
		struct virtio_pci_wires *wires = &vpci->wires[i];
		u16 vector = wanted_vector(vpci, i);

		if (vector != wires->tied_vector &&
		    !is_tied_locked(vpci, vector))
			tie_locked(vpci, wires, vector);
		if (wires->tied_vector == VIRTIO_MSI_NO_VECTOR)
			virtio_call_poll(&wires->call);
	}
}

void virtio_pci_config_written(struct virtio_pci *vpci)
{
	pthread_mutex_lock(&vpci->call_lock);
	sync_calls_locked(vpci);
	pthread_mutex_unlock(&vpci->call_lock);
}

static void queue_call_fd(struct virtio_transport *transport, struct virtq *q,
			  int fd)
{
	struct virtio_pci *vpci = from_transport(transport);
	struct virtio_pci_wires *wires = &vpci->wires[q->index];

	pthread_mutex_lock(&vpci->call_lock);
	untie_locked(vpci, wires);
	virtio_call_unpoll(&wires->call);
	wires->call.source.fd = fd;
	sync_calls_locked(vpci);
	pthread_mutex_unlock(&vpci->call_lock);
}

void virtio_pci_set_queue_vector(struct virtio_pci *vpci, struct virtq *q,
				 u32 vector)
{
	q->msix_vector = checked_vector(vpci, vector);
	virtio_pci_config_written(vpci);
}

/* ---- Doorbells ---- */

static void add_doorbells(struct virtio_pci *vpci, const struct virtq *q)
{
	const struct virtio_pci_interface *interface = vpci->interface;
	struct virtio_pci_wires *wires = &vpci->wires[q->index];

	interface->find_doorbells(q, wires->doorbells);
	for (unsigned int i = 0; i < interface->nr_doorbells; i++) {
		wires->doorbells[i].fd = q->kick_fd;
		pci_doorbell_add(&vpci->fn, interface->doorbell_bars[i],
				 &wires->doorbells[i]);
	}
}

static void remove_doorbells(struct virtio_pci *vpci, const struct virtq *q)
{
	const struct virtio_pci_interface *interface = vpci->interface;
	struct virtio_pci_wires *wires = &vpci->wires[q->index];

	for (unsigned int i = 0; i < interface->nr_doorbells; i++)
		pci_doorbell_remove(&vpci->fn, interface->doorbell_bars[i],
				    &wires->doorbells[i]);
}

/* Those of enabled queues are there, if any @may be. */
static void update_doorbells(struct virtio_pci *vpci, bool may)
{
	for (unsigned int i = 0; i < vpci->dev->nr_queues; i++) {
		const struct virtq *q = &vpci->dev->queues[i];
		struct virtio_pci_wires *wires = &vpci->wires[i];
		bool wanted = may && q->enabled;

		if (wanted && !wires->has_doorbells)
			add_doorbells(vpci, q);
		else if (!wanted && wires->has_doorbells)
			remove_doorbells(vpci, q);
		wires->has_doorbells = wanted;
	}
}

void virtio_pci_sync_doorbells(struct virtio_pci *vpci)
{
	u8 status = virtio_get_status(vpci->dev);

	update_doorbells(vpci, !vpci->interface->is_legacy ||
				       status & VIRTIO_CONFIG_S_DRIVER_OK);
}

/* ---- Status and configuration ---- */

static void reset_transport(struct virtio_pci *vpci)
{
	virtio_set_status(vpci->dev, 0);
	for (unsigned int i = 0; i < vpci->dev->nr_queues; i++)
		vpci->dev->queues[i].msix_vector = VIRTIO_MSI_NO_VECTOR;
	vpci->config_vector = VIRTIO_MSI_NO_VECTOR;
	vpci->device_feature_select = 0;
	vpci->driver_feature_select = 0;
	vpci->queue_select = 0;
	virtio_pci_take_isr(vpci);
}

void virtio_pci_write_status(struct virtio_pci *vpci, u8 status)
{
	if (status)
		virtio_set_status(vpci->dev, status);
	else
		reset_transport(vpci);
	virtio_pci_sync_doorbells(vpci);
}

void virtio_pci_device_access(struct virtio_pci *vpci, struct bus_access *acc)
{
	if (acc->is_write) {
		virtio_config_write(vpci->dev, acc->offset, &acc->value,
				    acc->size);
	} else {
		acc->value = 0;
		virtio_config_read(vpci->dev, acc->offset, &acc->value,
				   acc->size);
	}
}

/* ---- For people ---- */

static void locate(struct virtio_transport *transport, char *text, size_t size)
{
	const struct pci_function *fn = &from_transport(transport)->fn;

	snprintf(text, size, "00:%02x.%u", fn->slot, fn->function);
}

static void show_irq(struct virtio_transport *transport, const struct virtq *q,
		     char *text, size_t size)
{
	struct virtio_pci *vpci = from_transport(transport);
	u16 vector = q ? q->msix_vector : vpci->config_vector;
	struct pci_msix_state state;

	if (!pci_msix_enabled(&vpci->fn)) {
		snprintf(text, size, "INTx");
	} else if (vector == VIRTIO_MSI_NO_VECTOR) {
		snprintf(text, size, "no vector");
	} else {
		state = pci_msix_state(&vpci->fn, vector);
		snprintf(text, size, "MSI-X vector %u%s%s", vector,
			 state.masked ? ", masked" : "",
			 state.pending ? ", pending" : "");
	}
}

/* ---- Creation ---- */

static int create_wires(struct virtio_pci *vpci, struct event_loop *loop)
{
	struct virtio_device *dev = vpci->dev;

	vpci->wires = calloc(dev->nr_queues, sizeof(*vpci->wires));
	if (!vpci->wires)
		return -ENOMEM;
	for (unsigned int i = 0; i < dev->nr_queues; i++) {
		virtio_call_init(&vpci->wires[i].call, &dev->queues[i], loop);
		vpci->wires[i].tied_vector = VIRTIO_MSI_NO_VECTOR;
	}
	return 0;
}

static void free_transport(struct virtio_pci *vpci)
{
	free(vpci->wires);
	pthread_mutex_destroy(&vpci->isr_lock);
	pthread_mutex_destroy(&vpci->call_lock);
	pthread_mutex_destroy(&vpci->lock);
	free(vpci);
}

/* Device is to be stopped before: nothing interrupts any more. */
static void destroy(struct virtio_transport *transport)
{
	struct virtio_pci *vpci = from_transport(transport);

	virtio_device_stop(&vpci->dev->base);
	update_doorbells(vpci, false);
	pci_remove(&vpci->fn);
	vpci->dev->transport = NULL;
	free_transport(vpci);
}

static const struct virtio_transport_ops transport_ops = {
	.queue_irq = queue_irq,
	.config_irq = config_irq,
	.queue_call_fd = queue_call_fd,
	.locate = locate,
	.show_irq = show_irq,
	.destroy = destroy,
};

static int build_function(struct virtio_pci *vpci)
{
	struct pci_identity id = {
		.vendor = VIRTIO_VENDOR,
		.subsystem_vendor = VIRTIO_VENDOR,
		.class_code = vpci->dev->ops->pci_class,
	};

	vpci->interface->identify(vpci->dev, &id);
	pci_function_init(&vpci->fn, vpci->dev->ops->name,
			  &vpci->interface->function_ops, &id);
	pci_use_intx(&vpci->fn);
	pci_add_express_capability(&vpci->fn);
	return vpci->interface->build(vpci);
}

static int create(struct kvm *vm, struct virtio_device *dev,
		  const struct virtio_pci_interface *interface)
{
	struct virtio_pci *vpci = calloc(1, sizeof(*vpci));
	int err;

	if (!vpci)
		return -ENOMEM;
	vpci->transport.ops = &transport_ops;
	vpci->interface = interface;
	vpci->dev = dev;
	/* One for each queue, one for configuration changes. */
	vpci->nr_vectors = dev->nr_queues + 1;
	pthread_mutex_init(&vpci->lock, NULL);
	pthread_mutex_init(&vpci->call_lock, NULL);
	pthread_mutex_init(&vpci->isr_lock, NULL);
	err = create_wires(vpci, &vm->loop);
	if (err)
		goto err_free;
	err = build_function(vpci);
	if (!err)
		err = pci_add(vm->pci, &vpci->fn);
	if (err)
		goto err_remove;
	dev->transport = &vpci->transport;
	if (interface->is_legacy)
		virtio_device_make_legacy(dev);
	reset_transport(vpci);
	return 0;

err_remove:
	pci_remove(&vpci->fn);
err_free:
	free_transport(vpci);
	return err;
}

int virtio_pci_create(struct kvm *vm, struct virtio_device *dev)
{
	return create(vm, dev, &virtio_pci_modern);
}

int virtio_pci_legacy_create(struct kvm *vm, struct virtio_device *dev)
{
	return create(vm, dev, &virtio_pci_legacy);
}
