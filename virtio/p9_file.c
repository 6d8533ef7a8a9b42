/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * 9P: opening files, and their data.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>
#include "virtio/p9_priv.h"

/* Open flags as Linux sends them, whatever the architecture. */
#define P9_OPEN_ACCMODE 00000003U
#define P9_OPEN_EXCL 00000200U
#define P9_OPEN_TRUNC 00001000U
#define P9_OPEN_APPEND 00002000U
#define P9_OPEN_DSYNC 00010000U
#define P9_OPEN_DIRECTORY 00200000U
#define P9_OPEN_SYNC 04000000U

/*
 * The host's flags. Others are the client's business (O_NOFOLLOW, O_CREAT), or a
 * wish that may be ignored: O_DIRECT would want aligned buffers.
 */
static int host_flags(u32 flags)
{
	static const struct {
		u32 wire;
		int host;
	} pairs[] = {
		{ P9_OPEN_EXCL, O_EXCL },     { P9_OPEN_TRUNC, O_TRUNC },
		{ P9_OPEN_APPEND, O_APPEND }, { P9_OPEN_DSYNC, O_DSYNC },
		{ P9_OPEN_SYNC, O_SYNC },
	};
	int host = (int)(flags & P9_OPEN_ACCMODE);

	for (unsigned int i = 0; i < ARRAY_SIZE(pairs); i++)
		if (flags & pairs[i].wire)
			host |= pairs[i].host;
	return host;
}

static bool is_valid_mode(u32 flags)
{
	return (flags & P9_OPEN_ACCMODE) != P9_OPEN_ACCMODE;
}

/*
 * Put an open fid in the place of @fid: takes over @node's reference and @fd,
 * which may be the node's own.
 */
static int replace_open(struct p9_op *op, struct p9_fid *fid,
			struct share_node *node, int fd)
{
	int own_fd = fd == node->fd ? -1 : fd;
	struct p9_fid *opened;
	int err = p9_reply_qid(op, node);

	p9_put_u32(&op->out, 0); /* iounit: as msize has it */
	if (err) {
		share_node_put(node);
	} else {
		err = p9_fid_create(fid->table, fid->id, P9_FID_OPEN, node,
				    fid->uid, &opened);
	}
	if (err) {
		if (own_fd >= 0)
			close(own_fd);
		return err;
	}
	opened->fd = fd;
	err = p9_fid_replace(fid, opened);
	if (err)
		p9_fid_put(opened);
	return err;
}

static int open_fid(struct p9_op *op, struct p9_fid *fid, u32 flags)
{
	int fd, err;

	if (fid->kind != P9_FID_PATH || !is_valid_mode(flags))
		return -EINVAL;
	if (flags & P9_OPEN_DIRECTORY && fid->node->type != S_IFDIR)
		return -ENOTDIR;
	err = share_open_node(op->p9->share, fid->node, host_flags(flags), &fd);
	if (err)
		return err;
	return replace_open(op, fid, share_node_get(fid->node), fd);
}

/* Tlopen: fid[4] flags[4] */
int p9_lopen(struct p9_op *op)
{
	struct p9_fid *fid;
	u32 flags;
	int err;

	err = p9_get_file(op, &fid);
	if (err)
		return err;
	flags = p9_get_u32(&op->in);
	err = p9_args_ok(op) ? open_fid(op, fid, flags) : -EINVAL;
	p9_fid_put(fid);
	return err;
}

/* Tlcreate: fid[4] name[s] flags[4] mode[4] gid[4]. The fid becomes the file's. */
int p9_lcreate(struct p9_op *op)
{
	struct share_owner owner;
	struct share_node *node;
	struct p9_fid *fid;
	const char *name;
	u32 flags, mode;
	int err, fd;

	err = p9_get_file(op, &fid);
	if (err)
		return err;
	name = p9_get_string(&op->in);
	flags = p9_get_u32(&op->in);
	mode = p9_get_u32(&op->in);
	owner = (struct share_owner){ fid->uid, p9_get_u32(&op->in) };
	if (!p9_args_ok(op) || fid->kind != P9_FID_PATH ||
	    !is_valid_mode(flags))
		err = -EINVAL;
	else
		err = share_create(op->p9->share, fid->node, name,
				   host_flags(flags), mode, owner, &node, &fd);
	if (!err)
		err = replace_open(op, fid, node, fd);
	p9_fid_put(fid);
	return err;
}

/* ---- Data ---- */

/* An open fid of a regular file. */
static int check_data_fid(const struct p9_fid *fid)
{
	if (fid->kind != P9_FID_OPEN)
		return -EBADF;
	return fid->node->type == S_IFDIR ? -EISDIR : 0;
}

/* Straight into the guest's buffers. */
static int read_file(struct p9_op *op, struct p9_fid *fid, u64 offset,
		     u32 count)
{
	unsigned int nr;
	const struct iovec *iov = p9_data_in(op, count, &nr);
	ssize_t got;

	do
		got = preadv(fid->fd, iov, (int)nr, (off_t)offset);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	p9_put_u32(&op->out, (u32)got);
	op->data_len = (u64)got;
	return 0;
}

/* Tread: fid[4] offset[8] count[4] */
int p9_read(struct p9_op *op)
{
	struct p9_fid *fid;
	u64 offset;
	u32 count;
	int err;

	err = p9_get_fid(op, &fid);
	if (err)
		return err;
	offset = p9_get_u64(&op->in);
	count = p9_room(op, p9_get_u32(&op->in));
	if (!p9_args_ok(op)) {
		err = -EINVAL;
	} else if (fid->kind == P9_FID_XATTR_READ) {
		err = p9_xattr_read(op, fid, offset, count);
	} else {
		err = check_data_fid(fid);
		if (!err)
			err = read_file(op, fid, offset, count);
	}
	p9_fid_put(fid);
	return err;
}

static int write_file(struct p9_op *op, struct p9_fid *fid, u64 offset,
		      u32 count)
{
	unsigned int nr;
	const struct iovec *iov = p9_data_out(op, count, &nr);
	ssize_t put;

	do
		put = pwritev(fid->fd, iov, (int)nr, (off_t)offset);
	while (put < 0 && errno == EINTR);
	if (put < 0)
		return -errno;
	p9_put_u32(&op->out, (u32)put);
	return 0;
}

/* Twrite: fid[4] offset[8] count[4] data[count] */
int p9_write(struct p9_op *op)
{
	struct p9_fid *fid;
	u64 offset;
	u32 count;
	int err;

	err = p9_get_fid(op, &fid);
	if (err)
		return err;
	offset = p9_get_u64(&op->in);
	count = p9_get_u32(&op->in);
	if (!p9_args_ok(op) || count > op->chain->out_len - P9_TWRITE_DATA) {
		err = -EINVAL;
	} else if (fid->kind == P9_FID_XATTR_WRITE) {
		err = p9_xattr_write(op, fid, offset, count);
	} else {
		err = check_data_fid(fid);
		if (!err)
			err = write_file(op, fid, offset, count);
	}
	p9_fid_put(fid);
	return err;
}

/* Tfsync: fid[4] datasync[4], which old drivers leave out. Directories, too. */
int p9_fsync(struct p9_op *op)
{
	struct p9_fid *fid;
	bool data_only;
	int err;

	err = p9_get_fid(op, &fid);
	if (err)
		return err;
	data_only = op->in.left && p9_get_u32(&op->in);
	if (fid->kind != P9_FID_OPEN)
		err = -EBADF;
	else if (data_only ? fdatasync(fid->fd) : fsync(fid->fd))
		err = -errno;
	p9_fid_put(fid);
	return err;
}
