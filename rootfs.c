/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The skeleton is made under another name and then renamed, so that nobody finds
 * half of one.
 */
#include "lkvm/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lkvm/failure.h"
#include "lkvm/instance.h"

static const struct {
	const char *name;
	unsigned int mode;
} folders[] = {
	{ "dev", 0755 },  { "etc", 0755 },	 { "home", 0755 },
	{ "host", 0755 }, { "mnt", 0755 },	 { "proc", 0755 },
	{ "root", 0700 }, { "run", 0755 },	 { "sys", 0755 },
	{ "tmp", 01777 }, { "var", 0755 },	 { "var/lib", 0755 },
	{ "virt", 0755 }, { "virt/home", 0755 },
};

/* Programs and what they need to start are the host's. */
static const char *const links[] = {
	"bin",
	"lib",
	"lib32",
	"lib64",
	"sbin",
	"usr",
	"etc/alternatives",
	"etc/ld.so.cache",
	"etc/ld.so.conf",
	"etc/ld.so.conf.d",
};

static const struct {
	const char *name, *text;
} files[] = {
	{ "etc/passwd", "root:x:0:0:root:/root:/bin/sh\n" },
	{ "etc/group", "root:x:0:\ntty:x:5:\n" },
	{ "etc/hosts", "127.0.0.1 localhost\n::1 localhost\n" },
};

int rootfs_path(const char *name, char **path, struct failure *why)
{
	const char *home = getenv("HOME");
	const char *suffix = strrchr(name, '.');

	if (!instance_name_is_valid(name) ||
	    (suffix && !strcmp(suffix, ".sock")))
		return fail(why, -EINVAL,
			    "%s is no name for a root file system: 1 to %d "
			    "characters, no slash, the first one no dot",
			    name, INSTANCE_NAME_MAX);
	if (!home || *home != '/')
		return fail(why, -ENOENT,
			    "root file systems are in $HOME/.lkvm: set HOME");
	if (asprintf(path, "%s/.lkvm/%s", home, name) < 0)
		return fail(why, -ENOMEM, "out of memory");
	return 0;
}

/* ---- Making one ---- */

static int write_file(int dir, const char *name, const char *text)
{
	size_t len = strlen(text);
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			0644);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	close(fd);
	return n == (ssize_t)len ? 0 : -EIO;
}

static int fill(int dir)
{
	char target[64];

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (mkdirat(dir, folders[i].name, 0755) ||
		    fchmodat(dir, folders[i].name, folders[i].mode, 0))
			return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		snprintf(target, sizeof(target), "/host/%s", links[i]);
		if (symlinkat(target, dir, links[i]))
			return -errno;
	}
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		int err = write_file(dir, files[i].name, files[i].text);

		if (err)
			return err;
	}
	return 0;
}

static void remove_all(const char *path, int dir)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		unlinkat(dir, files[i].name, 0);
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		unlinkat(dir, links[i], 0);
	for (size_t i = ARRAY_SIZE(folders); i--;)
		unlinkat(dir, folders[i].name, AT_REMOVEDIR);
	rmdir(path);
}

/* $HOME/.lkvm may not be there: it is private. */
static int make_parent(const char *path)
{
	char *parent = strdup(path);
	int err = 0;

	if (!parent)
		return -ENOMEM;
	*strrchr(parent, '/') = '\0';
	if (mkdir(parent, 0700) && errno != EEXIST)
		err = -errno;
	free(parent);
	return err;
}

static int create_as(char *temporary, const char *path)
{
	int dir = -1, err = 0;

	if (!mkdtemp(temporary))
		return -errno;
	dir = open(temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fchmod(dir, 0755))
		err = -errno;
	if (!err)
		err = fill(dir);
	if (!err && rename(temporary, path))
		err = errno == ENOTEMPTY ? -EEXIST : -errno;
	if (err)
		remove_all(temporary, dir);
	if (dir >= 0)
		close(dir);
	return err;
}

int rootfs_create(const char *path, struct failure *why)
{
	char *temporary = NULL;
	struct stat st;
	int err = make_parent(path);

	if (!err && !lstat(path, &st))
		err = -EEXIST;
	if (!err && asprintf(&temporary, "%s.XXXXXX", path) < 0)
		err = -ENOMEM;
	if (!err)
		err = create_as(temporary, path);
	free(temporary);
	if (err == -EEXIST)
		return fail(why, err, "%s exists already", path);
	return err ? fail(why, err, "cannot make %s: %s", path, strerror(-err))
		   : 0;
}

int rootfs_lock(const char *path, struct failure *why)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return fail(why, -errno, "%s: %s", path, strerror(errno));
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	close(fd);
	return fail(why, -EBUSY,
		    "%s is the root file system of another VM that runs: make "
		    "one with \"lkvm setup NAME\", for --disk NAME",
		    path);
}
