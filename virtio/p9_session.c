/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * 9P: the session, and where fids come from and go.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "virtio/p9_priv.h"

/* Tversion: msize[4] version[s]. A new session: no fid of the old one is left. */
int p9_version(struct p9_op *op)
{
	static const char ours[] = "9P2000.L", unknown[] = "unknown";
	u32 msize = p9_get_u32(&op->in);
	const char *version = p9_get_string(&op->in);
	struct p9 *p9 = op->p9;

	if (!p9_args_ok(op))
		return -EINVAL;
	if (msize < P9_MIN_MSIZE)
		return -EMSGSIZE;
	p9_fids_clear(&p9->fids);
	if (msize > P9_MAX_MSIZE)
		msize = P9_MAX_MSIZE;
	version = strcmp(version, ours) ? unknown : ours;
	p9->msize = version == ours ? msize : 0;
	p9_put_u32(&op->out, msize);
	p9_put_string(&op->out, version, strlen(version));
	return 0;
}

/* Who may use the guest is the guest's business. */
int p9_auth(struct p9_op *op)
{
	return -EOPNOTSUPP;
}

/* ---- Walking ---- */

/*
 * A fid for @node, whose reference it takes over. @old: the fid in whose place it
 * comes, or NULL.
 */
static int add_fid(struct p9_op *op, u32 id, struct share_node *node, u32 uid,
		   struct p9_fid *old)
{
	struct p9_fid *fid;
	int err =
		p9_fid_create(&op->p9->fids, id, P9_FID_PATH, node, uid, &fid);

	if (err)
		return err;
	err = old ? p9_fid_replace(old, fid) : p9_fid_add(fid);
	if (err)
		p9_fid_put(fid);
	return err;
}

/* aname: a folder below the root, of components. */
static int walk_path(struct p9_op *op, char *path, struct share_node **out)
{
	struct share *share = op->p9->share;
	struct share_node *at = share_root(share), *next;
	struct stat st;
	char *name;
	int err;

	while ((name = strsep(&path, "/"))) {
		if (!*name)
			continue;
		err = share_walk(share, at, name, &next, &st);
		share_node_put(at);
		if (err)
			return err;
		at = next;
	}
	*out = at;
	return 0;
}

/* Tattach: fid[4] afid[4] uname[s] aname[s] n_uname[4] */
int p9_attach(struct p9_op *op)
{
	struct share_node *node;
	char path[256];
	const char *aname;
	u32 id, afid, uid;
	int err;

	id = p9_get_u32(&op->in);
	afid = p9_get_u32(&op->in);
	p9_get_string(&op->in);
	aname = p9_get_string(&op->in);
	uid = p9_get_u32(&op->in);
	if (!p9_args_ok(op) || id == P9_NO_FID || afid != P9_NO_FID)
		return -EINVAL;
	if (strlen(aname) >= sizeof(path))
		return -ENAMETOOLONG;
	snprintf(path, sizeof(path), "%s", aname);
	err = walk_path(op, path, &node);
	if (err)
		return err;
	err = p9_reply_qid(op, node);
	if (err) {
		share_node_put(node);
		return err;
	}
	return add_fid(op, id, node, uid, NULL);
}

/* One step; the reference moves from *node to what is found. */
static int walk_step(struct p9_op *op, struct share_node **node,
		     const char *name)
{
	struct share_node *next;
	struct stat st;
	int err = share_walk(op->p9->share, *node, name, &next, &st);

	if (err)
		return err;
	err = p9_reply_qid_of(op, &st);
	if (err) {
		share_node_put(next);
		return err;
	}
	share_node_put(*node);
	*node = next;
	return 0;
}

/*
 * As far as it goes: only if the first step fails that is an error (9P manual,
 * walk(5)), and only if all succeed there is a new fid.
 */
static int walk(struct p9_op *op, struct p9_fid *fid, u32 new_id,
		const char *const *names, u16 nr)
{
	struct share_node *node = share_node_get(fid->node);
	size_t nr_at = op->out.len;
	int err = 0;
	u16 done;

	p9_put_u16(&op->out, 0);
	for (done = 0; done < nr; done++) {
		err = walk_step(op, &node, names[done]);
		if (err)
			break;
	}
	if (done < nr) {
		share_node_put(node);
		if (!done)
			return err;
	} else {
		err = add_fid(op, new_id, node, fid->uid,
			      new_id == fid->id ? fid : NULL);
		if (err)
			return err;
	}
	memcpy(op->out.buf + nr_at, &done, sizeof(done));
	return 0;
}

/* Twalk: fid[4] newfid[4] nwname[2] nwname*(wname[s]) */
int p9_walk(struct p9_op *op)
{
	const char *names[P9_MAX_WALK];
	struct p9_fid *fid;
	u32 new_id;
	int err;
	u16 nr;

	err = p9_get_file(op, &fid);
	if (err)
		return err;
	new_id = p9_get_u32(&op->in);
	nr = p9_get_u16(&op->in);
	err = nr > P9_MAX_WALK || new_id == P9_NO_FID ? -EINVAL : 0;
	for (u16 i = 0; !err && i < nr; i++) {
		names[i] = p9_get_string(&op->in);
		if (!*names[i])
			err = -EINVAL;
	}
	if (!p9_args_ok(op))
		err = -EINVAL;
	if (!err)
		err = walk(op, fid, new_id, names, nr);
	p9_fid_put(fid);
	return err;
}

/* ---- Ends ---- */

/* Tclunk: fid[4]. The fid is gone, also where its last work fails. */
int p9_clunk(struct p9_op *op)
{
	struct p9_fid *fid;
	int err = p9_get_fid(op, &fid);

	if (err)
		return err;
	p9_fid_remove(fid);
	if (fid->kind == P9_FID_XATTR_WRITE)
		err = p9_xattr_finish(op, fid);
	p9_fid_put(fid);
	return err;
}

/*
 * Tflush: oldtag[2]. While the old request is in flight p9.c keeps the flush back;
 * here there is none, or it has been answered.
 */
int p9_flush(struct p9_op *op)
{
	p9_get_u16(&op->in);
	return p9_args_ok(op) ? 0 : -EINVAL;
}
