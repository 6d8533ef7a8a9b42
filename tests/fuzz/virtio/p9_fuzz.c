/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * 9P messages of a hostile guest: the input is a list of them, most with the
 * arguments of their type, some of any bytes. Each is answered, and what lies
 * beside the shared folder stays as it is.
 */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/support/fuzz_input.h"
#include "tests/support/p9_client.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

/* ---- The folder: root/ with something of each kind, and a secret beside it ---- */

static int remove_entry(const char *path, const struct stat *st, int flag,
			struct FTW *ftw)
{
	return ftw->level ? remove(path) : 0;
}

static void fill_folder(struct client *c)
{
	nftw(c->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	client_put_file(c, "a", "some text");
	if (mkdir(client_path(c, "b"), 0755) ||
	    symlink("../secret", client_path(c, "c")) ||
	    symlink("..", client_path(c, "d")) ||
	    mkfifo(client_path(c, "e"), 0644))
		abort();
}

static void expect_secret(struct client *c)
{
	char text[16] = "";
	int fd = open(client_path(c, "../secret"), O_RDONLY | O_CLOEXEC);
	struct dirent *entry;
	unsigned int nr = 0;
	struct stat st;
	DIR *dir;

	if (fd < 0 || read(fd, text, sizeof(text)) != 6 ||
	    strcmp(text, "secret") || fstat(fd, &st) || st.st_nlink != 1 ||
	    (st.st_mode & 07777) != 0644)
		abort();
	close(fd);
	dir = opendir(c->dir);
	while (dir && (entry = readdir(dir)))
		nr++;
	if (nr != 4) /* . .. root secret */
		abort();
	closedir(dir);
}

/* ---- Messages ---- */

/* f: a fid, s: a name, b, w, d, q: numbers, B: bytes. */
static const struct {
	u8 type;
	const char *args;
} messages[] = {
	{ P9_TSTATFS, "f" },	       { P9_TLOPEN, "fd" },
	{ P9_TLCREATE, "fsddd" },      { P9_TSYMLINK, "fssd" },
	{ P9_TMKNOD, "fsdddd" },       { P9_TRENAME, "ffs" },
	{ P9_TREADLINK, "f" },	       { P9_TGETATTR, "fq" },
	{ P9_TSETATTR, "fddddqqqqq" }, { P9_TXATTRWALK, "ffs" },
	{ P9_TXATTRCREATE, "fsqd" },   { P9_TREADDIR, "fqd" },
	{ P9_TFSYNC, "fd" },	       { P9_TLOCK, "fbdqqds" },
	{ P9_TGETLOCK, "fbqqds" },     { P9_TLINK, "ffs" },
	{ P9_TMKDIR, "fsdd" },	       { P9_TRENAMEAT, "fsfs" },
	{ P9_TUNLINKAT, "fsd" },       { P9_TVERSION, "ds" },
	{ P9_TATTACH, "fdssd" },       { P9_TFLUSH, "w" },
	{ P9_TWALK, "ffn" },	       { P9_TREAD, "fqd" },
	{ P9_TWRITE, "fqdB" },	       { P9_TCLUNK, "f" },
	{ P9_TREMOVE, "f" },
};

static void put_name(struct p9_writer *out, struct fuzz_input *in)
{
	static const char *const names[] = {
		"a",
		"b",
		"c",
		"d",
		"e",
		"f",
		"..",
		".",
		"../secret",
		"user.a",
		"user.virtfs.uid",
		"",
		"/",
		"9P2000.L",
		"d/secret",
	};
	u8 which = (u8)fuzz_take(in, 1);
	u8 len;

	if (which < 240) {
		const char *name = names[which % ARRAY_SIZE(names)];

		p9_put_string(out, name, strlen(name));
		return;
	}
	len = (u8)fuzz_take(in, 1);
	if (len > in->len)
		len = (u8)in->len;
	p9_put_string(out, (const char *)in->data, len);
	in->data += len;
	in->len -= len;
}

static u64 number(struct fuzz_input *in, unsigned int bytes)
{
	static const u64 numbers[] = { 0,	   1,	      2,    8,
				       0x200,	   0755,      4096, 1ULL << 20,
				       1ULL << 33, UINT64_MAX };
	u8 which = (u8)fuzz_take(in, 1);

	return which & 0x80 ? fuzz_take(in, bytes)
			    : numbers[which % ARRAY_SIZE(numbers)];
}

static void put_arg(struct p9_writer *out, struct fuzz_input *in, char arg)
{
	u8 bytes[64] = { 0 };
	u16 nr;

	switch (arg) {
	case 'f':
		p9_put_u32(out, (u32)fuzz_take(in, 1) % 8);
		break;
	case 's':
		put_name(out, in);
		break;
	case 'n':
		nr = (u16)fuzz_take(in, 1) % 20;
		p9_put_u16(out, nr);
		while (nr--)
			put_name(out, in);
		break;
	case 'b':
		p9_put_u8(out, (u8)number(in, 1));
		break;
	case 'w':
		p9_put_u16(out, (u16)number(in, 2));
		break;
	case 'd':
		p9_put_u32(out, (u32)number(in, 4));
		break;
	case 'q':
		p9_put_u64(out, number(in, 8));
		break;
	default:
		memcpy(out->buf + out->len, bytes, sizeof(bytes));
		out->len += sizeof(bytes);
	}
}

static void put_message(struct client *c, struct fuzz_input *in)
{
	u8 which = (u8)fuzz_take(in, 1);
	u8 type;

	client_make(c, 0, "");
	if (which < 230) {
		which %= ARRAY_SIZE(messages);
		type = messages[which].type;
		for (const char *arg = messages[which].args; *arg; arg++)
			put_arg(&c->out, in, *arg);
	} else {
		type = (u8)fuzz_take(in, 1);
		for (u64 len = fuzz_take(in, 1) % 64; len; len--)
			p9_put_u8(&c->out, (u8)fuzz_take(in, 1));
	}
	p9_put_header(c->out.buf, (u32)c->out.len, type,
		      (u16)fuzz_take(in, 1) % 8);
}

static void run_client(struct client *c, struct fuzz_input *in)
{
	static const u32 rooms[] = { 11, 64, 4096, CLIENT_BUF };
	unsigned int sent = 0;
	int err;

	while (in->len) {
		u8 how = (u8)fuzz_take(in, 1);

		put_message(c, in);
		client_send_cut(c, (u32)c->out.len,
				sent < 2 ? rooms[how % 4] : rooms[how % 3]);
		/* Some alone, some together with the next. */
		if (++sent < 8 && how & 0x80)
			continue;
		for (; sent; sent--)
			client_wait(c, &err);
	}
	for (; sent; sent--)
		client_wait(c, &err);
}

static struct client clients[2]; /* passthrough, mapped */

static void release_clients(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
		if (clients[i].p9)
			client_release(&clients[i]);
}

static void start_client(struct client *c)
{
	umask(022);
	client_init(c);
	client_put_file(c, "../secret", "secret");
	c->config.mapped = c == &clients[1];
	client_start(c, 64);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	static bool has_run;
	struct fuzz_input in = { data, len };
	struct client *c;

	if (!len || len > 2048)
		return 0;
	c = &clients[fuzz_take(&in, 1) & 1];
	if (!has_run)
		atexit(release_clients);
	has_run = true;
	if (!c->p9)
		start_client(c);
	fill_folder(c);
	client_attach(c);
	run_client(c, &in);
	expect_secret(c);
	return 0;
}
