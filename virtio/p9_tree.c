/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * 9P: names, how they come, move and go.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sysmacros.h>
#include "virtio/p9_priv.h"

/* unlinkat's only flag, as Linux sends it. */
#define P9_UNLINK_DIR 0x200U

/* The reply of what makes a file: its qid. Gives @node's reference back. */
static int reply_new(struct p9_op *op, struct share_node *node)
{
	int err = p9_reply_qid(op, node);

	share_node_put(node);
	return err;
}

/* Tsymlink: fid[4] name[s] symtgt[s] gid[4] */
int p9_symlink(struct p9_op *op)
{
	const char *name, *target;
	struct share_owner owner;
	struct share_node *node;
	struct p9_fid *dir;
	int err;

	err = p9_get_file(op, &dir);
	if (err)
		return err;
	name = p9_get_string(&op->in);
	target = p9_get_string(&op->in);
	owner = (struct share_owner){ dir->uid, p9_get_u32(&op->in) };
	err = p9_args_ok(op) ? share_symlink(op->p9->share, dir->node, name,
					     target, owner, &node)
			     : -EINVAL;
	p9_fid_put(dir);
	return err ? err : reply_new(op, node);
}

/* Tmknod: dfid[4] name[s] mode[4] major[4] minor[4] gid[4] */
int p9_mknod(struct p9_op *op)
{
	struct share_owner owner;
	struct share_node *node;
	u32 mode, major, minor;
	struct p9_fid *dir;
	const char *name;
	int err;

	err = p9_get_file(op, &dir);
	if (err)
		return err;
	name = p9_get_string(&op->in);
	mode = p9_get_u32(&op->in);
	major = p9_get_u32(&op->in);
	minor = p9_get_u32(&op->in);
	owner = (struct share_owner){ dir->uid, p9_get_u32(&op->in) };
	err = p9_args_ok(op) ? share_mknod(op->p9->share, dir->node, name, mode,
					   makedev(major, minor), owner, &node)
			     : -EINVAL;
	p9_fid_put(dir);
	return err ? err : reply_new(op, node);
}

/* Tmkdir: dfid[4] name[s] mode[4] gid[4] */
int p9_mkdir(struct p9_op *op)
{
	struct share_owner owner;
	struct share_node *node;
	struct p9_fid *dir;
	const char *name;
	u32 mode;
	int err;

	err = p9_get_file(op, &dir);
	if (err)
		return err;
	name = p9_get_string(&op->in);
	mode = p9_get_u32(&op->in);
	owner = (struct share_owner){ dir->uid, p9_get_u32(&op->in) };
	err = p9_args_ok(op) ? share_mkdir(op->p9->share, dir->node, name, mode,
					   owner, &node)
			     : -EINVAL;
	p9_fid_put(dir);
	return err ? err : reply_new(op, node);
}

/* Tlink: dfid[4] fid[4] name[s] */
int p9_link(struct p9_op *op)
{
	struct p9_fid *dir, *fid;
	const char *name;
	int err;

	err = p9_get_file(op, &dir);
	if (err)
		return err;
	err = p9_get_file(op, &fid);
	if (!err) {
		name = p9_get_string(&op->in);
		err = p9_args_ok(op) ? share_link(op->p9->share, fid->node,
						  dir->node, name)
				     : -EINVAL;
		p9_fid_put(fid);
	}
	p9_fid_put(dir);
	return err;
}

/* Trenameat: olddirfid[4] oldname[s] newdirfid[4] newname[s] */
int p9_renameat(struct p9_op *op)
{
	const char *name, *new_name;
	struct p9_fid *from, *to;
	int err;

	err = p9_get_file(op, &from);
	if (err)
		return err;
	name = p9_get_string(&op->in);
	err = p9_get_file(op, &to);
	if (!err) {
		new_name = p9_get_string(&op->in);
		err = p9_args_ok(op) ? share_rename(op->p9->share, from->node,
						    name, to->node, new_name)
				     : -EINVAL;
		p9_fid_put(to);
	}
	p9_fid_put(from);
	return err;
}

/* Tunlinkat: dirfd[4] name[s] flags[4] */
int p9_unlinkat(struct p9_op *op)
{
	struct p9_fid *dir;
	const char *name;
	u32 flags;
	int err;

	err = p9_get_file(op, &dir);
	if (err)
		return err;
	name = p9_get_string(&op->in);
	flags = p9_get_u32(&op->in);
	if (!p9_args_ok(op) || flags & ~P9_UNLINK_DIR)
		err = -EINVAL;
	else
		err = share_unlink(op->p9->share, dir->node, name, flags);
	p9_fid_put(dir);
	return err;
}

/* ---- By fid: the file has to be found first ---- */

static int move_fid(struct share *share, struct p9_fid *fid, struct p9_fid *to,
		    const char *new_name)
{
	struct share_node *dir;
	char name[NAME_MAX + 1];
	int err = share_place(share, fid->node, &dir, name);

	if (err)
		return err;
	err = share_rename(share, dir, name, to->node, new_name);
	share_node_put(dir);
	return err;
}

/* Trename: fid[4] dfid[4] name[s] */
int p9_rename(struct p9_op *op)
{
	struct p9_fid *fid, *to;
	const char *name;
	int err;

	err = p9_get_file(op, &fid);
	if (err)
		return err;
	err = p9_get_file(op, &to);
	if (!err) {
		name = p9_get_string(&op->in);
		err = p9_args_ok(op) ? move_fid(op->p9->share, fid, to, name)
				     : -EINVAL;
		p9_fid_put(to);
	}
	p9_fid_put(fid);
	return err;
}

static int remove_fid(struct share *share, struct p9_fid *fid)
{
	struct share_node *dir;
	char name[NAME_MAX + 1];
	int err = share_place(share, fid->node, &dir, name);

	if (err)
		return err;
	err = share_unlink(share, dir, name, fid->node->type == S_IFDIR);
	share_node_put(dir);
	return err;
}

/* Tremove: fid[4]. The fid is gone, even if the file is not (remove(5)). */
int p9_remove(struct p9_op *op)
{
	struct p9_fid *fid;
	int err = p9_get_file(op, &fid);

	if (err)
		return err;
	err = remove_fid(op->p9->share, fid);
	p9_fid_remove(fid);
	p9_fid_put(fid);
	return err;
}

/* ---- Links ---- */

/* Treadlink: fid[4] */
int p9_readlink(struct p9_op *op)
{
	char target[PATH_MAX];
	struct p9_fid *fid;
	size_t len;
	int err;

	err = p9_get_file(op, &fid);
	if (err)
		return err;
	err = share_readlink(op->p9->share, fid->node, target, sizeof(target),
			     &len);
	p9_fid_put(fid);
	if (!err)
		p9_put_string(&op->out, target, len);
	return err;
}
