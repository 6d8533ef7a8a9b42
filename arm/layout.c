/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses in RAM and above it. Kernel at the beginning; initrd and device tree
 * at the end of the first 256 MiB, out of the way of what flat images use beyond
 * their end; or, where that is too small, at the end of what a kernel can reach.
 */
#include "arm/layout.h"

#include <errno.h>
#include "arm/load.h"
#include "arm/machine.h"
#include "lkvm/failure.h"

#define MIN_ADDRESS_BITS 32U
#define RAM_ALIGN (2 * MIB)
#define FDT_ALIGN (2 * MIB)	  /* and the most that a kernel maps of it */
#define FIRMWARE_FDT_MAX 32704ULL /* what EDK2 has room for */
#define FIRST_WINDOW (256 * MIB)
#define LAST_WINDOW (32 * GIB) /* booting.rst, 2 */
#define INITRD_ALIGN 4096ULL

/* ---- RAM and the window above it ---- */

/* Bits that it takes to reach what lies below @end. */
static unsigned int bits_below(u64 end)
{
	unsigned int bits = MIN_ADDRESS_BITS;

	while (bits < 63 && end > BIT64(bits))
		bits++;
	return bits;
}

struct pci_window ram_layout_mem64(const struct ram_layout *ram)
{
	struct pci_window window = { MEM64_GPA, MEM64_LEN };
	u64 end = ram->start + ram->len;

	if (ram->start < window.start + window.len && end > window.start)
		window.start = align_up(end, MEM64_LEN);
	if (bits_below(window.start + window.len) > ram->max_bits)
		return (struct pci_window){ 0, 0 };
	return window;
}

unsigned int ram_layout_bits(const struct ram_layout *ram)
{
	struct pci_window mem64 = ram_layout_mem64(ram);
	unsigned int bits = bits_below(ram->start + ram->len);

	if (mem64.len && bits_below(mem64.start + mem64.len) > bits)
		bits = bits_below(mem64.start + mem64.len);
	return bits;
}

int ram_layout_check(const struct ram_layout *ram, struct failure *why)
{
	unsigned long long start = ram->start, mib = ram->len / MIB;
	u64 end;

	if (ram->start < RAM_GPA)
		return fail(why, -EINVAL,
			    "memory: 0x%llx: devices are there: RAM may begin "
			    "at 2048M (2 GiB) or above",
			    start);
	if (ram->start % RAM_ALIGN)
		return fail(why, -EINVAL,
			    "memory: 0x%llx: RAM begins at a multiple of 2 MiB",
			    start);
	if (__builtin_add_overflow(ram->start, ram->len, &end) ||
	    bits_below(end) > ram->max_bits)
		return fail(why, -EINVAL,
			    "memory: %llu MiB from 0x%llx: this host's guests "
			    "have %u address bits: give less",
			    mib, start, ram->max_bits);
	if (ram->aarch32 && end > 4 * GIB)
		return fail(why, -EINVAL,
			    "memory: %llu MiB from 0x%llx: a 32-bit guest "
			    "reaches 4 GiB: give at most %lluM",
			    mib, start,
			    (unsigned long long)((4 * GIB - RAM_GPA) / MIB));
	return 0;
}

/* ---- In RAM ---- */

/* At the end of [plan->end, @limit): initrd, then the device tree. */
static bool place_below(struct boot_plan *plan, u64 limit, u64 initrd_len)
{
	u64 fdt = align_down(limit, FDT_ALIGN);

	if (fdt < FDT_ALIGN + plan->end)
		return false;
	fdt -= FDT_ALIGN;
	if (fdt - plan->end < initrd_len)
		return false;
	plan->fdt = fdt;
	plan->fdt_max = FDT_ALIGN;
	plan->initrd = align_down(fdt - initrd_len, INITRD_ALIGN);
	plan->initrd_len = initrd_len;
	return plan->initrd >= plan->end;
}

bool boot_plan_place(struct boot_plan *plan, u64 start, u64 end, u64 initrd_len)
{
	u64 near = start + FIRST_WINDOW, far = start + LAST_WINDOW;

	if (plan->is_firmware) {
		plan->fdt = align_up(plan->end, FDT_ALIGN);
		plan->fdt_max = FIRMWARE_FDT_MAX;
		return plan->fdt < end && end - plan->fdt >= plan->fdt_max;
	}
	return place_below(plan, near < end ? near : end, initrd_len) ||
	       place_below(plan, far < end ? far : end, initrd_len);
}
