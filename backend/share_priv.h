/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the files of backend/share_*.c.
 */
#ifndef LKVM_BACKEND_SHARE_PRIV_H
#define LKVM_BACKEND_SHARE_PRIV_H

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sys/tree.h>
#include "lkvm/share.h"

/* share_id.c */
struct share_range;
RB_HEAD(share_ranges, share_range);

struct share {
	struct share_node *root; /* const, as all up to the lock */
	bool read_only;
	bool mapped;
	bool can_chown;
	bool has_openat2;
	unsigned int max_files;
	pthread_mutex_t lock; /* guards ranges and nr_ranges */
	struct share_ranges ranges;
	u64 nr_ranges;
};

/* The path of a descriptor, for calls that take nothing else. */
struct share_path {
	char text[32];
};

struct share_path share_fd_path(int fd);

/* One component that is neither "." nor "..": 0 or a negative errno. */
int share_check_name(const char *name);
/* -EROFS where nothing may change. */
int share_check_writable(const struct share *share);

void share_forget_ids(struct share *share);

/* A node for @fd, which it owns; closed on failure. @st: the host's attributes. */
int share_node_create(int fd, struct share_node **out, struct stat *st);
/* @name of @dir as it is: no ".."; O_PATH, never through a link. */
int share_lookup(const struct share *share, int dir, const char *name, int *fd);

/* ---- share_mapped.c: security=mapped ---- */

/* Attributes that stand in extended ones; only those in @mask. */
enum {
	SHARE_MAPPED_UID = 1,
	SHARE_MAPPED_GID = 2,
	SHARE_MAPPED_MODE = 4,
	SHARE_MAPPED_RDEV = 8,
};

/* Names that begin so are the share's own. */
#define SHARE_MAPPED_PREFIX "user.virtfs."

int share_mapped_set(struct share_node *node, const struct stat *st,
		     unsigned int mask);
/* Replace in @st what the guest has set. */
void share_mapped_stat(const struct share_node *node, struct stat *st);
/* Can the file system hold them? */
int share_mapped_probe(const struct share_node *node);
/* The host's name for the guest's attribute @name; false: it has none. */
bool share_mapped_xattr(const char *name, char out[NAME_MAX + 1]);

#endif
