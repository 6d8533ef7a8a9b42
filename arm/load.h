/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loading of kernels, firmware and initrds: from their files straight into guest
 * memory, and where each of them goes.
 */
#ifndef LKVM_ARM_LOAD_H
#define LKVM_ARM_LOAD_H

#include "lkvm/types.h"

struct kvm;

/* What boot.c must know of what was loaded. */
struct boot_plan {
	u64 entry;
	u64 end; /* first address behind it that it does not need */
	bool is_firmware;
	u64 initrd, initrd_len; /* len 0: none */
	u64 fdt;		/* room for fdt_max bytes */
	u64 fdt_max;
};

/* Load kernel or firmware; fills in entry, end, is_firmware. */
int payload_load(struct kvm *vm, struct boot_plan *plan);

/* Load the initrd if there is one, and find room for the device tree. */
int initrd_load(struct kvm *vm, struct boot_plan *plan);

#endif
