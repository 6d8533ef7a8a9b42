/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A signature and three chunks (ISO/IEC 15948, 5): header, pixels, end. Rows have no
 * filter. zlib has the hard parts, packing and CRCs.
 */
#include "lkvm/png.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "lkvm/library.h"

#define COLOUR_RGB 2
#define SAMPLE_BITS 8
#define SAMPLES 3U
#define PIXEL_LEN 4U
#define HEADER_LEN 13U

struct zlib {
	__typeof__(compress) *compress;
	__typeof__(compressBound) *bound;
	__typeof__(crc32) *crc32;
};

static void put_be32(u8 *to, u32 value)
{
	for (unsigned int i = 0; i < 4; i++)
		to[i] = (u8)(value >> 8 * (3 - i));
}

/* Errors show when the file is flushed. */
static void write_chunk(FILE *out, const struct zlib *lib, const char *type,
			const u8 *data, u32 len)
{
	uLong crc = lib->crc32(0, (const Bytef *)type, 4);
	u8 word[4];

	put_be32(word, len);
	fwrite(word, sizeof(word), 1, out);
	fwrite(type, 4, 1, out);
	fwrite(data, 1, len, out);
	/* Of no data it would be the CRC's first value. */
	put_be32(word, (u32)(len ? lib->crc32(crc, data, len) : crc));
	fwrite(word, sizeof(word), 1, out);
}

/* Rows of samples, each behind the number of its filter: none. NULL: no memory. */
static u8 *make_rows(const u8 *pixels, u32 width, u32 height)
{
	u8 *rows = malloc((size_t)height * (1 + (size_t)width * SAMPLES));
	u8 *to = rows;

	for (u32 y = 0; y < height && rows; y++) {
		*to++ = 0;
		for (u32 x = 0; x < width; x++, pixels += PIXEL_LEN) {
			*to++ = pixels[2];
			*to++ = pixels[1];
			*to++ = pixels[0];
		}
	}
	return rows;
}

/* To *@out, @len bytes; the caller frees it. */
static int pack(const struct zlib *lib, const u8 *rows, uLong rows_len,
		u8 **out, uLongf *len)
{
	*len = lib->bound(rows_len);
	*out = malloc(*len);
	if (!*out || lib->compress(*out, len, rows, rows_len) != Z_OK)
		return -ENOMEM; /* all that can happen to it */
	return *len > INT32_MAX ? -EFBIG : 0;
}

static int write_file(FILE *out, const struct zlib *lib, const u8 *pixels,
		      u32 width, u32 height)
{
	static const u8 signature[] = { 0x89, 'P',  'N',  'G',
					'\r', '\n', 0x1a, '\n' };
	u8 header[HEADER_LEN] = { [8] = SAMPLE_BITS, [9] = COLOUR_RGB };
	u8 *rows = make_rows(pixels, width, height), *packed = NULL;
	uLongf len = 0;
	int err = -ENOMEM;

	if (rows)
		err = pack(lib, rows,
			   (uLong)height * (1 + (uLong)width * SAMPLES),
			   &packed, &len);
	if (!err) {
		put_be32(header, width);
		put_be32(header + 4, height);
		fwrite(signature, sizeof(signature), 1, out);
		write_chunk(out, lib, "IHDR", header, sizeof(header));
		write_chunk(out, lib, "IDAT", packed, (u32)len);
		write_chunk(out, lib, "IEND", NULL, 0);
		if (fflush(out) || ferror(out))
			err = -EIO;
	}
	free(packed);
	free(rows);
	return err;
}

int png_write(FILE *out, const u8 *pixels, u32 width, u32 height)
{
	struct zlib lib = { 0 };
	const struct library_symbol symbols[] = {
		{ "compress", (void **)&lib.compress },
		{ "compressBound", (void **)&lib.bound },
		{ "crc32", (void **)&lib.crc32 },
		{ NULL, NULL },
	};
	void *library = library_open("libz.so.1", symbols);
	int err;

	if (!library)
		return -ENOTSUP;
	err = write_file(out, &lib, pixels, width, height);
	library_close(library);
	return err;
}
