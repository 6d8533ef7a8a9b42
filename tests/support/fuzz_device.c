/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/support/fuzz_device.h"

#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>

#define RAM_LEN (64 * KIB)
#define CONFIG_LEN 10
#define QUEUE_SIZE 64

static void fuzz_config_read(struct virtio_device *dev, unsigned int offset,
			     void *buf, unsigned int len)
{
	static const u8 config[CONFIG_LEN];

	memcpy(buf, config + offset, len);
}

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

void fuzz_device_init(struct fuzz_device *fuzz,
		      enum virtio_transport_kind transport)
{
	memset(fuzz, 0, sizeof(*fuzz));
	fake_guest_init(&fuzz->guest, RAM_LEN);
	fake_vm_init(&fuzz->fake, &fuzz->guest);
	fuzz->fake.config.virtio_transport = transport;
	if (virtio_device_init(&fuzz->dev, &fuzz_ops, &fuzz->guest.mem, 0,
			       CONFIG_LEN, FUZZ_DEVICE_QUEUES, QUEUE_SIZE) ||
	    virtio_transport_create(&fuzz->fake.vm, &fuzz->dev))
		abort();
	/* One warning a run would be the slowest part of it. */
	atomic_flag_test_and_set(&fuzz->dev.guest_error.done);
}

void fuzz_device_release(struct fuzz_device *fuzz)
{
	virtio_transport_destroy(&fuzz->dev);
	virtio_device_release(&fuzz->dev);
	fake_vm_release(&fuzz->fake);
	fake_guest_release(&fuzz->guest);
}
