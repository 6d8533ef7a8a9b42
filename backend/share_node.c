/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Nodes of a share: finding them by name, and opening what they are.
 */
#include "backend/share_priv.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

struct share_path share_fd_path(int fd)
{
	struct share_path path;

	snprintf(path.text, sizeof(path.text), "/proc/self/fd/%d", fd);
	return path;
}

int share_check_name(const char *name)
{
	if (!*name || !strcmp(name, ".") || !strcmp(name, "..") ||
	    strchr(name, '/'))
		return -EINVAL;
	return strlen(name) > NAME_MAX ? -ENAMETOOLONG : 0;
}

int share_check_writable(const struct share *share)
{
	return share->read_only ? -EROFS : 0;
}

/* ---- References ---- */

int share_node_create(int fd, struct share_node **out, struct stat *st)
{
	struct share_node *node;
	int err;

	if (fstat(fd, st)) {
		err = -errno;
		close(fd);
		return err;
	}
	node = malloc(sizeof(*node));
	if (!node) {
		close(fd);
		return -ENOMEM;
	}
	*node = (struct share_node){
		.fd = fd,
		.dev = st->st_dev,
		.ino = st->st_ino,
		.type = st->st_mode & S_IFMT,
	};
	atomic_init(&node->refs, 1);
	*out = node;
	return 0;
}

struct share_node *share_node_get(struct share_node *node)
{
	atomic_fetch_add_explicit(&node->refs, 1, memory_order_relaxed);
	return node;
}

void share_node_put(struct share_node *node)
{
	/* Others are done with it (release) before it is freed (acquire). */
	if (!node || atomic_fetch_sub_explicit(&node->refs, 1,
					       memory_order_acq_rel) != 1)
		return;
	close(node->fd);
	free(node);
}

struct share_node *share_root(struct share *share)
{
	return share_node_get(share->root);
}

/* ---- Names ---- */

int share_lookup(const struct share *share, int dir, const char *name, int *fd)
{
	struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS |
			   RESOLVE_NO_SYMLINKS,
	};
	int err = share_check_name(name);

	if (err)
		return err;
	/* One component, so that the last is all there is: either is enough. */
	if (share->has_openat2)
		*fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));
	else
		*fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return *fd < 0 ? -errno : 0;
}

/*
 * A proc file system leads everywhere: /proc/self/mem is this process. Looked
 * for where a name leads to another file system.
 */
static int check_mount(const struct share_node *dir,
		       const struct share_node *node)
{
	struct statfs fs;

	if (node->dev == dir->dev)
		return 0;
	if (fstatfs(node->fd, &fs))
		return -errno;
	return fs.f_type == PROC_SUPER_MAGIC ? -EACCES : 0;
}

/* @st: the host's attributes. */
static int walk_name(struct share *share, struct share_node *dir,
		     const char *name, struct share_node **out, struct stat *st)
{
	int fd, err = share_lookup(share, dir->fd, name, &fd);

	if (!err)
		err = share_node_create(fd, out, st);
	if (err)
		return err;
	err = check_mount(dir, *out);
	if (err)
		share_node_put(*out);
	return err;
}

static bool same_file(const struct share_node *a, const struct share_node *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

static int walk_up(struct share *share, struct share_node *dir,
		   struct share_node **out)
{
	char name[NAME_MAX + 1];

	if (dir->type != S_IFDIR)
		return -ENOTDIR;
	if (same_file(dir, share->root)) {
		*out = share_root(share);
		return 0;
	}
	return share_place(share, dir, out, name);
}

int share_walk(struct share *share, struct share_node *dir, const char *name,
	       struct share_node **out, struct stat *st)
{
	int err;

	if (strcmp(name, "..") != 0) {
		err = walk_name(share, dir, name, out, st);
		if (!err && share->mapped)
			share_mapped_stat(*out, st);
		return err;
	}
	err = walk_up(share, dir, out);
	if (err)
		return err;
	err = share_stat(share, *out, st);
	if (err)
		share_node_put(*out);
	return err;
}

/* ---- Places ---- */

/* The path of @fd on the host. */
static int path_of(int fd, char path[PATH_MAX])
{
	ssize_t len =
		readlink(share_fd_path(fd).text, path, (size_t)PATH_MAX - 1);

	if (len < 0)
		return -errno;
	if (len == PATH_MAX - 1)
		return -ENAMETOOLONG;
	path[len] = '\0';
	return 0;
}

/* The directory below @from that @path, of components, names. */
static int walk_down(struct share *share, struct share_node *from, char *path,
		     struct share_node **out)
{
	struct share_node *at = share_node_get(from), *next;
	char *rest = path, *name;
	struct stat st;
	int err;

	while ((name = strsep(&rest, "/"))) {
		if (!*name)
			continue;
		err = walk_name(share, at, name, &next, &st);
		share_node_put(at);
		if (err)
			return err;
		at = next;
	}
	*out = at;
	return 0;
}

/* Is @name of @dir still @node? */
static int check_place(struct share *share, struct share_node *dir,
		       const char *name, const struct share_node *node)
{
	struct share_node *found;
	struct stat st;
	int err = walk_name(share, dir, name, &found, &st);

	if (err)
		return err;
	if (!same_file(found, node))
		err = -ESTALE;
	share_node_put(found);
	return err;
}

/*
 * The kernel tells where a descriptor's file is. Its word is a hint: the way there
 * is walked from the root, and must lead to the same file.
 */
int share_place(struct share *share, struct share_node *node,
		struct share_node **dir, char name[NAME_MAX + 1])
{
	char root[PATH_MAX], path[PATH_MAX], *last;
	size_t root_len;
	int err;

	err = path_of(share->root->fd, root);
	if (!err)
		err = path_of(node->fd, path);
	if (err)
		return err;
	root_len = strcmp(root, "/") ? strlen(root) : 0;
	if (strncmp(path, root, root_len) || path[root_len] != '/')
		return -ESTALE;
	last = strrchr(path, '/');
	if (strlen(last + 1) > NAME_MAX)
		return -ENOENT; /* "... (deleted)" */
	snprintf(name, NAME_MAX + 1, "%s", last + 1);
	*last = '\0';
	err = walk_down(share, share->root, path + root_len, dir);
	if (err)
		return err;
	err = check_place(share, *dir, name, node);
	if (err)
		share_node_put(*dir);
	return err;
}

/* ---- Opening ---- */

int share_open_node(struct share *share, struct share_node *node, int flags,
		    int *fd)
{
	bool writes = (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC;

	if (node->type == S_IFLNK)
		return -ELOOP;
	if (node->type != S_IFREG && node->type != S_IFDIR)
		return -ENXIO;
	if (writes && node->type == S_IFDIR)
		return -EISDIR;
	if (writes && share->read_only)
		return -EROFS;
	flags &= O_ACCMODE | O_TRUNC | O_APPEND | O_SYNC | O_DSYNC;
	*fd = open(share_fd_path(node->fd).text,
		   flags | O_CLOEXEC | O_NOCTTY |
			   (node->type == S_IFDIR ? O_DIRECTORY : 0));
	return *fd < 0 ? -errno : 0;
}
