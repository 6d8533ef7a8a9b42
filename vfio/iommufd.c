/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommufd and VFIO's character devices, Linux 6.6 and later: the kernel's
 * Documentation/userspace-api/iommufd.rst. An I/O address space (IOAS) takes the
 * place of the container, and groups are the kernel's own business.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include "lkvm/kvm.h"
#include "uapi.h"
#include "vfio_priv.h"

#define MAX_RANGES 64U

static int open_ioas(struct vfio_iommu *iommu)
{
	struct iommufd_uapi_ioas_alloc alloc = { .size = sizeof(alloc) };
	char path[128];
	int err;

	if (iommu->fd >= 0)
		return 0;
	snprintf(path, sizeof(path), "%s/dev/iommu", vfio_sys_root());
	iommu->fd = vfio_sys_open(path);
	if (iommu->fd < 0)
		return vm_fail_host(iommu->vm, iommu->fd,
				    "/dev/iommu: %s; as root, modprobe "
				    "iommufd, or --iommufd=off",
				    strerror(-iommu->fd));
	err = vfio_sys_ioctl(iommu->fd, IOMMUFD_UAPI_IOAS_ALLOC, &alloc);
	if (err < 0)
		return vm_fail_host(iommu->vm, err,
				    "/dev/iommu: no address space: %s",
				    strerror(-err));
	iommu->ioas_id = alloc.out_ioas_id;
	return 0;
}

static int bind(struct vfio_iommu *iommu, const struct vfio_host_device *host,
		int fd)
{
	struct vfio_uapi_bind request = { .argsz = sizeof(request),
					  .iommufd = iommu->fd };
	struct vfio_uapi_attach attach = { .argsz = sizeof(attach),
					   .pt_id = iommu->ioas_id };
	int err;

	/* KVM must know the device before it is bound. */
	vfio_iommu_tell_kvm(iommu, fd);
	err = vfio_sys_ioctl(fd, VFIO_UAPI_BIND_IOMMUFD, &request);
	if (err == -EPERM)
		return vm_fail_host(
			iommu->vm, err,
			"%s: this host does not remap interrupts, so a guest "
			"with the device could send any interrupt to it; if "
			"you trust the guest: as root, echo 1 >/sys/module/"
			"iommufd/parameters/allow_unsafe_interrupts",
			host->name);
	if (err < 0)
		return vm_fail(iommu->vm, err,
			       "%s: iommufd does not take it: %s; devices of "
			       "its group may belong to another VM or to the "
			       "host (\"lkvm vfio check %s\")",
			       host->name, strerror(-err), host->name);
	err = vfio_sys_ioctl(fd, VFIO_UAPI_ATTACH_IOMMUFD_PT, &attach);
	if (err < 0)
		return vm_fail(iommu->vm, err,
			       "%s: it cannot join the VM's address space: %s",
			       host->name, strerror(-err));
	return 0;
}

static int iommufd_open_device(struct vfio_iommu *iommu,
			       const struct vfio_host_device *host)
{
	char path[128];
	int fd, err;

	err = open_ioas(iommu);
	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/dev/vfio/devices/%s", vfio_sys_root(),
		 host->cdev);
	fd = vfio_sys_open(path);
	if (fd < 0)
		return vm_fail_host(iommu->vm, fd,
				    "%s: /dev/vfio/devices/%s: %s", host->name,
				    host->cdev, strerror(-fd));
	err = bind(iommu, host, fd);
	if (err) {
		vfio_sys_close(fd);
		return err;
	}
	return fd;
}

static int iommufd_map(struct vfio_iommu *iommu, u64 iova, u64 len, void *hva,
		       u32 flags)
{
	struct iommufd_uapi_map map = {
		.size = sizeof(map),
		.flags = IOMMUFD_UAPI_FIXED_IOVA | IOMMUFD_UAPI_READABLE,
		.ioas_id = iommu->ioas_id,
		.user_va = (uintptr_t)hva,
		.length = len,
		.iova = iova,
	};

	if (!(flags & KVM_MEM_READONLY))
		map.flags |= IOMMUFD_UAPI_WRITEABLE;
	return vfio_sys_ioctl(iommu->fd, IOMMUFD_UAPI_IOAS_MAP, &map);
}

static void iommufd_unmap(struct vfio_iommu *iommu, u64 iova, u64 len)
{
	struct iommufd_uapi_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = iommu->ioas_id,
		.iova = iova,
		.length = len,
	};

	vfio_sys_ioctl(iommu->fd, IOMMUFD_UAPI_IOAS_UNMAP, &unmap);
}

static unsigned int iommufd_ranges(struct vfio_iommu *iommu,
				   struct vfio_range *out, unsigned int max)
{
	struct iommufd_uapi_range ranges[MAX_RANGES];
	struct iommufd_uapi_ranges request = {
		.size = sizeof(request),
		.ioas_id = iommu->ioas_id,
		.num_iovas = MAX_RANGES,
		.allowed_iovas = (uintptr_t)ranges,
	};
	unsigned int nr;

	if (vfio_sys_ioctl(iommu->fd, IOMMUFD_UAPI_IOVA_RANGES, &request) < 0)
		return 0;
	nr = request.num_iovas < max ? request.num_iovas : max;
	if (nr > MAX_RANGES)
		return 0;
	for (unsigned int i = 0; i < nr; i++)
		out[i] = (struct vfio_range){ ranges[i].start, ranges[i].last };
	return nr;
}

static void iommufd_close(struct vfio_iommu *iommu)
{
	vfio_sys_close(iommu->fd);
}

const struct vfio_iommu_ops vfio_iommufd_ops = {
	.name = "iommufd",
	.open_device = iommufd_open_device,
	.map = iommufd_map,
	.unmap = iommufd_unmap,
	.ranges = iommufd_ranges,
	.close = iommufd_close,
};
