/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between codec.c and the codecs that the Makefile found headers for
 * (codec_xz.c, ...).
 */
#ifndef LKVM_CODEC_PRIV_H
#define LKVM_CODEC_PRIV_H

#include "lkvm/types.h"

/* As codec_unpack(). */
typedef int codec_unpack_fn(const u8 *in, size_t in_len, u8 *out,
			    size_t *out_len);

codec_unpack_fn codec_gzip_unpack;
codec_unpack_fn codec_xz_unpack; /* CODEC_LZMA, too */
codec_unpack_fn codec_zstd_unpack;

#endif
