/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The order in which devices come and go.
 */
#include "lkvm/device.h"

#include <errno.h>
#include "lkvm/arch.h"
#include "lkvm/devices.h"
#include "lkvm/kvm.h"
#include "lkvm/power.h"

static int create_all(struct kvm *vm, const struct kvm_config *config,
		      const struct device_class *const *class)
{
	int err;

	for (; *class; class ++) {
		err = (*class)->create(vm, config);
		if (err)
			return vm_fail(vm, err, "cannot create the %s device",
				       (*class)->name);
	}
	return 0;
}

int devices_create(struct kvm *vm, const struct kvm_config *config)
{
	int err = create_all(vm, config, arch_device_classes);

	return err ? err : create_all(vm, config, device_classes);
}

void device_register(struct kvm *vm, struct device *dev,
		     const struct device_ops *ops)
{
	dev->ops = ops;
	dev->vm = vm;
	dev->next = vm->devices;
	vm->devices = dev;
}

int devices_start(struct kvm *vm)
{
	int err;

	for (struct device *dev = vm->devices; dev; dev = dev->next) {
		err = dev->ops->start ? dev->ops->start(dev) : 0;
		if (err)
			return vm_fail(vm, err, "cannot start the %s device",
				       dev->ops->name);
	}
	return 0;
}

void devices_pause(struct kvm *vm)
{
	for (struct device *dev = vm->devices; dev; dev = dev->next)
		if (dev->ops->pause)
			dev->ops->pause(dev);
}

void devices_resume(struct kvm *vm)
{
	for (struct device *dev = vm->devices; dev; dev = dev->next)
		if (dev->ops->resume)
			dev->ops->resume(dev);
}

bool devices_are_drained(struct kvm *vm)
{
	for (struct device *dev = vm->devices; dev; dev = dev->next)
		if (dev->ops->is_drained && !dev->ops->is_drained(dev))
			return false;
	return true;
}

void devices_stop(struct kvm *vm)
{
	for (struct device *dev = vm->devices; dev; dev = dev->next)
		if (dev->ops->stop)
			dev->ops->stop(dev);
}

void devices_destroy(struct kvm *vm)
{
	struct device *dev, *next;

	for (dev = vm->devices; dev; dev = next) {
		next = dev->next;
		dev->ops->destroy(dev);
	}
	vm->devices = NULL;
}

int vm_power_button(struct kvm *vm)
{
	for (struct device *dev = vm->devices; dev; dev = dev->next)
		if (dev->ops->press_power)
			return dev->ops->press_power(dev);
	return -ENOTSUP;
}

int vm_send_sysrq(struct kvm *vm, u8 key)
{
	int err = -ENODEV;

	for (struct device *dev = vm->devices; dev && err == -ENODEV;
	     dev = dev->next)
		if (dev->ops->send_sysrq)
			err = dev->ops->send_sysrq(dev, key);
	return err;
}
