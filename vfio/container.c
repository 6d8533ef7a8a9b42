/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VFIO containers (type 1 v2) and groups: the kernel's Documentation/driver-api/
 * vfio.rst. A container is one address space for DMA; the groups of all devices
 * of a VM are in it.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lkvm/kvm.h"
#include "vfio_priv.h"

static int open_container(struct vfio_iommu *iommu)
{
	char path[128];

	if (iommu->fd >= 0)
		return 0;
	snprintf(path, sizeof(path), "%s/dev/vfio/vfio", vfio_sys_root());
	iommu->fd = vfio_sys_open(path);
	if (iommu->fd < 0)
		return vm_fail_host(iommu->vm, iommu->fd,
				    "/dev/vfio/vfio: %s; as root, modprobe "
				    "vfio-pci vfio_iommu_type1",
				    strerror(-iommu->fd));
	if (vfio_sys_ioctl(iommu->fd, VFIO_GET_API_VERSION, NULL) !=
		    VFIO_API_VERSION ||
	    vfio_sys_ioctl(iommu->fd, VFIO_CHECK_EXTENSION,
			   (void *)(uintptr_t)VFIO_TYPE1v2_IOMMU) <= 0)
		return vm_fail_host(iommu->vm, -ENOTSUP,
				    "the host's VFIO has no type 1 v2 IOMMU: "
				    "as root, modprobe vfio_iommu_type1");
	return 0;
}

static int open_group(struct vfio_iommu *iommu,
		      const struct vfio_host_device *host,
		      struct vfio_group *group)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[128];
	int err;

	snprintf(path, sizeof(path), "%s/dev/vfio/%d", vfio_sys_root(),
		 host->group);
	group->fd = vfio_sys_open(path);
	if (group->fd == -EBUSY)
		return vm_fail(iommu->vm, -EBUSY,
			       "%s: its IOMMU group %d is in use by another "
			       "VM or program: end that first (fuser -v "
			       "/dev/vfio/%d shows it)",
			       host->name, host->group, host->group);
	if (group->fd < 0)
		return vm_fail_host(iommu->vm, group->fd,
				    "%s: /dev/vfio/%d: %s", host->name,
				    host->group, strerror(-group->fd));
	err = vfio_sys_ioctl(group->fd, VFIO_GROUP_GET_STATUS, &status);
	if (err < 0 || !(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return vm_fail(iommu->vm, -EBUSY,
			       "%s: the host still uses a device of IOMMU "
			       "group %d; \"lkvm vfio check %s\" lists them",
			       host->name, host->group, host->name);
	return 0;
}

/* The kernel does not let the group's devices into the address space. */
static int refused(struct vfio_iommu *iommu,
		   const struct vfio_host_device *host, int err)
{
	if (err == -EPERM)
		return vm_fail_host(
			iommu->vm, err,
			"%s: this host does not remap interrupts, so a guest "
			"with the device could send any interrupt to it; if "
			"you trust the guest: as root, echo 1 >/sys/module/"
			"vfio_iommu_type1/parameters/allow_unsafe_interrupts",
			host->name);
	return vm_fail_host(
		iommu->vm, err,
		"%s: the host cannot give IOMMU group %d an address "
		"space of the VM's: %s",
		host->name, host->group, strerror(-err));
}

static int join(struct vfio_iommu *iommu, const struct vfio_host_device *host,
		const struct vfio_group *group)
{
	int err =
		vfio_sys_ioctl(group->fd, VFIO_GROUP_SET_CONTAINER, &iommu->fd);

	/* Its kind can be chosen when the first group is in it. */
	if (err >= 0 && !iommu->is_set)
		err = vfio_sys_ioctl(iommu->fd, VFIO_SET_IOMMU,
				     (void *)(uintptr_t)VFIO_TYPE1v2_IOMMU);
	if (err < 0)
		return refused(iommu, host, err);
	iommu->is_set = true;
	return 0;
}

static struct vfio_group *find_group(struct vfio_iommu *iommu, int number)
{
	struct vfio_group *group = iommu->groups;

	while (group && group->number != number)
		group = group->next;
	return group;
}

/* The group that @host is in, open and part of the container. */
static int get_group(struct vfio_iommu *iommu,
		     const struct vfio_host_device *host,
		     struct vfio_group **out)
{
	struct vfio_group *group = find_group(iommu, host->group);
	int err;

	*out = group;
	if (group)
		return 0;
	group = calloc(1, sizeof(*group));
	if (!group)
		return -ENOMEM;
	group->number = host->group;
	group->fd = -1;
	err = open_group(iommu, host, group);
	if (!err)
		err = join(iommu, host, group);
	if (err) {
		vfio_sys_close(group->fd);
		free(group);
		return err;
	}
	group->next = iommu->groups;
	iommu->groups = group;
	vfio_iommu_tell_kvm(iommu, group->fd);
	*out = group;
	return 0;
}

static int container_open_device(struct vfio_iommu *iommu,
				 const struct vfio_host_device *host)
{
	struct vfio_group *group;
	char name[VFIO_NAME_LEN];
	int err, fd;

	err = open_container(iommu);
	if (!err)
		err = get_group(iommu, host, &group);
	if (err)
		return err;
	snprintf(name, sizeof(name), "%s", host->name);
	fd = vfio_sys_ioctl(group->fd, VFIO_GROUP_GET_DEVICE_FD, name);
	if (fd < 0)
		return vm_fail(iommu->vm, fd, "%s: VFIO does not give it: %s",
			       host->name, strerror(-fd));
	return fd;
}

static int container_map(struct vfio_iommu *iommu, u64 iova, u64 len, void *hva,
			 u32 flags)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ,
		.vaddr = (uintptr_t)hva,
		.iova = iova,
		.size = len,
	};

	if (!(flags & KVM_MEM_READONLY))
		map.flags |= VFIO_DMA_MAP_FLAG_WRITE;
	return vfio_sys_ioctl(iommu->fd, VFIO_IOMMU_MAP_DMA, &map);
}

static void container_unmap(struct vfio_iommu *iommu, u64 iova, u64 len)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = iova,
		.size = len,
	};

	vfio_sys_ioctl(iommu->fd, VFIO_IOMMU_UNMAP_DMA, &unmap);
}

static unsigned int copy_ranges(const void *cap, u32 len,
				struct vfio_range *out, unsigned int max)
{
	const struct vfio_iommu_type1_info_cap_iova_range *ranges = cap;
	unsigned int nr;

	if (len < sizeof(*ranges))
		return 0;
	nr = ranges->nr_iovas;
	if (nr > (len - sizeof(*ranges)) / sizeof(ranges->iova_ranges[0]))
		return 0;
	if (nr > max)
		nr = max;
	/* Start and end, which may not be aligned. */
	for (unsigned int i = 0; i < nr; i++)
		memcpy(&out[i],
		       (const u8 *)cap + sizeof(*ranges) + i * sizeof(*out),
		       sizeof(*out));
	return nr;
}

static unsigned int container_ranges(struct vfio_iommu *iommu,
				     struct vfio_range *out, unsigned int max)
{
	struct vfio_iommu_type1_info *info;
	unsigned int nr = 0;
	const void *cap;
	void *answer;
	u32 len, cap_len;

	if (vfio_get_info(iommu->fd, VFIO_IOMMU_GET_INFO, 0, sizeof(*info),
			  &answer, &len))
		return 0;
	info = answer;
	if (info->flags & VFIO_IOMMU_INFO_CAPS) {
		cap = vfio_find_cap(info, len, info->cap_offset,
				    VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE,
				    &cap_len);
		if (cap)
			nr = copy_ranges(cap, cap_len, out, max);
	}
	free(answer);
	return nr;
}

static void container_close(struct vfio_iommu *iommu)
{
	struct vfio_group *group;

	while ((group = iommu->groups)) {
		iommu->groups = group->next;
		vfio_sys_close(group->fd);
		free(group);
	}
	vfio_sys_close(iommu->fd);
}

const struct vfio_iommu_ops vfio_container_ops = {
	.name = "VFIO container",
	.open_device = container_open_device,
	.map = container_map,
	.unmap = container_unmap,
	.ranges = container_ranges,
	.close = container_close,
};
