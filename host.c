/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The checks of the host that come before anything else.
 */
#include "lkvm/host.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lkvm/arch.h"
#include "lkvm/failure.h"

/* Needed on every architecture. */
static const struct arch_cap common_caps[] = {
	{ KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY" },
	{ KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP" },
	{ KVM_CAP_IRQ_ROUTING, "KVM_CAP_IRQ_ROUTING" },
	{ KVM_CAP_IRQFD, "KVM_CAP_IRQFD" },
	{ KVM_CAP_IOEVENTFD, "KVM_CAP_IOEVENTFD" },
	{ KVM_CAP_SIGNAL_MSI, "KVM_CAP_SIGNAL_MSI" },
	{ KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT" },
	{ 0, NULL },
};

/* From /etc/group alone: a static lkvm has no other name services. */
static bool group_name(gid_t gid, char *name, size_t len)
{
	const struct group *entry;
	bool found = false;
	FILE *file = fopen("/etc/group", "re");

	if (!file)
		return false;
	while (!found && (entry = fgetgrent(file))) {
		found = entry->gr_gid == gid;
		if (found)
			snprintf(name, len, "%s", entry->gr_name);
	}
	fclose(file);
	return found;
}

/* Joining a group helps where it may open the device; root's one never does. */
static int fail_permission(const char *path, int err, struct failure *why)
{
	char name[64];
	struct stat st;

	if (!stat(path, &st) && (st.st_mode & S_IWGRP) && st.st_gid &&
	    group_name(st.st_gid, name, sizeof(name)))
		return fail_host(
			why, -err,
			"no permission to open %s, which belongs to "
			"group %s: run 'sudo usermod -aG %s $USER' and "
			"log in again",
			path, name, name);
	return fail_host(why, -err,
			 "no permission to open %s: give it to group kvm with "
			 "'sudo chgrp kvm %s; sudo chmod 660 %s; sudo usermod "
			 "-aG kvm $USER' and "
			 "log in again",
			 path, path, path);
}

static int fail_open(const char *path, int err, struct failure *why)
{
	switch (err) {
	case ENOENT:
		return fail_host(
			why, -err,
			"%s does not exist: load KVM (modprobe kvm_intel "
			"or kvm_amd), turn on virtualization in the "
			"firmware, or pass the device into the container",
			path);
	case EACCES:
	case EPERM:
		return fail_permission(path, err, why);
	case ENODEV:
	case ENXIO:
		return fail_host(
			why, -err,
			"%s has no driver behind it: this CPU or its "
			"firmware settings do not allow virtualization",
			path);
	default:
		return fail_host(why, -err, "cannot open %s: %s", path,
				 strerror(err));
	}
}

static int check_caps(int fd, const struct arch_cap *caps, struct failure *why)
{
	for (; caps->name; caps++)
		if (ioctl(fd, KVM_CHECK_EXTENSION, caps->cap) <= 0)
			return fail_host(why, -ENOSYS,
					 "KVM on this host lacks %s: a newer "
					 "kernel is needed",
					 caps->name);
	return 0;
}

int host_open_kvm(const char *path, struct failure *why)
{
	int fd, version, err;

	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return fail_open(path, errno, why);
	version = ioctl(fd, KVM_GET_API_VERSION, 0);
	if (version < 0) {
		err = fail_host(why, -ENOTTY, "%s is not a KVM device", path);
		goto err_close;
	}
	if (version != KVM_API_VERSION) {
		err = fail_host(why, -ENOSYS,
				"%s speaks KVM API version %d, lkvm speaks %d",
				path, version, KVM_API_VERSION);
		goto err_close;
	}
	err = check_caps(fd, common_caps, why);
	if (!err)
		err = check_caps(fd, arch_required_caps, why);
	if (err)
		goto err_close;
	return fd;

err_close:
	close(fd);
	return err;
}

unsigned int host_max_vcpus(int kvm_fd)
{
	int max = ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);

	if (max <= 0)
		max = ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_NR_VCPUS);
	return max > 0 ? (unsigned int)max : 1;
}
