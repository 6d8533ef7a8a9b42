/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What changes the tree of a share: files that come, move and go.
 */
#include "backend/share_priv.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Who may use files whose mode stands in attributes: as QEMU. */
#define MAPPED_FILE_MODE 0600
#define MAPPED_DIR_MODE 0700

#define PERMISSIONS 07777
/* Bits that make a file act as its owner. */
#define SET_ID_BITS 06000

static int check_change(const struct share *share, const char *name)
{
	int err = share_check_writable(share);

	return err ? err : share_check_name(name);
}

/* ---- Owners of new files ---- */

static int map_new(struct share_node *node, mode_t mode, dev_t rdev,
		   struct share_owner owner)
{
	const struct stat st = {
		.st_mode = mode,
		.st_rdev = rdev,
		.st_uid = owner.uid,
		.st_gid = owner.gid,
	};
	unsigned int mask = SHARE_MAPPED_MODE;

	if (owner.uid != (uid_t)-1)
		mask |= SHARE_MAPPED_UID;
	if (owner.gid != (gid_t)-1)
		mask |= SHARE_MAPPED_GID;
	if (S_ISCHR(mode) || S_ISBLK(mode))
		mask |= SHARE_MAPPED_RDEV;
	return share_mapped_set(node, &st, mask);
}

/*
 * Where the host does not let us, the file stays the user's. It must not act as
 * its owner before it has the one it was meant for.
 */
static void own_new(struct share *share, struct share_node *node, mode_t mode,
		    struct share_owner owner)
{
	if (!share->can_chown ||
	    fchownat(node->fd, "", owner.uid, owner.gid, AT_EMPTY_PATH))
		return;
	if (mode & SET_ID_BITS && !S_ISLNK(mode))
		share_chmod(share, node, mode & PERMISSIONS);
}

/* The host's mode of a new file or directory. */
static mode_t host_mode(const struct share *share, mode_t mode, mode_t mapped)
{
	if (share->mapped)
		return mapped;
	mode &= PERMISSIONS;
	return share->can_chown ? mode & ~(mode_t)SET_ID_BITS : mode;
}

/* @node is new, named @name: give it to @owner, or take it away again. */
static int finish_new(struct share *share, struct share_node *dir,
		      const char *name, struct share_node *node, mode_t mode,
		      dev_t rdev, struct share_owner owner)
{
	int err;

	if (!share->mapped) {
		own_new(share, node, mode, owner);
		return 0;
	}
	err = map_new(node, mode, rdev, owner);
	if (err)
		unlinkat(dir->fd, name,
			 node->type == S_IFDIR ? AT_REMOVEDIR : 0);
	return err;
}

/* The same for what was made by name. */
static int adopt_new(struct share *share, struct share_node *dir,
		     const char *name, mode_t mode, struct share_owner owner,
		     struct share_node **node)
{
	struct stat st;
	int err = share_walk(share, dir, name, node, &st);

	if (err)
		return err;
	err = finish_new(share, dir, name, *node, mode, 0, owner);
	if (err)
		share_node_put(*node);
	return err;
}

/* ---- Files ---- */

static int open_new(const struct share *share, int dir, const char *name,
		    int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (u64)flags | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		.mode = mode,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS |
			   RESOLVE_NO_SYMLINKS,
	};
	int fd;

	if (share->has_openat2)
		fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));
	else
		fd = openat(dir, name, (int)how.flags, mode);
	return fd < 0 ? -errno : fd;
}

static int create_new(struct share *share, struct share_node *dir,
		      const char *name, int flags, mode_t mode, dev_t rdev,
		      struct share_owner owner, struct share_node **node)
{
	struct stat st;
	int err, fd;

	flags &= O_ACCMODE | O_APPEND | O_SYNC | O_DSYNC;
	fd = open_new(share, dir->fd, name, flags,
		      host_mode(share, mode, MAPPED_FILE_MODE));
	if (fd < 0)
		return fd;
	err = share_node_create(fd, node, &st);
	if (err)
		return err;
	err = finish_new(share, dir, name, *node, mode, rdev, owner);
	if (err)
		share_node_put(*node);
	return err;
}

static int open_old(struct share *share, struct share_node *dir,
		    const char *name, int flags, struct share_node **node,
		    int *fd)
{
	struct stat st;
	int err = share_walk(share, dir, name, node, &st);

	if (err)
		return err;
	err = share_open_node(share, *node, flags, fd);
	if (err)
		share_node_put(*node);
	return err;
}

/*
 * Never O_CREAT without O_EXCL: what is there may be a FIFO or a device, which
 * are not to be opened.
 */
int share_create(struct share *share, struct share_node *dir, const char *name,
		 int flags, mode_t mode, struct share_owner owner,
		 struct share_node **node, int *fd)
{
	int err = check_change(share, name);

	if (err)
		return err;
	err = create_new(share, dir, name, flags,
			 (mode & PERMISSIONS) | S_IFREG, 0, owner, node);
	if (!err)
		*fd = (*node)->fd;
	else if (err == -EEXIST && !(flags & O_EXCL))
		err = open_old(share, dir, name, flags, node, fd);
	return err;
}

/* ---- Others ---- */

int share_mkdir(struct share *share, struct share_node *dir, const char *name,
		mode_t mode, struct share_owner owner, struct share_node **node)
{
	int err = check_change(share, name);

	if (err)
		return err;
	if (mkdirat(dir->fd, name, host_mode(share, mode, MAPPED_DIR_MODE)))
		return -errno;
	return adopt_new(share, dir, name, (mode & PERMISSIONS) | S_IFDIR,
			 owner, node);
}

/*
 * A device node on the host would open the host's device to who finds it there.
 * 0:0 is no device: overlay file systems mark what was deleted with it.
 */
static int check_real_node(mode_t mode, dev_t rdev)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
	case S_IFIFO:
	case S_IFSOCK:
		return 0;
	case S_IFCHR:
		return rdev == makedev(0, 0) ? 0 : -EPERM;
	default:
		return -EPERM;
	}
}

int share_mknod(struct share *share, struct share_node *dir, const char *name,
		mode_t mode, dev_t rdev, struct share_owner owner,
		struct share_node **node)
{
	int err = check_change(share, name);

	if (!(mode & S_IFMT))
		mode |= S_IFREG;
	if (S_ISDIR(mode) || S_ISLNK(mode))
		err = err ? err : -EINVAL;
	if (err)
		return err;
	if (share->mapped)
		return create_new(share, dir, name, O_WRONLY, mode, rdev, owner,
				  node);
	err = check_real_node(mode, rdev);
	if (err)
		return err;
	if (mknodat(dir->fd, name, (mode & S_IFMT) | host_mode(share, mode, 0),
		    rdev))
		return -errno;
	return adopt_new(share, dir, name, mode, owner, node);
}

/* A file that says where to: the host cannot follow what the guest wrote. */
static int map_symlink(struct share *share, struct share_node *dir,
		       const char *name, const char *target,
		       struct share_owner owner, struct share_node **node)
{
	size_t len = strlen(target);
	int err = create_new(share, dir, name, O_WRONLY, S_IFLNK | 0777, 0,
			     owner, node);

	if (err)
		return err;
	if (write((*node)->fd, target, len) == (ssize_t)len)
		return 0;
	err = errno ? -errno : -EIO;
	unlinkat(dir->fd, name, 0);
	share_node_put(*node);
	return err;
}

int share_symlink(struct share *share, struct share_node *dir, const char *name,
		  const char *target, struct share_owner owner,
		  struct share_node **node)
{
	int err = check_change(share, name);

	if (!err && !*target)
		err = -ENOENT;
	if (err)
		return err;
	if (share->mapped)
		return map_symlink(share, dir, name, target, owner, node);
	if (symlinkat(target, dir->fd, name))
		return -errno;
	return adopt_new(share, dir, name, S_IFLNK | 0777, owner, node);
}

int share_link(struct share *share, struct share_node *node,
	       struct share_node *dir, const char *name)
{
	int err = check_change(share, name);

	if (err)
		return err;
	/* With AT_EMPTY_PATH it would take CAP_DAC_READ_SEARCH. */
	if (linkat(AT_FDCWD, share_fd_path(node->fd).text, dir->fd, name,
		   AT_SYMLINK_FOLLOW))
		return -errno;
	return 0;
}

int share_rename(struct share *share, struct share_node *from, const char *name,
		 struct share_node *to, const char *new_name)
{
	int err = check_change(share, name);

	if (!err)
		err = share_check_name(new_name);
	if (!err && renameat(from->fd, name, to->fd, new_name))
		err = -errno;
	return err;
}

int share_unlink(struct share *share, struct share_node *dir, const char *name,
		 bool is_dir)
{
	int err = check_change(share, name);

	if (!err && unlinkat(dir->fd, name, is_dir ? AT_REMOVEDIR : 0))
		err = -errno;
	return err;
}

/* ---- Links ---- */

/* The whole of a mapped link; its end is the file's. */
static ssize_t read_mapped(struct share *share, struct share_node *node,
			   char *buf, size_t size)
{
	ssize_t got;
	int fd, err;

	err = share_open_node(share, node, O_RDONLY, &fd);
	if (err)
		return err;
	got = pread(fd, buf, size, 0);
	if (got < 0)
		got = -errno;
	close(fd);
	return got;
}

int share_readlink(struct share *share, struct share_node *node, char *buf,
		   size_t size, size_t *len)
{
	struct stat st;
	ssize_t got;
	int err;

	if (node->type == S_IFLNK) {
		got = readlinkat(node->fd, "", buf, size);
		if (got < 0)
			return -errno;
	} else {
		err = share_stat(share, node, &st);
		if (!err && !S_ISLNK(st.st_mode))
			err = -EINVAL;
		if (err)
			return err;
		got = read_mapped(share, node, buf, size);
		if (got < 0)
			return (int)got;
	}
	/* What fills the buffer may go on behind it. */
	if ((size_t)got == size)
		return -ENAMETOOLONG;
	*len = (size_t)got;
	return 0;
}
