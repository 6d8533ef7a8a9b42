// SPDX-License-Identifier: GPL-2.0-only
/*
 * Zstandard, by libzstd: in one go, so that @out is the window and no other
 * is allocated.
 */
#include "codec_priv.h"
#include "lkvm/library.h"

#include <errno.h>
#include <zstd.h>

struct libzstd {
	__typeof__(ZSTD_decompress) *decompress;
	__typeof__(ZSTD_isError) *is_error;
};

int codec_zstd_unpack(const u8 *in, size_t in_len, u8 *out, size_t *out_len)
{
	struct libzstd lib = { 0 };
	const struct library_symbol symbols[] = {
		{ "ZSTD_decompress", (void **)&lib.decompress },
		{ "ZSTD_isError", (void **)&lib.is_error },
		{ NULL, NULL },
	};
	void *library = library_open("libzstd.so.1", symbols);
	int err = 0;

	if (!library)
		return -ENOTSUP;
	*out_len = lib.decompress(out, *out_len, in, in_len);
	if (lib.is_error(*out_len))
		err = -EINVAL;
	library_close(library);
	return err;
}
