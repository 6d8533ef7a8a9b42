/* SPDX-License-Identifier: GPL-2.0-only */
#include "lkvm/arch.h"

/* mov w0, #0x84000009 (PSCI SYSTEM_RESET); hvc #0; b . */
static const u8 code[] = { 0x00, 0x80, 0xb0, 0x52, 0x20, 0x01, 0x80, 0x72,
			   0x02, 0x00, 0x00, 0xd4, 0x00, 0x00, 0x00, 0x14 };

const u8 *const arch_tiny_guest = code;
const size_t arch_tiny_guest_len = sizeof(code);
