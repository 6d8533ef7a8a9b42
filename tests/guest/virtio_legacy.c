// SPDX-License-Identifier: GPL-2.0-only
/*
 * The legacy PCI interface: a disk read before DRIVER_OK, as Linux did before
 * 3.19, and after it; a reset; and what is out of range (S2, S6, S10).
 *
 * guest-args: --disk COPY --virtio-legacy
 */
#include "virtio.h"

#define LEGACY_BLK 0x1001
/* Registers, from the start of BAR 0. */
enum {
	HOST_FEATURES = 0,
	GUEST_FEATURES = 4,
	QUEUE_PFN = 8,
	QUEUE_NUM = 12,
	QUEUE_SEL = 14,
	QUEUE_NOTIFY = 16,
	STATUS = 18,
	ISR = 19,
	CONFIG = 20,
};
#define RINGS DMA_AREA
#define PAGE 4096U

static u16 ports;

/* With queues this long the used ring is where queue.h does not expect it. */
static void set_up(struct queue *q)
{
	u32 size = in16(ports + QUEUE_NUM);
	u64 avail = RINGS + 16ULL * size;
	u64 used = (avail + 2ULL * (3 + size) + PAGE - 1) & ~(PAGE - 1ULL);

	check(size >= QUEUE_SIZE && size <= 1024);
	memset((void *)RINGS, 0, 0x8000);
	q->desc = (void *)RINGS;
	q->avail = (void *)(uintptr_t)avail;
	q->used = (void *)(uintptr_t)used;
	q->index = 0;
	q->seen = 0;
	out32(ports + QUEUE_PFN, RINGS / PAGE);
	check_equal("page", in32(ports + QUEUE_PFN), RINGS / PAGE);
}

static void read_sector(struct queue *q, u32 sector, const char *text)
{
	struct {
		u32 type, reserved;
		u64 sector;
	} *header = (void *)(RINGS + 0x9000);
	volatile u8 *status = (void *)(RINGS + 0xa000);

	header->type = 0;
	header->sector = sector;
	*status = 0xff;
	memset((void *)BLK_BUFFER, 0, 512);
	queue_desc(q, 0, (u64)(uintptr_t)header, 16, DESC_NEXT, 1);
	queue_desc(q, 1, BLK_BUFFER, 512, DESC_NEXT | DESC_WRITE, 2);
	queue_desc(q, 2, (u64)(uintptr_t)status, 1, DESC_WRITE, 0);
	queue_offer(q, 0);
	out16(ports + QUEUE_NOTIFY, 0);
	check(queue_wait(q, NULL));
	check_equal("status", *status, 0);
	check(equal((void *)BLK_BUFFER, text, 9));
}

static void hostile(void)
{
	out8(ports + STATUS, 0);
	out16(ports + QUEUE_SEL, 0xffff);
	check_equal("no such queue", in16(ports + QUEUE_NUM), 0);
	out32(ports + QUEUE_PFN, 0x200);
	out16(ports + QUEUE_NOTIFY, 0xffff);
	out16(ports + QUEUE_SEL, 0);
	out32(ports + QUEUE_PFN, 0xffffffff);
	check_equal("page outside RAM", in32(ports + QUEUE_PFN), 0);
	check(in8(ports + STATUS) & STATUS_NEEDS_RESET);
	out16(ports + QUEUE_NOTIFY, 0);
	/* The last page of RAM: the rest of the queue would lie behind it. */
	out8(ports + STATUS, 0);
	out32(ports + QUEUE_PFN, RAM_END / PAGE - 1);
	check_equal("page at the end", in32(ports + QUEUE_PFN), 0);
	out8(ports + STATUS, 0);
}

void guest_main(void)
{
	u32 slot = pci_find(VIRTIO_VENDOR, LEGACY_BLK);
	struct queue q;

	check(slot < PCI_SLOTS);
	check_equal("revision", pci_read(slot, 8, 1), 0);
	pci_command(slot, COMMAND_IO | COMMAND_MEMORY | COMMAND_MASTER, 0);
	ports = pci_bar_port(slot, 0);
	out8(ports + STATUS, 0);
	out8(ports + STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	out32(ports + GUEST_FEATURES, 0);
	check_equal("capacity", in32(ports + CONFIG), 64);
	out16(ports + QUEUE_SEL, 0);
	set_up(&q);
	read_sector(&q, 1, "sector 1 ");
	out8(ports + STATUS,
	     STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_DRIVER_OK);
	read_sector(&q, 2, "sector 2 ");
	check_equal("interrupt", in8(ports + ISR) & 1, 1);
	check_equal("acknowledged", in8(ports + ISR), 0);

	hostile();
	out8(ports + STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	set_up(&q);
	out8(ports + STATUS,
	     STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_DRIVER_OK);
	read_sector(&q, 3, "sector 3 ");
	end();
}
