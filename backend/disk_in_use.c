/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is an image in use by this host's own file systems? What the host refuses by
 * itself is not asked here: a writer's O_EXCL on a block device says so for all
 * kinds of use. This is for what it lets pass, and for a better message:
 *   - a block device that is mounted (/proc/self/mountinfo);
 *   - a file that a loop device serves (/sys/block/loopN/loop/backing_file).
 * A hint for users, no protection: it may be mounted a moment later.
 */
#include "backend/disk_priv.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "lkvm/config.h"
#include "lkvm/failure.h"

/*
 * Fields of a line (proc_pid_mountinfo(5)): ID, parent, MAJOR:MINOR, root,
 * mount point, options, ... Read-only mounts harm no reader.
 */
static bool is_mount_of(char *line, const struct stat *st, bool reader,
			const char **where)
{
	char *fields[6], *save = NULL, device[32];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		fields[i] = strtok_r(i ? NULL : line, " \n", &save);
		if (!fields[i])
			return false;
	}
	snprintf(device, sizeof(device), "%u:%u", major(st->st_rdev),
		 minor(st->st_rdev));
	if (strcmp(fields[2], device) ||
	    (reader && !strncmp(fields[5], "ro", 2)))
		return false;
	*where = fields[4];
	return true;
}

static int refuse_mounted(const struct disk_config *config,
			  const struct stat *st, struct failure *why)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	const char *where = NULL;
	char *line = NULL;
	size_t size = 0;
	int err = 0;

	if (!mounts)
		return 0;
	while (!where && getline(&line, &size, mounts) > 0)
		is_mount_of(line, st, config->read_only, &where);
	if (where)
		err = fail(why, -EBUSY,
			   "disk %s: is mounted at %s; two writers would ruin "
			   "what is on it: unmount it first",
			   config->path, where);
	free(line);
	fclose(mounts);
	return err;
}

/* The file behind loop device @name: is it the one of @st? */
static bool serves_file(const char *name, const struct stat *st)
{
	char path[64], target[4096];
	struct stat served;
	FILE *file;
	bool same = false;

	snprintf(path, sizeof(path), "/sys/block/%.16s/loop/backing_file",
		 name);
	file = fopen(path, "re");
	if (!file)
		return false; /* not attached */
	if (fgets(target, sizeof(target), file)) {
		target[strcspn(target, "\n")] = '\0';
		same = !stat(target, &served) && served.st_dev == st->st_dev &&
		       served.st_ino == st->st_ino;
	}
	fclose(file);
	return same;
}

static int refuse_looped(const struct disk_config *config,
			 const struct stat *st, struct failure *why)
{
	DIR *blocks = opendir("/sys/block");
	const struct dirent *entry;
	int err = 0;

	if (!blocks)
		return 0;
	while (!err && (entry = readdir(blocks)))
		if (!strncmp(entry->d_name, "loop", 4) &&
		    serves_file(entry->d_name, st))
			err = fail(
				why, -EBUSY,
				"disk %s: /dev/%s of this host stands on it: "
				"detach that first (losetup -d)",
				config->path, entry->d_name);
	closedir(blocks);
	return err;
}

int disk_refuse_in_use(const struct disk_config *config, const struct stat *st,
		       struct failure *why)
{
	if (S_ISBLK(st->st_mode))
		return refuse_mounted(config, st, why);
	if (config->read_only)
		return 0;
	return refuse_looped(config, st, why);
}
