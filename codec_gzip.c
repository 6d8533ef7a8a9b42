// SPDX-License-Identifier: GPL-2.0-only
/*
 * gzip files of one member, and bare deflate streams, by zlib.
 */
#include "codec_priv.h"
#include "lkvm/library.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
/* Input is const. */
#define ZLIB_CONST
#include <zlib.h>

#define GZIP_ONLY 16 /* added to the window's bits: no zlib header */

struct zlib {
	__typeof__(inflateInit2_) *init;
	__typeof__(inflate) *inflate;
	__typeof__(inflateEnd) *end;
};

static int unpack(const struct zlib *lib, z_stream *stream)
{
	int ret = lib->init(stream, MAX_WBITS + GZIP_ONLY, ZLIB_VERSION,
			    (int)sizeof(*stream));

	if (ret == Z_OK) {
		ret = lib->inflate(stream, Z_FINISH);
		lib->end(stream);
	}
	if (ret == Z_MEM_ERROR)
		return -ENOMEM;
	return ret == Z_STREAM_END && !stream->avail_in ? 0 : -EINVAL;
}

static void *load(struct zlib *lib)
{
	const struct library_symbol symbols[] = {
		{ "inflateInit2_", (void **)&lib->init },
		{ "inflate", (void **)&lib->inflate },
		{ "inflateEnd", (void **)&lib->end },
		{ NULL, NULL },
	};

	return library_open("libz.so.1", symbols);
}

int codec_gzip_unpack(const u8 *in, size_t in_len, u8 *out, size_t *out_len)
{
	struct zlib lib = { 0 };
	z_stream stream = {
		.next_in = in,
		.avail_in = (uInt)in_len,
		.next_out = out,
		.avail_out = *out_len < UINT_MAX ? (uInt)*out_len : UINT_MAX,
	};
	void *library;
	int err;

	if (in_len > UINT_MAX)
		return -EINVAL;
	library = load(&lib);
	if (!library)
		return -ENOTSUP;
	err = unpack(&lib, &stream);
	*out_len = stream.total_out;
	library_close(library);
	return err;
}

/* ---- Bare streams ---- */

struct codec_inflate {
	struct zlib lib;
	void *library;
};

struct codec_inflate *codec_gzip_inflate_open(void)
{
	struct codec_inflate *inflate = calloc(1, sizeof(*inflate));

	if (!inflate)
		return NULL;
	inflate->library = load(&inflate->lib);
	if (inflate->library)
		return inflate;
	free(inflate);
	return NULL;
}

void codec_gzip_inflate_close(struct codec_inflate *inflate)
{
	if (!inflate)
		return;
	library_close(inflate->library);
	free(inflate);
}

int codec_gzip_inflate_run(struct codec_inflate *inflate, const void *in,
			   size_t in_len, void *out, size_t out_len)
{
	const struct zlib *lib = &inflate->lib;
	z_stream stream = {
		.next_in = in,
		.avail_in = (uInt)in_len,
		.next_out = out,
		.avail_out = (uInt)out_len,
	};
	int ret;

	if (in_len > UINT_MAX || out_len > UINT_MAX)
		return -EINVAL;
	ret = lib->init(&stream, -MAX_WBITS, ZLIB_VERSION, (int)sizeof(stream));
	if (ret == Z_OK) {
		lib->inflate(&stream, Z_FINISH);
		lib->end(&stream);
	}
	if (ret == Z_MEM_ERROR)
		return -ENOMEM;
	return ret == Z_OK && !stream.avail_out ? 0 : -EINVAL;
}
