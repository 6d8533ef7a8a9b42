/* SPDX-License-Identifier: GPL-2.0-only */
/* What the byte-wide chips of hw/ share: splitting accesses, adding regions. */
#include "hw/hw_priv.h"

#include "lkvm/kvm.h"

enum bus_result hw_access_bytes(struct bus_access *acc, u64 len,
				u8 (*read)(void *chip, u64 offset),
				void (*write)(void *chip, u64 offset, u8 value),
				void *chip)
{
	u64 value = 0;

	for (unsigned int i = 0; i < acc->size; i++) {
		u64 offset = acc->offset + i;

		if (acc->is_write) {
			if (offset < len)
				write(chip, offset, (u8)(acc->value >> 8 * i));
			continue;
		}
		value |= (u64)(offset < len ? read(chip, offset) : 0xff)
			 << 8 * i;
	}
	if (!acc->is_write)
		acc->value = value;
	return BUS_HANDLED;
}

int hw_add_region(struct kvm *vm, const struct device_place *place,
		  struct bus_region *region)
{
	int err;

	region->start = place->start;
	region->len = place->len;
	err = bus_add(place->bus, region);
	if (err)
		return vm_fail(vm, err, "%s: its addresses are not free",
			       region->name);
	return 0;
}
