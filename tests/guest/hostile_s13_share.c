// SPDX-License-Identifier: GPL-2.0-only
/*
 * A shared directory, used well and then badly: fids that were never opened, strings
 * and messages that lie about their length, and every way out that 9P has words
 * for. Each is answered with an error, and the share works on.
 *
 * guest-args: --9p SHARE,tag
 */
#include "virtio.h"

#define VIRTIO_9P 0x1049

enum {
	TLOPEN = 12,
	TLCREATE = 14,
	TSYMLINK = 16,
	TMKNOD = 18,
	TREADLINK = 22,
	TGETATTR = 24,
	TSETATTR = 26,
	TXATTRWALK = 30,
	TXATTRCREATE = 32,
	TREADDIR = 40,
	TFSYNC = 50,
	TLOCK = 52,
	TLINK = 70,
	TMKDIR = 72,
	TRENAMEAT = 74,
	TUNLINKAT = 76,
	TVERSION = 100,
	TATTACH = 104,
	TFLUSH = 108,
	TWALK = 110,
	TREAD = 116,
	TWRITE = 118,
	TCLUNK = 120,
};

/* Numbers of Linux's errors. */
enum {
	ENOENT_ = 2,
	EPERM_ = 1,
	ENXIO_ = 6,
	EBADF_ = 9,
	ENOTDIR_ = 20,
	EINVAL_ = 22,
	ELOOP_ = 40,
	ENODATA_ = 61,
};

#define NO_FID 0xffffffffULL
#define REQUEST (DMA_AREA + 0x8000)
#define REPLY (DMA_AREA + 0xa000)
#define REPLY_LEN 0x2000
#define RLERROR 7

static struct virtio dev;
static struct queue queue;
static u32 used; /* bytes of the message that is being made */

static void put(u64 value, u32 bytes)
{
	u8 *at = (u8 *)REQUEST + used;

	for (u32 i = 0; i < bytes; i++)
		at[i] = (u8)(value >> (8 * i));
	used += bytes;
}

static void put_text(const char *text)
{
	u32 len = 0;

	while (text[len])
		len++;
	put(len, 2);
	for (u32 i = 0; i < len; i++)
		put((u8)text[i], 1);
}

static u64 get(u32 offset, u32 bytes)
{
	const volatile u8 *at = (u8 *)REPLY + offset;
	u64 value = 0;

	for (u32 i = 0; i < bytes; i++)
		value |= (u64)at[i] << (8 * i);
	return value;
}

static void begin(u8 type)
{
	used = 4;
	put(type, 1);
	put(1, 2);
}

/* Sends what was made, saying that it is @len long. 0, or the error. */
static u32 send_as(u32 len)
{
	u32 end = used, written;

	used = 0;
	put(len, 4);
	used = end;
	queue_desc(&queue, 0, REQUEST, end, DESC_NEXT, 1);
	queue_desc(&queue, 1, REPLY, REPLY_LEN, DESC_WRITE, 0);
	queue_submit(&queue, 0);
	check(queue_wait(&queue, &written));
	check_equal("length of the reply", get(0, 4), written);
	return get(4, 1) == RLERROR ? (u32)get(7, 4) : 0;
}

static u32 send(void)
{
	return send_as(used);
}

static u32 walk(u32 fid, u32 new_fid, const char *name)
{
	begin(TWALK);
	put(fid, 4);
	put(new_fid, 4);
	put(*name ? 1 : 0, 2);
	if (*name)
		put_text(name);
	return send();
}

static u32 open(u32 fid, u32 flags)
{
	begin(TLOPEN);
	put(fid, 4);
	put(flags, 4);
	return send();
}

static u32 clunk(u32 fid)
{
	begin(TCLUNK);
	put(fid, 4);
	return send();
}

/* A message of @type to @fid, with @more bytes of zeroes behind. */
static u32 zeroes(u8 type, u32 fid, u32 more)
{
	begin(type);
	put(fid, 4);
	while (more--)
		put(0, 1);
	return send();
}

static void use_it(void)
{
	check_equal("walk to a file", walk(0, 1, "file"), 0);
	check_equal("open it", open(1, 2), 0);
	begin(TREAD);
	put(1, 4);
	put(0, 8);
	put(5, 4);
	check_equal("read it", send(), 0);
	check_equal("bytes read", get(7, 4), 5);
	check(equal((u8 *)REPLY + 11, "hello", 5));
	begin(TWRITE);
	put(1, 4);
	put(5, 8);
	put(1, 4);
	put('!', 1);
	check_equal("write to it", send(), 0);
	check_equal("sync it", zeroes(TFSYNC, 1, 4), 0);
	check_equal("lock it", zeroes(TLOCK, 1, 27), 0);
	check_equal("attributes", zeroes(TGETATTR, 1, 8), 0);
	check_equal("size", get(7 + 8 + 13 + 28, 8), 6);
	check_equal("folder", walk(0, 2, ""), 0);
	check_equal("open it", open(2, 0), 0);
	begin(TREADDIR);
	put(2, 4);
	put(0, 8);
	put(4096, 4);
	check_equal("list it", send(), 0);
	check(get(7, 4) > 100);
	check_equal("names of attributes", walk(0, 3, "file"), 0);
	begin(TXATTRWALK);
	put(3, 4);
	put(4, 4);
	put_text("user.none");
	check_equal("an attribute", send(), ENODATA_);
	begin(TMKDIR);
	put(0, 4);
	put_text("made");
	put(0755, 4);
	put(0, 4);
	check_equal("make a folder", send(), 0);
	begin(TUNLINKAT);
	put(0, 4);
	put_text("made");
	put(0x200, 4);
	check_equal("remove it", send(), 0);
	for (u32 fid = 1; fid < 4; fid++)
		check_equal("clunk", clunk(fid), 0);
}

/* S13: fid 0 of the host's, NULL, what is left when a length is subtracted. */
static void lie(void)
{
	static const u8 types[] = { TREAD, TWRITE, TREADDIR, TFSYNC };

	for (u32 i = 0; i < sizeof(types); i++) {
		check_equal("a fid that is not open", zeroes(types[i], 0, 16),
			    EBADF_);
		check_equal("no fid at all", zeroes(types[i], 77, 16), EBADF_);
	}
	for (u32 type = 8; type < 124; type += 2) {
		if (type == TVERSION || type == TCLUNK || type == 122 ||
		    type == TFLUSH)
			continue;
		begin((u8)type);
		check(send() != 0);
		begin((u8)type);
		put(0, 3);
		check(send_as(7) != 0);
	}
	begin(TGETATTR);
	put(0, 4);
	put(0, 8);
	check_equal("longer than it is", send_as(1000), EINVAL_);
	check_equal("shorter than a header", send_as(6), EINVAL_);
	check(send_as(0xffffffff) != 0);
	begin(TWALK);
	put(0, 4);
	put(9, 4);
	put(1, 2);
	put(0xffff, 2);
	check_equal("a string longer than its message", send(), EINVAL_);
}

static u32 make_named(u8 type, const char *name)
{
	begin(type);
	put(0, 4);
	put_text(name);
	if (type == TSYMLINK)
		put_text("x");
	if (type == TRENAMEAT) {
		put(0, 4);
		put_text("new");
	}
	put(010600, 4); /* mode: of a FIFO */
	put(0, 4);
	put(0, 4);
	put(0, 4);
	return send();
}

static void try_to_leave(void)
{
	static const char *const names[] = { "../secret", "/etc/passwd",
					     "dir/../../secret", "..", "." };
	static const u8 types[] = { TSYMLINK,  TMKNOD,	  TMKDIR,
				    TUNLINKAT, TRENAMEAT, TLCREATE };

	for (u32 n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
		for (u32 t = 0; t < sizeof(types); t++)
			check_equal(names[n], make_named(types[t], names[n]),
				    EINVAL_);
		if (n < 3)
			check_equal(names[n], walk(0, 1, names[n]), EINVAL_);
	}
	check_equal("above the root", walk(0, 1, ".."), 0);
	check_equal("is no secret", walk(1, 2, "secret"), ENOENT_);
	check_equal("clunk", clunk(1), 0);
	check_equal("a link out", walk(0, 1, "out"), 0);
	check_equal("is no folder", walk(1, 2, "secret"), ENOTDIR_);
	check_equal("and is not opened", open(1, 2), ELOOP_);
	check_equal("clunk", clunk(1), 0);
	begin(TSYMLINK);
	put(0, 4);
	put_text("own");
	put_text("../secret");
	put(0, 4);
	check_equal("a link of our own", send(), 0);
	check_equal("walk to it", walk(0, 1, "own"), 0);
	check_equal("and is not opened", open(1, 01002), ELOOP_);
	check_equal("clunk", clunk(1), 0);
	check_equal("a FIFO", walk(0, 1, "fifo"), 0);
	check_equal("is not opened", open(1, 0), ENXIO_);
	check_equal("clunk", clunk(1), 0);
	begin(TMKNOD);
	put(0, 4);
	put_text("null");
	put(020666, 4);
	put(1, 4);
	put(3, 4);
	put(0, 4);
	check_equal("a device", send(), EPERM_);
}

void guest_main(void)
{
	check(virtio_find(&dev, VIRTIO_9P));
	check(virtio_start(&dev, 0));
	queue_setup(&dev, &queue, 0, DMA_AREA, NO_VECTOR);
	virtio_ready(&dev);
	check_equal("before a session", zeroes(TGETATTR, 0, 8), 71);
	begin(TVERSION);
	put(0xffffffff, 4);
	put_text("9P2000.L");
	check_equal("version", send(), 0);
	check_equal("msize", get(7, 4), 1 << 20);
	begin(TATTACH);
	put(0, 4);
	put(NO_FID, 4);
	put_text("root");
	put_text("");
	put(0, 4);
	check_equal("attach", send(), 0);
	use_it();
	lie();
	try_to_leave();
	use_it();
	check(!virtio_needs_reset(&dev));
	end();
}
