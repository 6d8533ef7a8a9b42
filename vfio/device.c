/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of a passed-through device: checked, opened, reset, shown to the
 * guest, and reset again. With --reboot=restart the guest's reset is all of it.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lkvm/devices.h"
#include "lkvm/failure.h"
#include "lkvm/kvm.h"
#include "vfio_priv.h"

int vfio_device_region(struct vfio_device *dev, u32 index,
		       struct vfio_region *out, void **info, u32 *info_len)
{
	const struct vfio_region_info *answer;
	int err;

	err = vfio_get_info(dev->fd, VFIO_DEVICE_GET_REGION_INFO, index,
			    sizeof(*answer), info, info_len);
	if (err)
		return vm_fail(dev->base.vm, err,
			       "%s: VFIO does not tell of region %u: %s",
			       dev->host.name, index, strerror(-err));
	answer = *info;
	out->offset = answer->offset;
	out->size = answer->size;
	out->can_read = answer->flags & VFIO_REGION_INFO_FLAG_READ;
	out->can_write = answer->flags & VFIO_REGION_INFO_FLAG_WRITE;
	out->can_mmap = answer->flags & VFIO_REGION_INFO_FLAG_MMAP;
	return 0;
}

/* ---- Reset ---- */

static void reset(struct vfio_device *dev)
{
	int err;

	if (!dev->can_reset)
		return;
	err = vfio_sys_ioctl(dev->fd, VFIO_DEVICE_RESET, NULL);
	if (err < 0)
		log_warning("%s: the host cannot reset it: %s; it keeps the "
			    "state that its last user left",
			    dev->host.name, strerror(-err));
}

static void report_reset(const struct vfio_device *dev)
{
	char method[64];

	vfio_sysfs_reset_method(dev->host.name, method, sizeof(method));
	if (dev->can_reset)
		log_debug("%s: reset by %s", dev->host.name,
			  method[0] ? method : "a method of the host's");
	else
		log_warning("%s: the host knows no way to reset it: it keeps "
			    "the state that its last user left",
			    dev->host.name);
}

/* ---- Set-up ---- */

static const struct pci_function_ops vfio_function_ops = {
	.bar_access = vfio_bar_access,
	.config_written = vfio_config_written,
	.config_read = vfio_config_read,
	.msix_written = vfio_msix_written,
};

static int get_info(struct vfio_device *dev)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	void *answer;
	u32 len;
	int err;

	err = vfio_sys_ioctl(dev->fd, VFIO_DEVICE_GET_INFO, &info);
	if (err < 0 || !(info.flags & VFIO_DEVICE_FLAGS_PCI))
		return vm_fail(dev->base.vm, err < 0 ? err : -EINVAL,
			       "%s: VFIO does not know it as a PCI device",
			       dev->host.name);
	dev->can_reset = info.flags & VFIO_DEVICE_FLAGS_RESET;
	err = vfio_device_region(dev, VFIO_PCI_CONFIG_REGION_INDEX,
				 &dev->config_space, &answer, &len);
	if (!err)
		free(answer);
	return err;
}

static u16 raw16(const struct vfio_device *dev, unsigned int reg)
{
	return (u16)(dev->raw[reg] | dev->raw[reg + 1] << 8);
}

static void init_function(struct vfio_device *dev)
{
	const struct pci_identity id = {
		.vendor = raw16(dev, PCI_VENDOR_ID),
		.device = raw16(dev, PCI_DEVICE_ID),
		.subsystem_vendor = raw16(dev, PCI_SUBSYSTEM_VENDOR_ID),
		.subsystem = raw16(dev, PCI_SUBSYSTEM_ID),
		.class_code = (u32)raw16(dev, PCI_CLASS_DEVICE) << 8 |
			      dev->raw[PCI_CLASS_PROG],
		.revision = dev->raw[PCI_REVISION_ID],
	};

	pci_function_init(&dev->fn, dev->host.name, &vfio_function_ops, &id);
}

/* The device is open, and RAM mapped. */
static int set_up(struct vfio_device *dev)
{
	int err;

	err = get_info(dev);
	if (err)
		return err;
	report_reset(dev);
	reset(dev);
	err = vfio_config_load(dev);
	if (err)
		return err;
	vfio_config_command(dev, 0);
	init_function(dev);
	err = vfio_irqs_init(dev);
	if (!err)
		err = vfio_bars_init(dev);
	if (!err)
		err = vfio_rom_init(dev);
	if (!err)
		err = vfio_config_init(dev);
	if (!err)
		err = pci_add(dev->base.vm->pci, &dev->fn);
	if (err)
		return vm_fail(dev->base.vm, err, "%s: cannot set it up: %s",
			       dev->host.name, strerror(-err));
	/* INTx, until the guest enables something else. */
	vfio_irqs_sync(dev);
	log_debug("%s: %04x:%04x is passed through", dev->host.name,
		  dev->host.vendor, dev->host.device);
	return 0;
}

/* ---- Life ---- */

/* DMA and interrupts end; its next user gets it as new. */
static void device_stop(struct device *base)
{
	struct vfio_device *dev = container_of(base, struct vfio_device, base);

	if (!dev->fn.bus)
		return;
	vfio_config_command(dev, PCI_COMMAND_INTX_DISABLE);
	vfio_irqs_stop(dev);
	reset(dev);
}

static void device_destroy(struct device *base)
{
	struct vfio_device *dev = container_of(base, struct vfio_device, base);

	if (dev->fn.bus)
		vfio_irqs_stop(dev);
	pci_remove(&dev->fn);
	vfio_irqs_release(dev);
	vfio_bars_release(dev);
	vfio_rom_release(dev);
	vfio_sys_close(dev->fd);
	free(dev);
}

static const struct device_ops vfio_device_ops = {
	.name = "VFIO",
	.stop = device_stop,
	.destroy = device_destroy,
};

static int find_host_devices(struct kvm *vm, const struct kvm_config *config,
			     struct vfio_host_device *hosts)
{
	for (unsigned int i = 0; i < config->nr_vfio; i++)
		if (vfio_sysfs_device(config->vfio[i].name, &hosts[i]))
			return vm_fail_host(vm, -ENODEV,
					    "this host has no PCI device %s; "
					    "\"lkvm vfio list\" shows those "
					    "that can be passed through",
					    config->vfio[i].name);
	return 0;
}

/* All devices of a VM go one way. */
static int choose_interface(struct kvm *vm, const struct kvm_config *config,
			    const struct vfio_host_device *hosts,
			    const struct vfio_iommu_ops **out)
{
	const struct vfio_host_device *without = NULL;
	bool has_iommufd = vfio_has_iommufd();

	for (unsigned int i = 0; i < config->nr_vfio && !without; i++)
		if (!hosts[i].cdev[0])
			without = &hosts[i];
	*out = config->iommufd != IOMMUFD_OFF && has_iommufd && !without
		       ? &vfio_iommufd_ops
		       : &vfio_container_ops;
	if (config->iommufd == IOMMUFD_ON && *out == &vfio_container_ops)
		return vm_fail_host(
			vm, -ENOTSUP,
			"--iommufd=on: %s%s; it takes a kernel of 6.6 or later "
			"with CONFIG_IOMMUFD and CONFIG_VFIO_DEVICE_CDEV",
			has_iommufd ? "VFIO has no character device for "
				    : "/dev/iommu is not there, or not ours",
			has_iommufd ? without->name : "");
	return 0;
}

static struct vfio_device *new_device(struct kvm *vm,
				      const struct vfio_config *config,
				      const struct vfio_host_device *host)
{
	struct vfio_device *dev = calloc(1, sizeof(*dev));

	if (!dev)
		return NULL;
	dev->config = config;
	dev->host = *host;
	dev->fd = -1;
	vfio_irqs_prepare(dev);
	device_register(vm, &dev->base, &vfio_device_ops);
	return dev;
}

static int create_all(struct kvm *vm, const struct kvm_config *config,
		      const struct vfio_host_device *hosts,
		      const struct vfio_iommu_ops *ops)
{
	struct vfio_device *devs[CONFIG_MAX_VFIO];
	struct vfio_iommu *iommu;
	int err;

	err = vfio_iommu_create(vm, ops, &iommu);
	for (unsigned int i = 0; i < config->nr_vfio && !err; i++) {
		devs[i] = new_device(vm, &config->vfio[i], &hosts[i]);
		if (!devs[i])
			return -ENOMEM;
		devs[i]->fd = ops->open_device(iommu, &hosts[i]);
		if (devs[i]->fd < 0)
			err = devs[i]->fd;
	}
	if (!err)
		err = vfio_iommu_map_ram(iommu);
	for (unsigned int i = 0; i < config->nr_vfio && !err; i++)
		err = set_up(devs[i]);
	return err;
}

static int vfio_class_create(struct kvm *vm, const struct kvm_config *config)
{
	struct vfio_host_device hosts[CONFIG_MAX_VFIO];
	const struct vfio_iommu_ops *ops = NULL;
	int err;

	if (!config->nr_vfio)
		return 0;
	err = find_host_devices(vm, config, hosts);
	if (!err)
		err = choose_interface(vm, config, hosts, &ops);
	for (unsigned int i = 0; i < config->nr_vfio && !err; i++)
		err = vfio_check(&hosts[i], vm->memory.len,
				 ops == &vfio_iommufd_ops, vm->failure);
	return err ? err : create_all(vm, config, hosts, ops);
}

const struct device_class vfio_class = {
	.name = "VFIO",
	.create = vfio_class_create,
};
