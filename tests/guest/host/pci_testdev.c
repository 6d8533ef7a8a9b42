/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PCI device with every kind of BAR, for tests of the PCI core with real
 * exits and real memory slots. Wherever one reads, the answer says who it is:
 * see testdev_word(). Writes change nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "lkvm/devices.h"
#include "lkvm/kvm.h"
#include "lkvm/pci.h"

#define INSTANCES 2
/* Free for experiments: QEMU's docs/specs/pci-ids. */
#define VENDOR 0x1af4
#define DEVICE 0x10f0
#define CLASS 0xff0000

/* The guests know these from guest/lib/testdev.h. */
#define MAPPED_BAR 0 /* 64-bit, prefetchable; the first half is memory */
#define MAPPED_LEN 0x4000
#define MEM_BAR 2 /* 32-bit */
#define IO_BAR 3
#define MEM64_BAR 4
#define MEM_LEN 0x1000
#define IO_LEN 0x40
#define ROM_LEN 0x1000

struct testdev {
	struct device dev;
	struct pci_function fn;
	struct pci_memory memory;
	u32 *hva;
	unsigned int instance;
};

/* Four bytes of a BAR. */
static u32 testdev_word(unsigned int instance, unsigned int bar, u64 offset)
{
	return (instance + 1) << 24 | bar << 16 | (u32)(offset & 0xfffc);
}

static enum bus_result access_bar(struct pci_function *fn, unsigned int bar,
				  struct bus_access *acc)
{
	const struct testdev *dev = container_of(fn, struct testdev, fn);
	u64 value = 0;

	if (acc->is_write)
		return BUS_HANDLED;
	for (unsigned int i = 0; i < acc->size; i++) {
		u64 at = acc->offset + i;
		u32 word = testdev_word(dev->instance, bar, at);

		value |= (u64)(u8)(word >> 8 * (at & 3)) << 8 * i;
	}
	acc->value = value;
	return BUS_HANDLED;
}

static const struct pci_function_ops function_ops = {
	.bar_access = access_bar,
};

static void testdev_destroy(struct device *device)
{
	struct testdev *dev = container_of(device, struct testdev, dev);

	pci_remove(&dev->fn);
	if (dev->hva)
		munmap(dev->hva, MAPPED_LEN / 2);
	free(dev);
}

static const struct device_ops testdev_ops = {
	.name = "PCI test device",
	.destroy = testdev_destroy,
};

static int map_memory(struct testdev *dev)
{
	void *hva = mmap(NULL, MAPPED_LEN / 2, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (hva == MAP_FAILED)
		return -errno;
	dev->hva = hva;
	for (unsigned int at = 0; at < MAPPED_LEN / 2; at += 4)
		dev->hva[at / 4] = testdev_word(dev->instance, MAPPED_BAR, at);
	dev->memory = (struct pci_memory){
		.len = MAPPED_LEN / 2,
		.hva = hva,
	};
	pci_bar_add_memory(&dev->fn, MAPPED_BAR, &dev->memory);
	return 0;
}

static void init_function(struct testdev *dev)
{
	const struct pci_identity identity = {
		.vendor = VENDOR,
		.device = DEVICE,
		.subsystem_vendor = VENDOR,
		.subsystem = (u16)dev->instance,
		.class_code = CLASS,
	};

	pci_function_init(&dev->fn, "testdev", &function_ops, &identity);
	pci_bar_init(&dev->fn, MAPPED_BAR, PCI_BAR_MEM64, true, MAPPED_LEN);
	pci_bar_init(&dev->fn, MEM_BAR, PCI_BAR_MEM32, false, MEM_LEN);
	pci_bar_init(&dev->fn, IO_BAR, PCI_BAR_IO, false, IO_LEN);
	pci_bar_init(&dev->fn, MEM64_BAR, PCI_BAR_MEM64, false, MEM_LEN);
	pci_bar_init(&dev->fn, PCI_ROM, PCI_BAR_EXPANSION_ROM, false, ROM_LEN);
}

static int create_one(struct kvm *vm, unsigned int instance)
{
	struct testdev *dev = calloc(1, sizeof(*dev));
	int err;

	if (!dev)
		return vm_fail(vm, -ENOMEM, "test device: out of memory");
	dev->instance = instance;
	init_function(dev);
	device_register(vm, &dev->dev, &testdev_ops);
	err = map_memory(dev);
	return err ? err : pci_add(vm->pci, &dev->fn);
}

static int testdev_create(struct kvm *vm, const struct kvm_config *config)
{
	int err = 0;

	for (unsigned int i = 0; i < INSTANCES && !err; i++)
		err = create_one(vm, i);
	return err;
}

extern const struct device_class pci_testdev_class;
const struct device_class pci_testdev_class = {
	.name = "PCI test device",
	.create = testdev_create,
};
