/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The entropy device (virtio 1.2, 5.4): the host's random numbers, served on
 * the event loop. The smallest device: a pattern for others.
 */
#include "lkvm/virtio.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include "lkvm/devices.h"
#include "lkvm/kvm.h"

#define RNG_CLASS 0xff0000 /* no class of its own */
#define RNG_QUEUE_SIZE 64U

/*
 * A request may ask for 4 GiB, which takes the host ten seconds: other devices
 * share the event loop's thread. The device may return less than was asked for
 * (5.4.6.1), and a turn ends after some requests even if there are more.
 */
#define RNG_MAX_BYTES (4 * KIB)
#define RNG_MAX_REQUESTS 16U

struct rng {
	struct virtio_device vdev;
	struct event_loop *loop;
	struct event_source kick;
	struct iovec iov[RNG_QUEUE_SIZE]; /* event loop only */
};

/* Random bytes into one buffer; returns how many. */
static size_t fill_buffer(const struct iovec *buffer, size_t max)
{
	size_t len = buffer->iov_len < max ? buffer->iov_len : max;
	ssize_t got;

	do
		got = getrandom(buffer->iov_base, len, 0);
	while (got < 0 && errno == EINTR);
	return got < 0 ? 0 : (size_t)got;
}

static u32 fill_chain(const struct virtq_chain *chain)
{
	const struct iovec *in = chain->iov + chain->nr_out;
	size_t done = 0;

	for (unsigned int i = 0; i < chain->nr_in; i++) {
		size_t got = fill_buffer(&in[i], RNG_MAX_BYTES - done);

		done += got;
		/* used.len counts bytes without gaps: stop at the first. */
		if (got < in[i].iov_len)
			break;
	}
	return (u32)done;
}

static void serve_turn(struct rng *rng, struct virtq *q)
{
	struct virtq_chain chain = {
		.iov = rng->iov,
		.max_iov = ARRAY_SIZE(rng->iov),
	};

	for (unsigned int i = 0; i < RNG_MAX_REQUESTS; i++) {
		if (virtq_pop(q, &chain) <= 0)
			break;
		virtq_push(q, chain.head, fill_chain(&chain));
	}
	virtq_notify(q);
}

static void rng_kicked(struct event_source *source, u32 events)
{
	struct rng *rng = container_of(source, struct rng, kick);
	struct virtq *q = &rng->vdev.queues[0];

	virtq_take_kick(q);
	virtq_disable_kicks(q);
	serve_turn(rng, q);
	if (virtq_enable_kicks(q))
		virtq_kick(q); /* there is more, after the others' turn */
}

/* ---- The device ---- */

static int rng_activate(struct virtio_device *vdev)
{
	struct rng *rng = container_of(vdev, struct rng, vdev);

	virtq_kick(&vdev->queues[0]);
	return event_add(rng->loop, &rng->kick, EPOLLIN);
}

static void rng_deactivate(struct virtio_device *vdev)
{
	struct rng *rng = container_of(vdev, struct rng, vdev);

	event_remove(rng->loop, &rng->kick);
}

static const struct virtio_dev_ops rng_vdev_ops = {
	.name = "rng",
	.id = VIRTIO_ID_RNG,
	.pci_class = RNG_CLASS,
	.activate = rng_activate,
	.deactivate = rng_deactivate,
};

static void rng_destroy(struct rng *rng)
{
	virtio_transport_destroy(&rng->vdev);
	virtio_device_release(&rng->vdev);
	free(rng);
}

static void rng_device_destroy(struct device *dev)
{
	rng_destroy(container_of(dev, struct rng, vdev.base));
}

static const struct device_ops rng_device_ops = {
	.name = "virtio-rng",
	.describe = virtio_device_describe,
	.virtio = virtio_device_of,
	.pause = virtio_device_pause,
	.resume = virtio_device_resume,
	.stop = virtio_device_stop,
	.destroy = rng_device_destroy,
};

static int rng_init(struct rng *rng, struct kvm *vm)
{
	int err = virtio_device_init(&rng->vdev, &rng_vdev_ops, &vm->memory, 0,
				     0, 1, RNG_QUEUE_SIZE);

	if (err)
		return err;
	rng->loop = &vm->loop;
	rng->kick.fd = rng->vdev.queues[0].kick_fd;
	rng->kick.ready = rng_kicked;
	return virtio_transport_create(vm, &rng->vdev);
}

static int rng_class_create(struct kvm *vm, const struct kvm_config *config)
{
	struct rng *rng;
	int err;

	if (!config->rng)
		return 0;
	rng = calloc(1, sizeof(*rng));
	if (!rng)
		return -ENOMEM;
	err = rng_init(rng, vm);
	if (err) {
		rng_destroy(rng);
		return vm_fail(vm, err, "cannot create virtio-rng: %s",
			       strerror(-err));
	}
	device_register(vm, &rng->vdev.base, &rng_device_ops);
	return 0;
}

const struct device_class virtio_rng_class = {
	.name = "virtio-rng",
	.create = rng_class_create,
};
