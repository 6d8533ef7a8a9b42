/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An eventfd whose signals mean "interrupt the driver for this queue", for
 * transports: while they know no shorter way, the event loop reads it and calls
 * queue_irq().
 */
#ifndef LKVM_VIRTIO_CALL_H
#define LKVM_VIRTIO_CALL_H

#include "lkvm/event.h"

struct virtq;

/* All by one thread at a time. */
struct virtio_call {
	struct virtq *q;
	struct event_loop *loop;
	struct event_source source; /* fd -1: none; borrowed, non-blocking */
	bool is_polled;
};

void virtio_call_init(struct virtio_call *call, struct virtq *q,
		      struct event_loop *loop);
/* Let the event loop read the fd, from now on or no more. Idempotent. */
void virtio_call_poll(struct virtio_call *call);
/*
 * Returns when no callback runs: hold nothing that queue_irq() takes. What has
 * not been read by then stays in the eventfd.
 */
void virtio_call_unpoll(struct virtio_call *call);

#endif
