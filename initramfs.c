/* SPDX-License-Identifier: GPL-2.0-only */
#include "lkvm/initramfs.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lkvm/failure.h"
#include "lkvm/image.h"

#define ALIGNMENT 4U

struct entry {
	const char *name;
	unsigned int mode;
	unsigned int major, minor;
	const void *bytes;
	size_t len;
};

int initramfs_open(struct initramfs *fs, struct failure *why)
{
	int fd = memfd_create("initramfs", MFD_CLOEXEC), err;

	*fs = (struct initramfs){ .file = fd < 0 ? NULL : fdopen(fd, "w") };
	if (fs->file)
		return 0;
	err = -errno;
	if (fd >= 0)
		close(fd);
	return fail(why, err, "initramfs: %s", strerror(-err));
}

static void put(struct initramfs *fs, const void *bytes, size_t len)
{
	if (len)
		fwrite(bytes, 1, len, fs->file);
	fs->len += len;
}

static void align(struct initramfs *fs)
{
	static const char zeros[ALIGNMENT];

	put(fs, zeros, (size_t)(-fs->len & (ALIGNMENT - 1)));
}

static void add(struct initramfs *fs, const struct entry *entry)
{
	const unsigned int fields[13] = {
		fs->entries++, /* inode: none is a hard link */
		entry->mode,
		0, /* uid */
		0, /* gid */
		1, /* links */
		0, /* mtime */
		(unsigned int)entry->len,
		0, /* device that the file is on */
		0,
		entry->major,
		entry->minor,
		(unsigned int)strlen(entry->name) + 1,
		0, /* checksum: none */
	};
	char header[6 + 13 * 8 + 1] = "070701";

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		snprintf(header + 6 + 8 * i, 9, "%08x", fields[i]);
	put(fs, header, sizeof(header) - 1);
	put(fs, entry->name, strlen(entry->name) + 1);
	align(fs);
	put(fs, entry->bytes, entry->len);
	align(fs);
}

void initramfs_add_folder(struct initramfs *fs, const char *name)
{
	add(fs, &(struct entry){ .name = name, .mode = S_IFDIR | 0755 });
}

void initramfs_add_device(struct initramfs *fs, const char *name,
			  unsigned int major, unsigned int minor)
{
	add(fs, &(struct entry){ .name = name,
				 .mode = S_IFCHR | 0600,
				 .major = major,
				 .minor = minor });
}

void initramfs_add_file(struct initramfs *fs, const char *name,
			unsigned int mode, const void *bytes, size_t len)
{
	add(fs, &(struct entry){ .name = name,
				 .mode = S_IFREG | mode,
				 .bytes = bytes,
				 .len = len });
}

int initramfs_finish(struct initramfs *fs, struct image *out,
		     struct failure *why)
{
	int fd = -1, err = 0;

	add(fs, &(struct entry){ .name = "TRAILER!!!" });
	if (fflush(fs->file) || ferror(fs->file))
		err = -EIO;
	if (!err)
		fd = dup(fileno(fs->file));
	if (!err && fd < 0)
		err = -errno;
	*out = (struct image){ .fd = fd, .len = fs->len, .path = "initramfs" };
	initramfs_close(fs);
	return err ? fail(why, err, "initramfs: %s", strerror(-err)) : 0;
}

void initramfs_close(struct initramfs *fs)
{
	if (fs->file)
		fclose(fs->file);
	fs->file = NULL;
}
