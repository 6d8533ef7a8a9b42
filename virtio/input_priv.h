/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An input device, open for its tests.
 */
#ifndef LKVM_VIRTIO_INPUT_PRIV_H
#define LKVM_VIRTIO_INPUT_PRIV_H

#include <linux/virtio_input.h>
#include <pthread.h>
#include "lkvm/event.h"
#include "lkvm/input.h"
#include "lkvm/iov.h"
#include "lkvm/virtio.h"

#define VIRTIO_INPUT_QUEUE_SIZE 64U
#define VIRTIO_INPUT_MAX_EVENTS 128U

/* 5.8.2 */
enum {
	VIRTIO_INPUT_EVENTS, /* to the driver */
	VIRTIO_INPUT_STATUS, /* from it */
	VIRTIO_INPUT_QUEUES
};

struct virtio_input {
	struct virtio_device vdev;
	struct input_device device;
	struct input_hub *hub; /* of the VM */
	struct event_loop *loop;
	struct event_source events_kick, status_kick;
	bool is_tablet; /* const */
	/* What of the configuration is to be seen; guarded by vdev.lock. */
	u8 select, subsel;
	struct iovec status_iov[VIRTIO_INPUT_QUEUE_SIZE]; /* event loop only */

	/* Guards all below, and the queue of events. After vdev.lock. */
	pthread_mutex_t lock;
	bool serving;
	struct iovec iov[VIRTIO_INPUT_QUEUE_SIZE];
	/* That wait for a buffer; what finds no room is lost. */
	struct virtio_input_event events[VIRTIO_INPUT_MAX_EVENTS];
	unsigned int first_event, nr_events;
};

#endif
