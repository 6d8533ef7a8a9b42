/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What keeps a device of the host from being passed through: found before there
 * is a VM, and said with what to do about it.
 */
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "lkvm/failure.h"
#include "vfio_priv.h"

#define CLASS_BRIDGE 0x06
/* Page tables of the IOMMU, and BARs of peers. */
#define MEMLOCK_SLACK (64 * MIB)

/* vfio-pci, or a driver of one vendor's that does the same. */
static bool is_vfio_driver(const char *driver)
{
	return strstr(driver, "vfio");
}

static bool is_bridge(const struct vfio_host_device *host)
{
	return host->class_code >> 16 == CLASS_BRIDGE;
}

/* As the kernel sees it when it calls a group viable. */
bool vfio_is_in_the_way(const struct vfio_host_device *host)
{
	return host->driver[0] && !is_vfio_driver(host->driver) &&
	       strcmp(host->driver, "pci-stub") != 0 && !is_bridge(host);
}

static int check_iommu(const struct vfio_host_device *host, struct failure *why)
{
	bool has_iommu = vfio_sysfs_has_iommu();

	if (host->group >= 0)
		return 0;
	/*
	 * Where the host is described by a device tree, the group is made when
	 * the first driver is bound: that there is none is the first thing to
	 * say.
	 */
	if (has_iommu && !host->driver[0])
		return 0;
	if (!has_iommu)
		return fail_host(why, -ENODEV,
				 "%s: this host uses no IOMMU (no groups in "
				 "/sys/kernel/iommu_groups): switch it on in "
				 "the firmware (VT-d, AMD-Vi, SMMU) and, with "
				 "Intel, boot the host with intel_iommu=on",
				 host->name);
	return fail_host(why, -ENODEV,
			 "%s: this device is not behind the host's IOMMU, so "
			 "its DMA could reach all of the host",
			 host->name);
}

void vfio_bind_commands(const struct vfio_host_device *host, char *out,
			size_t len)
{
	char unbind[80] = "";

	if (host->driver[0])
		snprintf(unbind, sizeof(unbind), "echo %s >$d/driver/unbind; ",
			 host->name);
	snprintf(out, len,
		 "%sd=/sys/bus/pci/devices/%s; "
		 "echo vfio-pci >$d/driver_override; %s"
		 "echo %s >/sys/bus/pci/drivers_probe",
		 vfio_sysfs_has_driver("vfio-pci") ? "" : "modprobe vfio-pci; ",
		 host->name, unbind, host->name);
}

static int check_driver(const struct vfio_host_device *host,
			struct failure *why)
{
	char commands[256];

	if (is_vfio_driver(host->driver))
		return 0;
	if (is_bridge(host))
		return fail(why, -EINVAL,
			    "%s: a bridge cannot be passed through",
			    host->name);
	vfio_bind_commands(host, commands, sizeof(commands));
	return fail(why, -EBUSY,
		    "%s: its driver is %s, not vfio-pci; as root: %s",
		    host->name, host->driver[0] ? host->driver : "(none)",
		    commands);
}

static int check_group(const struct vfio_host_device *host, struct failure *why)
{
	struct vfio_host_device others[VFIO_GROUP_MAX_DEVICES];
	unsigned int nr =
		vfio_sysfs_group(host->group, others, VFIO_GROUP_MAX_DEVICES);
	char list[256] = "";
	size_t used = 0;

	for (unsigned int i = 0; i < nr; i++) {
		if (!strcmp(others[i].name, host->name) ||
		    !vfio_is_in_the_way(&others[i]) || used >= sizeof(list))
			continue;
		used += (size_t)snprintf(list + used, sizeof(list) - used,
					 "%s%s (driver %s)", used ? ", " : "",
					 others[i].name, others[i].driver);
	}
	if (!used)
		return 0;
	return fail(
		why, -EBUSY,
		"%s: its IOMMU group %d holds devices that the host uses: "
		"%s; bind them to vfio-pci too, or unbind them (\"lkvm vfio "
		"check %s\" prints the commands)",
		host->name, host->group, list, host->name);
}

static int check_node(const struct vfio_host_device *host, const char *node,
		      const char *modules, struct failure *why)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", vfio_sys_root(), node);
	if (!access(path, R_OK | W_OK))
		return 0;
	if (errno == ENOENT)
		return fail_host(why, -ENOENT,
				 "%s: there is no %s: as root, modprobe %s",
				 host->name, node, modules);
	return fail_host(why, -errno,
			 "%s: %s: %s; as root: chown %u %s, or a udev rule "
			 "that does it",
			 host->name, node, strerror(errno),
			 (unsigned int)getuid(), node);
}

static int check_nodes(const struct vfio_host_device *host, bool with_iommufd,
		       struct failure *why)
{
	char node[64];
	int err;

	if (with_iommufd) {
		snprintf(node, sizeof(node), "/dev/vfio/devices/%s",
			 host->cdev);
		err = check_node(host, "/dev/iommu", "iommufd", why);
	} else {
		snprintf(node, sizeof(node), "/dev/vfio/%d", host->group);
		err = check_node(host, "/dev/vfio/vfio",
				 "vfio-pci vfio_iommu_type1", why);
	}
	return err ? err : check_node(host, node, "vfio-pci", why);
}

/* CAP_IPC_LOCK: the limit does not hold. */
static bool may_lock_all(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	return !syscall(SYS_capget, &header, data) &&
	       (data[0].effective & BIT(CAP_IPC_LOCK));
}

static int check_memlock(const struct vfio_host_device *host, u64 ram_len,
			 struct failure *why)
{
	u64 need = ram_len + MEMLOCK_SLACK;
	struct rlimit limit;

	if (!ram_len || may_lock_all() ||
	    getrlimit(RLIMIT_MEMLOCK, &limit) < 0 ||
	    limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= need)
		return 0;
	return fail(why, -ENOMEM,
		    "%s: passing it through locks all RAM of the guest, about "
		    "%llu MiB, and the limit is %llu MiB: ulimit -l %llu, "
		    "LimitMEMLOCK=%lluM in a systemd unit, or memlock in "
		    "/etc/security/limits.conf",
		    host->name, (unsigned long long)(need / MIB),
		    (unsigned long long)(limit.rlim_cur / MIB),
		    (unsigned long long)(need / KIB),
		    (unsigned long long)(need / MIB));
}

int vfio_check(const struct vfio_host_device *host, u64 ram_len,
	       bool with_iommufd, struct failure *why)
{
	int err = check_iommu(host, why);

	if (!err)
		err = check_driver(host, why);
	if (!err)
		err = check_group(host, why);
	if (!err)
		err = check_nodes(host, with_iommufd, why);
	return err ? err : check_memlock(host, ram_len, why);
}
