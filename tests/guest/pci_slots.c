// SPDX-License-Identifier: GPL-2.0-only
/*
 * A full bus: 31 devices beside the host bridge, each in its slot with BARs of
 * its own, and each works.
 *
 * guest-disks: 31
 */
#include "virtio.h"

#define CAPACITY 64

static struct virtio devices[PCI_SLOTS];

static bool overlap(u64 a, u64 b, u64 len)
{
	return a < b + len && b < a + len;
}

static u64 home_of(u32 slot)
{
	return pci_read(slot, PCI_BAR(devices[slot].memory_bar), 4) & ~0xfU;
}

static void check_places(void)
{
	u64 len = pci_bar_size(1, devices[1].memory_bar);
	u32 a, b;

	for (a = 1; a < PCI_SLOTS; a++)
		for (b = 1; b < a; b++) {
			check(!overlap(home_of(a), home_of(b), len));
			check(devices[a].notify_port != devices[b].notify_port);
		}
}

/* Each keeps the number that was left in it. */
static void check_apart(void)
{
	u32 slot;

	for (slot = 1; slot < PCI_SLOTS; slot++)
		write16(devices[slot].common + COMMON_QUEUE_SELECT, (u16)slot);
	for (slot = 1; slot < PCI_SLOTS; slot++)
		check_equal("its own number",
			    read16(devices[slot].common + COMMON_QUEUE_SELECT),
			    slot);
}

static void check_works(u32 slot)
{
	struct blk blk;

	check(blk_open_at(&blk, slot, DMA_AREA));
	check_equal("capacity", read32(blk.dev.config), CAPACITY);
	check_equal("read", blk_request(&blk, BLK_READ, slot, BLK_BUFFER, 512),
		    BLK_OK);
	check(equal((void *)BLK_BUFFER, "sector ", 7));
	check_equal("of the sector", ((u8 *)BLK_BUFFER)[7],
		    slot < 10 ? '0' + slot : '0' + slot / 10);
	/* The rings go to the next disk. */
	write8(blk.dev.common + COMMON_STATUS, 0);
}

void guest_main(void)
{
	u32 slot;

	for (slot = 1; slot < PCI_SLOTS; slot++) {
		check_equal("a disk", pci_read(slot, 0, 4),
			    VIRTIO_BLK << 16 | VIRTIO_VENDOR);
		if (!virtio_find_at(&devices[slot], slot))
			hang();
	}
	check_places();
	check_apart();
	for (slot = 1; slot < PCI_SLOTS; slot++)
		check_works(slot);
	end();
}
