/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between codec.c and the codecs that the Makefile found headers for
 * (codec_xz.c, ...).
 */
#ifndef LKVM_CODEC_PRIV_H
#define LKVM_CODEC_PRIV_H

#include "lkvm/types.h"

struct codec_inflate;

/* As codec_unpack(). */
typedef int codec_unpack_fn(const u8 *in, size_t in_len, u8 *out,
			    size_t *out_len);

codec_unpack_fn codec_gzip_unpack;
codec_unpack_fn codec_xz_unpack; /* CODEC_LZMA, too */
codec_unpack_fn codec_zstd_unpack;

/* As codec_inflate_*(). */
struct codec_inflate *codec_gzip_inflate_open(void);
void codec_gzip_inflate_close(struct codec_inflate *inflate);
int codec_gzip_inflate_run(struct codec_inflate *inflate, const void *in,
			   size_t in_len, void *out, size_t out_len);

#endif
