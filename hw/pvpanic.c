/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pvpanic, after QEMU's docs/specs/pvpanic: one byte by which a guest kernel
 * says that it panics.
 */
#include "hw/hw_priv.h"

#include <errno.h>
#include <stdlib.h>
#include "lkvm/arch.h"
#include "lkvm/devices.h"
#include "lkvm/log.h"

#define PANICKED BIT(0)
#define CRASH_LOADED BIT(1) /* and the guest boots a crash kernel now */

enum bus_result pvpanic_access(void *opaque, struct bus_access *acc)
{
	struct pvpanic *pvpanic = opaque;

	if (!acc->is_write)
		acc->value = PANICKED | CRASH_LOADED;
	else if (acc->value & PANICKED)
		pvpanic->end(pvpanic->dev.vm, VM_END_PANIC);
	else if ((acc->value & CRASH_LOADED) &&
		 !atomic_flag_test_and_set(&pvpanic->crash_logged))
		log_info("the guest panicked and starts its crash kernel");
	return BUS_HANDLED;
}

static void pvpanic_destroy(struct device *dev)
{
	struct pvpanic *pvpanic = container_of(dev, struct pvpanic, dev);

	bus_remove(pvpanic->bus, &pvpanic->region);
	free(pvpanic);
}

static void pvpanic_describe(struct device *dev, struct device_desc *out)
{
	const struct pvpanic *pvpanic = container_of(dev, struct pvpanic, dev);

	*out = (struct device_desc){
		.node = "pvpanic",
		DEVICE_COMPATIBLE("qemu,pvpanic-mmio"),
		.start = pvpanic->region.start,
		.len = pvpanic->region.len,
	};
}

static const struct device_ops pvpanic_ops = {
	.name = "pvpanic",
	.describe = pvpanic_describe,
	.destroy = pvpanic_destroy,
};

static int pvpanic_create(struct kvm *vm, const struct kvm_config *config)
{
	struct device_place place;
	struct pvpanic *pvpanic;
	int err = arch_place(vm, PLACE_PVPANIC, 0, &place);

	if (err)
		return err == -ENODEV ? 0 : err;
	pvpanic = calloc(1, sizeof(*pvpanic));
	if (!pvpanic)
		return vm_fail(vm, -ENOMEM, "pvpanic: out of memory");
	pvpanic->end = vm_end;
	pvpanic->bus = place.bus;
	pvpanic->region = (struct bus_region){
		.name = "pvpanic",
		.access = pvpanic_access,
		.opaque = pvpanic,
	};
	device_register(vm, &pvpanic->dev, &pvpanic_ops);
	return hw_add_region(vm, &place, &pvpanic->region);
}

const struct device_class pvpanic_class = {
	.name = "pvpanic",
	.create = pvpanic_create,
};
