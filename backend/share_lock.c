/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Byte-range locks of a share's files: Linux's open file description locks. They
 * conflict with each other and with the POSIX locks of the host's programs, and go
 * with the descriptor; the C library's flock(2) locks are another world.
 */
#include "backend/share_priv.h"

#include <fcntl.h>
#include <unistd.h>

int share_lock_fd(struct share *share, struct share_node *node, int fd)
{
	int lock_fd;

	if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR ||
	    share_open_node(share, node, O_RDWR, &lock_fd))
		return -1;
	return lock_fd;
}

static int to_flock(const struct share_lock *lock, struct flock *fl)
{
	if (lock->start > INT64_MAX || lock->len > INT64_MAX)
		return -EINVAL;
	*fl = (struct flock){
		.l_type = lock->type,
		.l_whence = SEEK_SET,
		.l_start = (off_t)lock->start,
		.l_len = (off_t)lock->len,
	};
	return 0;
}

int share_set_lock(int fd, const struct share_lock *lock)
{
	struct flock fl;
	int err = to_flock(lock, &fl);

	if (!err && fcntl(fd, F_OFD_SETLK, &fl))
		err = errno == EACCES ? -EAGAIN : -errno;
	return err;
}

int share_get_lock(int fd, struct share_lock *lock)
{
	struct flock fl;
	int err = to_flock(lock, &fl);

	if (err)
		return err;
	if (fcntl(fd, F_OFD_GETLK, &fl))
		return -errno;
	lock->type = fl.l_type;
	if (fl.l_type == F_UNLCK)
		return 0;
	lock->start = (u64)fl.l_start;
	lock->len = (u64)fl.l_len;
	lock->pid = fl.l_pid;
	return 0;
}
