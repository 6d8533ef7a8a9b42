/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The GICv2m frame (Server Base System Architecture, appendix E): the register
 * that tells how many messages there are, and the one that takes them. Messages
 * of lkvm's own devices do not come by here: irq.frame has them.
 */
#include "arm/v2m.h"

#include <errno.h>
#include <stdlib.h>
#include "arm/machine.h"
#include "lkvm/kvm.h"

#define V2M_TYPER 0x8U
#define V2M_TYPER_BASE_SHIFT 16

struct v2m {
	struct device dev;
	struct bus_region region;
};

static enum bus_result v2m_access(void *opaque, struct bus_access *acc)
{
	struct v2m *v2m = opaque;
	struct kvm *vm = v2m->dev.vm;
	const struct msi_frame *frame = &vm->irq.frame;
	struct msi_message msg = { .address = frame->address,
				   .data = (u32)acc->value };

	/* All other registers read 0, the identification (IIDR) too. */
	if (acc->is_write && acc->offset == GICV2M_SETSPI)
		irq_signal_msi(&vm->irq, &msg);
	else if (!acc->is_write)
		acc->value =
			acc->offset == V2M_TYPER
				? (frame->first_data << V2M_TYPER_BASE_SHIFT) |
					  frame->nr
				: 0;
	return BUS_HANDLED;
}

static void v2m_destroy(struct device *dev)
{
	struct v2m *v2m = container_of(dev, struct v2m, dev);

	bus_remove(&dev->vm->mmio, &v2m->region);
	free(v2m);
}

static const struct device_ops v2m_ops = {
	.name = "GICv2m",
	.destroy = v2m_destroy,
};

static int v2m_create(struct kvm *vm, const struct kvm_config *config)
{
	struct v2m *v2m;

	if (!vm->irq.frame.nr)
		return 0;
	v2m = calloc(1, sizeof(*v2m));
	if (!v2m)
		return vm_fail(vm, -ENOMEM, "GICv2m: out of memory");
	v2m->region = (struct bus_region){
		.start = GICV2M_GPA,
		.len = GICV2M_LEN,
		.name = "GICv2m",
		.access = v2m_access,
		.opaque = v2m,
	};
	device_register(vm, &v2m->dev, &v2m_ops);
	return bus_add(&vm->mmio, &v2m->region);
}

const struct device_class v2m_class = {
	.name = "GICv2m",
	.create = v2m_create,
};
