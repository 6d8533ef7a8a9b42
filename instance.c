/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names and sockets of running VMs.
 *
 * A name is taken while the folder is locked (flock), so that two that want the
 * same one do not both find its socket stale. Whether a socket is stale is
 * asked by connecting: the kernel refuses when nobody listens, however the
 * process that did came to its end.
 */
#include "lkvm/instance.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "lkvm/failure.h"

#define SUFFIX ".sock"
#define FILE_NAME_LEN (INSTANCE_NAME_MAX + sizeof(SUFFIX))
#define PATH_LEN 4096
#define BACKLOG 64
/* So often, with 10 ms in between, a socket whose queue is full is asked. */
#define BUSY_TRIES 100

bool instance_name_is_valid(const char *name)
{
	if (!*name || *name == '.' || strlen(name) > INSTANCE_NAME_MAX)
		return false;
	for (; *name; name++)
		if (*name == '/' || (unsigned char)*name < ' ' || *name == 0x7f)
			return false;
	return true;
}

/* ---- Folders ---- */

/* Where a folder of ours may be: @parent must exist. False: there are no more. */
static bool folder_place(unsigned int index, const char **parent,
			 const char **child)
{
	static const char *const children[] = { "lkvm", ".lkvm", "lkvm" };

	switch (index) {
	case 0:
		*parent = getenv("XDG_RUNTIME_DIR");
		break;
	case 1:
		*parent = getenv("HOME");
		break;
	case 2:
		*parent = "/run";
		break;
	default:
		return false;
	}
	*child = children[index];
	if (*parent && **parent != '/')
		*parent =
			NULL; /* empty, or it means something else each time */
	return true;
}

/*
 * Ours, and nobody else's to enter. Another user's (under sudo, HOME may be
 * that of who called it) is left alone.
 */
static int make_private(int dir_fd)
{
	struct stat st;

	if (fstat(dir_fd, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid())
		return -EPERM;
	if ((st.st_mode & 077) && fchmod(dir_fd, 0700) < 0)
		return -errno;
	return 0;
}

/* The folder's descriptor or -errno. Made, if @create, where it is missing. */
static int open_folder(const char *parent, const char *child, bool create)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	int parent_fd, fd, err;
	struct stat st;

	if (!parent)
		return -ENOENT;
	parent_fd = open(parent, flags);
	if (parent_fd < 0)
		return -errno;
	if (create && !fstat(parent_fd, &st) && st.st_uid == geteuid() &&
	    mkdirat(parent_fd, child, 0700) < 0 && errno != EEXIST) {
		err = -errno;
		close(parent_fd);
		return err;
	}
	fd = openat(parent_fd, child, flags);
	err = fd < 0 ? -errno : make_private(fd);
	close(parent_fd);
	if (err && fd >= 0)
		close(fd);
	return err ? err : fd;
}

/* The first folder that can be written to. */
static int open_own_folder(struct failure *why)
{
	const char *parent, *child;
	char tried[256] = "";
	size_t used = 0;

	for (unsigned int i = 0; folder_place(i, &parent, &child); i++) {
		int fd;

		if (!parent)
			continue;
		fd = open_folder(parent, child, true);
		if (fd >= 0 && !faccessat(fd, ".", W_OK, AT_EACCESS))
			return fd;
		if (used < sizeof(tried))
			used += (size_t)snprintf(
				tried + used, sizeof(tried) - used,
				"%s%s/%s: %s", used ? "; " : "", parent, child,
				strerror(fd < 0 ? -fd : errno));
		if (fd >= 0)
			close(fd);
	}
	return fail(why, -ENOENT,
		    "no folder for control sockets: set XDG_RUNTIME_DIR or "
		    "HOME to a folder of yours (%s)",
		    tried);
}

/* ---- Sockets ---- */

static void file_name(const char *name, char file[FILE_NAME_LEN])
{
	snprintf(file, FILE_NAME_LEN, "%s" SUFFIX, name);
}

/*
 * The address of @file in a folder whose path may be longer than an address has
 * room for: its descriptor's is not.
 */
static void make_address(int dir_fd, const char *file, struct sockaddr_un *addr)
{
	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(addr->sun_path, sizeof(addr->sun_path), "/proc/self/fd/%d/%s",
		 dir_fd, file);
}

static int new_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

/* A connection; -ECONNREFUSED: nobody listens; -EAGAIN: too many ask. */
static int connect_once(int dir_fd, const char *file)
{
	struct sockaddr_un addr;
	int fd, err;

	make_address(dir_fd, file, &addr);
	fd = new_socket();
	if (fd < 0)
		return fd;
	if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static int connect_file(int dir_fd, const char *file)
{
	int fd = connect_once(dir_fd, file);

	for (int i = 0; fd == -EAGAIN && i < BUSY_TRIES; i++) {
		poll(NULL, 0, 10);
		fd = connect_once(dir_fd, file);
	}
	return fd;
}

static bool is_socket(int dir_fd, const char *file)
{
	struct stat st;

	return !fstatat(dir_fd, file, &st, AT_SYMLINK_NOFOLLOW) &&
	       S_ISSOCK(st.st_mode);
}

/* The folder is locked: whoever listens will have done so. */
static int remove_stale_locked(int dir_fd, const char *file)
{
	int fd = connect_once(dir_fd, file);

	if (fd >= 0) {
		close(fd);
		return -EEXIST;
	}
	if (fd == -EAGAIN)
		return -EEXIST;
	if (fd == -ENOENT)
		return 0;
	if (fd != -ECONNREFUSED)
		return fd;
	if (!is_socket(dir_fd, file))
		return -ENOTSOCK;
	return unlinkat(dir_fd, file, 0) < 0 && errno != ENOENT ? -errno : 0;
}

/* A file system without locks is no reason to give up: races are rare. */
static void remove_stale(int dir_fd, const char *file)
{
	(void)flock(dir_fd, LOCK_EX);
	(void)remove_stale_locked(dir_fd, file);
	(void)flock(dir_fd, LOCK_UN);
}

static int listen_locked(struct instance *inst, const char *file)
{
	struct sockaddr_un addr;
	int fd, err;

	make_address(inst->dir_fd, file, &addr);
	fd = new_socket();
	if (fd < 0)
		return fd;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		err = -errno;
		goto err_close;
	}
	/* The folder keeps others out while it has not these bits yet. */
	if (fchmodat(inst->dir_fd, file, 0600, 0) < 0 ||
	    listen(fd, BACKLOG) < 0) {
		err = -errno;
		goto err_unlink;
	}
	inst->listen_fd = fd;
	return 0;

err_unlink:
	unlinkat(inst->dir_fd, file, 0);
err_close:
	close(fd);
	return err;
}

/* ---- Names ---- */

static int fail_taken(const char *name, struct failure *why)
{
	return fail(why, -EEXIST,
		    "a VM with the name %s is running: stop it (lkvm stop -n "
		    "%s) or choose another --name",
		    name, name);
}

int instance_claim(struct instance *inst, const char *name, struct failure *why)
{
	char file[FILE_NAME_LEN];
	int fd, err;

	*inst = (struct instance)INSTANCE_NONE;
	snprintf(inst->name, sizeof(inst->name), "%s", name);
	/* It may run under another folder, from another environment. */
	fd = instance_connect(name);
	if (fd >= 0) {
		close(fd);
		return fail_taken(name, why);
	}
	inst->dir_fd = open_own_folder(why);
	if (inst->dir_fd < 0)
		return inst->dir_fd;
	file_name(name, file);
	(void)flock(inst->dir_fd, LOCK_EX);
	err = remove_stale_locked(inst->dir_fd, file);
	if (!err)
		err = listen_locked(inst, file);
	(void)flock(inst->dir_fd, LOCK_UN);
	if (!err)
		return 0;
	close(inst->dir_fd);
	inst->dir_fd = -1;
	if (err == -EEXIST)
		return fail_taken(name, why);
	return fail(why, err, "--name %s: control socket %s: %s", name, file,
		    strerror(-err));
}

void instance_release(struct instance *inst)
{
	char file[FILE_NAME_LEN];

	if (inst->listen_fd < 0)
		return;
	file_name(inst->name, file);
	unlinkat(inst->dir_fd, file, 0);
	close(inst->listen_fd);
	close(inst->dir_fd);
	inst->listen_fd = -1;
	inst->dir_fd = -1;
}

int instance_connect(const char *name)
{
	const char *parent, *child;
	char file[FILE_NAME_LEN];
	int result = -ENOENT;

	file_name(name, file);
	for (unsigned int i = 0; result < 0 && folder_place(i, &parent, &child);
	     i++) {
		int dir_fd = open_folder(parent, child, false);

		if (dir_fd < 0)
			continue;
		result = connect_file(dir_fd, file);
		if (result == -ECONNREFUSED)
			remove_stale(dir_fd, file);
		close(dir_fd);
	}
	return result < 0 ? -ENOENT : result;
}

/* "NAME.sock" to NAME. */
static bool instance_of_file(const char *file, char name[INSTANCE_NAME_MAX + 1])
{
	size_t len = strlen(file), suffix = strlen(SUFFIX);

	if (len <= suffix || len - suffix > INSTANCE_NAME_MAX ||
	    strcmp(file + len - suffix, SUFFIX) != 0)
		return false;
	memcpy(name, file, len - suffix);
	name[len - suffix] = '\0';
	return instance_name_is_valid(name);
}

static int is_instance_file(const struct dirent *entry)
{
	char name[INSTANCE_NAME_MAX + 1];

	return instance_of_file(entry->d_name, name);
}

static int visit_file(int dir_fd, const char *file,
		      int (*each)(void *opaque, const char *name, int fd),
		      void *opaque)
{
	char name[INSTANCE_NAME_MAX + 1];
	int fd = connect_file(dir_fd, file);

	if (fd == -ECONNREFUSED)
		remove_stale(dir_fd, file);
	if (fd < 0)
		return 0;
	instance_of_file(file, name);
	return each(opaque, name, fd);
}

int instance_for_each(int (*each)(void *opaque, const char *name, int fd),
		      void *opaque)
{
	const char *parent, *child;
	int err = 0;

	for (unsigned int i = 0; folder_place(i, &parent, &child); i++) {
		int dir_fd = open_folder(parent, child, false);
		struct dirent **files;
		int nr;

		if (dir_fd < 0)
			continue;
		nr = scandirat(dir_fd, ".", &files, is_instance_file,
			       alphasort);
		for (int n = 0; n < nr; n++) {
			if (!err)
				err = visit_file(dir_fd, files[n]->d_name, each,
						 opaque);
			free(files[n]);
		}
		if (nr >= 0)
			free(files);
		close(dir_fd);
	}
	return err;
}
