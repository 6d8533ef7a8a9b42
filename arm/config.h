/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What only arm64 guests can be told: filled in by the setters of
 * arm/options.c, const from then on.
 */
#ifndef LKVM_ARM_CONFIG_H
#define LKVM_ARM_CONFIG_H

#include <sched.h>
#include "lkvm/types.h"

enum irqchip {
	IRQCHIP_AUTO,
	IRQCHIP_GICV2,
	IRQCHIP_GICV2M,
	IRQCHIP_GICV3,
	IRQCHIP_GICV3_ITS,
};

struct arch_config {
	enum irqchip irqchip;
	bool aarch32;
	bool pmu;
	bool disable_mte;
	bool no_pvtime;
	bool has_affinity;
	cpu_set_t affinity;  /* host CPUs for all vCPUs */
	bool has_kaslr_seed; /* else a random one */
	u64 kaslr_seed;
	u32 sve_max_vl;	      /* bits; 0: what the host has */
	u32 timer_hz;	      /* for firmware that does not say; 0: none */
	const char *dump_dtb; /* file for the device tree, or NULL */
	bool has_firmware_address;
	u64 firmware_address; /* else the beginning of RAM */
};

#endif
