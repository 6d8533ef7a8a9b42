// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_EXIT_MMIO of every width: reads and writes of configuration space, a
 * string instruction, and addresses that nobody has.
 *
 * guest-args: --rng
 */
#include "virtio.h"

#define INTERRUPT_LINE 0x3c /* plain memory to any device */

static void check_nobody(u64 at)
{
	write8(at, 0);
	write16(at, 0);
	write32(at, 0);
	write64(at, 0);
	check_equal("8 bits of nobody", read8(at), 0xff);
	check_equal("16 bits of nobody", read16(at), 0xffff);
	check_equal("32 bits of nobody", read32(at), 0xffffffff);
	check_equal("64 bits of nobody", read64(at), ~0ULL);
}

static void check_reads(u64 at)
{
	u64 whole = read32(at) | (u64)read32(at + 4) << 32;
	u32 i;

	check(whole != ~0ULL);
	check_equal("64 bits", read64(at), whole);
	for (i = 0; i < 8; i += 2)
		check_equal("16 bits", read16(at + i),
			    whole >> (8 * i) & 0xffff);
	for (i = 0; i < 8; i++)
		check_equal("8 bits", read8(at + i), whole >> (8 * i) & 0xff);
}

static void check_writes(u64 at)
{
	write8(at, 0x11);
	check_equal("8 bits written", read8(at), 0x11);
	write16(at, 0xff22);
	check_equal("16 bits written", read8(at), 0x22);
	write32(at, 0xffffff33);
	check_equal("32 bits written", read8(at), 0x33);
	write64(at - 4, 0xffffff44ffffffffULL);
	check_equal("64 bits written", read8(at), 0x44);
	check_equal("interrupt pin is read-only", read8(at + 1) & ~1, 0);
}

static void check_string(u64 at)
{
	u32 copy[4], i;

	memcpy(copy, (void *)(uintptr_t)at, sizeof(copy));
	for (i = 0; i < 4; i++)
		check_equal("dword of a string", copy[i], read32(at + 4 * i));
}

void guest_main(void)
{
	u32 slot = pci_find(VIRTIO_VENDOR, VIRTIO_RNG);
	u64 config = ECAM + (slot << 15);

	check(slot < PCI_SLOTS);
	check_reads(config);
	check_writes(config + INTERRUPT_LINE);
	check_string(config);
	check_nobody(NOBODY);
	check_nobody(NOBODY + 0x10000 - 4);
	end();
}
