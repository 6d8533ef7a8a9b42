/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The balloon under a hostile driver: the input is the driver's features and
 * configuration writes, and chains for each queue with what they hold. Every
 * request completes or costs the device.
 */
#include <linux/virtio_config.h>
#include <stdlib.h>
#include <string.h>
#include "lkvm/balloon.h"
#include "lkvm/devices.h"
#include "tests/support/fake_virtio.h"
#include "tests/support/fuzz_input.h"
#include "virtio/balloon_priv.h"

#define RAM_LEN (128 * KIB)
#define SIZE 16

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

/* Page numbers, and so some of the RAM's, and anything else. */
static void fill(struct fake_guest *guest, struct fuzz_input *in, u64 buffer)
{
	u8 *bytes = fake_ptr(guest, buffer, 4096);
	u32 base = (u32)(FAKE_RAM_START / BALLOON_PAGE);

	for (unsigned int i = 0; i < 16 && in->len; i++) {
		u32 value = (u32)fuzz_take(in, 1);

		value = value & 0x80 ? (u32)fuzz_take(in, 4) : base + value;
		memcpy(bytes + i * sizeof(value), &value, sizeof(value));
	}
}

static void post_chain(struct fake_ring *ring, struct fuzz_input *in,
		       u64 buffer)
{
	u16 nr = 1 + fuzz_take(in, 1) % 4;

	for (u16 i = 0; i < nr; i++) {
		u64 shape = fuzz_take(in, 3);
		u16 flags = shape & 1 ? VRING_DESC_F_WRITE : 0;

		if (i + 1 < nr)
			flags |= VRING_DESC_F_NEXT;
		if (shape & 0x8000)
			flags ^= (u16)fuzz_take(in, 1) & 7;
		fake_desc(ring, i, buffer + (shape >> 1) % 4096,
			  (u32)(shape >> 9), flags, i + 1);
	}
	fake_post(ring, 0);
}

static void drive(struct fake_guest *guest, struct virtio_device *dev,
		  struct fuzz_input *in)
{
	struct fake_ring rings[BALLOON_NR_QUEUES];
	u64 buffer = fake_alloc(guest, 64 * KIB, 4096);
	u32 config = (u32)fuzz_take(in, 2);

	fake_negotiate(dev, dev->host_features & ~fuzz_take(in, 1));
	for (unsigned int i = 0; i < BALLOON_NR_QUEUES; i++) {
		fake_ring_init(&rings[i], guest, &dev->queues[i], SIZE);
		virtio_queue_enable(dev, &dev->queues[i]);
	}
	virtio_config_write(dev, config % 16, &config, 4);
	fake_driver_ok(dev);
	for (unsigned int n = 0; n < 8 && in->len; n++) {
		u32 what = (u32)fuzz_take(in, 1);
		unsigned int queue = what % BALLOON_NR_QUEUES;

		fill(guest, in, buffer);
		post_chain(&rings[queue], in, buffer);
		virtio_kick(dev, queue);
		if (what & 0x80) {
			virtio_device_pause(&dev->base);
			virtio_device_resume(&dev->base);
		}
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct fuzz_input in = { data, len };
	struct fake_guest guest;
	struct fake_vm fake;
	struct virtio_device *dev;

	fake_guest_init(&guest, RAM_LEN);
	fake_vm_init(&fake, &guest);
	fake.config.balloon = true;
	if (virtio_balloon_class.create(&fake.vm, &fake.config))
		abort();
	dev = container_of(fake.vm.devices, struct virtio_device, base);
	drive(&guest, dev, &in);
	virtio_set_status(dev, 0);
	fake_vm_release(&fake);
	fake_guest_release(&guest);
	return 0;
}
