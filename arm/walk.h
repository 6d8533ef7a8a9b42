/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's own translation tables (Arm ARM, D8: the VMSAv8-64 stage 1 of EL1
 * and EL0), followed in software: KVM on arm64 translates no addresses for us.
 * For people who debug a guest, not for devices. Little endian, up to 48 bits; no
 * permissions are checked.
 */
#ifndef LKVM_ARM_WALK_H
#define LKVM_ARM_WALK_H

#include "lkvm/types.h"

struct memory;

/* EL1's registers, as the guest has them. */
struct walk_regime {
	u64 sctlr, tcr;
	u64 ttbr[2];
};

struct walk_step {
	unsigned int level, index;
	u64 table_gpa;
	u64 entry;
};

#define WALK_MAX_STEPS 4

struct walk {
	/* What was looked at, from the first level on; none with the MMU off. */
	unsigned int nr_steps;
	struct walk_step steps[WALK_MAX_STEPS];
	const char *fault; /* why there is no address, or NULL */
	u64 gpa;	   /* without a fault */
};

/* All of it is hostile: whatever it says, at most WALK_MAX_STEPS are taken. */
void walk_address(const struct memory *mem, const struct walk_regime *regime,
		  u64 address, struct walk *out);

#endif
