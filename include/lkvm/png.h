/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pictures as PNG files (ISO/IEC 15948), packed by zlib: built where that is
 * (CONFIG_ZLIB).
 */
#ifndef LKVM_PNG_H
#define LKVM_PNG_H

#include <stdio.h>
#include "lkvm/types.h"

/*
 * Write @width by @height pixels 0x??RRGGBB, row by row in little endian, as a
 * PNG file of 8 bits a sample. -ENOTSUP: there is no zlib; -EIO; -ENOMEM.
 */
int png_write(FILE *out, const u8 *pixels, u32 width, u32 height);

#endif
