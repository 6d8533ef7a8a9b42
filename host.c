/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The checks of the host that come before anything else.
 */
#include "lkvm/host.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lkvm/arch.h"
#include "lkvm/failure.h"

/* Needed on every architecture. */
static const struct arch_required_cap common_caps[] = {
	{ KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY" },
	{ KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP" },
	{ KVM_CAP_IRQ_ROUTING, "KVM_CAP_IRQ_ROUTING" },
	{ KVM_CAP_IRQFD, "KVM_CAP_IRQFD" },
	{ KVM_CAP_IOEVENTFD, "KVM_CAP_IOEVENTFD" },
	{ KVM_CAP_SIGNAL_MSI, "KVM_CAP_SIGNAL_MSI" },
	{ KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT" },
	{ 0, NULL },
};

static int fail_open(const char *path, int err, struct failure *why)
{
	const struct group *group = NULL;
	struct stat st;

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
		if (!stat(path, &st))
			group = getgrgid(st.st_gid);
		return fail_host(
			why, -err,
			"no permission to open %s, which belongs to group "
			"%s: run 'sudo usermod -aG %s $USER' and log in "
			"again",
			path, group ? group->gr_name : "kvm",
			group ? group->gr_name : "kvm");
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

static int check_caps(int fd, const struct arch_required_cap *caps,
		      struct failure *why)
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
