/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * 9P: locks of byte ranges. A guest's kernel settles those of its own programs;
 * here they are taken against other VMs and the host's programs.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "virtio/p9_priv.h"

enum {
	P9_LOCK_RDLCK = 0,
	P9_LOCK_WRLCK = 1,
	P9_LOCK_UNLCK = 2,
};

enum {
	P9_LOCK_SUCCESS = 0,
	P9_LOCK_BLOCKED = 1,
};

static const short host_types[] = {
	[P9_LOCK_RDLCK] = F_RDLCK,
	[P9_LOCK_WRLCK] = F_WRLCK,
	[P9_LOCK_UNLCK] = F_UNLCK,
};

static u8 wire_type(short host)
{
	switch (host) {
	case F_RDLCK:
		return P9_LOCK_RDLCK;
	case F_WRLCK:
		return P9_LOCK_WRLCK;
	default:
		return P9_LOCK_UNLCK;
	}
}

/* The descriptor that has all of this fid's locks. */
static int lock_fd_locked(struct p9_op *op, struct p9_fid *fid)
{
	if (!fid->has_lock_fd) {
		fid->has_lock_fd = true;
		if (!p9_fid_reserve(fid))
			fid->lock_fd = share_lock_fd(op->p9->share, fid->node,
						     fid->fd);
	}
	return fid->lock_fd >= 0 ? fid->lock_fd : fid->fd;
}

static int lock_fd(struct p9_op *op, struct p9_fid *fid, int *fd)
{
	if (fid->kind != P9_FID_OPEN)
		return -EBADF;
	if (fid->node->type != S_IFREG)
		return -EINVAL;
	pthread_mutex_lock(&fid->lock);
	*fd = lock_fd_locked(op, fid);
	pthread_mutex_unlock(&fid->lock);
	return 0;
}

/* start[8] length[8] proc_id[4] client_id[s], behind the type */
static const char *get_range(struct p9_op *op, u8 type, struct share_lock *lock,
			     u32 *proc_id)
{
	const char *client;

	*lock = (struct share_lock){ .type = F_UNLCK };
	lock->start = p9_get_u64(&op->in);
	lock->len = p9_get_u64(&op->in);
	*proc_id = p9_get_u32(&op->in);
	client = p9_get_string(&op->in);
	if (type >= ARRAY_SIZE(host_types))
		op->in.is_short = true;
	else
		lock->type = host_types[type];
	return client;
}

/*
 * Tlock: fid[4] type[1] flags[4] start[8] length[8] proc_id[4] client_id[s].
 * Nobody waits here: the client comes again later.
 */
int p9_lock(struct p9_op *op)
{
	struct share_lock lock;
	struct p9_fid *fid;
	u32 proc_id;
	int err, fd;
	u8 type;

	err = p9_get_file(op, &fid);
	if (err)
		return err;
	type = p9_get_u8(&op->in);
	p9_get_u32(&op->in);
	get_range(op, type, &lock, &proc_id);
	err = p9_args_ok(op) ? lock_fd(op, fid, &fd) : -EINVAL;
	if (!err)
		err = share_set_lock(fd, &lock);
	p9_fid_put(fid);
	if (err && err != -EAGAIN)
		return err;
	p9_put_u8(&op->out, err ? P9_LOCK_BLOCKED : P9_LOCK_SUCCESS);
	return 0;
}

/* Tgetlock: fid[4] type[1] start[8] length[8] proc_id[4] client_id[s] */
int p9_getlock(struct p9_op *op)
{
	struct share_lock lock;
	struct p9_fid *fid;
	const char *client;
	u32 proc_id;
	int err, fd;
	u8 type;

	err = p9_get_file(op, &fid);
	if (err)
		return err;
	type = p9_get_u8(&op->in);
	client = get_range(op, type, &lock, &proc_id);
	err = p9_args_ok(op) && lock.type != F_UNLCK ? lock_fd(op, fid, &fd)
						     : -EINVAL;
	if (!err)
		err = share_get_lock(fd, &lock);
	p9_fid_put(fid);
	if (err)
		return err;
	if (lock.type != F_UNLCK)
		proc_id = (u32)lock.pid;
	p9_put_u8(&op->out, wire_type(lock.type));
	p9_put_u64(&op->out, lock.start);
	p9_put_u64(&op->out, lock.len);
	p9_put_u32(&op->out, proc_id);
	p9_put_string(&op->out, client, strlen(client));
	return 0;
}
