/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between codec.c, the codecs that the Makefile found headers for
 * (codec_xz.c, ...), and the way to their libraries: codec_dlopen.c or, in a
 * static program, codec_nodl.c.
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

/* One name that is looked up in a library, and where to put its address. */
struct codec_symbol {
	const char *name;
	void **address;
};

/*
 * Load library @file and look up the names in @symbols, which ends with a NULL
 * name. NULL unless all of them are there.
 */
void *codec_library_open(const char *file, const struct codec_symbol *symbols);
/* Accepts NULL. */
void codec_library_close(void *library);

#endif
