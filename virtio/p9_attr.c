/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * 9P: attributes of files.
 */
#include <errno.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include "virtio/p9_priv.h"

/* What getattr gives: everything that stat(2) has. */
#define P9_GETATTR_BASIC 0x7ffULL

enum {
	P9_SETATTR_MODE = 0x001,
	P9_SETATTR_UID = 0x002,
	P9_SETATTR_GID = 0x004,
	P9_SETATTR_SIZE = 0x008,
	P9_SETATTR_ATIME = 0x010,
	P9_SETATTR_MTIME = 0x020,
	P9_SETATTR_CTIME = 0x040,
	P9_SETATTR_ATIME_SET = 0x080,
	P9_SETATTR_MTIME_SET = 0x100,
};

/* Tstatfs: fid[4] */
int p9_statfs(struct p9_op *op)
{
	struct p9_fid *fid;
	struct statfs fs;
	int err;

	err = p9_get_file(op, &fid);
	if (err)
		return err;
	err = share_statfs(op->p9->share, fid->node, &fs);
	p9_fid_put(fid);
	if (err)
		return err;
	p9_put_u32(&op->out, V9FS_MAGIC);
	p9_put_u32(&op->out, (u32)fs.f_bsize);
	p9_put_u64(&op->out, fs.f_blocks);
	p9_put_u64(&op->out, fs.f_bfree);
	p9_put_u64(&op->out, fs.f_bavail);
	p9_put_u64(&op->out, fs.f_files);
	p9_put_u64(&op->out, fs.f_ffree);
	p9_put_u64(&op->out, (u32)fs.f_fsid.__val[0] |
				     (u64)(u32)fs.f_fsid.__val[1] << 32);
	p9_put_u32(&op->out, (u32)fs.f_namelen);
	return 0;
}

static void put_time(struct p9_writer *out, const struct timespec *time)
{
	p9_put_u64(out, (u64)time->tv_sec);
	p9_put_u64(out, (u64)time->tv_nsec);
}

static int put_attributes(struct p9_op *op, const struct stat *st)
{
	static const struct timespec unknown = { 0 };
	int err;

	p9_put_u64(&op->out, P9_GETATTR_BASIC);
	err = p9_reply_qid_of(op, st);
	if (err)
		return err;
	p9_put_u32(&op->out, st->st_mode);
	p9_put_u32(&op->out, st->st_uid);
	p9_put_u32(&op->out, st->st_gid);
	p9_put_u64(&op->out, st->st_nlink);
	p9_put_u64(&op->out, st->st_rdev);
	p9_put_u64(&op->out, (u64)st->st_size);
	p9_put_u64(&op->out, (u64)st->st_blksize);
	p9_put_u64(&op->out, (u64)st->st_blocks);
	put_time(&op->out, &st->st_atim);
	put_time(&op->out, &st->st_mtim);
	put_time(&op->out, &st->st_ctim);
	put_time(&op->out, &unknown); /* of birth */
	p9_put_u64(&op->out, 0);      /* generation */
	p9_put_u64(&op->out, 0);      /* data version */
	return 0;
}

/* Tgetattr: fid[4] request_mask[8] */
int p9_getattr(struct p9_op *op)
{
	struct p9_fid *fid;
	struct stat st;
	int err;

	err = p9_get_file(op, &fid);
	if (err)
		return err;
	p9_get_u64(&op->in);
	err = p9_args_ok(op) ? share_stat(op->p9->share, fid->node, &st)
			     : -EINVAL;
	p9_fid_put(fid);
	return err ? err : put_attributes(op, &st);
}

/* ---- Tsetattr ---- */

struct changes {
	u32 valid;
	u32 mode;
	struct share_owner owner;
	u64 len;
	struct timespec times[2];
};

static struct timespec get_time(struct p9_op *op, u32 valid, u32 change,
				u32 set)
{
	u64 sec = p9_get_u64(&op->in);
	u64 nsec = p9_get_u64(&op->in);

	if (!(valid & change))
		return (struct timespec){ .tv_nsec = UTIME_OMIT };
	if (!(valid & set))
		return (struct timespec){ .tv_nsec = UTIME_NOW };
	/* UTIME_NOW and UTIME_OMIT are no numbers that a client may send. */
	if (nsec >= 1000000000)
		op->in.is_short = true;
	return (struct timespec){ .tv_sec = (time_t)sec,
				  .tv_nsec = (long)nsec };
}

/* valid[4] mode[4] uid[4] gid[4] size[8], and both times */
static void get_changes(struct p9_op *op, struct changes *to)
{
	u32 uid, gid;

	to->valid = p9_get_u32(&op->in);
	to->mode = p9_get_u32(&op->in);
	uid = p9_get_u32(&op->in);
	gid = p9_get_u32(&op->in);
	to->owner.uid = to->valid & P9_SETATTR_UID ? uid : (uid_t)-1;
	to->owner.gid = to->valid & P9_SETATTR_GID ? gid : (gid_t)-1;
	to->len = p9_get_u64(&op->in);
	to->times[0] =
		get_time(op, to->valid, P9_SETATTR_ATIME, P9_SETATTR_ATIME_SET);
	to->times[1] =
		get_time(op, to->valid, P9_SETATTR_MTIME, P9_SETATTR_MTIME_SET);
}

/*
 * In an order in which none undoes another: a new owner takes set-id bits away, a
 * new length sets the time.
 */
static int change(struct share *share, struct share_node *node,
		  const struct changes *to)
{
	const u32 owners = P9_SETATTR_UID | P9_SETATTR_GID;
	const u32 times = P9_SETATTR_ATIME | P9_SETATTR_MTIME;
	int err = 0;

	if (to->valid & owners || to->valid == P9_SETATTR_CTIME)
		err = share_chown(share, node, to->owner);
	if (!err && to->valid & P9_SETATTR_MODE)
		err = share_chmod(share, node, to->mode);
	if (!err && to->valid & P9_SETATTR_SIZE)
		err = share_truncate(share, node, to->len);
	if (!err && to->valid & times)
		err = share_utimens(share, node, to->times);
	return err;
}

/*
 * Tsetattr: fid[4] valid[4] mode[4] uid[4] gid[4] size[8] atime_sec[8]
 * atime_nsec[8] mtime_sec[8] mtime_nsec[8]
 */
int p9_setattr(struct p9_op *op)
{
	struct changes to;
	struct p9_fid *fid;
	int err;

	err = p9_get_file(op, &fid);
	if (err)
		return err;
	get_changes(op, &to);
	err = p9_args_ok(op) ? change(op->p9->share, fid->node, &to) : -EINVAL;
	p9_fid_put(fid);
	return err;
}
