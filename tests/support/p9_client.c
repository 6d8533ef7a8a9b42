/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/support/p9_client.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/virtio_config.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "lkvm/failure.h"
#include "lkvm/iov.h"

#define RING_SIZE 64
#define NEXT VRING_DESC_F_NEXT
#define WRITE VRING_DESC_F_WRITE

/* ---- The folder ---- */

void client_init(struct client *c)
{
	*c = (struct client){ .dir = "/var/tmp/lkvm-9p-test-XXXXXX" };
	if (!mkdtemp(c->dir))
		abort();
	snprintf(c->root, sizeof(c->root), "%s/root", c->dir);
	if (mkdir(c->root, 0755))
		abort();
	c->config.path = c->root;
	c->config.tag = "test";
	fake_guest_init(&c->guest, 16 * MIB);
	for (unsigned int i = 0; i < 2; i++) {
		c->slots[i].request = fake_alloc(&c->guest, CLIENT_BUF, 4096);
		c->slots[i].reply = fake_alloc(&c->guest, CLIENT_BUF, 4096);
	}
	/* The others are for small messages. */
	for (unsigned int i = 2; i < CLIENT_SLOTS; i++) {
		c->slots[i].request = fake_alloc(&c->guest, 16 * KIB, 4096);
		c->slots[i].reply = fake_alloc(&c->guest, 16 * KIB, 4096);
	}
}

static int remove_entry(const char *path, const struct stat *st, int flag,
			struct FTW *ftw)
{
	return remove(path);
}

void client_start(struct client *c, unsigned int max_files)
{
	struct failure why = FAILURE_INIT;
	struct virtio_device *vdev;
	struct share *share;

	if (share_open(&c->config, &why, &share)) {
		fprintf(stderr, "%s\n", why.text);
		abort();
	}
	if (p9_create(&c->guest.mem, share, c->config.tag, max_files, &c->p9))
		abort();
	vdev = &c->p9->vdev;
	fake_transport_init(&c->transport, vdev);
	fake_negotiate(vdev, vdev->host_features);
	fake_ring_init(&c->ring, &c->guest, &vdev->queues[0], RING_SIZE);
	if (virtio_queue_enable(vdev, c->ring.q))
		abort();
	fake_driver_ok(vdev);
}

void client_attach(struct client *c)
{
	if (client_call(c, P9_TVERSION, "ds", (u64)P9_MAX_MSIZE, "9P2000.L") ||
	    client_call(c, P9_TATTACH, "ddssd", (u64)CLIENT_ROOT,
			(u64)P9_NO_FID, "root", "", (u64)0))
		abort();
}

void client_release(struct client *c)
{
	p9_destroy(c->p9);
	fake_guest_release(&c->guest);
	nftw(c->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *client_path(struct client *c, const char *name)
{
	static char path[512];

	if (!strncmp(name, "../", 3))
		snprintf(path, sizeof(path), "%s/%s", c->dir, name + 3);
	else
		snprintf(path, sizeof(path), "%s/%s", c->root, name);
	return path;
}

void client_put_file(struct client *c, const char *name, const char *text)
{
	FILE *f = fopen(client_path(c, name), "we");

	if (!f || fputs(text, f) < 0 || fclose(f))
		abort();
}

/* ---- Messages ---- */

static unsigned int free_slot(const struct client *c)
{
	for (unsigned int i = 0; i < CLIENT_SLOTS; i++)
		if (!c->slots[i].busy)
			return i;
	abort();
}

static void put_args(struct p9_writer *out, const char *format, va_list args)
{
	for (; *format; format++) {
		const char *text;
		u64 len;

		switch (*format) {
		case 'b':
			p9_put_u8(out, (u8)va_arg(args, u64));
			break;
		case 'w':
			p9_put_u16(out, (u16)va_arg(args, u64));
			break;
		case 'd':
			p9_put_u32(out, (u32)va_arg(args, u64));
			break;
		case 'q':
			p9_put_u64(out, va_arg(args, u64));
			break;
		case 's':
			text = va_arg(args, const char *);
			p9_put_string(out, text, strlen(text));
			break;
		case 'B':
			len = va_arg(args, u64);
			memcpy(out->buf + out->len, va_arg(args, const void *),
			       len);
			out->len += len;
			break;
		default:
			abort();
		}
	}
}

static void make(struct client *c, u8 type, const char *format, va_list args)
{
	u64 request = c->slots[free_slot(c)].request;

	c->out = (struct p9_writer){
		.buf = fake_ptr(&c->guest, request, P9_HEADER_LEN),
		.size = CLIENT_BUF,
		.len = P9_HEADER_LEN,
	};
	put_args(&c->out, format, args);
	p9_put_header(c->out.buf, (u32)c->out.len, type, c->tag);
}

void client_make(struct client *c, u8 type, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	make(c, type, format, args);
	va_end(args);
}

/* Three descriptors of the request, as drivers may cut it, and two for the reply. */
unsigned int client_send_cut(struct client *c, u32 out_len, u32 in_len)
{
	unsigned int nr = free_slot(c);
	struct client_slot *slot = &c->slots[nr];
	u16 head = (u16)(4 * nr);
	u32 first = out_len < 5 ? out_len : 5;
	u32 reply = in_len < 11 ? in_len : 11;

	fake_desc(&c->ring, head, slot->request, first, NEXT, head + 1);
	fake_desc(&c->ring, head + 1, slot->request + first, out_len - first,
		  in_len ? NEXT : 0, head + 2);
	fake_desc(&c->ring, head + 2, slot->reply, reply, NEXT | WRITE,
		  head + 3);
	fake_desc(&c->ring, head + 3, slot->reply + reply, in_len - reply,
		  WRITE, 0);
	slot->busy = true;
	fake_post(&c->ring, head);
	virtio_kick(&c->p9->vdev, 0);
	return nr;
}

unsigned int client_send(struct client *c)
{
	return client_send_cut(c, (u32)c->out.len,
			       free_slot(c) < 2 ? CLIENT_BUF : 16 * KIB);
}

bool client_poll(struct client *c)
{
	return __atomic_load_n(&c->ring.used->idx, __ATOMIC_ACQUIRE) !=
	       c->ring.seen_used;
}

unsigned int client_wait(struct client *c, int *err)
{
	struct vring_used_elem elem;
	unsigned int nr;
	u8 type;

	if (!fake_wait_used(&c->ring, &elem))
		abort();
	nr = elem.id / 4;
	c->slots[nr].busy = false;
	c->in = (struct p9_reader){
		.at = fake_ptr(&c->guest, c->slots[nr].reply, elem.len),
		.left = elem.len,
	};
	if (p9_get_u32(&c->in) != elem.len)
		abort(); /* the length that the message says */
	type = p9_get_u8(&c->in);
	p9_get_u16(&c->in);
	*err = type == P9_RLERROR ? (int)p9_get_u32(&c->in) : 0;
	return nr;
}

int client_call(struct client *c, u8 type, const char *format, ...)
{
	va_list args;
	int err;

	va_start(args, format);
	make(c, type, format, args);
	va_end(args);
	client_send(c);
	client_wait(c, &err);
	return err;
}

/* ---- Operations ---- */

int client_walk(struct client *c, u32 fid, u32 new_fid, const char *path)
{
	char copy[512], *rest = copy, *name;
	size_t nr_at;
	u16 nr = 0;
	int err;

	snprintf(copy, sizeof(copy), "%s", path);
	client_make(c, P9_TWALK, "ddw", (u64)fid, (u64)new_fid, (u64)0);
	nr_at = c->out.len - 2;
	while (*path && (name = strsep(&rest, "/"))) {
		p9_put_string(&c->out, name, strlen(name));
		nr++;
	}
	memcpy(c->out.buf + nr_at, &nr, sizeof(nr));
	p9_put_header(c->out.buf, (u32)c->out.len, P9_TWALK, c->tag);
	client_send(c);
	client_wait(c, &err);
	if (err)
		return err;
	/* A walk that did not come to its end made no fid. */
	return p9_get_u16(&c->in) == nr ? 0 : ENOENT;
}

int client_open(struct client *c, u32 fid, u32 flags)
{
	return client_call(c, P9_TLOPEN, "dd", (u64)fid, (u64)flags);
}

int client_clunk(struct client *c, u32 fid)
{
	return client_call(c, P9_TCLUNK, "d", (u64)fid);
}

int client_create(struct client *c, u32 dir, u32 new_fid, const char *name,
		  u32 flags, u32 mode)
{
	int err = client_walk(c, dir, new_fid, "");

	if (err)
		return err;
	err = client_call(c, P9_TLCREATE, "dsddd", (u64)new_fid, name,
			  (u64)flags, (u64)mode, (u64)getegid());
	if (err)
		client_clunk(c, new_fid);
	return err;
}

long client_write(struct client *c, u32 fid, u64 offset, const void *data,
		  u32 len)
{
	int err = client_call(c, P9_TWRITE, "dqdB", (u64)fid, offset, (u64)len,
			      (u64)len, data);

	return err ? -err : (long)p9_get_u32(&c->in);
}

long client_read(struct client *c, u32 fid, u64 offset, void *data, u32 len)
{
	int err = client_call(c, P9_TREAD, "dqd", (u64)fid, offset, (u64)len);
	u32 got;

	if (err)
		return -err;
	got = p9_get_u32(&c->in);
	if (got != c->in.left || got > len)
		abort();
	memcpy(data, c->in.at, got);
	return got;
}

int client_getattr(struct client *c, u32 fid, struct client_attr *attr)
{
	int err = client_call(c, P9_TGETATTR, "dq", (u64)fid, (u64)0x7ff);

	if (err)
		return err;
	p9_get_u64(&c->in);
	attr->qid.type = p9_get_u8(&c->in);
	attr->qid.version = p9_get_u32(&c->in);
	attr->qid.path = p9_get_u64(&c->in);
	attr->mode = p9_get_u32(&c->in);
	attr->uid = p9_get_u32(&c->in);
	attr->gid = p9_get_u32(&c->in);
	attr->nlink = p9_get_u64(&c->in);
	attr->rdev = p9_get_u64(&c->in);
	attr->size = p9_get_u64(&c->in);
	return 0;
}
