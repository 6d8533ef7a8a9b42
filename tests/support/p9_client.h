/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A 9P client for tests: a device over a temporary folder, and messages to it, one
 * at a time or several. What cannot fail in a test aborts.
 */
#ifndef LKVM_TESTS_P9_CLIENT_H
#define LKVM_TESTS_P9_CLIENT_H

#include "lkvm/config.h"
#include "tests/support/fake_virtio.h"
#include "virtio/p9_priv.h"

#define CLIENT_SLOTS 16U
#define CLIENT_ROOT 0U /* fid of the root, once client_attach() was called */
#define CLIENT_BUF (1088 * KIB)

/* One message on its way. */
struct client_slot {
	u64 request; /* guest addresses */
	u64 reply;
	bool busy;
};

struct client {
	char dir[64]; /* of the test: a folder, removed with all that is in it */
	char root[80]; /* dir/root, which is shared */
	struct share_config config;
	struct fake_guest guest;
	struct fake_transport transport;
	struct fake_ring ring;
	struct p9 *p9;
	struct client_slot slots[CLIENT_SLOTS];

	/* The message that is being made, and its reply once it is there. */
	struct p9_writer out;
	struct p9_reader in;
	u16 tag; /* of the next message */
};

/* A folder; root/ is empty. */
void client_init(struct client *c);
/* Share it: @config's words, and so many descriptors. */
void client_start(struct client *c, unsigned int max_files);
/* Tversion and Tattach. */
void client_attach(struct client *c);
void client_release(struct client *c);

/* "dir/root/NAME", or "dir/NAME" for names that begin with "../". */
const char *client_path(struct client *c, const char *name);
/* A file of the host with @text in it. */
void client_put_file(struct client *c, const char *name, const char *text);

/*
 * A message of letters: b, w, d, q: numbers of 1, 2, 4, 8 bytes (as u64); s: a
 * string; B: u64 length and bytes. Sent with client_call().
 */
void client_make(struct client *c, u8 type, const char *format, ...);
/*
 * Make and send it, and wait: 0, and c->in is behind the reply's header; or the
 * number of an Rlerror.
 */
int client_call(struct client *c, u8 type, const char *format, ...);
/* Send what was made; its slot. client_wait(): the reply to any; which one. */
unsigned int client_send(struct client *c);
/* Cut as @out_len bytes of request in pieces, @in_len of room for a reply. */
unsigned int client_send_cut(struct client *c, u32 out_len, u32 in_len);
unsigned int client_wait(struct client *c, int *err);
/* Has one been answered? */
bool client_poll(struct client *c);

/* Walks to @path ("a/b", or "" for a clone). */
int client_walk(struct client *c, u32 fid, u32 new_fid, const char *path);
int client_open(struct client *c, u32 fid, u32 flags);
int client_clunk(struct client *c, u32 fid);
/* In @dir, which is cloned first. */
int client_create(struct client *c, u32 dir, u32 new_fid, const char *name,
		  u32 flags, u32 mode);
/* Bytes written, or minus the error. */
long client_write(struct client *c, u32 fid, u64 offset, const void *data,
		  u32 len);
long client_read(struct client *c, u32 fid, u64 offset, void *data, u32 len);

struct client_attr {
	struct p9_qid qid;
	u32 mode, uid, gid;
	u64 nlink, rdev, size;
};

int client_getattr(struct client *c, u32 fid, struct client_attr *attr);

#endif
