/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The address space that passed-through devices do DMA in: the guest's physical
 * one. RAM is there from the start, and pinned; BARs that the guest reaches
 * without an exit come and go, so that devices can reach each other.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>
#include "lkvm/failure.h"
#include "lkvm/kvm.h"
#include "vfio_priv.h"

#define MAX_RANGES 64U

static void iommu_destroy(struct device *base)
{
	struct vfio_iommu *iommu = container_of(base, struct vfio_iommu, base);

	if (iommu->vm->pci)
		pci_watch_memory(iommu->vm->pci, NULL);
	iommu->ops->close(iommu);
	vfio_sys_close(iommu->kvm_fd);
	free(iommu);
}

static const struct device_ops iommu_device_ops = {
	.name = "VFIO address space",
	.destroy = iommu_destroy,
};

/* ---- BARs of peers ---- */

static void peer_mapped(struct pci_memory_watch *watch, u64 gpa, u64 len,
			void *hva, u32 flags)
{
	struct vfio_iommu *iommu =
		container_of(watch, struct vfio_iommu, watch);
	int err;

	/* ROMs are no target of DMA. */
	if (flags & KVM_MEM_READONLY)
		return;
	err = iommu->ops->map(iommu, gpa, len, hva, flags);
	if (err < 0)
		log_guest_error(&iommu->no_peer,
				"the host's IOMMU cannot map the BAR at 0x%llx "
				"(%s): devices cannot send DMA to each other "
				"there, all else works",
				(unsigned long long)gpa, strerror(-err));
}

static void peer_unmapped(struct pci_memory_watch *watch, u64 gpa, u64 len,
			  u32 flags)
{
	struct vfio_iommu *iommu =
		container_of(watch, struct vfio_iommu, watch);

	if (!(flags & KVM_MEM_READONLY))
		iommu->ops->unmap(iommu, gpa, len);
}

/* ---- Set-up ---- */

int vfio_iommu_create(struct kvm *vm, const struct vfio_iommu_ops *ops,
		      struct vfio_iommu **out)
{
	struct vfio_iommu *iommu = calloc(1, sizeof(*iommu));
	struct kvm_create_device create = { .type = KVM_DEV_TYPE_VFIO };

	if (!iommu)
		return -ENOMEM;
	iommu->ops = ops;
	iommu->vm = vm;
	iommu->fd = -1;
	iommu->kvm_fd = -1;
	/* Without it KVM does not know of DMA past the caches; few devices do. */
	if (vfio_sys_ioctl(vm->fd, KVM_CREATE_DEVICE, &create) >= 0)
		iommu->kvm_fd = (int)create.fd;
	iommu->watch.mapped = peer_mapped;
	iommu->watch.unmapped = peer_unmapped;
	device_register(vm, &iommu->base, &iommu_device_ops);
	*out = iommu;
	return 0;
}

void vfio_iommu_tell_kvm(struct vfio_iommu *iommu, int fd)
{
	struct kvm_device_attr attr = {
		.group = KVM_DEV_VFIO_GROUP,
		.attr = KVM_DEV_VFIO_GROUP_ADD,
		.addr = (uintptr_t)&fd,
	};

	if (iommu->kvm_fd >= 0 &&
	    vfio_sys_ioctl(iommu->kvm_fd, KVM_SET_DEVICE_ATTR, &attr) < 0)
		log_debug("KVM does not take a VFIO group");
}

static bool is_covered(const struct vfio_range *ranges, unsigned int nr,
		       const struct ram_range *ram)
{
	if (!nr)
		return true;
	for (unsigned int i = 0; i < nr; i++)
		if (ranges[i].start <= ram->gpa &&
		    ram->gpa + ram->len - 1 <= ranges[i].last)
			return true;
	return false;
}

/* The first address of @ram that is in none of the ranges. */
static u64 first_gap(const struct vfio_range *ranges, unsigned int nr,
		     const struct ram_range *ram)
{
	u64 at = ram->gpa;
	bool moved = true;

	while (moved && at - ram->gpa < ram->len) {
		moved = false;
		for (unsigned int i = 0; i < nr; i++) {
			if (at < ranges[i].start || at > ranges[i].last)
				continue;
			at = ranges[i].last + 1;
			moved = at != 0;
		}
	}
	return at;
}

/* The last address that the IOMMU keeps, from @gap on. */
static u64 gap_end(const struct vfio_range *ranges, unsigned int nr, u64 gap)
{
	u64 next = 0;

	for (unsigned int i = 0; i < nr; i++)
		if (ranges[i].start > gap && (!next || ranges[i].start < next))
			next = ranges[i].start;
	return next - 1;
}

static int check_ranges(struct vfio_iommu *iommu)
{
	const struct memory *memory = &iommu->vm->memory;
	struct vfio_range ranges[MAX_RANGES];
	unsigned int nr = iommu->ops->ranges(iommu, ranges, MAX_RANGES);

	for (unsigned int i = 0; i < memory->nr_ram; i++) {
		const struct ram_range *ram = &memory->ram[i];
		u64 gap, last;

		if (is_covered(ranges, nr, ram))
			continue;
		gap = first_gap(ranges, nr, ram);
		last = gap_end(ranges, nr, gap);
		return vm_fail_host(
			iommu->vm, -EINVAL,
			"the host's IOMMU reserves 0x%llx-0x%llx, where the "
			"guest has RAM (0x%llx-0x%llx): with fewer than %llu "
			"MiB (-m), or on arm64 elsewhere (-m SIZE@ADDRESS), "
			"devices can be passed through",
			(unsigned long long)gap, (unsigned long long)last,
			(unsigned long long)ram->gpa,
			(unsigned long long)(ram->gpa + ram->len - 1),
			(unsigned long long)((gap - ram->gpa) / MIB));
	}
	return 0;
}

static int map_ram(struct vfio_iommu *iommu, const struct ram_range *ram)
{
	int err = iommu->ops->map(iommu, ram->gpa, ram->len, ram->hva, 0);
	unsigned long long mib = ram->len / MIB;

	if (err == -ENOMEM)
		return vm_fail_host(
			iommu->vm, err,
			"the host cannot lock %llu MiB of RAM for the guest's "
			"devices: raise the limit (ulimit -l unlimited, "
			"LimitMEMLOCK=infinity in a systemd unit), or give the "
			"guest less with -m",
			mib);
	if (err < 0)
		return vm_fail_host(iommu->vm, err,
				    "the host's IOMMU cannot map %llu MiB of "
				    "RAM at 0x%llx: %s",
				    mib, (unsigned long long)ram->gpa,
				    strerror(-err));
	return 0;
}

int vfio_iommu_map_ram(struct vfio_iommu *iommu)
{
	struct memory *memory = &iommu->vm->memory;
	int err = check_ranges(iommu);

	for (unsigned int i = 0; i < memory->nr_ram && !err; i++)
		err = map_ram(iommu, &memory->ram[i]);
	if (err)
		return err;
	memory->is_pinned = true;
	pci_watch_memory(iommu->vm->pci, &iommu->watch);
	return 0;
}
