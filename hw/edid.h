/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LKVM_HW_EDID_H
#define LKVM_HW_EDID_H

#include "lkvm/types.h"

#define EDID_LEN 128U
#define EDID_MAX_SIZE 4095U /* pixels that fit, each way */

/*
 * What a monitor says of itself (VESA E-EDID 1.4): that it likes @width by
 * @height pixels best, 60 times a second.
 */
void edid_build(u8 edid[EDID_LEN], u32 width, u32 height);

#endif
