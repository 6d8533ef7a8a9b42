/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PCI interface of virtio 1.0 and later (virtio 1.2, 4.1.4).
 *
 * One memory BAR holds all structures and the MSI-X tables. One I/O BAR is a
 * second notification area and nothing else: KVM decodes a port write from the
 * exit's own fields, where a memory write makes it fetch and decode the guest's
 * instruction. It is announced first, so Linux takes it; a driver that cannot
 * use ports finds the one in memory.
 */
#include "virtio/pci_priv.h"

#include <linux/pci_regs.h>
#include <linux/virtio_config.h>

#define DEVICE_BASE 0x1040 /* 4.1.2 */
#define SUBSYSTEM 0x1100

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

/* The header's structure ends before the fields of virtio 1.2. */
#define COMMON_LEN (VIRTIO_PCI_COMMON_Q_RESET + 2U)

/* Distance of two queues' doorbells. */
#define NOTIFY_STEP 4U

/* ---- Doorbells ---- */

static void find_doorbells(const struct virtq *q,
			   struct pci_doorbell doorbells[])
{
	u64 offset = q->index * NOTIFY_STEP;

	doorbells[0] = (struct pci_doorbell){
		.offset = offset,
		.len = 2, /* KVM wants a width for ports: 4.1.4.4.1 says 2 */
	};
	doorbells[1] = (struct pci_doorbell){
		.offset = NOTIFY_AREA + offset,
	};
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

/*
 * All fields as they are now: reads of any width take their bytes from here.
 * queue_notify_data and queue_reset, behind them, are 0.
 */
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

/* Done at once, so that queue_reset never reads 1 (4.1.4.3.1). */
static void reset_queue(struct virtio_pci *vpci, struct virtq *q)
{
	if (!virtio_has_feature(vpci->dev, VIRTIO_F_RING_RESET))
		return;
	virtio_queue_reset(vpci->dev, q);
	virtio_pci_set_queue_vector(vpci, q, VIRTIO_MSI_NO_VECTOR);
	virtio_pci_sync_doorbells(vpci);
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
		virtio_pci_set_queue_vector(vpci, q, value);
		break;
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		if (value == 1)
			virtio_queue_enable(dev, q);
		virtio_pci_sync_doorbells(vpci);
		break;
	case VIRTIO_PCI_COMMON_Q_RESET:
		if (value == 1)
			reset_queue(vpci, q);
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
		virtio_pci_set_config_vector(vpci, value);
		break;
	case VIRTIO_PCI_COMMON_STATUS:
		virtio_pci_write_status(vpci, (u8)value);
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
	case VIRTIO_PCI_COMMON_Q_RESET:
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
		acc->value = acc->offset ? 0 : virtio_pci_take_isr(vpci);
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
		virtio_pci_device_access(vpci, acc);
		return BUS_HANDLED;
	case NOTIFY_AREA:
		return notify_access(vpci, acc);
	default:
		return BUS_UNHANDLED;
	}
}

static enum bus_result bar_access(struct pci_function *fn, unsigned int bar,
				  struct bus_access *acc)
{
	struct virtio_pci *vpci = virtio_pci_of(fn);
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
	struct virtio_pci *vpci = virtio_pci_of(fn);
	struct bus_access acc;
	unsigned int bar;

	virtio_pci_config_written(vpci);
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
	struct virtio_pci *vpci = virtio_pci_of(fn);
	struct bus_access acc;
	unsigned int bar;

	if (touches_cfg_data(vpci, offset, len) &&
	    cfg_window(vpci, &bar, &acc) &&
	    bar_access(fn, bar, &acc) == BUS_HANDLED)
		pci_config_set(fn, vpci->cfg_cap + CFG_DATA, acc.size,
			       (u32)acc.value);
}

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

static void identify(const struct virtio_device *dev, struct pci_identity *id)
{
	id->device = DEVICE_BASE + dev->ops->id;
	id->subsystem = SUBSYSTEM;
	id->revision = 1; /* 4.1.2.1: not a transitional device */
}

static int build(struct virtio_pci *vpci)
{
	pci_bar_init(&vpci->fn, PORT_BAR, PCI_BAR_IO, false,
		     vpci->dev->nr_queues * NOTIFY_STEP);
	pci_bar_init(&vpci->fn, MEMORY_BAR, PCI_BAR_MEM32, false,
		     MEMORY_BAR_LEN);
	add_structure(vpci, VIRTIO_PCI_CAP_COMMON_CFG, COMMON_AREA, COMMON_LEN);
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

const struct virtio_pci_interface virtio_pci_modern = {
	.identify = identify,
	.build = build,
	.find_doorbells = find_doorbells,
	.doorbell_bars = { PORT_BAR, MEMORY_BAR },
	.nr_doorbells = 2,
	.function_ops = {
		.bar_access = bar_access,
		.config_written = config_written,
		.config_read = config_read,
	},
};
