/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The window through which CPUs without ports reach the port bus: the I/O space
 * of PCI, and nothing else.
 */
#include "arm/ports.h"

#include <errno.h>
#include <stdlib.h>
#include "arm/machine.h"
#include "lkvm/kvm.h"
#include "lkvm/vcpu.h"

struct ports {
	struct device dev;
	struct bus_region region;
};

static enum bus_result ports_access(void *opaque, struct bus_access *acc)
{
	struct ports *ports = opaque;
	struct vcpu *vcpu = vcpu_current();
	struct bus_access port = *acc;
	enum bus_result result;

	if (!vcpu)
		return BUS_UNHANDLED;
	result = bus_dispatch(&ports->dev.vm->ports, &vcpu->port_reader,
			      acc->offset, &port);
	acc->value = port.value;
	return result;
}

static void ports_destroy(struct device *dev)
{
	struct ports *ports = container_of(dev, struct ports, dev);

	bus_remove(&dev->vm->mmio, &ports->region);
	free(ports);
}

static const struct device_ops ports_ops = {
	.name = "PCI I/O",
	.destroy = ports_destroy,
};

static int ports_create(struct kvm *vm, const struct kvm_config *config)
{
	struct ports *ports = calloc(1, sizeof(*ports));

	if (!ports)
		return vm_fail(vm, -ENOMEM, "PCI I/O: out of memory");
	ports->region = (struct bus_region){
		.start = PCI_IO_GPA,
		.len = PCI_IO_LEN,
		.name = "PCI I/O",
		.access = ports_access,
		.opaque = ports,
	};
	device_register(vm, &ports->dev, &ports_ops);
	return bus_add(&vm->mmio, &ports->region);
}

const struct device_class ports_class = {
	.name = "PCI I/O",
	.create = ports_create,
};
