// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ten thousand changes of MSI-X entries, masked and unmasked: host resources
 * stay bounded, and interrupts arrive afterwards.
 *
 * guest-args: --disk DISK,ro
 */
#include "virtio.h"

#define VECTOR 0x22
#define TURNS 10000

static volatile u32 interrupts;

INTERRUPT static void queue_interrupt(struct interrupt_frame *frame)
{
	interrupts++;
	lapic_eoi();
}

void guest_main(void)
{
	struct blk blk;
	u64 entry;
	u32 i;

	interrupt_set(VECTOR, queue_interrupt);
	interrupts_enable();
	check(blk_open(&blk));
	msix_enable(&blk.dev);
	entry = blk.dev.msix_table + 16;
	write16(blk.dev.common + COMMON_QUEUE_SELECT, 0);
	for (i = 0; i < TURNS; i++) {
		write32(entry, i << 12); /* any address */
		write32(entry + 8, i);
		write32(entry + 12, i & 1);
		write16(blk.dev.common + COMMON_QUEUE_VECTOR, (u16)(i & 1));
	}
	msix_route(&blk.dev, 1, VECTOR);
	write16(blk.dev.common + COMMON_QUEUE_VECTOR, 1);
	check_equal("read", blk_request(&blk, BLK_READ, 2, BLK_BUFFER, 512),
		    BLK_OK);
	for (i = 0; i < 100000 && !interrupts; i++)
		cpu_relax();
	check(interrupts > 0);
	end();
}
