/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PCI transport of virtio 1.2 (4.1), without the legacy interface.
 *
 * One memory BAR holds all structures and the MSI-X tables. One I/O BAR is a
 * second notification area and nothing else: KVM decodes a port write from the
 * exit's own fields, where a memory write makes it fetch and decode the guest's
 * instruction. It is announced first, so Linux takes it; a driver that cannot
 * use ports finds the one in memory.
 */
#include "lkvm/virtio.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <stdlib.h>
#include <string.h>
#include "lkvm/kvm.h"
#include "lkvm/pci.h"
#include "virtio/call.h"

#define VIRTIO_VENDOR 0x1af4
#define VIRTIO_DEVICE_BASE 0x1040 /* 4.1.2 */
#define VIRTIO_SUBSYSTEM 0x1100

/* ISR status bits (4.1.4.5). */
#define ISR_QUEUE BIT(0)
#define ISR_CONFIG VIRTIO_PCI_ISR_CONFIG

/* The BARs. In memory each structure has a page of its own. */
#define PORT_BAR 0
#define MEMORY_BAR 1
#define AREA_LEN 0x1000U
#define COMMON_AREA 0x0000U
#define ISR_AREA 0x1000U
#define DEVICE_AREA 0x2000U
#define NOTIFY_AREA 0x3000U
#define MSIX_TABLE 0x4000U
#define MSIX_PBA 0x5000U
#define MEMORY_BAR_LEN 0x6000U

/* Distance of two queues' doorbells. */
#define NOTIFY_STEP 4U

struct queue_wires {
	struct pci_doorbell port, memory;
	bool has_doorbells;
	struct virtio_call call;
	/* KVM ties call's eventfd to this vector; NO_VECTOR: it does not. */
	u16 tied_vector;
};

struct virtio_pci {
	struct virtio_transport transport;
	struct pci_function fn;
	struct virtio_device *dev;
	unsigned int nr_vectors;
	unsigned int cfg_cap; /* VIRTIO_PCI_CAP_PCI_CFG in config space */
	_Atomic u16 config_vector;

	/*
	 * Guards the selectors, and makes accesses to the common
	 * configuration one at a time. Taken before dev->lock; held while a
	 * reset waits for the device.
	 */
	pthread_mutex_t lock;
	u32 device_feature_select;
	u32 driver_feature_select;
	u16 queue_select;

	struct queue_wires *wires; /* one per queue, owned */
	/*
	 * Guards call and tied_vector of the queues. Taken after dev->lock, and
	 * held over pci_msix_connect().
	 */
	pthread_mutex_t call_lock;

	pthread_mutex_t isr_lock; /* guards isr, and INTx going with it */
	u8 isr;
};

static struct virtio_pci *from_function(struct pci_function *fn)
{
	return container_of(fn, struct virtio_pci, fn);
}

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

/* Reading acknowledges (4.1.4.5.1); so does a reset. */
static u8 take_isr(struct virtio_pci *vpci)
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

static void untie_locked(struct virtio_pci *vpci, struct queue_wires *wires)
{
	if (wires->tied_vector != VIRTIO_MSI_NO_VECTOR)
		pci_msix_connect(&vpci->fn, wires->tied_vector, -1);
	wires->tied_vector = VIRTIO_MSI_NO_VECTOR;
}

static void tie_locked(struct virtio_pci *vpci, struct queue_wires *wires,
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
		struct queue_wires *wires = &vpci->wires[i];
		u16 vector = wanted_vector(vpci, i);

		if (vector != wires->tied_vector &&
		    !is_tied_locked(vpci, vector))
			tie_locked(vpci, wires, vector);
		if (wires->tied_vector == VIRTIO_MSI_NO_VECTOR)
			virtio_call_poll(&wires->call);
	}
}

static void sync_calls(struct virtio_pci *vpci)
{
	pthread_mutex_lock(&vpci->call_lock);
	sync_calls_locked(vpci);
	pthread_mutex_unlock(&vpci->call_lock);
}

static void queue_call_fd(struct virtio_transport *transport, struct virtq *q,
			  int fd)
{
	struct virtio_pci *vpci = from_transport(transport);
	struct queue_wires *wires = &vpci->wires[q->index];

	pthread_mutex_lock(&vpci->call_lock);
	untie_locked(vpci, wires);
	virtio_call_unpoll(&wires->call);
	wires->call.source.fd = fd;
	sync_calls_locked(vpci);
	pthread_mutex_unlock(&vpci->call_lock);
}

/* ---- Doorbells ---- */

static void add_doorbells(struct virtio_pci *vpci, struct virtq *q)
{
	struct queue_wires *wires = &vpci->wires[q->index];
	u64 offset = q->index * NOTIFY_STEP;

	wires->port = (struct pci_doorbell){
		.offset = offset,
		.fd = q->kick_fd,
		.len = 2, /* KVM wants a width for ports: 4.1.4.4.1 says 2 */
	};
	wires->memory = (struct pci_doorbell){
		.offset = NOTIFY_AREA + offset,
		.fd = q->kick_fd,
	};
	pci_doorbell_add(&vpci->fn, PORT_BAR, &wires->port);
	pci_doorbell_add(&vpci->fn, MEMORY_BAR, &wires->memory);
	wires->has_doorbells = true;
}

static void remove_doorbells(struct virtio_pci *vpci)
{
	for (unsigned int i = 0; i < vpci->dev->nr_queues; i++) {
		struct queue_wires *wires = &vpci->wires[i];

		if (!wires->has_doorbells)
			continue;
		pci_doorbell_remove(&vpci->fn, PORT_BAR, &wires->port);
		pci_doorbell_remove(&vpci->fn, MEMORY_BAR, &wires->memory);
		wires->has_doorbells = false;
	}
}

/*
 * A ring that KVM did not catch. The queue is told from the address, as the
 * eventfds do, and the value written is not looked at.
 */
static enum bus_result notify_access(struct virtio_pci *vpci,
				     struct bus_access *acc)
{
	if (acc->is_write && acc->offset % NOTIFY_STEP == 0)
		virtio_kick(vpci->dev, acc->offset / NOTIFY_STEP);
	acc->value = 0;
	return BUS_HANDLED;
}

/* ---- Common configuration (4.1.4.3); all with vpci->lock held ---- */

static void read_queue_fields(const struct virtq *q,
			      struct virtio_pci_common_cfg *cfg)
{
	cfg->queue_size = q->size;
	cfg->queue_msix_vector = q->msix_vector;
	cfg->queue_enable = q->enabled;
	cfg->queue_notify_off = q->index;
	cfg->queue_desc_lo = (u32)q->desc_gpa;
	cfg->queue_desc_hi = q->desc_gpa >> 32;
	cfg->queue_avail_lo = (u32)q->avail_gpa;
	cfg->queue_avail_hi = q->avail_gpa >> 32;
	cfg->queue_used_lo = (u32)q->used_gpa;
	cfg->queue_used_hi = q->used_gpa >> 32;
}

/* All fields as they are now: reads of any width take their bytes from here. */
static void read_common(struct virtio_pci *vpci, struct bus_access *acc)
{
	struct virtio_device *dev = vpci->dev;
	const struct virtq *q = virtio_queue(dev, vpci->queue_select);
	struct virtio_pci_common_cfg cfg = {
		.device_feature_select = vpci->device_feature_select,
		.device_feature = virtio_get_host_features(
			dev, vpci->device_feature_select),
		.guest_feature_select = vpci->driver_feature_select,
		.guest_feature = virtio_get_driver_features(
			dev, vpci->driver_feature_select),
		.msix_config = vpci->config_vector,
		.num_queues = dev->nr_queues,
		.device_status = virtio_get_status(dev),
		.config_generation = dev->config_generation,
		.queue_select = vpci->queue_select,
		/* Without such a queue its size is 0 (4.1.4.3.1). */
		.queue_msix_vector = VIRTIO_MSI_NO_VECTOR,
	};

	if (q)
		read_queue_fields(q, &cfg);
	bus_read_bytes(acc, &cfg, sizeof(cfg));
}

static void reset_transport(struct virtio_pci *vpci)
{
	remove_doorbells(vpci);
	virtio_set_status(vpci->dev, 0);
	for (unsigned int i = 0; i < vpci->dev->nr_queues; i++)
		vpci->dev->queues[i].msix_vector = VIRTIO_MSI_NO_VECTOR;
	vpci->config_vector = VIRTIO_MSI_NO_VECTOR;
	vpci->device_feature_select = 0;
	vpci->driver_feature_select = 0;
	vpci->queue_select = 0;
	take_isr(vpci);
}

static void write_status(struct virtio_pci *vpci, u8 status)
{
	if (status)
		virtio_set_status(vpci->dev, status);
	else
		reset_transport(vpci);
}

static void write_queue_field(struct virtio_pci *vpci, u64 offset, u32 value)
{
	struct virtio_device *dev = vpci->dev;
	struct virtq *q = virtio_queue(dev, vpci->queue_select);
	unsigned int word;

	if (!q)
		return;
	switch (offset) {
	case VIRTIO_PCI_COMMON_Q_SIZE:
		virtio_queue_set_size(dev, q, value);
		break;
	case VIRTIO_PCI_COMMON_Q_MSIX:
		q->msix_vector = checked_vector(vpci, value);
		sync_calls(vpci);
		break;
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		if (value == 1 && !virtio_queue_enable(dev, q))
			add_doorbells(vpci, q);
		break;
	case VIRTIO_PCI_COMMON_Q_DESCLO ... VIRTIO_PCI_COMMON_Q_USEDHI:
		/* Three addresses of two words each, in virtq_area's order. */
		word = (offset - VIRTIO_PCI_COMMON_Q_DESCLO) / sizeof(u32);
		virtio_queue_set_address(dev, q, word / 2, word % 2, value);
		break;
	}
}

static void write_field(struct virtio_pci *vpci, u64 offset, u32 value)
{
	switch (offset) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		vpci->device_feature_select = value;
		break;
	case VIRTIO_PCI_COMMON_GFSELECT:
		vpci->driver_feature_select = value;
		break;
	case VIRTIO_PCI_COMMON_GF:
		virtio_set_driver_features(vpci->dev,
					   vpci->driver_feature_select, value);
		break;
	case VIRTIO_PCI_COMMON_MSIX:
		vpci->config_vector = checked_vector(vpci, value);
		break;
	case VIRTIO_PCI_COMMON_STATUS:
		write_status(vpci, value);
		break;
	case VIRTIO_PCI_COMMON_Q_SELECT:
		vpci->queue_select = value;
		break;
	default:
		write_queue_field(vpci, offset, value);
	}
}

/* Bytes of the writable field at @offset; 0: there is none. */
static unsigned int field_len(u64 offset)
{
	switch (offset) {
	case VIRTIO_PCI_COMMON_STATUS:
		return 1;
	case VIRTIO_PCI_COMMON_MSIX:
	case VIRTIO_PCI_COMMON_Q_SELECT:
	case VIRTIO_PCI_COMMON_Q_SIZE:
	case VIRTIO_PCI_COMMON_Q_MSIX:
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		return 2;
	case VIRTIO_PCI_COMMON_DFSELECT:
	case VIRTIO_PCI_COMMON_GFSELECT:
	case VIRTIO_PCI_COMMON_GF:
		return 4;
	case VIRTIO_PCI_COMMON_Q_DESCLO ... VIRTIO_PCI_COMMON_Q_USEDHI:
		return offset % 4 ? 0 : 4;
	default:
		return 0;
	}
}

/*
 * 4.1.3.1: a field is written with its own width, a 64-bit one as two halves.
 * Other widths do nothing, except that a whole 64-bit field is split.
 */
static void write_common(struct virtio_pci *vpci, const struct bus_access *acc)
{
	bool whole_address = acc->size == 8 && acc->offset % 8 == 0;

	if (acc->size == field_len(acc->offset)) {
		write_field(vpci, acc->offset, (u32)acc->value);
	} else if (whole_address && field_len(acc->offset + 4) == 4 &&
		   acc->offset >= VIRTIO_PCI_COMMON_Q_DESCLO) {
		write_field(vpci, acc->offset, (u32)acc->value);
		write_field(vpci, acc->offset + 4, acc->value >> 32);
	}
}

static enum bus_result common_access(struct virtio_pci *vpci,
				     struct bus_access *acc)
{
	pthread_mutex_lock(&vpci->lock);
	if (acc->is_write)
		write_common(vpci, acc);
	else
		read_common(vpci, acc);
	pthread_mutex_unlock(&vpci->lock);
	return BUS_HANDLED;
}

/* ---- The other structures ---- */

static enum bus_result isr_access(struct virtio_pci *vpci,
				  struct bus_access *acc)
{
	if (!acc->is_write)
		acc->value = acc->offset ? 0 : take_isr(vpci);
	return BUS_HANDLED;
}

static enum bus_result device_access(struct virtio_pci *vpci,
				     struct bus_access *acc)
{
	if (acc->is_write) {
		virtio_config_write(vpci->dev, acc->offset, &acc->value,
				    acc->size);
	} else {
		acc->value = 0;
		virtio_config_read(vpci->dev, acc->offset, &acc->value,
				   acc->size);
	}
	return BUS_HANDLED;
}

static enum bus_result memory_access(struct virtio_pci *vpci,
				     struct bus_access *acc)
{
	u64 area = align_down(acc->offset, AREA_LEN);

	acc->offset -= area;
	switch (area) {
	case COMMON_AREA:
		return common_access(vpci, acc);
	case ISR_AREA:
		return isr_access(vpci, acc);
	case DEVICE_AREA:
		return device_access(vpci, acc);
	case NOTIFY_AREA:
		return notify_access(vpci, acc);
	default:
		return BUS_UNHANDLED;
	}
}

static enum bus_result bar_access(struct pci_function *fn, unsigned int bar,
				  struct bus_access *acc)
{
	struct virtio_pci *vpci = from_function(fn);
	struct bus_access local = *acc;
	enum bus_result result;

	result = bar == PORT_BAR ? notify_access(vpci, &local)
				 : memory_access(vpci, &local);
	acc->value = local.value;
	return result;
}

/* ---- Access through configuration space (4.1.4.9) ---- */

#define CFG_DATA offsetof(struct virtio_pci_cfg_cap, pci_cfg_data)

static bool touches_cfg_data(const struct virtio_pci *vpci, unsigned int offset,
			     unsigned int len)
{
	unsigned int data = vpci->cfg_cap + CFG_DATA;

	return offset < data + sizeof(u32) && data < offset + len;
}

/* The access that the window's registers describe; false if they are bad. */
static bool cfg_window(struct virtio_pci *vpci, unsigned int *bar,
		       struct bus_access *acc)
{
	unsigned int cap = vpci->cfg_cap;
	u32 len = pci_config_get(&vpci->fn, cap + VIRTIO_PCI_CAP_LENGTH, 4);
	u32 offset = pci_config_get(&vpci->fn, cap + VIRTIO_PCI_CAP_OFFSET, 4);

	if ((len != 1 && len != 2 && len != 4) || offset % len)
		return false;
	*bar = pci_config_get(&vpci->fn, cap + VIRTIO_PCI_CAP_BAR, 1);
	*acc = (struct bus_access){ .offset = offset, .size = (u8)len };
	if (*bar == PORT_BAR)
		return offset < vpci->dev->nr_queues * NOTIFY_STEP;
	return *bar == MEMORY_BAR;
}

static void config_written(struct pci_function *fn, unsigned int offset,
			   unsigned int len, u32 value)
{
	struct virtio_pci *vpci = from_function(fn);
	struct bus_access acc;
	unsigned int bar;

	/* MSI-X may have been switched; cheap where nothing has changed. */
	sync_calls(vpci);
	if (!touches_cfg_data(vpci, offset, len) ||
	    !cfg_window(vpci, &bar, &acc))
		return;
	acc.is_write = true;
	acc.value = pci_config_get(fn, vpci->cfg_cap + CFG_DATA, acc.size);
	bar_access(fn, bar, &acc);
}

static void config_read(struct pci_function *fn, unsigned int offset,
			unsigned int len)
{
	struct virtio_pci *vpci = from_function(fn);
	struct bus_access acc;
	unsigned int bar;

	if (touches_cfg_data(vpci, offset, len) &&
	    cfg_window(vpci, &bar, &acc) &&
	    bar_access(fn, bar, &acc) == BUS_HANDLED)
		pci_config_set(fn, vpci->cfg_cap + CFG_DATA, acc.size,
			       (u32)acc.value);
}

static const struct pci_function_ops function_ops = {
	.bar_access = bar_access,
	.config_written = config_written,
	.config_read = config_read,
};

/* ---- Creation ---- */

/* The PCI core fills in the first two bytes of a capability. */
static unsigned int add_capability(struct virtio_pci *vpci,
				   struct virtio_pci_cap *cap, u8 type, u8 bar,
				   u32 offset, u32 area_len, u8 cap_len)
{
	cap->cap_len = cap_len;
	cap->cfg_type = type;
	cap->bar = bar;
	cap->offset = offset;
	cap->length = area_len;
	return pci_add_capability(&vpci->fn, PCI_CAP_ID_VNDR, &cap->cap_len,
				  cap_len);
}

static void add_structure(struct virtio_pci *vpci, u8 type, u32 offset, u32 len)
{
	struct virtio_pci_cap cap = { 0 };

	add_capability(vpci, &cap, type, MEMORY_BAR, offset, len, sizeof(cap));
}

static void add_notify_area(struct virtio_pci *vpci, u8 bar, u32 offset)
{
	struct virtio_pci_notify_cap cap = {
		.notify_off_multiplier = NOTIFY_STEP,
	};

	add_capability(vpci, &cap.cap, VIRTIO_PCI_CAP_NOTIFY_CFG, bar, offset,
		       vpci->dev->nr_queues * NOTIFY_STEP, sizeof(cap));
}

static void add_cfg_window(struct virtio_pci *vpci)
{
	struct virtio_pci_cfg_cap cap = { 0 };
	unsigned int at = add_capability(vpci, &cap.cap, VIRTIO_PCI_CAP_PCI_CFG,
					 0, 0, 0, sizeof(cap));

	vpci->cfg_cap = at;
	pci_set_writable(&vpci->fn, at + VIRTIO_PCI_CAP_BAR, 1, 0xff);
	pci_set_writable(&vpci->fn, at + VIRTIO_PCI_CAP_OFFSET, 4, UINT32_MAX);
	pci_set_writable(&vpci->fn, at + VIRTIO_PCI_CAP_LENGTH, 4, UINT32_MAX);
	pci_set_writable(&vpci->fn, at + CFG_DATA, 4, UINT32_MAX);
}

static int build_function(struct virtio_pci *vpci)
{
	const struct virtio_dev_ops *ops = vpci->dev->ops;
	struct pci_identity id = {
		.vendor = VIRTIO_VENDOR,
		.device = VIRTIO_DEVICE_BASE + ops->id,
		.subsystem_vendor = VIRTIO_VENDOR,
		.subsystem = VIRTIO_SUBSYSTEM,
		.class_code = ops->pci_class,
		.revision = 1, /* 4.1.2.1: not a transitional device */
	};

	pci_function_init(&vpci->fn, ops->name, &function_ops, &id);
	pci_bar_init(&vpci->fn, PORT_BAR, PCI_BAR_IO, false,
		     vpci->dev->nr_queues * NOTIFY_STEP);
	pci_bar_init(&vpci->fn, MEMORY_BAR, PCI_BAR_MEM32, false,
		     MEMORY_BAR_LEN);
	pci_use_intx(&vpci->fn);
	pci_add_express_capability(&vpci->fn);
	add_structure(vpci, VIRTIO_PCI_CAP_COMMON_CFG, COMMON_AREA,
		      sizeof(struct virtio_pci_common_cfg));
	add_structure(vpci, VIRTIO_PCI_CAP_ISR_CFG, ISR_AREA, 1);
	if (vpci->dev->config_len)
		add_structure(vpci, VIRTIO_PCI_CAP_DEVICE_CFG, DEVICE_AREA,
			      vpci->dev->config_len);
	add_notify_area(vpci, PORT_BAR, 0);
	add_notify_area(vpci, MEMORY_BAR, NOTIFY_AREA);
	add_cfg_window(vpci);
	return pci_add_msix(&vpci->fn, MEMORY_BAR, MSIX_TABLE, MSIX_PBA,
			    vpci->nr_vectors);
}

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
	remove_doorbells(vpci);
	pci_remove(&vpci->fn);
	vpci->dev->transport = NULL;
	free_transport(vpci);
}

static const struct virtio_transport_ops transport_ops = {
	.queue_irq = queue_irq,
	.config_irq = config_irq,
	.queue_call_fd = queue_call_fd,
	.destroy = destroy,
};

int virtio_pci_create(struct kvm *vm, struct virtio_device *dev)
{
	struct virtio_pci *vpci = calloc(1, sizeof(*vpci));
	int err;

	if (!vpci)
		return -ENOMEM;
	vpci->transport.ops = &transport_ops;
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
		goto err_free;
	dev->transport = &vpci->transport;
	reset_transport(vpci);
	return 0;

err_free:
	pci_remove(&vpci->fn);
	free_transport(vpci);
	return err;
}
