// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses of every width and alignment at and across the ends of the MSI-X
 * table and pending bits.
 *
 * guest-args: --disk DISK,ro
 */
#include "virtio.h"

static void poke(u64 at)
{
	write64(at, read64(at));
	write32(at, read32(at));
	write16(at, read16(at));
	write8(at, read8(at));
	write64(at, ~0ULL);
	write32(at, 0xffffffff);
}

void guest_main(void)
{
	struct blk blk;
	u32 cap, pba;
	u64 table_end, pba_at;
	int i;

	check(blk_open(&blk));
	msix_enable(&blk.dev);
	cap = pci_capability(blk.dev.slot, CAP_MSIX, 0);
	pba = pci_read(blk.dev.slot, cap + 8, 4);
	pba_at = pci_bar_reach(blk.dev.slot, pba & 7) + (pba & ~7U);
	table_end = blk.dev.msix_table + 16ULL * blk.dev.msix_vectors;
	for (i = -8; i <= 8; i++) {
		poke(table_end + (u64)(long)i);
		poke(pba_at + (u64)(long)i);
	}
	check_equal("read", blk_request(&blk, BLK_READ, 2, BLK_BUFFER, 512),
		    BLK_OK);
	end();
}
