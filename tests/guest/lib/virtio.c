/* SPDX-License-Identifier: GPL-2.0-only */
#include "virtio.h"

#define PATIENCE 300000U /* turns of a waiting loop, on machines under load */

enum {
	CFG_COMMON = 1,
	CFG_NOTIFY = 2,
	CFG_ISR = 3,
	CFG_DEVICE = 4
};

static void note_capability(struct virtio *dev, u32 cap)
{
	u8 type = (u8)pci_read(dev->slot, cap + 3, 1);
	u32 bar = pci_read(dev->slot, cap + 4, 1);
	u32 offset = pci_read(dev->slot, cap + 8, 4);
	u64 at;

	if (type < CFG_COMMON || type > CFG_DEVICE)
		return;
	if (pci_read(dev->slot, PCI_BAR(bar), 4) & 1) {
		if (type != CFG_NOTIFY)
			return;
		dev->port_bar = bar;
		dev->notify_port = (u16)(pci_bar_port(dev->slot, bar) + offset);
		return;
	}
	dev->memory_bar = bar;
	at = pci_bar_reach(dev->slot, bar) + offset;
	if (type == CFG_COMMON)
		dev->common = at;
	if (type == CFG_NOTIFY) {
		dev->notify = at;
		dev->notify_multiplier = pci_read(dev->slot, cap + 16, 4);
	}
	if (type == CFG_ISR)
		dev->isr = at;
	if (type == CFG_DEVICE)
		dev->config = at;
}

static void note_msix(struct virtio *dev, u32 cap)
{
	u32 table = pci_read(dev->slot, cap + 4, 4);
	u32 pba = pci_read(dev->slot, cap + 8, 4);

	dev->msix_vectors = (pci_read(dev->slot, cap + 2, 2) & 0x7ff) + 1;
	dev->msix_table = pci_bar_reach(dev->slot, table & 7) + (table & ~7U);
	dev->msix_pba = pci_bar_reach(dev->slot, pba & 7) + (pba & ~7U);
	dev->msix_control = cap + 2;
}

bool virtio_find(struct virtio *dev, u16 device)
{
	u32 slot = pci_find(VIRTIO_VENDOR, device);

	return slot < PCI_SLOTS && virtio_find_at(dev, slot);
}

bool virtio_find_at(struct virtio *dev, u32 slot)
{
	u32 cap = 0;

	memset(dev, 0, sizeof(*dev));
	dev->slot = slot;
	while ((cap = pci_capability(dev->slot, CAP_VENDOR, cap)))
		note_capability(dev, cap);
	cap = pci_capability(dev->slot, CAP_MSIX, 0);
	if (cap)
		note_msix(dev, cap);
	pci_command(dev->slot, COMMAND_IO | COMMAND_MEMORY | COMMAND_MASTER, 0);
	return dev->common && dev->notify && dev->isr;
}

static void set_features(struct virtio *dev, u32 select, u32 features)
{
	write32(dev->common + COMMON_DEVICE_FEATURE_SELECT, select);
	features &= read32(dev->common + COMMON_DEVICE_FEATURE);
	write32(dev->common + COMMON_DRIVER_FEATURE_SELECT, select);
	write32(dev->common + COMMON_DRIVER_FEATURE, features);
}

bool virtio_start(struct virtio *dev, u32 features)
{
	u64 status = dev->common + COMMON_STATUS;

	write8(status, 0);
	write8(status, STATUS_ACKNOWLEDGE);
	write8(status, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	set_features(dev, 0, features);
	set_features(dev, 1, 1); /* VERSION_1 */
	write8(status, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
	return read8(status) & STATUS_FEATURES_OK;
}

void queue_setup(struct virtio *dev, struct queue *q, u16 index, u64 memory,
		 u16 vector)
{
	memset((void *)(uintptr_t)memory, 0, 0x3000);
	q->desc = (void *)(uintptr_t)memory;
	q->avail = (void *)(uintptr_t)(memory + 0x1000);
	q->used = (void *)(uintptr_t)(memory + 0x2000);
	q->index = index;
	q->seen = 0;
	write16(dev->common + COMMON_QUEUE_SELECT, index);
	write16(dev->common + COMMON_QUEUE_SIZE, QUEUE_SIZE);
	write16(dev->common + COMMON_QUEUE_VECTOR, vector);
	write64(dev->common + COMMON_QUEUE_DESC, memory);
	write64(dev->common + COMMON_QUEUE_AVAIL, memory + 0x1000);
	write64(dev->common + COMMON_QUEUE_USED, memory + 0x2000);
	q->notify = dev->notify +
		    dev->notify_multiplier *
			    read16(dev->common + COMMON_QUEUE_NOTIFY_OFF);
	write16(dev->common + COMMON_QUEUE_ENABLE, 1);
}

void virtio_ready(struct virtio *dev)
{
	u64 status = dev->common + COMMON_STATUS;

	write8(status, read8(status) | STATUS_DRIVER_OK);
}

u8 virtio_status(struct virtio *dev)
{
	return read8(dev->common + COMMON_STATUS);
}

bool virtio_needs_reset(struct virtio *dev)
{
	return virtio_status(dev) & STATUS_NEEDS_RESET;
}

void msix_enable(struct virtio *dev)
{
	pci_write(dev->slot, dev->msix_control, 2, MSIX_ENABLE);
}

void msix_route(struct virtio *dev, u32 entry, u8 vector)
{
	u64 at = dev->msix_table + 16ULL * entry;

	write32(at, 0xfee00000);
	write32(at + 4, 0);
	write32(at + 8, vector);
	write32(at + 12, 0);
}

void queue_desc(struct queue *q, u16 index, u64 addr, u32 len, u16 flags,
		u16 next)
{
	q->desc[index].addr = addr;
	q->desc[index].len = len;
	q->desc[index].flags = flags;
	q->desc[index].next = next;
}

void queue_offer(struct queue *q, u16 head)
{
	q->avail->ring[q->avail->idx % QUEUE_SIZE] = head;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	q->avail->idx++;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void queue_submit(struct queue *q, u16 head)
{
	queue_offer(q, head);
	write16(q->notify, q->index);
}

bool queue_wait(struct queue *q, u32 *len)
{
	u32 turns;

	for (turns = 0; turns < 50 * PATIENCE && q->used->idx == q->seen;
	     turns++)
		cpu_relax();
	if (q->used->idx == q->seen)
		return false;
	if (len)
		*len = q->used->ring[q->seen % QUEUE_SIZE].len;
	q->seen++;
	return true;
}

bool queue_is_refused(struct virtio *dev, struct queue *q)
{
	u32 turns;

	for (turns = 0; turns < PATIENCE; turns++)
		if (virtio_needs_reset(dev) || q->used->idx != q->seen)
			break;
	return virtio_needs_reset(dev);
}

#define BLK_RINGS DMA_AREA

struct blk_header {
	u32 type, reserved;
	u64 sector;
};

bool blk_open(struct blk *blk)
{
	u32 slot = pci_find(VIRTIO_VENDOR, VIRTIO_BLK);

	return slot < PCI_SLOTS && blk_open_at(blk, slot, BLK_RINGS);
}

bool blk_open_at(struct blk *blk, u32 slot, u64 rings)
{
	if (!virtio_find_at(&blk->dev, slot) || !virtio_start(&blk->dev, 0))
		return false;
	queue_setup(&blk->dev, &blk->queue, 0, rings, NO_VECTOR);
	virtio_ready(&blk->dev);
	return !virtio_needs_reset(&blk->dev);
}

/* Behind the rings, so that disks with rings of their own share nothing. */
static u64 header_at(const struct blk *blk)
{
	return (u64)(uintptr_t)blk->queue.desc + 0x4000;
}

static u64 status_at(const struct blk *blk)
{
	return header_at(blk) + 0x100;
}

void blk_prepare(struct blk *blk, u32 type, u64 sector, u64 buffer, u32 len)
{
	volatile struct blk_header *header = (void *)(uintptr_t)header_at(blk);

	header->type = type;
	header->reserved = 0;
	header->sector = sector;
	*(volatile u8 *)(uintptr_t)status_at(blk) = BLK_PENDING;
	queue_desc(&blk->queue, 0, header_at(blk), sizeof(*header), DESC_NEXT,
		   1);
	queue_desc(&blk->queue, 1, buffer, len,
		   DESC_NEXT | (type == BLK_READ ? DESC_WRITE : 0), 2);
	queue_desc(&blk->queue, 2, status_at(blk), 1, DESC_WRITE, 0);
}

u8 blk_result(const struct blk *blk)
{
	return *(volatile u8 *)(uintptr_t)status_at(blk);
}

u8 blk_request(struct blk *blk, u32 type, u64 sector, u64 buffer, u32 len)
{
	blk_prepare(blk, type, sector, buffer, len);
	queue_submit(&blk->queue, 0);
	if (queue_is_refused(&blk->dev, &blk->queue) ||
	    !queue_wait(&blk->queue, NULL))
		return BLK_PENDING;
	return blk_result(blk);
}
