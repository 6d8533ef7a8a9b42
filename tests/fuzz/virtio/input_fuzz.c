/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tablet under a hostile driver, while a user moves and clicks: the input is
 * configuration accesses, chains for both queues, and events.
 */
#include <linux/input-event-codes.h>
#include <stdlib.h>
#include <string.h>
#include "lkvm/devices.h"
#include "tests/support/fake_virtio.h"
#include "virtio/input_priv.h"

#define RAM_LEN (128 * KIB)
#define SIZE 16
#define STEP_LEN 6
#define MAX_STEPS 64

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

struct fixture {
	struct fake_guest guest;
	struct fake_vm fake;
	struct virtio_device *dev;
	struct fake_ring rings[VIRTIO_INPUT_QUEUES];
	u64 buffer;
};

static void post(struct fixture *f, unsigned int queue, const u8 *data)
{
	struct fake_ring *ring = &f->rings[queue];
	u16 nr = 1 + data[0] % 3;

	for (u16 i = 0; i < nr; i++)
		fake_desc(ring, i, f->buffer + data[1] * 16U, data[2 + i % 2],
			  data[4 + i % 2] & 7, (u16)(i + 1));
	fake_post(ring, 0);
	virtio_kick(f->dev, queue);
}

static void configure(struct fixture *f, const u8 *data)
{
	u8 bytes[8];

	virtio_config_write(f->dev, data[0], data + 1, 1 + data[1] % 4);
	virtio_config_read(f->dev, data[4], bytes, 1 + data[5] % sizeof(bytes));
}

static void step(struct fixture *f, const u8 *data)
{
	struct input_hub *hub = &f->fake.vm.input;

	switch (data[0] % 6) {
	case 0:
	case 1:
		post(f, data[0] % 2, data);
		break;
	case 2:
		configure(f, data);
		break;
	case 3:
		input_move_to(hub, data[1], data[2], 200, 100);
		break;
	case 4:
		input_key(hub, (u16)(BTN_LEFT + data[1] % 8), data[2] & 1);
		break;
	default:
		virtio_device_pause(&f->dev->base);
		virtio_device_resume(&f->dev->base);
		break;
	}
}

static void start(struct fixture *f)
{
	f->buffer = fake_alloc(&f->guest, 8 * KIB, 16);
	fake_negotiate(f->dev, f->dev->host_features);
	for (unsigned int i = 0; i < VIRTIO_INPUT_QUEUES; i++) {
		fake_ring_init(&f->rings[i], &f->guest, &f->dev->queues[i],
			       SIZE);
		virtio_queue_enable(f->dev, &f->dev->queues[i]);
	}
	fake_driver_ok(f->dev);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	fake_guest_init(&f.guest, RAM_LEN);
	fake_vm_init(&f.fake, &f.guest);
	input_init(&f.fake.vm.input);
	f.fake.config.display.kind = DISPLAY_VNC;
	if (virtio_input_class.create(&f.fake.vm, &f.fake.config))
		abort();
	f.dev = container_of(f.fake.vm.devices, struct virtio_device, base);
	start(&f);
	for (size_t i = 0; i + STEP_LEN <= len && i < MAX_STEPS * STEP_LEN;
	     i += STEP_LEN)
		step(&f, data + i);
	virtio_set_status(f.dev, 0);
	fake_vm_release(&f.fake);
	input_release(&f.fake.vm.input);
	fake_guest_release(&f.guest);
	return 0;
}
