/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Extended attributes of a share's files. What the host's kernel lets lkvm's user
 * do with them, the guest may do; security=mapped hides its own.
 */
#include "backend/share_priv.h"

#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

/* The host's name for @name. */
static int host_name(const struct share *share, const char *name,
		     char out[NAME_MAX + 1])
{
	if (!*name)
		return -EINVAL;
	if (strlen(name) > NAME_MAX)
		return -ERANGE;
	if (share->mapped)
		return share_mapped_xattr(name, out) ? 0 : -EPERM;
	snprintf(out, NAME_MAX + 1, "%s", name);
	return 0;
}

ssize_t share_xattr_get(struct share *share, struct share_node *node,
			const char *name, void *buf, size_t size)
{
	char host[NAME_MAX + 1];
	int err = host_name(share, name, host);
	ssize_t len;

	if (err)
		return err == -EPERM ? -ENODATA : err;
	len = getxattr(share_fd_path(node->fd).text, host, buf, size);
	return len < 0 ? -errno : len;
}

/* The guest's name for the host's @name; NULL: not for the guest. */
static const char *guest_name(const char *name)
{
	const size_t prefix_len = strlen(SHARE_MAPPED_PREFIX);

	if (strncmp(name, SHARE_MAPPED_PREFIX, prefix_len))
		return name;
	name += prefix_len;
	return strncmp(name, "system.", strlen("system.")) ? NULL : name;
}

/* A list of names, in place; what is returned is not longer. */
static size_t to_guest(char *names, size_t len)
{
	size_t out = 0;

	for (size_t at = 0; at < len;) {
		size_t name_len = strnlen(names + at, len - at) + 1;
		const char *name = guest_name(names + at);

		at += name_len;
		if (!name || at > len)
			continue;
		name_len = strlen(name) + 1;
		memmove(names + out, name, name_len);
		out += name_len;
	}
	return out;
}

ssize_t share_xattr_list(struct share *share, struct share_node *node,
			 char *buf, size_t size)
{
	ssize_t len = listxattr(share_fd_path(node->fd).text, buf, size);

	if (len < 0)
		return -errno;
	if (share->mapped && size)
		return (ssize_t)to_guest(buf, (size_t)len);
	return len;
}

int share_xattr_set(struct share *share, struct share_node *node,
		    const char *name, const void *value, size_t len, int flags)
{
	char host[NAME_MAX + 1];
	int err = share_check_writable(share);

	if (!err)
		err = host_name(share, name, host);
	if (!err &&
	    setxattr(share_fd_path(node->fd).text, host, value, len, flags))
		err = -errno;
	return err;
}

int share_xattr_remove(struct share *share, struct share_node *node,
		       const char *name)
{
	char host[NAME_MAX + 1];
	int err = share_check_writable(share);

	if (!err)
		err = host_name(share, name, host);
	if (!err && removexattr(share_fd_path(node->fd).text, host))
		err = -errno;
	return err;
}
