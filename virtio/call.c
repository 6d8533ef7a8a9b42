/* SPDX-License-Identifier: GPL-2.0-only */
#include "virtio/call.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include "lkvm/virtio.h"

static void called(struct event_source *source, u32 events)
{
	struct virtio_call *call =
		container_of(source, struct virtio_call, source);
	struct virtio_transport *transport = call->q->dev->transport;
	eventfd_t count;

	if (!eventfd_read(source->fd, &count))
		transport->ops->queue_irq(transport, call->q);
}

void virtio_call_init(struct virtio_call *call, struct virtq *q,
		      struct event_loop *loop)
{
	*call = (struct virtio_call){
		.q = q,
		.loop = loop,
		.source = { .fd = -1, .ready = called },
	};
}

void virtio_call_poll(struct virtio_call *call)
{
	if (call->is_polled || call->source.fd < 0)
		return;
	call->is_polled = !event_add(call->loop, &call->source, EPOLLIN);
}

void virtio_call_unpoll(struct virtio_call *call)
{
	if (call->is_polled)
		event_remove(call->loop, &call->source);
	call->is_polled = false;
}
