/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Opening and closing a shared directory, and what a thread does before it
 * serves one.
 */
#include "backend/share_priv.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "lkvm/config.h"
#include "lkvm/failure.h"

/*
 * Each file that a guest knows takes a descriptor here, and guests know as many as
 * they have cached. What lkvm itself needs is far below the rest.
 */
#define SHARE_FILES_WANTED (256 * 1024U)
#define FILES_FOR_OTHERS 512U

static unsigned int raise_file_limit(void)
{
	struct rlimit limit, more;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return FILES_FOR_OTHERS;
	more = limit;
	if (more.rlim_max < SHARE_FILES_WANTED)
		more.rlim_max = SHARE_FILES_WANTED;
	more.rlim_cur = SHARE_FILES_WANTED;
	if (limit.rlim_cur >= SHARE_FILES_WANTED)
		return SHARE_FILES_WANTED;
	/* Beyond its maximum only with CAP_SYS_RESOURCE. */
	if (!setrlimit(RLIMIT_NOFILE, &more))
		return SHARE_FILES_WANTED;
	more = limit;
	more.rlim_cur = limit.rlim_max;
	if (!setrlimit(RLIMIT_NOFILE, &more))
		return (unsigned int)more.rlim_cur;
	return (unsigned int)limit.rlim_cur;
}

static unsigned int files_for_shares(void)
{
	unsigned int files = raise_file_limit();

	return files > 2 * FILES_FOR_OTHERS ? files - FILES_FOR_OTHERS
					    : files / 2;
}

/* Since Linux 5.6; some containers answer EPERM. */
static bool host_has_openat2(int fd)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH,
	};
	int found = (int)syscall(SYS_openat2, fd, ".", &how, sizeof(how));

	if (found < 0)
		return false;
	close(found);
	return true;
}

/* Without it new files stay the user's own, so nobody need try. */
static bool host_can_chown(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, caps) < 0)
		return false;
	return caps[0].effective & BIT(CAP_CHOWN);
}

static bool is_root_of_host(int fd)
{
	struct stat own, root;

	return !fstat(fd, &own) && !stat("/", &root) &&
	       own.st_dev == root.st_dev && own.st_ino == root.st_ino;
}

/* Files are opened again, and attributes changed, through /proc/self/fd. */
static bool host_has_proc(int fd)
{
	int again =
		open(share_fd_path(fd).text, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (again < 0)
		return false;
	close(again);
	return true;
}

static int check_root(const struct share_config *config, struct failure *why,
		      int fd)
{
	if (is_root_of_host(fd) && !config->read_only)
		return fail(why, -EPERM,
			    "%s: the host's own root directory is shared only "
			    "read-only: add ,ro",
			    config->path);
	if (!host_has_proc(fd))
		return fail_host(why, -ENOENT,
				 "%s: sharing needs /proc/self/fd: mount /proc",
				 config->path);
	if (faccessat(fd, ".", R_OK | X_OK, 0))
		return fail(why, -errno, "%s: cannot be shared: %s",
			    config->path, strerror(errno));
	return 0;
}

static int create_share(struct share *share, const struct share_config *config,
			struct failure *why, int fd)
{
	struct stat st;
	int err = share_node_create(fd, &share->root, &st);

	if (err)
		return fail(why, err, "%s: %s", config->path, strerror(-err));
	share->has_openat2 = host_has_openat2(fd);
	share->can_chown = host_can_chown();
	share->max_files = files_for_shares();
	share->read_only = config->read_only;
	share->mapped = config->mapped;
	err = share->mapped ? share_mapped_probe(share->root) : 0;
	if (err)
		return fail(why, err,
			    "%s: security=mapped needs a file system with "
			    "extended attributes of users: %s",
			    config->path, strerror(-err));
	return 0;
}

int share_open(const struct share_config *config, struct failure *why,
	       struct share **out)
{
	struct share *share;
	int fd, err;

	*out = NULL;
	fd = open(config->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail(why, -errno, "cannot share the directory %s: %s",
			    config->path, strerror(errno));
	err = check_root(config, why, fd);
	share = err ? NULL : calloc(1, sizeof(*share));
	if (!share) {
		close(fd);
		return err ? err : fail(why, -ENOMEM, "out of memory");
	}
	pthread_mutex_init(&share->lock, NULL);
	err = create_share(share, config, why, fd);
	if (err)
		share_close(share);
	else
		*out = share;
	return err;
}

void share_close(struct share *share)
{
	if (!share)
		return;
	share_forget_ids(share);
	share_node_put(share->root);
	pthread_mutex_destroy(&share->lock);
	free(share);
}

unsigned int share_max_files(const struct share *share)
{
	return share->max_files;
}

bool share_is_mapped(const struct share *share)
{
	return share->mapped;
}

/* ---- Threads ---- */

/* ABI 2: before, files could not be renamed across directories. */
#define LANDLOCK_ABI_WANTED 2

#define LANDLOCK_RIGHTS                                                        \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |          \
	 LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |          \
	 LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |      \
	 LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |          \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |          \
	 LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |        \
	 LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER)

#define LANDLOCK_RIGHTS_READ                                                   \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

/* A second wall: what is outside of the share cannot be opened or changed. */
static void restrict_to(const struct share *share)
{
	const struct landlock_ruleset_attr handled = {
		.handled_access_fs = LANDLOCK_RIGHTS,
	};
	const struct landlock_path_beneath_attr beneath = {
		.allowed_access = share->read_only ? LANDLOCK_RIGHTS_READ
						   : LANDLOCK_RIGHTS,
		.parent_fd = share->root->fd,
	};
	int rules;

	if (syscall(SYS_landlock_create_ruleset, NULL, 0,
		    LANDLOCK_CREATE_RULESET_VERSION) < LANDLOCK_ABI_WANTED)
		return;
	rules = (int)syscall(SYS_landlock_create_ruleset, &handled,
			     sizeof(handled), 0);
	if (rules < 0)
		return;
	if (!syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
		     &beneath, 0) &&
	    !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		syscall(SYS_landlock_restrict_self, rules, 0);
	close(rules);
}

void share_enter(struct share *share)
{
	/* The guest has taken its own umask into account. */
	if (!unshare(CLONE_FS))
		umask(0);
	restrict_to(share);
}
