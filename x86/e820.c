/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * E820 of the machine in machine.h, in ascending order.
 */
#include "x86/e820.h"

#include "x86/machine.h"

static void e820_add(struct e820_map *map, u64 start, u64 end, u32 type)
{
	if (start >= end || map->nr == ARRAY_SIZE(map->entries))
		return;
	map->entries[map->nr++] = (struct boot_e820_entry){
		.addr = start,
		.size = end - start,
		.type = type,
	};
}

static u64 min_u64(u64 a, u64 b)
{
	return a < b ? a : b;
}

void e820_build(struct e820_map *map, u64 low_len, u64 high_len)
{
	map->nr = 0;
	e820_add(map, 0, min_u64(low_len, EBDA_GPA), E820_RAM);
	e820_add(map, EBDA_GPA, 0xa0000, E820_RESERVED);
	e820_add(map, ACPI_GPA, HIGH_GPA, E820_RESERVED);
	e820_add(map, HIGH_GPA, low_len, E820_RAM);
	e820_add(map, ECAM_GPA, ECAM_GPA + ECAM_LEN, E820_RESERVED);
	e820_add(map, IOAPIC_GPA, IOAPIC_GPA + 0x1000, E820_RESERVED);
	e820_add(map, LAPIC_GPA, LAPIC_GPA + 0x1000, E820_RESERVED);
	e820_add(map, IDENTITY_MAP_GPA, HIGH_RAM_GPA, E820_RESERVED);
	e820_add(map, HIGH_RAM_GPA, HIGH_RAM_GPA + high_len, E820_RAM);
}
