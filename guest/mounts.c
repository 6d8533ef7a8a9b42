/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * File systems: the root, which is a view of the host with a layer of memory on
 * top, or a shared folder; and what programs expect in it.
 */
#include "guest/guest.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ROOT "/root"
#define SHARE_OPTIONS "trans=virtio,version=9p2000.L,msize=512000"

static int try_mount(const char *type, const char *source, const char *target,
		     unsigned long flags, const char *options)
{
	(void)mkdir(target, 0755);
	return mount(source, target, type, flags, options) ? -errno : 0;
}

void mount_kernel_views(void)
{
	try_mount("devtmpfs", "dev", "/dev", MS_NOSUID, NULL);
	try_mount("proc", "proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  NULL);
	try_mount("sysfs", "sys", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  NULL);
}

static void must_mount(const char *type, const char *source, const char *target,
		       unsigned long flags, const char *options)
{
	int err = try_mount(type, source, target, flags, options);

	if (err == -ENODEV)
		die("this kernel has no %s file system, and neither have the "
		    "modules that it was given",
		    type);
	if (err)
		die("cannot mount %s (%s): %s", source, type, strerror(-err));
}

/*
 * Folders that are the guest's own: an opaque one hides the host's, of which
 * /proc cannot be entered at all.
 */
static void hide_folders(void)
{
	static const char *const folders[] = { "/upper/files/dev",
					       "/upper/files/proc",
					       "/upper/files/run",
					       "/upper/files/sys" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (mkdir(folders[i], 0755) ||
		    setxattr(folders[i], "trusted.overlay.opaque", "y", 1, 0))
			die("%s: %s", folders[i], strerror(errno));
}

/* The host's files below, memory above. */
static void mount_sandbox(void)
{
	must_mount("9p", "hostfs", "/lower", MS_RDONLY,
		   SHARE_OPTIONS ",cache=loose");
	must_mount("tmpfs", "upper", "/upper", 0, "mode=755,size=75%");
	if (mkdir("/upper/files", 0755) || mkdir("/upper/work", 0755))
		die("mkdir: %s", strerror(errno));
	hide_folders();
	must_mount("overlay", "overlay", ROOT, 0,
		   "lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work");
}

static void mount_own(void)
{
	must_mount("9p", "/dev/root", ROOT, 0, SHARE_OPTIONS ",cache=mmap");
	must_mount("9p", "hostfs", ROOT "/host", MS_RDONLY,
		   SHARE_OPTIONS ",cache=loose");
}

void mount_root(const struct settings *settings)
{
	if (!strcmp(settings->root, "sandbox"))
		mount_sandbox();
	else
		mount_own();
}

static void mount_in_root(const char *from, const char *to)
{
	(void)mkdir(to, 0755);
	if (mount(from, to, NULL, MS_MOVE, NULL))
		die("cannot mount %s in the root file system: %s", from,
		    strerror(errno));
}

/* What a program may look for, where the kernel has it. */
static void mount_extras(void)
{
	static const struct {
		const char *type, *target, *options;
		unsigned long flags;
	} extras[] = {
		{ "devpts", "/dev/pts", "gid=5,mode=620,ptmxmode=666",
		  MS_NOSUID | MS_NOEXEC },
		{ "tmpfs", "/dev/shm", "mode=1777", MS_NOSUID | MS_NODEV },
		/* Sockets of the host's services, which are not here. */
		{ "tmpfs", "/run", "mode=755", MS_NOSUID | MS_NODEV },
		{ "cgroup2", "/sys/fs/cgroup", NULL,
		  MS_NOSUID | MS_NODEV | MS_NOEXEC },
		{ "debugfs", "/sys/kernel/debug", NULL, MS_NOSUID },
		{ "tracefs", "/sys/kernel/tracing", NULL, MS_NOSUID },
		{ "bpf", "/sys/fs/bpf", "mode=700", MS_NOSUID },
	};

	for (size_t i = 0; i < sizeof(extras) / sizeof(extras[0]); i++)
		try_mount(extras[i].type, extras[i].type, extras[i].target,
			  extras[i].flags, extras[i].options);
}

static void make_links(void)
{
	(void)symlink("/proc/self/fd", "/dev/fd");
	(void)symlink("fd/0", "/dev/stdin");
	(void)symlink("fd/1", "/dev/stdout");
	(void)symlink("fd/2", "/dev/stderr");
}

void enter_root(const struct settings *settings)
{
	mount_in_root("/dev", ROOT "/dev");
	mount_in_root("/proc", ROOT "/proc");
	mount_in_root("/sys", ROOT "/sys");
	if (chdir(ROOT) || mount(".", "/", NULL, MS_MOVE, NULL) ||
	    chroot(".") || chdir("/"))
		die("cannot enter the root file system: %s", strerror(errno));
	mount_extras();
	make_links();
	if (settings->name &&
	    sethostname(settings->name, strlen(settings->name)))
		note("hostname: %s", strerror(errno));
}

void unmount_root(void)
{
	sync();
	(void)mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL);
}
