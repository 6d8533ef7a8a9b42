/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The wire format of 9P2000.L: the 9P manual's section 5 for the frame, and
 * the protocol description of diod for the messages that Linux added. Numbers
 * are little endian, strings have a length in front and no NUL behind.
 */
#ifndef LKVM_VIRTIO_P9_WIRE_H
#define LKVM_VIRTIO_P9_WIRE_H

#include "lkvm/types.h"

/* Requests; each one's reply is the next number. */
enum {
	P9_RLERROR = 7,
	P9_TSTATFS = 8,
	P9_TLOPEN = 12,
	P9_TLCREATE = 14,
	P9_TSYMLINK = 16,
	P9_TMKNOD = 18,
	P9_TRENAME = 20,
	P9_TREADLINK = 22,
	P9_TGETATTR = 24,
	P9_TSETATTR = 26,
	P9_TXATTRWALK = 30,
	P9_TXATTRCREATE = 32,
	P9_TREADDIR = 40,
	P9_TFSYNC = 50,
	P9_TLOCK = 52,
	P9_TGETLOCK = 54,
	P9_TLINK = 70,
	P9_TMKDIR = 72,
	P9_TRENAMEAT = 74,
	P9_TUNLINKAT = 76,
	P9_TVERSION = 100,
	P9_TAUTH = 102,
	P9_TATTACH = 104,
	P9_TFLUSH = 108,
	P9_TWALK = 110,
	P9_TREAD = 116,
	P9_TWRITE = 118,
	P9_TCLUNK = 120,
	P9_TREMOVE = 122,
};

#define P9_NO_TAG 0xffffU
#define P9_NO_FID 0xffffffffU
#define P9_NO_UID 0xffffffffU

#define P9_HEADER_LEN 7U /* size[4] type[1] tag[2] */
/* Both have fid[4] offset[8] count[4] first; the reply count[4]. */
#define P9_TWRITE_DATA (P9_HEADER_LEN + 16)
#define P9_RREAD_DATA (P9_HEADER_LEN + 4)
#define P9_RLERROR_LEN (P9_HEADER_LEN + 4)

#define P9_MAX_WALK 16U

#define P9_QID_DIR 0x80U
#define P9_QID_SYMLINK 0x02U
#define P9_QID_LEN 13U

struct p9_qid {
	u8 type;
	u32 version;
	u64 path;
};

/* A request, copied from the guest. What it does not have reads as 0. */
struct p9_reader {
	u8 *at;
	size_t left;
	bool is_short; /* more was taken than there is */
};

u8 p9_get_u8(struct p9_reader *in);
u16 p9_get_u16(struct p9_reader *in);
u32 p9_get_u32(struct p9_reader *in);
u64 p9_get_u64(struct p9_reader *in);
/*
 * A string, NUL-terminated in place. "" and is_short if it is longer than the
 * message, or has a NUL in it: the host would read it as another name.
 */
const char *p9_get_string(struct p9_reader *in);

/* A reply. What does not fit is left out. */
struct p9_writer {
	u8 *buf;
	size_t size;
	size_t len;
	bool is_full;
};

void p9_put_u8(struct p9_writer *out, u8 value);
void p9_put_u16(struct p9_writer *out, u16 value);
void p9_put_u32(struct p9_writer *out, u32 value);
void p9_put_u64(struct p9_writer *out, u64 value);
void p9_put_string(struct p9_writer *out, const char *text, size_t len);
void p9_put_qid(struct p9_writer *out, const struct p9_qid *qid);
/* size[4] type[1] tag[2] of a reply of @len bytes. */
void p9_put_header(u8 header[P9_HEADER_LEN], u32 len, u8 type, u16 tag);

#endif
