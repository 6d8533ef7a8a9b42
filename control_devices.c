/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What clients can learn of the VM's virtio devices: counters, and the state of
 * their queues.
 */
#include <stdio.h>
#include "control_priv.h"
#include "lkvm/device.h"
#include "lkvm/log.h"
#include "lkvm/virtio.h"

#define LABEL_LEN 80

static struct virtio_device *virtio_of(struct device *dev)
{
	return dev->ops->virtio ? dev->ops->virtio(dev) : NULL;
}

/* ---- Counters ---- */

static json_t *queue_counters(const struct virtq *q)
{
	const struct virtq_stats *stats = &q->stats;

	if (q->in_kernel)
		return json_pack("{sb}", "in_kernel", 1);
	return json_pack("{sI sI sI sI sI}", "requests",
			 (json_int_t)counter_read(&stats->requests),
			 "bytes_out",
			 (json_int_t)counter_read(&stats->bytes_out),
			 "bytes_in", (json_int_t)counter_read(&stats->bytes_in),
			 "wakeups", (json_int_t)counter_read(&stats->wakeups),
			 "interrupts",
			 (json_int_t)counter_read(&stats->interrupts));
}

static json_t *device_counters(const struct virtio_device *dev)
{
	json_t *queues = json_array();

	for (unsigned int i = 0; i < dev->nr_queues; i++)
		json_array_append_new(queues, queue_counters(&dev->queues[i]));
	return json_pack("{so sI}", "queues", queues, "config_interrupts",
			 (json_int_t)counter_read(&dev->config_irqs));
}

json_t *devices_stat(const struct kvm *vm)
{
	json_t *devices = json_object();
	char label[LABEL_LEN];

	for (struct device *dev = vm->devices; dev; dev = dev->next) {
		const struct virtio_device *vdev = virtio_of(dev);

		if (!vdev)
			continue;
		virtio_device_label(vdev, label, sizeof(label));
		json_object_set_new(devices, label, device_counters(vdev));
	}
	return devices;
}

/* ---- Queues ---- */

/* The main thread's work: a device's lock may be held until a disk answers. */
int queues_work(struct control_work *work, struct kvm *vm)
{
	json_t *lines = json_array();
	const struct text_sink sink = { control_add_line, lines };

	for (struct device *dev = vm->devices; dev; dev = dev->next)
		if (virtio_of(dev))
			virtio_device_dump(virtio_of(dev), &sink);
	json_object_set_new(work->reply, "lines", lines);
	return 0;
}
