/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A console with ports under a hostile driver: the input is the driver's
 * features, and chains for every queue, of which those for the control queue
 * often look like messages. Every request completes or costs the device.
 */
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <linux/virtio_console.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "backend/char_priv.h"
#include "lkvm/devices.h"
#include "tests/support/fake_virtio.h"
#include "tests/support/fuzz_input.h"

#define RAM_LEN (256 * KIB)
#define SIZE 8
#define NR_PORTS 2
#define NR_QUEUES (2 * (NR_PORTS + 2))
#define FROM_DRIVER 3

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

/* Always something to read, and nobody who minds what is written. */
static struct chardev *open_chardev(void)
{
	struct chardev *chr;
	int in = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	int out = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (in < 0 || out < 0 || chardev_open_fds(in, out, 4096, &chr))
		abort();
	return chr;
}

static void make_message(struct fake_guest *guest, struct fuzz_input *in,
			 u64 buffer)
{
	struct virtio_console_control message = {
		.id = (u32)fuzz_take(in, 1) % 5,
		.event = (u16)(fuzz_take(in, 1) % 10),
		.value = (u16)(fuzz_take(in, 1) & 1),
	};

	memcpy(fake_ptr(guest, buffer, sizeof(message)), &message,
	       sizeof(message));
}

static void post_chain(struct fake_ring *ring, struct fuzz_input *in,
		       u64 buffer)
{
	u16 nr = 1 + fuzz_take(in, 1) % 3;

	for (u16 i = 0; i < nr; i++) {
		u64 shape = fuzz_take(in, 2);
		u16 flags = shape & 1 ? VRING_DESC_F_WRITE : 0;

		if (i + 1 < nr)
			flags |= VRING_DESC_F_NEXT;
		if (shape & 0x8000)
			flags ^= (u16)fuzz_take(in, 1) & 7;
		fake_desc(ring, i, buffer + ((shape >> 1) & 15),
			  (u32)(shape >> 5) & 0x3ff, flags, i + 1);
	}
	fake_post(ring, 0);
}

static void drive(struct fake_guest *guest, struct virtio_device *dev,
		  struct fuzz_input *in)
{
	struct fake_ring rings[NR_QUEUES];
	u64 buffer = fake_alloc(guest, 8 * KIB, 16);

	fake_negotiate(dev, dev->host_features & ~fuzz_take(in, 1));
	for (unsigned int i = 0; i < NR_QUEUES; i++) {
		fake_ring_init(&rings[i], guest, &dev->queues[i], SIZE);
		virtio_queue_enable(dev, &dev->queues[i]);
	}
	fake_driver_ok(dev);
	for (unsigned int n = 0; n < 16 && in->len; n++) {
		u32 what = (u32)fuzz_take(in, 1);
		unsigned int queue = what % NR_QUEUES;

		if (queue == FROM_DRIVER && what & 0x40)
			make_message(guest, in, buffer);
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

	signal(SIGPIPE, SIG_IGN);
	fake_guest_init(&guest, RAM_LEN);
	fake_vm_init(&fake, &guest);
	fake.consoles.console = open_chardev();
	fake.config.console = CONSOLE_VIRTIO;
	fake.config.nr_ports = NR_PORTS;
	for (unsigned int i = 0; i < NR_PORTS; i++) {
		memcpy(fake.config.ports[i].name, "port", 5);
		fake.consoles.ports[i] = open_chardev();
	}
	if (virtio_console_class.create(&fake.vm, &fake.config))
		abort();
	dev = container_of(fake.vm.devices, struct virtio_device, base);
	if (dev->base.ops->start(&dev->base))
		abort();
	drive(&guest, dev, &in);
	virtio_set_status(dev, 0);
	fake_vm_release(&fake);
	for (unsigned int i = 0; i < NR_PORTS; i++)
		chardev_close(fake.consoles.ports[i], 0);
	chardev_close(fake.consoles.console, 0);
	fake_guest_release(&guest);
	return 0;
}
