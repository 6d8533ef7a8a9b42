/* SPDX-License-Identifier: GPL-2.0-only */
#include "lkvm/arch.h"

/* Real mode: mov $0xfe, %al; out %al, $0x64 (a reset); hlt; jmp to the hlt */
static const u8 code[] = { 0xb0, 0xfe, 0xe6, 0x64, 0xf4, 0xeb, 0xfd };

const u8 *const arch_tiny_guest = code;
const size_t arch_tiny_guest_len = sizeof(code);
