/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Unpacking of compressed kernels, by libraries of the host that are loaded
 * when the first such kernel comes, and that need not be there.
 */
#ifndef LKVM_CODEC_H
#define LKVM_CODEC_H

#include "lkvm/types.h"

enum codec {
	CODEC_NONE, /* not compressed, or in a way that nobody here knows */
	CODEC_GZIP,
	CODEC_LZMA, /* .lzma, what came before xz */
	CODEC_XZ,
	CODEC_ZSTD,
	CODEC_COUNT
};

/* By the first bytes of @in. */
enum codec codec_detect(const void *in, size_t in_len);

/* "xz", for messages. */
const char *codec_name(enum codec codec);

/*
 * Unpack @in, which must be complete and nothing else, into @out, which has
 * room for *out_len bytes. *out_len becomes the number of bytes written. What
 * an unpacked file may allocate on the way is limited. -ENOTSUP: this host has
 * no library for it; -EINVAL: @in is damaged, or longer than @out; -ENOMEM.
 * On failure @out holds anything.
 */
int codec_unpack(enum codec codec, const void *in, size_t in_len, void *out,
		 size_t *out_len);

/*
 * For what comes in pieces while a VM runs: bare deflate streams (RFC 1951),
 * the library loaded before. One thread at a time.
 */
struct codec_inflate;

/* NULL: this host, or this build, has no zlib. */
struct codec_inflate *codec_inflate_open(void);
/* Accepts NULL. */
void codec_inflate_close(struct codec_inflate *inflate);
/*
 * Unpack exactly @out_len bytes from the front of @in. -EINVAL: @in is damaged,
 * or ends before.
 */
int codec_inflate_run(struct codec_inflate *inflate, const void *in,
		      size_t in_len, void *out, size_t out_len);

#endif
