// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which codec a file needs, and whether this build has it.
 */
#include "lkvm/codec.h"

#include <errno.h>
#include <string.h>
#include "codec_priv.h"

struct codec_class {
	const char *name;
	const char *magic; /* the file's first bytes */
	size_t magic_len;
	codec_unpack_fn *unpack; /* NULL: not in this build */
};

/* CONFIG_*: 0 or 1, from the Makefile. */
static const struct codec_class classes[CODEC_COUNT] = {
	[CODEC_NONE] = { "none", "", 0, NULL },
	[CODEC_GZIP] = { "gzip", "\x1f\x8b\x08", 3,
			 CONFIG_ZLIB ? codec_gzip_unpack : NULL },
	/* Properties and, up to 16 MiB, the two low bytes of the window. */
	[CODEC_LZMA] = { "lzma", "\x5d\0\0", 3,
			 CONFIG_LIBLZMA ? codec_xz_unpack : NULL },
	[CODEC_XZ] = { "xz",
		       "\xfd"
		       "7zXZ\0",
		       6, CONFIG_LIBLZMA ? codec_xz_unpack : NULL },
	[CODEC_ZSTD] = { "zstd", "\x28\xb5\x2f\xfd", 4,
			 CONFIG_LIBZSTD ? codec_zstd_unpack : NULL },
};

enum codec codec_detect(const void *in, size_t in_len)
{
	for (enum codec i = CODEC_NONE + 1; i < CODEC_COUNT; i++) {
		const struct codec_class *c = &classes[i];

		if (in_len >= c->magic_len &&
		    !memcmp(in, c->magic, c->magic_len))
			return i;
	}
	return CODEC_NONE;
}

const char *codec_name(enum codec codec)
{
	return classes[codec].name;
}

int codec_unpack(enum codec codec, const void *in, size_t in_len, void *out,
		 size_t *out_len)
{
	codec_unpack_fn *unpack = classes[codec].unpack;

	if (!unpack)
		return -ENOTSUP;
	/* To libzstd nothing at all is complete. */
	return in_len ? unpack(in, in_len, out, out_len) : -EINVAL;
}

struct codec_inflate *codec_inflate_open(void)
{
	return CONFIG_ZLIB ? codec_gzip_inflate_open() : NULL;
}

void codec_inflate_close(struct codec_inflate *inflate)
{
	if (CONFIG_ZLIB)
		codec_gzip_inflate_close(inflate);
}

int codec_inflate_run(struct codec_inflate *inflate, const void *in,
		      size_t in_len, void *out, size_t out_len)
{
	return CONFIG_ZLIB ? codec_gzip_inflate_run(inflate, in, in_len, out,
						    out_len)
			   : -ENOTSUP;
}
