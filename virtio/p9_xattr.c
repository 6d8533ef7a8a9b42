/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * 9P: extended attributes, which are read and written as if they were files: a
 * walk to one gives a fid with its value; another fid takes a new value, which
 * counts when it is clunked.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include "lkvm/iov.h"
#include "virtio/p9_priv.h"

/* ---- Reading ---- */

/* The value of @name, or (empty) the list of names; @size 0: how long it is. */
static ssize_t fetch(struct p9_op *op, struct share_node *node,
		     const char *name, void *buf, u32 size)
{
	struct share *share = op->p9->share;

	if (*name)
		return share_xattr_get(share, node, name, buf, size);
	return share_xattr_list(share, node, buf, size);
}

/* The whole of it, as it is now. */
static int fill(struct p9_op *op, struct p9_fid *fid, const char *name)
{
	ssize_t len = fetch(op, fid->node, name, NULL, 0);
	int err;

	if (len < 0)
		return (int)len;
	if (len > SHARE_MAX_XATTR)
		return -E2BIG;
	err = p9_fid_alloc_xattr(fid, (u32)len);
	if (err || !len)
		return err;
	len = fetch(op, fid->node, name, fid->xattr.value, (u32)len);
	if (len < 0)
		return (int)len;
	fid->xattr.written = (u32)len;
	return 0;
}

/* Txattrwalk: fid[4] newfid[4] name[s] */
int p9_xattrwalk(struct p9_op *op)
{
	struct p9_fid *fid, *value;
	const char *name;
	u32 id;
	int err;

	err = p9_get_file(op, &fid);
	if (err)
		return err;
	id = p9_get_u32(&op->in);
	name = p9_get_string(&op->in);
	if (!p9_args_ok(op) || id == P9_NO_FID)
		err = -EINVAL;
	else
		err = p9_fid_create(fid->table, id, P9_FID_XATTR_READ,
				    share_node_get(fid->node), fid->uid,
				    &value);
	p9_fid_put(fid);
	if (err)
		return err;
	err = fill(op, value, name);
	p9_put_u64(&op->out, value->xattr.written);
	if (!err)
		err = p9_fid_add(value);
	if (err)
		p9_fid_put(value);
	return err;
}

/* Values are const once their fid is known. */
int p9_xattr_read(struct p9_op *op, struct p9_fid *fid, u64 offset, u32 count)
{
	const struct p9_xattr *xattr = &fid->xattr;
	const struct iovec *iov;
	unsigned int nr;

	if (offset >= xattr->written)
		count = 0;
	else if (count > xattr->written - offset)
		count = (u32)(xattr->written - offset);
	if (count) {
		iov = p9_data_in(op, count, &nr);
		iov_from_buf(iov, nr, 0, xattr->value + offset, count);
	}
	p9_put_u32(&op->out, count);
	op->data_len = count;
	return 0;
}

/* ---- Writing ---- */

/* Txattrcreate: fid[4] name[s] attr_size[8] flags[4]. The fid takes the value. */
int p9_xattrcreate(struct p9_op *op)
{
	struct p9_fid *fid, *value = NULL;
	const char *name;
	u32 flags;
	u64 len;
	int err;

	err = p9_get_file(op, &fid);
	if (err)
		return err;
	name = p9_get_string(&op->in);
	len = p9_get_u64(&op->in);
	flags = p9_get_u32(&op->in);
	if (!p9_args_ok(op) || !*name ||
	    flags & ~(u32)(XATTR_CREATE | XATTR_REPLACE))
		err = -EINVAL;
	else if (len > SHARE_MAX_XATTR)
		err = -E2BIG;
	else
		err = p9_fid_create(fid->table, fid->id, P9_FID_XATTR_WRITE,
				    share_node_get(fid->node), fid->uid,
				    &value);
	if (!err) {
		value->xattr.flags = (int)flags;
		value->xattr.name = strdup(name);
		err = value->xattr.name ? p9_fid_alloc_xattr(value, (u32)len)
					: -ENOMEM;
	}
	if (!err)
		err = p9_fid_replace(fid, value);
	if (err)
		p9_fid_put(value);
	p9_fid_put(fid);
	return err;
}

static int store_locked(struct p9_op *op, struct p9_xattr *xattr, u64 offset,
			u32 count)
{
	const struct iovec *iov;
	unsigned int nr;

	if (offset != xattr->written)
		return -EINVAL; /* in order, without gaps */
	if (count > xattr->len - xattr->written)
		return -ENOSPC;
	iov = p9_data_out(op, count, &nr);
	iov_to_buf(iov, nr, 0, xattr->value + xattr->written, count);
	xattr->written += count;
	return 0;
}

int p9_xattr_write(struct p9_op *op, struct p9_fid *fid, u64 offset, u32 count)
{
	int err;

	pthread_mutex_lock(&fid->lock);
	err = store_locked(op, &fid->xattr, offset, count);
	pthread_mutex_unlock(&fid->lock);
	if (!err)
		p9_put_u32(&op->out, count);
	return err;
}

/*
 * Linux removes an attribute by replacing it with nothing, which an empty value
 * that replaces another cannot be told from; as in QEMU it is the former.
 */
static int commit_locked(struct share *share, const struct p9_fid *fid)
{
	const struct p9_xattr *xattr = &fid->xattr;

	if (xattr->written != xattr->len)
		return -EINVAL;
	if (!xattr->len && xattr->flags == XATTR_REPLACE)
		return share_xattr_remove(share, fid->node, xattr->name);
	return share_xattr_set(share, fid->node, xattr->name, xattr->value,
			       xattr->len, xattr->flags);
}

int p9_xattr_finish(struct p9_op *op, struct p9_fid *fid)
{
	int err;

	pthread_mutex_lock(&fid->lock);
	err = commit_locked(op->p9->share, fid);
	pthread_mutex_unlock(&fid->lock);
	return err;
}
