/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's page tables (SDM volume 3, chapter 4): none, 32-bit, PAE, 4-level
 * and 5-level paging. KVM_TRANSLATE is no help: with SMAP it finds no page of a
 * user's. PSE-36 is not known here.
 */
#ifndef LKVM_X86_WALK_H
#define LKVM_X86_WALK_H

#include "lkvm/walk.h"

struct walk_regime {
	u64 cr0, cr3, cr4, efer;
};

#endif
