/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that VFIO asks the host's kernel. A file of its own, so that a test can put
 * a model of the kernel in its place.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "vfio_priv.h"

const char *vfio_sys_root(void)
{
	return "";
}

int vfio_sys_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

void vfio_sys_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

int vfio_sys_ioctl(int fd, unsigned long request, void *arg)
{
	int result = ioctl(fd, request, arg);

	return result < 0 ? -errno : result;
}

ssize_t vfio_sys_pread(int fd, void *buf, size_t len, u64 offset)
{
	ssize_t got = pread(fd, buf, len, (off_t)offset);

	return got < 0 ? -errno : got;
}

ssize_t vfio_sys_pwrite(int fd, const void *buf, size_t len, u64 offset)
{
	ssize_t put = pwrite(fd, buf, len, (off_t)offset);

	return put < 0 ? -errno : put;
}

void *vfio_sys_mmap(int fd, u64 len, bool writable, u64 offset)
{
	int prot = PROT_READ | (writable ? PROT_WRITE : 0);
	void *hva = mmap(NULL, len, prot, MAP_SHARED, fd, (off_t)offset);

	return hva == MAP_FAILED ? NULL : hva;
}

void vfio_sys_munmap(void *hva, u64 len)
{
	munmap(hva, len);
}
