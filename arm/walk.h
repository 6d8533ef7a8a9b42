/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's own translation tables (Arm ARM, D8: the VMSAv8-64 stage 1 of EL1
 * and EL0): little endian, up to 48 bits.
 */
#ifndef LKVM_ARM_WALK_H
#define LKVM_ARM_WALK_H

#include "lkvm/walk.h"

/* EL1's registers, as the guest has them. */
struct walk_regime {
	u64 sctlr, tcr;
	u64 ttbr[2];
};

#endif
