/* SPDX-License-Identifier: GPL-2.0-only */
#include <ucontext.h>
#include "lkvm/arch.h"
#include "lkvm/types.h"

u64 arch_trapped_argument(const void *context, unsigned int index)
{
	const ucontext_t *uc = context;

	return uc->uc_mcontext.regs[index];
}
