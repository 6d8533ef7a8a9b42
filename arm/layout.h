/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where RAM, what is loaded into it, and the PCI window above it may lie. Pure
 * arithmetic: no VM is needed.
 */
#ifndef LKVM_ARM_LAYOUT_H
#define LKVM_ARM_LAYOUT_H

#include "lkvm/pci.h"
#include "lkvm/types.h"

struct boot_plan;
struct failure;

/* RAM in one piece, and the address bits that this host's guests may have. */
struct ram_layout {
	u64 start, len;
	unsigned int max_bits;
	bool aarch32;
};

/* Says what is wrong with it. 0 or -EINVAL. */
int ram_layout_check(const struct ram_layout *ram, struct failure *why);

/* The 64-bit PCI window, out of RAM's way; len 0 if there are not bits enough. */
struct pci_window ram_layout_mem64(const struct ram_layout *ram);

/* Address bits that a VM with this RAM and that window needs. */
unsigned int ram_layout_bits(const struct ram_layout *ram);

/*
 * Find room for an initrd and the device tree beside what plan->end tells;
 * @end is where RAM ends. False: there is none.
 */
bool boot_plan_place(struct boot_plan *plan, u64 start, u64 end,
		     u64 initrd_len);

#endif
