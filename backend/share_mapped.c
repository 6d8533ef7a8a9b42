/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * security=mapped: owner, mode and kind of a file as the guest set them stand in
 * extended attributes of it, in the format of QEMU's mapped-xattr, so that a tree
 * can be shared by either. All files belong to lkvm's user; device nodes, FIFOs,
 * sockets and symbolic links are regular files on the host.
 *
 * Values are little endian, as every host we run on.
 */
#include "backend/share_priv.h"

#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#define MAPPED_UID SHARE_MAPPED_PREFIX "uid"
#define MAPPED_GID SHARE_MAPPED_PREFIX "gid"
#define MAPPED_MODE SHARE_MAPPED_PREFIX "mode"
#define MAPPED_RDEV SHARE_MAPPED_PREFIX "rdev"

/* Kinds that are a regular file on the host. */
static bool is_emulated(mode_t mode)
{
	return !S_ISDIR(mode) && !S_ISREG(mode) && mode & S_IFMT;
}

static int set_value(const char *path, const char *name, const void *value,
		     size_t len)
{
	return setxattr(path, name, value, len, 0) ? -errno : 0;
}

int share_mapped_set(struct share_node *node, const struct stat *st,
		     unsigned int mask)
{
	const struct share_path path = share_fd_path(node->fd);
	const u32 uid = st->st_uid, gid = st->st_gid, mode = st->st_mode;
	const u64 rdev = st->st_rdev;
	int err = 0;

	if (mask & SHARE_MAPPED_UID)
		err = set_value(path.text, MAPPED_UID, &uid, sizeof(uid));
	if (!err && mask & SHARE_MAPPED_GID)
		err = set_value(path.text, MAPPED_GID, &gid, sizeof(gid));
	if (!err && mask & SHARE_MAPPED_MODE)
		err = set_value(path.text, MAPPED_MODE, &mode, sizeof(mode));
	if (!err && mask & SHARE_MAPPED_RDEV)
		err = set_value(path.text, MAPPED_RDEV, &rdev, sizeof(rdev));
	return err;
}

static bool get_u32(const char *path, const char *name, u32 *value)
{
	u32 found;

	if (getxattr(path, name, &found, sizeof(found)) != sizeof(found))
		return false;
	*value = found;
	return true;
}

/*
 * A file's kind can be overruled where it is regular and nowhere else: what is a
 * directory here is one for the guest.
 */
static void map_mode(struct stat *st, mode_t mode)
{
	mode_t kind = st->st_mode & S_IFMT;

	if (kind == S_IFREG && is_emulated(mode))
		kind = mode & S_IFMT;
	st->st_mode = kind | (mode & ~(mode_t)S_IFMT);
}

void share_mapped_stat(const struct share_node *node, struct stat *st)
{
	const struct share_path path = share_fd_path(node->fd);
	u64 rdev;
	u32 mode;

	/* Others cannot have attributes of users. */
	if (node->type != S_IFREG && node->type != S_IFDIR)
		return;
	get_u32(path.text, MAPPED_UID, &st->st_uid);
	get_u32(path.text, MAPPED_GID, &st->st_gid);
	if (!get_u32(path.text, MAPPED_MODE, &mode))
		return;
	map_mode(st, mode);
	if ((S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) &&
	    getxattr(path.text, MAPPED_RDEV, &rdev, sizeof(rdev)) ==
		    sizeof(rdev))
		st->st_rdev = rdev;
}

int share_mapped_probe(const struct share_node *node)
{
	const struct share_path path = share_fd_path(node->fd);

	if (getxattr(path.text, MAPPED_MODE, NULL, 0) < 0 && errno != ENODATA)
		return -errno;
	return 0;
}

/*
 * Access control lists would be obeyed by the host, for users that it does not
 * have, so they stand aside, too. What is ours is nobody's.
 */
bool share_mapped_xattr(const char *name, char out[NAME_MAX + 1])
{
	static const char acl[] = "system.posix_acl_";
	bool is_acl = !strncmp(name, acl, strlen(acl));
	int len;

	if (!strncmp(name, SHARE_MAPPED_PREFIX, strlen(SHARE_MAPPED_PREFIX)))
		return false;
	len = snprintf(out, NAME_MAX + 1, "%s%s",
		       is_acl ? SHARE_MAPPED_PREFIX : "", name);
	return len <= NAME_MAX;
}
