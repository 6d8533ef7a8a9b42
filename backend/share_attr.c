/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attributes of a share's files, by descriptor.
 *
 * Most calls take no O_PATH descriptor, but its path below /proc/self/fd, which
 * leads to the very file (and, if that is a symbolic link, no further).
 */
#include "backend/share_priv.h"

#include <fcntl.h>
#include <sys/vfs.h>
#include <unistd.h>

#define PERMISSIONS 07777

int share_stat(struct share *share, struct share_node *node, struct stat *st)
{
	if (fstat(node->fd, st))
		return -errno;
	if (share->mapped)
		share_mapped_stat(node, st);
	return 0;
}

int share_statfs(struct share *share, struct share_node *node,
		 struct statfs *fs)
{
	return fstatfs(node->fd, fs) ? -errno : 0;
}

int share_chmod(struct share *share, struct share_node *node, mode_t mode)
{
	int err = share_check_writable(share);
	struct stat st;

	if (err)
		return err;
	mode &= PERMISSIONS;
	if (share->mapped) {
		err = share_stat(share, node, &st);
		if (err)
			return err;
		st.st_mode = (st.st_mode & S_IFMT) | mode;
		return share_mapped_set(node, &st, SHARE_MAPPED_MODE);
	}
	/* The host has no modes of links. */
	if (node->type == S_IFLNK)
		return -EOPNOTSUPP;
	return chmod(share_fd_path(node->fd).text, mode) ? -errno : 0;
}

int share_chown(struct share *share, struct share_node *node,
		struct share_owner owner)
{
	const struct stat st = { .st_uid = owner.uid, .st_gid = owner.gid };
	int err = share_check_writable(share);
	unsigned int mask = 0;

	if (err)
		return err;
	if (owner.uid != (uid_t)-1)
		mask |= SHARE_MAPPED_UID;
	if (owner.gid != (gid_t)-1)
		mask |= SHARE_MAPPED_GID;
	if (share->mapped && mask)
		return share_mapped_set(node, &st, mask);
	if (fchownat(node->fd, "", owner.uid, owner.gid, AT_EMPTY_PATH))
		return -errno;
	return 0;
}

int share_truncate(struct share *share, struct share_node *node, u64 len)
{
	int err = share_check_writable(share);

	if (err)
		return err;
	if (node->type == S_IFDIR)
		return -EISDIR;
	if (node->type != S_IFREG || len > INT64_MAX)
		return -EINVAL;
	return truncate(share_fd_path(node->fd).text, (off_t)len) ? -errno : 0;
}

int share_utimens(struct share *share, struct share_node *node,
		  const struct timespec times[2])
{
	int err = share_check_writable(share);

	if (err)
		return err;
	if (utimensat(AT_FDCWD, share_fd_path(node->fd).text, times, 0))
		return -errno;
	return 0;
}
