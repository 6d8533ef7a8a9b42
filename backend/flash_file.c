/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file behind flash memory: mapped shared, so that the guest's writes are
 * in it whatever becomes of lkvm.
 */
#include "lkvm/flash_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lkvm/failure.h"

/*
 * EDK2 keeps three blocks of 256 KiB there and stops if they do not fit; half
 * of that, the next power of two below, would make it stop.
 */
#define MIN_LEN MIB

static int check_len(const char *path, u64 file_len, u64 max, u64 *len,
		     struct failure *why)
{
	if (file_len < MIN_LEN)
		return fail(why, -EINVAL,
			    "--flash %s: %llu KiB are too few for a firmware's "
			    "variables: make it 1 MiB at least (truncate -s 1M "
			    "%s)",
			    path, (unsigned long long)(file_len / KIB), path);
	if (file_len > max)
		return fail(why, -EFBIG,
			    "--flash %s: %llu MiB are more than the %llu MiB "
			    "that there is room for (truncate -s %lluM of a "
			    "copy)",
			    path, (unsigned long long)(file_len / MIB),
			    (unsigned long long)(max / MIB),
			    (unsigned long long)(max / MIB));
	for (*len = MIN_LEN; 2 * *len <= file_len; *len *= 2)
		;
	if (*len != file_len)
		log_warning("--flash %s: the guest sees its first %llu MiB: "
			    "flash has a power of two",
			    path, (unsigned long long)(*len / MIB));
	return 0;
}

static int open_locked(struct flash_file *file, const char *path,
		       struct failure *why)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct stat st;

	file->fd = open(path, O_RDWR | O_CLOEXEC);
	if (file->fd < 0)
		return fail(why, -errno, "--flash %s: cannot be opened: %s",
			    path, strerror(errno));
	if (fstat(file->fd, &st) < 0 || !S_ISREG(st.st_mode))
		return fail(why, -EINVAL, "--flash %s: not a regular file",
			    path);
	/* A file system without locks answers otherwise, and works. */
	if (fcntl(file->fd, F_OFD_SETLK, &lock) < 0 &&
	    (errno == EAGAIN || errno == EACCES))
		return fail(why, -EBUSY,
			    "--flash %s: another VM uses it: give each VM a "
			    "file of its own",
			    path);
	file->len = (u64)st.st_size;
	return 0;
}

int flash_file_open(struct flash_file *file, const char *path, u64 max,
		    struct failure *why)
{
	void *map;
	int err;

	*file = (struct flash_file)FLASH_FILE_NONE;
	err = open_locked(file, path, why);
	if (!err)
		err = check_len(path, file->len, max, &file->len, why);
	if (err)
		goto err_close;
	map = mmap(NULL, file->len, PROT_READ | PROT_WRITE, MAP_SHARED,
		   file->fd, 0);
	if (map == MAP_FAILED) {
		err = fail(why, -errno, "--flash %s: cannot be mapped: %s",
			   path, strerror(errno));
		goto err_close;
	}
	file->data = map;
	return 0;

err_close:
	flash_file_close(file);
	return err;
}

void flash_file_close(struct flash_file *file)
{
	if (file->data)
		munmap(file->data, file->len);
	if (file->fd >= 0)
		close(file->fd);
	*file = (struct flash_file)FLASH_FILE_NONE;
}
