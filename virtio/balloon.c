/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory balloon (virtio 1.2, 5.5): pages that the guest gives up, now or
 * as it reports them free, go back to the host. A thread serves them, as the
 * host takes its time with many pages. No free page hinting, which is for
 * migration.
 */
#include "virtio/balloon_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lkvm/devices.h"
#include "lkvm/kvm.h"

#define BALLOON_CLASS 0xff0000 /* no class of its own */

/* ---- Serving; worker's thread ---- */

/* A chain to work on, from queue @index. False: there is none. */
static bool hold_chain(struct balloon_chain *held)
{
	while (!held->is_held) {
		if (virtq_pop(held->q, &held->chain) > 0) {
			held->is_held = true;
			held->done = 0;
		} else if (!virtq_enable_kicks(held->q)) {
			return false;
		}
	}
	return true;
}

/* One piece of work. False: the queue is empty. */
static bool serve_queue(struct balloon *balloon, unsigned int index)
{
	struct balloon_chain *held = &balloon->chains[index];

	if (index == BALLOON_STATS_QUEUE || !hold_chain(held))
		return false;
	if (balloon_work(balloon, index)) {
		virtq_push(held->q, held->chain.head, 0);
		virtq_notify(held->q);
		held->is_held = false;
	}
	return true;
}

static void balloon_serve(struct virtio_worker *worker)
{
	struct balloon *balloon = container_of(worker, struct balloon, worker);
	bool busy = true;

	while (busy) {
		busy = false;
		for (unsigned int i = 0; i < BALLOON_NR_QUEUES; i++) {
			if (!virtio_worker_may_run(worker))
				return;
			busy |= serve_queue(balloon, i);
		}
	}
}

/* What was not finished is kept for the next activate(). */
static void balloon_drain(struct virtio_worker *worker)
{
}

static const struct virtio_worker_ops balloon_worker_ops = {
	.serve = balloon_serve,
	.drain = balloon_drain,
};

/* ---- Configuration ---- */

static struct virtio_balloon_config get_config(const struct balloon *balloon)
{
	return (struct virtio_balloon_config){
		.num_pages = balloon->target,
		.actual = balloon->actual,
		.poison_val = balloon->poison,
	};
}

static void balloon_config_read(struct virtio_device *vdev, unsigned int offset,
				void *buf, unsigned int len)
{
	const struct balloon *balloon =
		container_of(vdev, struct balloon, vdev);
	struct virtio_balloon_config config = get_config(balloon);

	memcpy(buf, (const u8 *)&config + offset, len);
}

/* The driver may change two of the fields (5.5.4). */
static void balloon_config_write(struct virtio_device *vdev,
				 unsigned int offset, const void *buf,
				 unsigned int len)
{
	struct balloon *balloon = container_of(vdev, struct balloon, vdev);
	struct virtio_balloon_config config = get_config(balloon);

	memcpy((u8 *)&config + offset, buf, len);
	balloon->actual = config.actual;
	balloon->poison = config.poison_val;
}

/* ---- For the rest of lkvm; any thread ---- */

static u64 guest_ram(const struct memory *mem)
{
	u64 len = 0;

	for (unsigned int i = 0; i < mem->nr_ram; i++)
		len += mem->ram[i].len;
	return len;
}

int balloon_set_target(struct kvm *vm, u64 bytes)
{
	struct balloon *balloon = vm->balloon;

	if (!balloon)
		return -ENODEV;
	if (bytes > guest_ram(&vm->memory) || bytes / BALLOON_PAGE > UINT32_MAX)
		return -EINVAL;
	balloon->target = (u32)(bytes / BALLOON_PAGE);
	virtio_config_changed(&balloon->vdev);
	return 0;
}

int balloon_query(struct kvm *vm, struct balloon_info *out)
{
	struct balloon *balloon = vm->balloon;
	u64 ram = guest_ram(&vm->memory);
	u64 actual;

	if (!balloon)
		return -ENODEV;
	actual = (u64)balloon->actual * BALLOON_PAGE;
	*out = (struct balloon_info){
		.target = (u64)balloon->target * BALLOON_PAGE,
		.actual = actual < ram ? actual : ram,
		.reports = balloon->reports,
		.has_driver = virtio_get_status(&balloon->vdev) &
			      VIRTIO_CONFIG_S_DRIVER_OK,
		.is_pinned = vm->memory.is_pinned,
	};
	return 0;
}

/* ---- The device ---- */

static int balloon_activate(struct virtio_device *vdev)
{
	struct balloon *balloon = container_of(vdev, struct balloon, vdev);
	int err = balloon_asking_start(balloon);

	if (!err)
		virtio_worker_run(&balloon->worker);
	return err;
}

static void balloon_deactivate(struct virtio_device *vdev)
{
	struct balloon *balloon = container_of(vdev, struct balloon, vdev);

	virtio_worker_park(&balloon->worker);
	balloon_asking_stop(balloon);
}

/* The balloon of a driver that has gone is empty: its pages are RAM again. */
static void balloon_reset(struct virtio_device *vdev)
{
	struct balloon *balloon = container_of(vdev, struct balloon, vdev);

	for (unsigned int i = 0; i < BALLOON_NR_QUEUES; i++)
		balloon->chains[i].is_held = false;
	balloon_asking_reset(balloon);
	balloon->actual = 0;
	balloon->poison = 0;
}

static void balloon_queue_reset(struct virtio_device *vdev, struct virtq *q)
{
	struct balloon *balloon = container_of(vdev, struct balloon, vdev);

	balloon->chains[q->index].is_held = false;
	if (q->index == BALLOON_STATS_QUEUE)
		balloon_asking_reset(balloon);
}

static const struct virtio_dev_ops balloon_vdev_ops = {
	.name = "balloon",
	.id = VIRTIO_ID_BALLOON,
	.pci_class = BALLOON_CLASS,
	.config_read = balloon_config_read,
	.config_write = balloon_config_write,
	.activate = balloon_activate,
	.deactivate = balloon_deactivate,
	.reset = balloon_reset,
	.queue_reset = balloon_queue_reset,
};

/*
 * Free pages of hugetlbfs would return to a pool from which the guest may not
 * get them again, and it would not know whom it trusted: only what it is asked
 * to give is taken there. Devices passed through pin all RAM.
 */
static u64 balloon_features(const struct kvm *vm)
{
	u64 features = BIT64(VIRTIO_BALLOON_F_MUST_TELL_HOST) |
		       BIT64(VIRTIO_BALLOON_F_STATS_VQ) |
		       BIT64(VIRTIO_BALLOON_F_DEFLATE_ON_OOM) |
		       BIT64(VIRTIO_BALLOON_F_PAGE_POISON);

	if (!vm->memory.is_hugetlb && !vm->config->nr_vfio)
		features |= BIT64(VIRTIO_BALLOON_F_REPORTING);
	return features;
}

/* The worker waits for one eventfd: let all of its queues ring that one. */
static int share_kick_fd(struct virtio_device *vdev)
{
	int fd;

	for (unsigned int i = 1; i < BALLOON_NR_QUEUES; i++) {
		if (i == BALLOON_STATS_QUEUE)
			continue;
		fd = dup3(vdev->queues[0].kick_fd, vdev->queues[i].kick_fd,
			  O_CLOEXEC);
		if (fd < 0)
			return -errno;
	}
	return 0;
}

static void init_chains(struct balloon *balloon)
{
	for (unsigned int i = 0; i < BALLOON_NR_QUEUES; i++) {
		struct balloon_chain *held = &balloon->chains[i];

		held->q = &balloon->vdev.queues[i];
		held->chain.iov = held->iov;
		held->chain.max_iov = ARRAY_SIZE(held->iov);
	}
}

static int balloon_init(struct balloon *balloon, struct kvm *vm)
{
	int err = virtio_device_init(&balloon->vdev, &balloon_vdev_ops,
				     &vm->memory, balloon_features(vm),
				     sizeof(struct virtio_balloon_config),
				     BALLOON_NR_QUEUES, BALLOON_QUEUE_SIZE);

	if (err)
		return err;
	balloon->vm = vm;
	init_chains(balloon);
	err = share_kick_fd(&balloon->vdev);
	if (!err)
		err = balloon_asking_init(balloon);
	if (!err)
		err = virtio_worker_start(&balloon->worker, &balloon_worker_ops,
					  &balloon->vdev.queues[0],
					  "virtio-balloon");
	return err ? err : virtio_transport_create(vm, &balloon->vdev);
}

static void balloon_destroy(struct balloon *balloon)
{
	virtio_transport_destroy(&balloon->vdev);
	virtio_device_stop(&balloon->vdev.base);
	virtio_worker_stop(&balloon->worker);
	balloon_asking_release(balloon);
	virtio_device_release(&balloon->vdev);
	free(balloon);
}

/* ---- The class ---- */

static void balloon_device_destroy(struct device *dev)
{
	dev->vm->balloon = NULL;
	balloon_destroy(container_of(dev, struct balloon, vdev.base));
}

static const struct device_ops balloon_device_ops = {
	.name = "virtio-balloon",
	.describe = virtio_device_describe,
	.virtio = virtio_device_of,
	.pause = virtio_device_pause,
	.resume = virtio_device_resume,
	.stop = virtio_device_stop,
	.destroy = balloon_device_destroy,
};

static int balloon_class_create(struct kvm *vm, const struct kvm_config *config)
{
	struct balloon *balloon;
	int err;

	if (!config->balloon)
		return 0;
	balloon = calloc(1, sizeof(*balloon));
	if (!balloon)
		return -ENOMEM;
	err = balloon_init(balloon, vm);
	if (err) {
		balloon_destroy(balloon);
		return vm_fail(vm, err, "cannot create virtio-balloon: %s",
			       strerror(-err));
	}
	vm->balloon = balloon;
	device_register(vm, &balloon->vdev.base, &balloon_device_ops);
	return 0;
}

const struct device_class virtio_balloon_class = {
	.name = "virtio-balloon",
	.create = balloon_class_create,
};
