/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * 9P: reading directories. Offsets are the host's, opaque to the client.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "lkvm/iov.h"
#include "virtio/p9_priv.h"

/* What getdents64(2) gives: glibc's struct dirent64 has the same members. */
#define ENTRY_NAME offsetof(struct dirent64, d_name)

/* qid[13] offset[8] type[1] name[s] */
#define P9_ENTRY_LEN (P9_QID_LEN + 8 + 1 + 2)

/*
 * The host's entries are a little shorter than the guest's: so many of them surely
 * fit into @count bytes.
 */
static size_t raw_size(u32 count)
{
	size_t size = count / 7 * 6;
	const size_t least = sizeof(struct dirent64);

	if (size < least)
		return least;
	return size < P9_MAX_ENTRIES_LEN ? size : P9_MAX_ENTRIES_LEN;
}

/* The client knows better what a file is that may be mapped. */
static u8 entry_type(const struct p9_op *op, u8 type)
{
	return type == DT_REG && share_is_mapped(op->p9->share) ? DT_UNKNOWN
								: type;
}

static int put_entry(struct p9_op *op, const struct p9_fid *fid,
		     const struct dirent64 *entry, struct p9_writer *out)
{
	struct p9_qid qid = { 0 };
	int err = share_id(op->p9->share, fid->node->dev, entry->d_ino,
			   &qid.path);

	if (err)
		return err;
	if (entry->d_type == DT_DIR)
		qid.type = P9_QID_DIR;
	else if (entry->d_type == DT_LNK)
		qid.type = P9_QID_SYMLINK;
	p9_put_qid(out, &qid);
	p9_put_u64(out, (u64)entry->d_off);
	p9_put_u8(out, entry_type(op, entry->d_type));
	p9_put_string(out, entry->d_name, strlen(entry->d_name));
	return 0;
}

/*
 * Entries from @raw to @out. *next is where the last one ends; true: all of them
 * fitted.
 */
static int put_entries(struct p9_op *op, const struct p9_fid *fid,
		       const u8 *raw, size_t len, struct p9_writer *out,
		       u64 *next)
{
	for (size_t at = 0; at < len;) {
		const struct dirent64 *entry = (const void *)(raw + at);
		size_t need = P9_ENTRY_LEN + strlen(entry->d_name);
		int err;

		if (need > out->size - out->len)
			return false;
		err = put_entry(op, fid, entry, out);
		if (err)
			return err;
		*next = (u64)entry->d_off;
		at += entry->d_reclen;
	}
	return true;
}

/* The directory's position is the descriptor's: one request at a time. */
static int read_entries_locked(struct p9_op *op, struct p9_fid *fid, u64 offset,
			       struct p9_writer *out)
{
	u8 *raw = (u8 *)op->worker->raw_entries;
	u64 next = offset;
	long len;
	int ret;

	if ((!fid->knows_place || fid->next_entry != offset) &&
	    lseek(fid->fd, (off_t)offset, SEEK_SET) < 0)
		return -errno;
	fid->knows_place = false;
	len = syscall(SYS_getdents64, fid->fd, raw, raw_size((u32)out->size));
	if (len < 0)
		return -errno;
	ret = put_entries(op, fid, raw, (size_t)len, out, &next);
	if (ret < 0)
		return ret;
	if (len && !out->len)
		return -EINVAL; /* no room for even one */
	fid->knows_place = ret;
	fid->next_entry = next;
	return 0;
}

static int read_entries(struct p9_op *op, struct p9_fid *fid, u64 offset,
			u32 count)
{
	struct p9_writer out = { .buf = op->worker->entries, .size = count };
	const struct iovec *iov;
	unsigned int nr;
	int err;

	if (fid->kind != P9_FID_OPEN)
		return -EBADF;
	if (fid->node->type != S_IFDIR)
		return -ENOTDIR;
	if (out.size > sizeof(op->worker->entries))
		out.size = sizeof(op->worker->entries);
	pthread_mutex_lock(&fid->lock);
	err = read_entries_locked(op, fid, offset, &out);
	pthread_mutex_unlock(&fid->lock);
	if (err)
		return err;
	iov = p9_data_in(op, (u32)out.len, &nr);
	iov_from_buf(iov, nr, 0, out.buf, out.len);
	p9_put_u32(&op->out, (u32)out.len);
	op->data_len = out.len;
	return 0;
}

/* Treaddir: fid[4] offset[8] count[4] */
int p9_readdir(struct p9_op *op)
{
	struct p9_fid *fid;
	u64 offset;
	u32 count;
	int err;

	err = p9_get_file(op, &fid);
	if (err)
		return err;
	offset = p9_get_u64(&op->in);
	count = p9_room(op, p9_get_u32(&op->in));
	err = p9_args_ok(op) ? read_entries(op, fid, offset, count) : -EINVAL;
	p9_fid_put(fid);
	return err;
}
