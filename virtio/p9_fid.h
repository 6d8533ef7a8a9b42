/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fids: the numbers by which a 9P client knows files of the share.
 *
 * A fid does not change what it is: opening one puts a new fid in its place, so
 * that requests which use it at the same time go on with what they found.
 */
#ifndef LKVM_VIRTIO_P9_FID_H
#define LKVM_VIRTIO_P9_FID_H

#include <pthread.h>
#include <sys/tree.h>
#include "lkvm/share.h"
#include "lkvm/types.h"

enum p9_fid_kind {
	P9_FID_PATH,	   /* walked to, not open */
	P9_FID_OPEN,	   /* a file or a directory */
	P9_FID_XATTR_READ, /* the value of an attribute, or their names */
	P9_FID_XATTR_WRITE /* a value that the client writes */
};

/* An extended attribute. */
struct p9_xattr {
	char *name; /* XATTR_WRITE; owned */
	u8 *value;  /* owned */
	u32 len;
	u32 written; /* so far */
	int flags;
};

struct p9_fid {
	RB_ENTRY(p9_fid) entry; /* guarded by the table's lock */
	struct p9_fids *table;
	_Atomic unsigned int refs;
	u32 id; /* const, as all up to the lock */
	enum p9_fid_kind kind;
	struct share_node *node; /* a reference */
	u32 uid;		 /* of who attached: owns what it creates */
	int fd;			 /* OPEN; owned, unless it is the node's */

	pthread_mutex_t lock; /* guards all below */
	unsigned int nr;      /* descriptors that it may have */
	int lock_fd;	      /* holds its locks; -1: fd, or none yet */
	bool has_lock_fd;     /* lock_fd has been decided on */
	bool knows_place;     /* the directory is at next_entry */
	u64 next_entry;
	struct p9_xattr xattr;
};

RB_HEAD(p9_fid_tree, p9_fid);

struct p9_fids {
	unsigned int max;     /* descriptors; const */
	pthread_mutex_t lock; /* guards all below */
	struct p9_fid_tree tree;
	unsigned int nr; /* descriptors of fids, in the tree or still in use */
	u64 xattr_bytes; /* of all their values */
};

void p9_fids_init(struct p9_fids *fids, unsigned int max);
void p9_fids_release(struct p9_fids *fids);
/* Forget all. */
void p9_fids_clear(struct p9_fids *fids);

/*
 * A new fid, known to nobody; takes over the reference to @node, on failure too.
 * -ENFILE: there are too many.
 */
int p9_fid_create(struct p9_fids *fids, u32 id, enum p9_fid_kind kind,
		  struct share_node *node, u32 uid, struct p9_fid **out);
/* May @fid have one more descriptor? -ENFILE. Its lock is held. */
int p9_fid_reserve(struct p9_fid *fid);
/* NULL: there is no such fid. Otherwise a reference. */
struct p9_fid *p9_fid_get(struct p9_fids *fids, u32 id);
/* Accepts NULL. */
void p9_fid_put(struct p9_fid *fid);
/* Make it known; the reference goes to the table. -EBUSY: its number is taken. */
int p9_fid_add(struct p9_fid *fid);
/* The same in the place of @old, if that still has it; else -EBUSY. */
int p9_fid_replace(struct p9_fid *old, struct p9_fid *fid);
/* Forget @fid, if it is known. */
void p9_fid_remove(struct p9_fid *fid);
/* Room for an attribute's value of @len bytes, once per fid. -ENOSPC: too much. */
int p9_fid_alloc_xattr(struct p9_fid *fid, u32 len);

#endif
