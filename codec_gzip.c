// SPDX-License-Identifier: GPL-2.0-only
/*
 * gzip files of one member, by zlib.
 */
#include "codec_priv.h"
#include "lkvm/library.h"

#include <errno.h>
#include <limits.h>
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

int codec_gzip_unpack(const u8 *in, size_t in_len, u8 *out, size_t *out_len)
{
	struct zlib lib = { 0 };
	const struct library_symbol symbols[] = {
		{ "inflateInit2_", (void **)&lib.init },
		{ "inflate", (void **)&lib.inflate },
		{ "inflateEnd", (void **)&lib.end },
		{ NULL, NULL },
	};
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
	library = library_open("libz.so.1", symbols);
	if (!library)
		return -ENOTSUP;
	err = unpack(&lib, &stream);
	*out_len = stream.total_out;
	library_close(library);
	return err;
}
