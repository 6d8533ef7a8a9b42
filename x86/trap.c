/* SPDX-License-Identifier: GPL-2.0-only */
#include <ucontext.h>
#include "lkvm/arch.h"
#include "lkvm/types.h"

u64 arch_trapped_argument(const void *context, unsigned int index)
{
	static const int registers[] = { REG_RDI, REG_RSI, REG_RDX,
					 REG_R10, REG_R8,  REG_R9 };
	const ucontext_t *uc = context;

	return (u64)uc->uc_mcontext.gregs[registers[index]];
}
