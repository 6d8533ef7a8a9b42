/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map of guest physical memory that firmware would report (ACPI 6.4,
 * chapter 15).
 */
#ifndef LKVM_X86_E820_H
#define LKVM_X86_E820_H

#include <asm/bootparam.h>
#include "lkvm/types.h"

#define E820_RAM 1U
#define E820_RESERVED 2U

struct e820_map {
	unsigned int nr;
	struct boot_e820_entry entries[16];
};

/* @low_len bytes of RAM from 0, and @high_len from 4 GiB. */
void e820_build(struct e820_map *map, u64 low_len, u64 high_len);

#endif
