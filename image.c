/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files that the VM loads at start. Contents are nobody's business here.
 */
#include "lkvm/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/fs.h>
#include "lkvm/failure.h"

/* More than this from a pipe is a mistake (/dev/zero), not a kernel. */
#define PIPE_MAX (16 * GIB)
#define CHUNK (256 * KIB)

static int write_all(int fd, const u8 *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Move everything that comes from @from into @to. */
static int copy_stream(int from, int to, u64 *len)
{
	u8 *chunk;
	int err = 0;

	chunk = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (chunk == MAP_FAILED)
		return -errno;
	*len = 0;
	while (!err) {
		ssize_t n = read(from, chunk, CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err = -errno;
		if (n <= 0)
			break;
		*len += (u64)n;
		if (*len > PIPE_MAX)
			err = -EFBIG;
		else
			err = write_all(to, chunk, (size_t)n);
	}
	munmap(chunk, CHUNK);
	return err;
}

/* Replace @img->fd, which cannot be read twice, by a file that can. */
static int image_cache(struct image *img)
{
	int fd, err;

	fd = memfd_create("lkvm-image", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = copy_stream(img->fd, fd, &img->len);
	if (err) {
		close(fd);
		return err;
	}
	close(img->fd);
	img->fd = fd;
	return 0;
}

static int image_find_len(struct image *img)
{
	struct stat st;

	if (fstat(img->fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	/* Files of /proc and /sys say that they are empty. */
	if (S_ISREG(st.st_mode) && st.st_size > 0) {
		img->len = (u64)st.st_size;
		return 0;
	}
	if (S_ISBLK(st.st_mode))
		return ioctl(img->fd, BLKGETSIZE64, &img->len) < 0 ? -errno : 0;
	return image_cache(img);
}

int image_open(struct image *img, const char *path, const char *what,
	       struct failure *why)
{
	int err;

	*img = (struct image){ .fd = -1, .path = path };
	img->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (img->fd < 0) {
		err = -errno;
		return fail(why, err, "Unable to open %s %s: %s", what, path,
			    strerror(-err));
	}
	err = image_find_len(img);
	if (err) {
		image_release(img);
		return fail(why, err, "Unable to open %s %s: %s", what, path,
			    strerror(-err));
	}
	if (!img->len) {
		image_release(img);
		return fail(why, -EINVAL,
			    "%s %s: the file is empty: give a complete one",
			    what, path);
	}
	return 0;
}

int image_read(const struct image *img, u64 offset, void *buf, u64 len)
{
	u8 *to = buf;

	if (!range_within(offset, len, img->len))
		return -EINVAL;
	while (len) {
		ssize_t n = pread(img->fd, to, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EINVAL;
		to += n;
		offset += (u64)n;
		len -= (u64)n;
	}
	return 0;
}

void image_release(struct image *img)
{
	if (img->fd >= 0)
		close(img->fd);
	img->fd = -1;
	img->len = 0;
}
