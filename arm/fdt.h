/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device tree: what the machine is, in the form of the Devicetree
 * Specification 0.4 and of Linux's bindings. Writes from what it is given, and
 * asks nobody: no VM is needed.
 */
#ifndef LKVM_ARM_FDT_H
#define LKVM_ARM_FDT_H

#include "arm/config.h"
#include "lkvm/device.h"
#include "lkvm/pci.h"
#include "lkvm/types.h"

#define FDT_RNG_SEED_LEN 32

struct fdt_machine {
	const char *cmdline;
	u64 ram_start, ram_len;
	u64 initrd_start, initrd_len; /* len 0: none */
	u64 kaslr_seed;
	u8 rng_seed[FDT_RNG_SEED_LEN];
	const u64 *mpidrs; /* of each CPU: its affinity fields */
	unsigned int cpus;
	unsigned int cache_levels; /* at least 1 */
	enum irqchip irqchip;
	bool aarch32;
	bool pmu;
	u32 timer_hz; /* 0: firmware has set CNTFRQ_EL0 */
	struct pci_window mem64;
	/* In the order in which they are to stand. */
	const struct device_desc *devices;
	unsigned int nr_devices;
};

/*
 * Write the tree to @out, which has room for @max bytes; *len is what it took.
 * -ENOSPC: it needs more.
 */
int fdt_build(void *out, size_t max, const struct fdt_machine *machine,
	      size_t *len);

#endif
