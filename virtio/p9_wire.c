/* SPDX-License-Identifier: GPL-2.0-only */
#include "virtio/p9_wire.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "9P is little endian, and so is every host we run on");

/* ---- Requests ---- */

static void get(struct p9_reader *in, void *value, size_t len)
{
	if (in->is_short || len > in->left) {
		in->is_short = true;
		memset(value, 0, len);
		return;
	}
	memcpy(value, in->at, len);
	in->at += len;
	in->left -= len;
}

u8 p9_get_u8(struct p9_reader *in)
{
	u8 value;

	get(in, &value, sizeof(value));
	return value;
}

u16 p9_get_u16(struct p9_reader *in)
{
	u16 value;

	get(in, &value, sizeof(value));
	return value;
}

u32 p9_get_u32(struct p9_reader *in)
{
	u32 value;

	get(in, &value, sizeof(value));
	return value;
}

u64 p9_get_u64(struct p9_reader *in)
{
	u64 value;

	get(in, &value, sizeof(value));
	return value;
}

/*
 * Moved down by the two bytes of its length, which were read, so that there is
 * room for the NUL.
 */
const char *p9_get_string(struct p9_reader *in)
{
	size_t len = p9_get_u16(in);
	char *text;

	if (in->is_short || len > in->left || memchr(in->at, '\0', len)) {
		in->is_short = true;
		return "";
	}
	text = (char *)in->at - sizeof(u16);
	memmove(text, in->at, len);
	text[len] = '\0';
	in->at += len;
	in->left -= len;
	return text;
}

/* ---- Replies ---- */

static void put(struct p9_writer *out, const void *value, size_t len)
{
	if (out->is_full || len > out->size - out->len) {
		out->is_full = true;
		return;
	}
	memcpy(out->buf + out->len, value, len);
	out->len += len;
}

void p9_put_u8(struct p9_writer *out, u8 value)
{
	put(out, &value, sizeof(value));
}

void p9_put_u16(struct p9_writer *out, u16 value)
{
	put(out, &value, sizeof(value));
}

void p9_put_u32(struct p9_writer *out, u32 value)
{
	put(out, &value, sizeof(value));
}

void p9_put_u64(struct p9_writer *out, u64 value)
{
	put(out, &value, sizeof(value));
}

void p9_put_string(struct p9_writer *out, const char *text, size_t len)
{
	if (len > UINT16_MAX) {
		out->is_full = true;
		return;
	}
	p9_put_u16(out, (u16)len);
	put(out, text, len);
}

void p9_put_qid(struct p9_writer *out, const struct p9_qid *qid)
{
	p9_put_u8(out, qid->type);
	p9_put_u32(out, qid->version);
	p9_put_u64(out, qid->path);
}

void p9_put_header(u8 header[P9_HEADER_LEN], u32 len, u8 type, u16 tag)
{
	struct p9_writer out = { .buf = header, .size = P9_HEADER_LEN };

	p9_put_u32(&out, len);
	p9_put_u8(&out, type);
	p9_put_u16(&out, tag);
}
