/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Register accesses of a hostile driver to a virtio device on PCI: each four
 * or more bytes of the input are one access to configuration space or a BAR.
 */
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>
#include "tests/support/fake_virtio.h"

#define RAM_LEN (64 * KIB)
#define NR_QUEUES 2

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

static void fuzz_config_read(struct virtio_device *dev, unsigned int offset,
			     void *buf, unsigned int len)
{
	static const u8 config[10];

	memcpy(buf, config + offset, len);
}

/* Serves like a device would, on the spot. */
static int fuzz_activate(struct virtio_device *dev)
{
	struct iovec iov[16];
	struct virtq_chain chain = { .iov = iov, .max_iov = 16 };

	for (unsigned int i = 0; i < dev->nr_queues; i++) {
		struct virtq *q = &dev->queues[i];

		for (unsigned int n = 0; n < 16; n++) {
			if (virtq_pop(q, &chain) <= 0)
				break;
			virtq_push(q, chain.head, 0);
		}
		virtq_notify(q);
	}
	return 0;
}

static void fuzz_deactivate(struct virtio_device *dev)
{
}

static const struct virtio_dev_ops fuzz_ops = {
	.name = "fuzz",
	.id = VIRTIO_ID_RNG,
	.config_read = fuzz_config_read,
	.activate = fuzz_activate,
	.deactivate = fuzz_deactivate,
};

/*
 * First byte: what is accessed (configuration space, port BAR, memory BAR),
 * write or read, and the width; then an offset of two bytes, and for writes the
 * value.
 */
static size_t one_access(struct fake_vm *fake, const u8 *data, size_t len)
{
	u8 width = 1U << (data[0] >> 4 & 3);
	u32 offset = data[1] | (u32)data[2] << 8;
	bool is_write = data[0] & 4;
	u8 target = data[0] & 3;
	u64 value = 0;

	if (is_write && len >= 3U + width)
		memcpy(&value, data + 3, width);
	if (target == 0) {
		if (width == 8)
			width = 4;
		offset = offset % 4096 & ~(width - 1U);
		/* Moving BARs is the PCI core's business, and its fuzzer's. */
		if (is_write && offset >= 0x40)
			fake_config_write(fake, offset, width, (u32)value);
		else
			fake_config_read(fake, offset, width);
	} else if (is_write) {
		fake_bar_write(fake, target == 1 ? 0 : 1, offset % 0x6000,
			       width, value);
	} else {
		fake_bar_read(fake, target == 1 ? 0 : 1, offset % 0x6000,
			      width);
	}
	return 3 + (is_write ? width : 0);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct virtio_device dev = { 0 };
	struct fake_guest guest;
	struct fake_vm fake;

	fake_guest_init(&guest, RAM_LEN);
	fake_vm_init(&fake, &guest);
	if (virtio_device_init(&dev, &fuzz_ops, &guest.mem, 0, 10, NR_QUEUES,
			       64) ||
	    virtio_pci_create(&fake.vm, &dev))
		abort();
	atomic_flag_test_and_set(&dev.guest_error.done);
	fake_vm_start(&fake);
	while (len >= 3) {
		size_t used = one_access(&fake, data, len);

		if (used > len)
			break;
		data += used;
		len -= used;
	}
	virtio_transport_destroy(&dev);
	virtio_device_release(&dev);
	fake_vm_release(&fake);
	fake_guest_release(&guest);
	return 0;
}
