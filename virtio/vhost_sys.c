/* SPDX-License-Identifier: GPL-2.0-only */
/* vhost's system calls. A file of its own, so that a test can stand for vhost. */
#include "virtio/vhost.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

int vhost_sys_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int vhost_sys_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}
