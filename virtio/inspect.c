/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtio device as text, for people who look into a running VM. Serving threads
 * go on meanwhile: each number is one that was true, not all at the same moment.
 */
#include <inttypes.h>
#include <linux/virtio_ring.h>
#include <stdio.h>
#include "lkvm/virtio.h"

#define TEXT_LEN 64

struct virtio_device *virtio_device_of(struct device *dev)
{
	return container_of(dev, struct virtio_device, base);
}

void virtio_device_label(const struct virtio_device *dev, char *text,
			 size_t size)
{
	struct virtio_transport *transport = dev->transport;
	char place[TEXT_LEN] = "nowhere";

	if (transport && transport->ops->locate)
		transport->ops->locate(transport, place, sizeof(place));
	snprintf(text, size, "virtio-%s@%s", dev->ops->name, place);
}

/* How the driver hears of @q, or of configuration changes. */
static void irq_text(const struct virtio_device *dev, const struct virtq *q,
		     char text[TEXT_LEN])
{
	struct virtio_transport *transport = dev->transport;

	snprintf(text, TEXT_LEN, "nobody");
	if (transport && transport->ops->show_irq)
		transport->ops->show_irq(transport, q, text, TEXT_LEN);
}

static u16 relaxed(const u16 *index)
{
	return __atomic_load_n(index, __ATOMIC_RELAXED);
}

/* 2.7.6 to 2.7.8: where both sides stand, and when each wants to hear of it. */
static void dump_rings(const struct virtq *q, const struct text_sink *sink)
{
	/* used_event and avail_event lie behind the rings (2.7.10). */
	const u16 *used_event = &q->avail->ring[q->size];
	const u16 *avail_event =
		(const u16 *)(const void *)&q->used->ring[q->size];

	text_emit(sink, "    available index %u, taken up to %u; used index %u",
		  relaxed(&q->avail->idx), relaxed(&q->last_avail),
		  relaxed(&q->used->idx));
	if (q->event_idx)
		text_emit(sink, "    used_event %u, avail_event %u",
			  relaxed(used_event), relaxed(avail_event));
	else
		text_emit(sink, "    interrupts %s, notifications %s",
			  relaxed(&q->avail->flags) & VRING_AVAIL_F_NO_INTERRUPT
				  ? "off"
				  : "on",
			  relaxed(&q->used->flags) & VRING_USED_F_NO_NOTIFY
				  ? "off"
				  : "on");
}

static void dump_queue(const struct virtq *q, const struct text_sink *sink)
{
	char irq[TEXT_LEN];

	if (!q->enabled) {
		text_emit(sink, "  queue %u: size %u, not enabled", q->index,
			  q->size);
		return;
	}
	irq_text(q->dev, q, irq);
	text_emit(sink, "  queue %u: size %u, enabled%s, interrupt: %s",
		  q->index, q->size,
		  q->in_kernel ? ", served by the host's kernel" : "", irq);
	text_emit(sink,
		  "    descriptors 0x%" PRIx64 ", available 0x%" PRIx64
		  ", used 0x%" PRIx64,
		  q->desc_gpa, q->avail_gpa, q->used_gpa);
	dump_rings(q, sink);
}

void virtio_device_dump(struct virtio_device *dev, const struct text_sink *sink)
{
	char label[TEXT_LEN + 16], irq[TEXT_LEN];

	virtio_device_label(dev, label, sizeof(label));
	pthread_mutex_lock(&dev->lock);
	irq_text(dev, NULL, irq);
	text_emit(sink,
		  "%s: status 0x%02x, features 0x%" PRIx64 " of 0x%" PRIx64
		  ", configuration interrupt: %s",
		  label, dev->status, dev->driver_features, dev->host_features,
		  irq);
	for (unsigned int i = 0; i < dev->nr_queues; i++)
		dump_queue(&dev->queues[i], sink);
	pthread_mutex_unlock(&dev->lock);
}
