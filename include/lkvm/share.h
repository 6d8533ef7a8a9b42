/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Directories of the host that guests share (backend/share_*.c): operations on
 * the files below one root, and on none above it. They know nothing of guests,
 * 9P or virtio: nodes, names, descriptors and iovecs.
 *
 * What is asked for comes from a guest, so containment is by construction:
 *   - a node is an open descriptor (O_PATH). Names are single components, looked
 *     up in a node; symbolic links are nodes, and are never followed;
 *   - ".." is found from the root downwards, so it cannot lead above it;
 *   - only regular files and directories are ever opened, through the
 *     descriptor that was looked at before: no name is resolved twice.
 *
 * Any thread may call anything. Functions return 0 or a negative errno.
 */
#ifndef LKVM_SHARE_H
#define LKVM_SHARE_H

#include <limits.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/types.h>
#include "lkvm/types.h"

struct failure;
struct share;
struct share_config;
struct statfs;

/* The longest values that Linux has. */
#define SHARE_MAX_XATTR 65536U

/* A file of the host, whatever its name is now, if it still has one. */
struct share_node {
	_Atomic unsigned int refs;
	int fd;	   /* O_PATH, or a file that share_create() opened; owned */
	dev_t dev; /* const, as all below */
	u64 ino;
	mode_t type; /* S_IFMT part of the host's mode */
};

/* Who a new file belongs to, where the share can say so. -1: as it comes. */
struct share_owner {
	uid_t uid;
	gid_t gid;
};

/*
 * Open the directory that @config names. The guest's view of owners, modes and
 * device nodes is @config's security model: docs/shares.md.
 */
int share_open(const struct share_config *config, struct failure *why,
	       struct share **out);
/* Nobody may have nodes any more. Accepts NULL. */
void share_close(struct share *share);
/*
 * The calling thread will call the functions below: no umask of its own, and
 * nothing but @share in reach where the host has Landlock. Before it is confined.
 */
void share_enter(struct share *share);
/* How many descriptors all shares together may have. */
unsigned int share_max_files(const struct share *share);
/* May a regular file of the host be something else to the guest? */
bool share_is_mapped(const struct share *share);

/* ---- Nodes (share_node.c) ---- */

/* The root, with a reference for the caller. */
struct share_node *share_root(struct share *share);
struct share_node *share_node_get(struct share_node *node);
/* Accepts NULL. */
void share_node_put(struct share_node *node);
/*
 * What @name is in the directory @dir, and its attributes as share_stat() has them,
 * for which the host need not be asked again. ".." of the root is the root.
 */
int share_walk(struct share *share, struct share_node *dir, const char *name,
	       struct share_node **out, struct stat *st);
/*
 * Where @node is now: the directory, and its name there. -ENOENT where it was
 * removed, -ESTALE where it left the share.
 */
int share_place(struct share *share, struct share_node *node,
		struct share_node **dir, char name[NAME_MAX + 1]);
/*
 * Open a regular file or a directory. @flags: O_ACCMODE, O_TRUNC, O_APPEND,
 * O_SYNC, O_DSYNC of this host; others are dropped. -ENXIO: device nodes, FIFOs
 * and sockets.
 */
int share_open_node(struct share *share, struct share_node *node, int flags,
		    int *fd);
/* A number for a file, different from all others' of the share. */
int share_id(struct share *share, dev_t dev, u64 ino, u64 *id);

/* ---- Names (share_tree.c): of one component, not "." or ".." ---- */

/* Open @name, creating it unless it is there; the descriptor is the node's. */
int share_create(struct share *share, struct share_node *dir, const char *name,
		 int flags, mode_t mode, struct share_owner owner,
		 struct share_node **node, int *fd);
int share_mkdir(struct share *share, struct share_node *dir, const char *name,
		mode_t mode, struct share_owner owner,
		struct share_node **node);
int share_mknod(struct share *share, struct share_node *dir, const char *name,
		mode_t mode, dev_t rdev, struct share_owner owner,
		struct share_node **node);
int share_symlink(struct share *share, struct share_node *dir, const char *name,
		  const char *target, struct share_owner owner,
		  struct share_node **node);
int share_link(struct share *share, struct share_node *node,
	       struct share_node *dir, const char *name);
int share_rename(struct share *share, struct share_node *from, const char *name,
		 struct share_node *to, const char *new_name);
int share_unlink(struct share *share, struct share_node *dir, const char *name,
		 bool is_dir);
/* Not NUL-terminated. -ENAMETOOLONG where it does not fit. */
int share_readlink(struct share *share, struct share_node *node, char *buf,
		   size_t size, size_t *len);

/* ---- Attributes (share_attr.c) ---- */

/* As the guest is to see it. */
int share_stat(struct share *share, struct share_node *node, struct stat *st);
int share_statfs(struct share *share, struct share_node *node,
		 struct statfs *fs);
/* @mode: permission bits. */
int share_chmod(struct share *share, struct share_node *node, mode_t mode);
/* -1: leave it. Both -1: only the time of the change is set. */
int share_chown(struct share *share, struct share_node *node,
		struct share_owner owner);
int share_truncate(struct share *share, struct share_node *node, u64 len);
/* As utimensat(2): UTIME_NOW, UTIME_OMIT. */
int share_utimens(struct share *share, struct share_node *node,
		  const struct timespec times[2]);

/* ---- Extended attributes (share_xattr.c) ---- */

/* Both return the length, or a negative errno; @size 0: only that. */
ssize_t share_xattr_get(struct share *share, struct share_node *node,
			const char *name, void *buf, size_t size);
ssize_t share_xattr_list(struct share *share, struct share_node *node,
			 char *buf, size_t size);
/* @flags as of setxattr(2). */
int share_xattr_set(struct share *share, struct share_node *node,
		    const char *name, const void *value, size_t len, int flags);
int share_xattr_remove(struct share *share, struct share_node *node,
		       const char *name);

/* ---- Locks (share_lock.c) ---- */

/* A range of bytes of an open file. */
struct share_lock {
	short type; /* F_RDLCK, F_WRLCK, F_UNLCK */
	u64 start;
	u64 len;   /* 0: to the end, wherever that is */
	pid_t pid; /* share_get_lock(): who holds it; -1: no single process */
};

/*
 * A descriptor to hold @node's locks: write locks want one that may write,
 * whatever the guest opened the file for. -1 where @fd itself has to do.
 */
int share_lock_fd(struct share *share, struct share_node *node, int fd);
/*
 * Open file description locks: against other VMs, and other programs of the host
 * with fcntl(2). They last as long as @fd. Never waits: -EAGAIN.
 */
int share_set_lock(int fd, const struct share_lock *lock);
/* Who keeps @lock from being taken; F_UNLCK: nobody. */
int share_get_lock(int fd, struct share_lock *lock);

#endif
