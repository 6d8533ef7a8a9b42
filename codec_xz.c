// SPDX-License-Identifier: GPL-2.0-only
/*
 * xz and its predecessor .lzma, by liblzma.
 */
#include "codec_priv.h"
#include "lkvm/library.h"

#include <errno.h>
#include <lzma.h>

/* Twice what the window of "xz -9" takes; Linux uses 32 MiB. */
#define MEMORY_LIMIT (128 * MIB)

struct liblzma {
	__typeof__(lzma_auto_decoder) *auto_decoder;
	__typeof__(lzma_code) *code;
	__typeof__(lzma_end) *end;
};

/*
 * The checksum of the whole is left out: it is 5 % of a guest's boot, and finds
 * nothing new, because each chunk of LZMA data must end with the decoder in one
 * state of 2^32.
 */
static int unpack(const struct liblzma *lib, lzma_stream *stream)
{
	lzma_ret ret =
		lib->auto_decoder(stream, MEMORY_LIMIT, LZMA_IGNORE_CHECK);

	/* Without input or room left this does not stay LZMA_OK. */
	while (ret == LZMA_OK)
		ret = lib->code(stream, LZMA_FINISH);
	lib->end(stream);
	if (ret == LZMA_MEM_ERROR)
		return -ENOMEM;
	return ret == LZMA_STREAM_END && !stream->avail_in ? 0 : -EINVAL;
}

int codec_xz_unpack(const u8 *in, size_t in_len, u8 *out, size_t *out_len)
{
	struct liblzma lib = { 0 };
	const struct library_symbol symbols[] = {
		{ "lzma_auto_decoder", (void **)&lib.auto_decoder },
		{ "lzma_code", (void **)&lib.code },
		{ "lzma_end", (void **)&lib.end },
		{ NULL, NULL },
	};
	void *library = library_open("liblzma.so.5", symbols);
	lzma_stream stream = LZMA_STREAM_INIT;
	int err;

	if (!library)
		return -ENOTSUP;
	stream.next_in = in;
	stream.avail_in = in_len;
	stream.next_out = out;
	stream.avail_out = *out_len;
	err = unpack(&lib, &stream);
	*out_len = (size_t)stream.total_out;
	library_close(library);
	return err;
}
