/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The legacy PCI interface (virtio 1.2, 4.1.4.10 and the sections on it around
 * there): all registers in one I/O BAR, queues in one piece. A device has this
 * one or the modern one, as the user says; none is transitional.
 */
#include "virtio/pci_priv.h"

#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>

#define PORT_BAR 0
#define MSIX_BAR 1
#define MSIX_TABLE 0x0000U
#define MSIX_PBA 0x1000U
#define MSIX_BAR_LEN 0x2000U

/* All there is in front of the device's configuration. */
#define MAX_HEADER VIRTIO_PCI_CONFIG_OFF(true)
#define PAGE_SHIFT VIRTIO_PCI_QUEUE_ADDR_SHIFT

/* ---- Doorbells ---- */

/* One register for all queues: the value tells which. */
static void find_doorbells(const struct virtq *q,
			   struct pci_doorbell doorbells[])
{
	doorbells[0] = (struct pci_doorbell){
		.offset = VIRTIO_PCI_QUEUE_NOTIFY,
		.len = 2,
		.has_match = true,
		.match = q->index,
	};
}

/* ---- Registers; all with vpci->lock held ---- */

/* Where queue @q is, as the driver wrote it. */
static u32 page_number(const struct virtq *q)
{
	return q && q->enabled ? (u32)(q->desc_gpa >> PAGE_SHIFT) : 0;
}

static u32 read_register(struct virtio_pci *vpci, u64 offset)
{
	struct virtio_device *dev = vpci->dev;
	const struct virtq *q = virtio_queue(dev, vpci->queue_select);

	switch (offset) {
	case VIRTIO_PCI_HOST_FEATURES:
		return virtio_get_host_features(dev, 0);
	case VIRTIO_PCI_GUEST_FEATURES:
		return virtio_get_driver_features(dev, 0);
	case VIRTIO_PCI_QUEUE_PFN:
		return page_number(q);
	case VIRTIO_PCI_QUEUE_NUM:
		return q ? q->max_size : 0;
	case VIRTIO_PCI_QUEUE_SEL:
		return vpci->queue_select;
	case VIRTIO_PCI_STATUS:
		return virtio_get_status(dev);
	case VIRTIO_PCI_ISR:
		return virtio_pci_take_isr(vpci);
	case VIRTIO_MSI_CONFIG_VECTOR:
		return vpci->config_vector;
	case VIRTIO_MSI_QUEUE_VECTOR:
		return q ? q->msix_vector : VIRTIO_MSI_NO_VECTOR;
	default:
		return 0;
	}
}

static void notify(struct virtio_pci *vpci, u32 index)
{
	virtio_legacy_kick(vpci->dev, index);
}

static void write_queue_register(struct virtio_pci *vpci, u64 offset, u32 value)
{
	struct virtq *q = virtio_queue(vpci->dev, vpci->queue_select);

	if (!q)
		return;
	if (offset == VIRTIO_PCI_QUEUE_PFN) {
		virtio_queue_set_legacy(vpci->dev, q, (u64)value << PAGE_SHIFT,
					VIRTIO_PCI_VRING_ALIGN);
		virtio_pci_sync_doorbells(vpci);
	} else {
		virtio_pci_set_queue_vector(vpci, q, value);
	}
}

static void write_register(struct virtio_pci *vpci, u64 offset, u32 value)
{
	switch (offset) {
	case VIRTIO_PCI_GUEST_FEATURES:
		virtio_set_driver_features(vpci->dev, 0, value);
		break;
	case VIRTIO_PCI_QUEUE_SEL:
		vpci->queue_select = (u16)value;
		break;
	case VIRTIO_PCI_QUEUE_NOTIFY:
		notify(vpci, value);
		break;
	case VIRTIO_PCI_STATUS:
		virtio_pci_write_status(vpci, (u8)value);
		break;
	case VIRTIO_MSI_CONFIG_VECTOR:
		virtio_pci_set_config_vector(vpci, value);
		break;
	case VIRTIO_PCI_QUEUE_PFN:
	case VIRTIO_MSI_QUEUE_VECTOR:
		write_queue_register(vpci, offset, value);
		break;
	default:
		break;
	}
}

/* Bytes of the register at @offset; 0: none begins there. */
static unsigned int register_len(u64 offset)
{
	switch (offset) {
	case VIRTIO_PCI_STATUS:
	case VIRTIO_PCI_ISR:
		return 1;
	case VIRTIO_PCI_QUEUE_NUM:
	case VIRTIO_PCI_QUEUE_SEL:
	case VIRTIO_PCI_QUEUE_NOTIFY:
	case VIRTIO_MSI_CONFIG_VECTOR:
	case VIRTIO_MSI_QUEUE_VECTOR:
		return 2;
	case VIRTIO_PCI_HOST_FEATURES:
	case VIRTIO_PCI_GUEST_FEATURES:
	case VIRTIO_PCI_QUEUE_PFN:
		return 4;
	default:
		return 0;
	}
}

/* A register is accessed with its own width: others read 0 and do nothing. */
static void header_access(struct virtio_pci *vpci, struct bus_access *acc)
{
	bool whole = acc->size == register_len(acc->offset);

	pthread_mutex_lock(&vpci->lock);
	if (!acc->is_write)
		acc->value = whole ? read_register(vpci, acc->offset) : 0;
	else if (whole)
		write_register(vpci, acc->offset, (u32)acc->value);
	pthread_mutex_unlock(&vpci->lock);
}

/* 4.1.4.10: the vector registers exist while MSI-X is enabled. */
static enum bus_result bar_access(struct pci_function *fn, unsigned int bar,
				  struct bus_access *acc)
{
	struct virtio_pci *vpci = virtio_pci_of(fn);
	u64 header = VIRTIO_PCI_CONFIG_OFF(pci_msix_enabled(fn));
	struct bus_access local = *acc;

	if (bar != PORT_BAR)
		return BUS_UNHANDLED;
	if (acc->offset < header) {
		header_access(vpci, &local);
	} else {
		local.offset -= header;
		virtio_pci_device_access(vpci, &local);
	}
	acc->value = local.value;
	return BUS_HANDLED;
}

static void config_written(struct pci_function *fn, unsigned int offset,
			   unsigned int len, u32 value)
{
	virtio_pci_config_written(virtio_pci_of(fn));
}

/* ---- Creation ---- */

/*
 * 4.1.2: transitional IDs. Those devices that the table has not are numbered as
 * other implementations do; drivers go by the subsystem.
 */
static u16 device_id(u16 id)
{
	switch (id) {
	case VIRTIO_ID_NET:
		return 0x1000;
	case VIRTIO_ID_BLOCK:
		return 0x1001;
	case VIRTIO_ID_BALLOON:
		return 0x1002;
	case VIRTIO_ID_CONSOLE:
		return 0x1003;
	case VIRTIO_ID_SCSI:
		return 0x1004;
	case VIRTIO_ID_RNG:
		return 0x1005;
	case VIRTIO_ID_9P:
		return 0x1009;
	case VIRTIO_ID_VSOCK:
		return 0x1012;
	default:
		return 0x1000 + id;
	}
}

static void identify(const struct virtio_device *dev, struct pci_identity *id)
{
	id->device = device_id(dev->ops->id);
	id->subsystem = dev->ops->id;
	id->revision = 0; /* VIRTIO_PCI_ABI_VERSION: legacy */
}

static int build(struct virtio_pci *vpci)
{
	pci_bar_init(&vpci->fn, PORT_BAR, PCI_BAR_IO, false,
		     MAX_HEADER + vpci->dev->config_len);
	pci_bar_init(&vpci->fn, MSIX_BAR, PCI_BAR_MEM32, false, MSIX_BAR_LEN);
	return pci_add_msix(&vpci->fn, MSIX_BAR, MSIX_TABLE, MSIX_PBA,
			    vpci->nr_vectors);
}

const struct virtio_pci_interface virtio_pci_legacy = {
	.identify = identify,
	.build = build,
	.find_doorbells = find_doorbells,
	.doorbell_bars = { PORT_BAR },
	.nr_doorbells = 1,
	.is_legacy = true,
	.function_ops = {
		.bar_access = bar_access,
		.config_written = config_written,
	},
};
