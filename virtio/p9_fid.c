/* SPDX-License-Identifier: GPL-2.0-only */
#include "virtio/p9_fid.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Values of attributes that a guest is reading or writing: four of the longest. */
#define MAX_XATTR_BYTES (4ULL * SHARE_MAX_XATTR)

static int fid_compare(const struct p9_fid *a, const struct p9_fid *b)
{
	if (a->id == b->id)
		return 0;
	return a->id < b->id ? -1 : 1;
}

RB_GENERATE_INTERNAL(p9_fid_tree, p9_fid, entry, fid_compare,
		     __attribute__((unused)) static)

void p9_fids_init(struct p9_fids *fids, unsigned int max)
{
	*fids = (struct p9_fids){ .max = max };
	RB_INIT(&fids->tree);
	pthread_mutex_init(&fids->lock, NULL);
}

void p9_fids_release(struct p9_fids *fids)
{
	p9_fids_clear(fids);
	pthread_mutex_destroy(&fids->lock);
}

void p9_fids_clear(struct p9_fids *fids)
{
	struct p9_fid *fid;

	for (;;) {
		pthread_mutex_lock(&fids->lock);
		fid = RB_MIN(p9_fid_tree, &fids->tree);
		if (fid)
			RB_REMOVE(p9_fid_tree, &fids->tree, fid);
		pthread_mutex_unlock(&fids->lock);
		if (!fid)
			return;
		p9_fid_put(fid);
	}
}

/* ---- One fid ---- */

/* One descriptor for its node, and one for the file where it is open. */
static unsigned int descriptors_of(enum p9_fid_kind kind)
{
	return kind == P9_FID_OPEN ? 2 : 1;
}

static int reserve(struct p9_fids *fids, unsigned int nr)
{
	bool ok;

	pthread_mutex_lock(&fids->lock);
	ok = nr <= fids->max - fids->nr;
	if (ok)
		fids->nr += nr;
	pthread_mutex_unlock(&fids->lock);
	return ok ? 0 : -ENFILE;
}

static void give_back(struct p9_fids *fids, unsigned int nr, u64 xattr_bytes)
{
	pthread_mutex_lock(&fids->lock);
	fids->nr -= nr;
	fids->xattr_bytes -= xattr_bytes;
	pthread_mutex_unlock(&fids->lock);
}

int p9_fid_reserve(struct p9_fid *fid)
{
	int err = reserve(fid->table, 1);

	if (!err)
		fid->nr++;
	return err;
}

int p9_fid_create(struct p9_fids *fids, u32 id, enum p9_fid_kind kind,
		  struct share_node *node, u32 uid, struct p9_fid **out)
{
	unsigned int nr = descriptors_of(kind);
	struct p9_fid *fid = NULL;
	int err = reserve(fids, nr);

	if (!err) {
		fid = malloc(sizeof(*fid));
		if (!fid) {
			give_back(fids, nr, 0);
			err = -ENOMEM;
		}
	}
	if (err) {
		share_node_put(node);
		return err;
	}
	*fid = (struct p9_fid){
		.table = fids,
		.nr = nr,
		.id = id,
		.kind = kind,
		.node = node,
		.uid = uid,
		.fd = -1,
		.lock_fd = -1,
		.knows_place = true,
	};
	atomic_init(&fid->refs, 1);
	pthread_mutex_init(&fid->lock, NULL);
	*out = fid;
	return 0;
}

void p9_fid_put(struct p9_fid *fid)
{
	/* Others are done with it (release) before it is freed (acquire). */
	if (!fid ||
	    atomic_fetch_sub_explicit(&fid->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (fid->lock_fd >= 0)
		close(fid->lock_fd);
	if (fid->fd >= 0 && fid->fd != fid->node->fd)
		close(fid->fd);
	share_node_put(fid->node);
	give_back(fid->table, fid->nr, fid->xattr.value ? fid->xattr.len : 0);
	free(fid->xattr.name);
	free(fid->xattr.value);
	pthread_mutex_destroy(&fid->lock);
	free(fid);
}

int p9_fid_alloc_xattr(struct p9_fid *fid, u32 len)
{
	struct p9_fids *fids = fid->table;
	bool ok;

	pthread_mutex_lock(&fids->lock);
	ok = len <= MAX_XATTR_BYTES - fids->xattr_bytes;
	if (ok)
		fids->xattr_bytes += len;
	pthread_mutex_unlock(&fids->lock);
	if (!ok)
		return -ENOSPC;
	fid->xattr.value = malloc(len ? len : 1);
	if (fid->xattr.value) {
		fid->xattr.len = len;
		return 0;
	}
	give_back(fids, 0, len);
	return -ENOMEM;
}

/* ---- The table ---- */

struct p9_fid *p9_fid_get(struct p9_fids *fids, u32 id)
{
	struct p9_fid *fid;

	pthread_mutex_lock(&fids->lock);
	fid = RB_ROOT(&fids->tree);
	while (fid && fid->id != id)
		fid = id < fid->id ? RB_LEFT(fid, entry) : RB_RIGHT(fid, entry);
	if (fid)
		atomic_fetch_add_explicit(&fid->refs, 1, memory_order_relaxed);
	pthread_mutex_unlock(&fids->lock);
	return fid;
}

int p9_fid_add(struct p9_fid *fid)
{
	struct p9_fids *fids = fid->table;
	struct p9_fid *owner;

	pthread_mutex_lock(&fids->lock);
	owner = RB_INSERT(p9_fid_tree, &fids->tree, fid);
	pthread_mutex_unlock(&fids->lock);
	return owner ? -EBUSY : 0;
}

/* Is it @fid itself that is known by its number? */
static bool is_known_locked(struct p9_fids *fids, struct p9_fid *fid)
{
	return RB_FIND(p9_fid_tree, &fids->tree, fid) == fid;
}

int p9_fid_replace(struct p9_fid *old, struct p9_fid *fid)
{
	struct p9_fids *fids = old->table;
	bool known;

	pthread_mutex_lock(&fids->lock);
	known = is_known_locked(fids, old);
	if (known) {
		RB_REMOVE(p9_fid_tree, &fids->tree, old);
		RB_INSERT(p9_fid_tree, &fids->tree, fid);
	}
	pthread_mutex_unlock(&fids->lock);
	if (!known)
		return -EBUSY;
	p9_fid_put(old); /* the table's */
	return 0;
}

void p9_fid_remove(struct p9_fid *fid)
{
	struct p9_fids *fids = fid->table;
	bool known;

	pthread_mutex_lock(&fids->lock);
	known = is_known_locked(fids, fid);
	if (known)
		RB_REMOVE(p9_fid_tree, &fids->tree, fid);
	pthread_mutex_unlock(&fids->lock);
	if (known)
		p9_fid_put(fid);
}
