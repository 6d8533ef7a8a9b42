/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Configuration mechanism #1 (PCI Local Bus 3.0, 3.2.2.3.2) at 0xcf8 to 0xcff,
 * with the reset control register of Intel's chipsets in its second byte, and
 * system control port A at 0x92. Resets end the VM: nothing is reset here.
 */
#include "x86/pci_ports.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include "lkvm/kvm.h"
#include "lkvm/pci.h"
#include "x86/machine.h"

#define CONFIG_ADDRESS 0U
#define RESET_CONTROL (RESET_PORT - PCI_PORTS)
#define CONFIG_DATA 4U

#define ADDRESS_ENABLE BIT(31)
#define ADDRESS_MASK 0x80fffffcU

#define RESET_CPU BIT(2) /* starts the reset that the other bits describe */

#define PORT_A 0x92U
#define PORT_A_RESET BIT(0)
#define PORT_A_A20 BIT(1)

struct pci_ports {
	struct device dev;
	struct bus_region config;
	struct bus_region port_a;
	pthread_mutex_t lock; /* guards address and reset_control */
	u32 address;
	u8 reset_control;
};

static void access_address(struct pci_ports *ports, struct bus_access *acc)
{
	pthread_mutex_lock(&ports->lock);
	if (acc->is_write)
		ports->address = (u32)acc->value & ADDRESS_MASK;
	else
		acc->value = ports->address;
	pthread_mutex_unlock(&ports->lock);
}

static void access_reset(struct pci_ports *ports, struct bus_access *acc)
{
	bool reset = acc->is_write && (acc->value & RESET_CPU);

	pthread_mutex_lock(&ports->lock);
	if (acc->is_write)
		ports->reset_control = (u8)acc->value & (u8)~RESET_CPU;
	else
		acc->value = ports->reset_control;
	pthread_mutex_unlock(&ports->lock);
	if (reset)
		vm_end(ports->dev.vm, VM_END_RESET);
}

/* @len bytes of the register that the address names, from byte @first. */
static void access_register(struct pci_bus *bus, u32 address,
			    unsigned int first, unsigned int len,
			    struct bus_access *acc, unsigned int shift)
{
	u32 bdf = (address >> 8) & 0xffff;
	unsigned int offset = (address & 0xfc) + first;

	if (acc->is_write)
		pci_config_write(bus, bdf, offset, len,
				 (u32)(acc->value >> shift));
	else
		acc->value |= (u64)pci_config_read(bus, bdf, offset, len)
			      << shift;
}

static enum bus_result access_data(struct pci_ports *ports,
				   struct bus_access *acc)
{
	struct pci_bus *bus = ports->dev.vm->pci;
	unsigned int first = (unsigned int)acc->offset - CONFIG_DATA;
	u32 address;

	pthread_mutex_lock(&ports->lock);
	address = ports->address;
	pthread_mutex_unlock(&ports->lock);
	if (!(address & ADDRESS_ENABLE) || !bus)
		return BUS_UNHANDLED;

	acc->value = acc->is_write ? acc->value : 0;
	if (acc->size <= 4 && is_power_of_two(acc->size) &&
	    first % acc->size == 0) {
		access_register(bus, address, first, acc->size, acc, 0);
		return BUS_HANDLED;
	}
	/* Bytes that lie behind the data port are nobody's. */
	for (unsigned int i = 0; i < acc->size; i++) {
		if (first + i < 4)
			access_register(bus, address, first + i, 1, acc, 8 * i);
		else if (!acc->is_write)
			acc->value |= 0xffULL << (8 * i);
	}
	return BUS_HANDLED;
}

static enum bus_result config_access(void *opaque, struct bus_access *acc)
{
	struct pci_ports *ports = opaque;

	if (acc->offset >= CONFIG_DATA)
		return access_data(ports, acc);
	if (acc->offset == CONFIG_ADDRESS && acc->size == 4)
		access_address(ports, acc);
	else if (acc->offset == RESET_CONTROL && acc->size == 1)
		access_reset(ports, acc);
	else
		return BUS_UNHANDLED;
	return BUS_HANDLED;
}

static enum bus_result port_a_access(void *opaque, struct bus_access *acc)
{
	struct pci_ports *ports = opaque;

	if (!acc->is_write)
		acc->value = PORT_A_A20;
	else if (acc->value & PORT_A_RESET)
		vm_end(ports->dev.vm, VM_END_RESET);
	return BUS_HANDLED;
}

static void pci_ports_destroy(struct device *dev)
{
	struct pci_ports *ports = container_of(dev, struct pci_ports, dev);

	bus_remove(&dev->vm->ports, &ports->config);
	bus_remove(&dev->vm->ports, &ports->port_a);
	pthread_mutex_destroy(&ports->lock);
	free(ports);
}

static const struct device_ops pci_ports_ops = {
	.name = "PCI ports",
	.destroy = pci_ports_destroy,
};

static int pci_ports_create(struct kvm *vm, const struct kvm_config *config)
{
	struct pci_ports *ports = calloc(1, sizeof(*ports));
	int err;

	if (!ports)
		return vm_fail(vm, -ENOMEM, "out of memory");
	pthread_mutex_init(&ports->lock, NULL);
	ports->config = (struct bus_region){
		.start = PCI_PORTS,
		.len = 8,
		.name = "PCI configuration",
		.access = config_access,
		.opaque = ports,
	};
	ports->port_a = (struct bus_region){
		.start = PORT_A,
		.len = 1,
		.name = "system control port A",
		.access = port_a_access,
		.opaque = ports,
	};
	device_register(vm, &ports->dev, &pci_ports_ops);
	err = bus_add(&vm->ports, &ports->config);
	return err ? err : bus_add(&vm->ports, &ports->port_a);
}

const struct device_class pci_ports_class = {
	.name = "PCI ports",
	.create = pci_ports_create,
};
