/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The block device (virtio 1.2, 5.2), with a thread for each of its queues.
 * No lifetime, no secure erase, no zoned model.
 */
#include "virtio/blk_priv.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lkvm/devices.h"
#include "lkvm/kvm.h"

#define BLK_CLASS 0x018000 /* mass storage, other */

/*
 * Moving this much data without telling the driver is enough: it could work on
 * the first requests while we serve the next.
 */
#define BLK_BATCH_LEN MIB

/* Without queues=: beyond this many, threads and vectors cost more than they give. */
#define BLK_DEFAULT_QUEUES 4U

/* ---- Serving; worker's thread ---- */

void blk_complete(struct blk_request *req, u32 written)
{
	struct blk_queue *queue = req->queue;

	virtq_push(queue->q, req->chain.head, written);
	queue->unannounced += req->chain.in_len + req->chain.out_len;
	queue->in_flight--;
	req->next = queue->free;
	queue->free = req;
}

static void announce(struct blk_queue *queue)
{
	queue->unannounced = 0;
	virtq_notify(queue->q);
}

/* Start what the driver has put into the queue, as far as slots go. */
static void start_requests(struct blk_queue *queue)
{
	while (queue->free && virtio_worker_may_run(&queue->worker)) {
		struct blk_request *req = queue->free;

		if (virtq_pop(queue->q, &req->chain) <= 0)
			break;
		queue->free = req->next;
		queue->in_flight++;
		blk_request_start(req);
		if (queue->unannounced >= BLK_BATCH_LEN)
			announce(queue);
	}
	disk_commit(queue->disk);
}

/*
 * With every slot taken we leave with kicks off: a completion rings, and this
 * runs again.
 */
static void blk_serve(struct virtio_worker *worker)
{
	struct blk_queue *queue =
		container_of(worker, struct blk_queue, worker);

	disk_poll(queue->disk);
	virtq_disable_kicks(queue->q);
	do {
		start_requests(queue);
		announce(queue);
	} while (queue->free && virtio_worker_may_run(worker) &&
		 virtq_enable_kicks(queue->q));
}

static void blk_drain(struct virtio_worker *worker)
{
	struct blk_queue *queue =
		container_of(worker, struct blk_queue, worker);

	/* Look before waiting: the ring that brought us here may be the last. */
	for (;;) {
		disk_poll(queue->disk);
		disk_commit(queue->disk);
		if (!queue->in_flight)
			break;
		virtq_take_kick(worker->q);
	}
	if (queue->unannounced)
		announce(queue);
}

static const struct virtio_worker_ops blk_worker_ops = {
	.serve = blk_serve,
	.drain = blk_drain,
};

/* ---- The device ---- */

static void blk_config_read(struct virtio_device *vdev, unsigned int offset,
			    void *buf, unsigned int len)
{
	const struct blk *blk = container_of(vdev, struct blk, vdev);
	struct virtio_blk_config config = blk->config;

	config.wce = blk->writeback;
	memcpy(buf, (const u8 *)&config + offset, len);
}

/* The cache mode is all that a driver may write (5.2.5.1). */
static void blk_config_write(struct virtio_device *vdev, unsigned int offset,
			     const void *buf, unsigned int len)
{
	const unsigned int wce = offsetof(struct virtio_blk_config, wce);
	struct blk *blk = container_of(vdev, struct blk, vdev);

	if (offset == wce && len == 1)
		atomic_store_explicit(&blk->writeback, *(const u8 *)buf,
				      memory_order_relaxed);
}

/* Queues that the driver has not enabled look empty. */
static int blk_activate(struct virtio_device *vdev)
{
	struct blk *blk = container_of(vdev, struct blk, vdev);

	for (unsigned int i = 0; i < blk->nr_queues; i++)
		virtio_worker_run(&blk->queues[i].worker);
	return 0;
}

static void blk_deactivate(struct virtio_device *vdev)
{
	struct blk *blk = container_of(vdev, struct blk, vdev);

	for (unsigned int i = 0; i < blk->nr_queues; i++)
		virtio_worker_park(&blk->queues[i].worker);
}

static void blk_reset(struct virtio_device *vdev)
{
	container_of(vdev, struct blk, vdev)->writeback = true;
}

/* Nothing of a queue is kept: what was in flight is finished. */
static void blk_queue_reset(struct virtio_device *vdev, struct virtq *q)
{
}

static const struct virtio_dev_ops blk_vdev_ops = {
	.name = "blk",
	.id = VIRTIO_ID_BLOCK,
	.pci_class = BLK_CLASS,
	.config_read = blk_config_read,
	.config_write = blk_config_write,
	.activate = blk_activate,
	.deactivate = blk_deactivate,
	.reset = blk_reset,
	.queue_reset = blk_queue_reset,
};

static u64 blk_features(const struct disk_info *info, unsigned int queues)
{
	u64 features =
		BIT64(VIRTIO_BLK_F_SEG_MAX) | BIT64(VIRTIO_BLK_F_BLK_SIZE) |
		BIT64(VIRTIO_BLK_F_TOPOLOGY) | BIT64(VIRTIO_BLK_F_FLUSH) |
		BIT64(VIRTIO_BLK_F_CONFIG_WCE);

	if (queues > 1)
		features |= BIT64(VIRTIO_BLK_F_MQ);
	if (info->read_only)
		return features | BIT64(VIRTIO_BLK_F_RO);
	if (info->can_discard)
		features |= BIT64(VIRTIO_BLK_F_DISCARD);
	return features | BIT64(VIRTIO_BLK_F_WRITE_ZEROES);
}

static u8 log2_of(u32 power)
{
	u8 log = 0;

	while (power >>= 1)
		log++;
	return log;
}

/* 5.2.4. Topology counts in logical blocks, the rest in 512-byte sectors. */
static void fill_config(struct virtio_blk_config *config,
			const struct disk_info *info, unsigned int queues)
{
	u32 blocks = info->block_size / info->sector_size;

	*config = (struct virtio_blk_config){
		.capacity = info->len / DISK_SECTOR,
		.seg_max = BLK_SEG_MAX,
		.blk_size = info->sector_size,
		.physical_block_exp = log2_of(blocks),
		.min_io_size = (u16)blocks,
		.num_queues = (u16)queues,
		.max_discard_sectors = BLK_MAX_DISCARD_SECTORS,
		.max_discard_seg = 1,
		.discard_sector_alignment = info->discard_len / DISK_SECTOR,
		.max_write_zeroes_sectors = BLK_MAX_ZEROES_SECTORS,
		.max_write_zeroes_seg = 1,
		.write_zeroes_may_unmap = info->can_discard,
	};
}

static int create_requests(struct blk_queue *queue, unsigned int nr)
{
	queue->requests = calloc(nr, sizeof(*queue->requests));
	if (!queue->requests)
		return -ENOMEM;
	/* Last one first: a slow queue depth touches the first slots only. */
	while (nr--) {
		struct blk_request *req = &queue->requests[nr];

		req->queue = queue;
		req->chain.iov = req->iov;
		req->chain.max_iov = ARRAY_SIZE(req->iov);
		req->next = queue->free;
		queue->free = req;
	}
	return 0;
}

static int create_queue(struct blk *blk, unsigned int index)
{
	struct blk_queue *queue = &blk->queues[index];
	char name[16] = "virtio-blk";
	int err;

	queue->blk = blk;
	queue->q = &blk->vdev.queues[index];
	if (blk->nr_queues > 1)
		snprintf(name, sizeof(name), "virtio-blk.%u", index);
	err = create_requests(queue, disk_info(blk->disk)->queue_depth);
	if (!err)
		err = disk_queue_create(blk->disk, queue->q->kick_fd,
					&queue->disk);
	if (err)
		return err;
	return virtio_worker_start(&queue->worker, &blk_worker_ops, queue->q,
				   name);
}

static int blk_init(struct blk *blk, const struct memory *mem, unsigned int nr)
{
	const struct disk_info *info = disk_info(blk->disk);
	int err;

	fill_config(&blk->config, info, nr);
	blk->writeback = true;
	err = virtio_device_init(&blk->vdev, &blk_vdev_ops, mem,
				 blk_features(info, nr), sizeof(blk->config),
				 nr, BLK_QUEUE_SIZE);
	if (err)
		return err;
	blk->queues = calloc(nr, sizeof(*blk->queues));
	if (!blk->queues)
		return -ENOMEM;
	while (!err && blk->nr_queues < nr)
		err = create_queue(blk, blk->nr_queues++);
	return err;
}

static unsigned int usable_queues(const struct disk *disk, unsigned int wanted)
{
	unsigned int max = disk_info(disk)->max_queues;

	if (max > BLK_MAX_QUEUES)
		max = BLK_MAX_QUEUES;
	if (!wanted)
		return 1;
	return wanted < max ? wanted : max;
}

int blk_create(const struct memory *mem, struct disk *disk,
	       const struct blk_options *options, struct blk **out)
{
	struct blk *blk = calloc(1, sizeof(*blk));
	int err;

	*out = NULL;
	if (!blk) {
		disk_close(disk);
		return -ENOMEM;
	}
	blk->disk = disk;
	blk->delay_ns = options->delay_ns;
	err = blk_init(blk, mem, usable_queues(disk, options->queues));
	if (err)
		blk_destroy(blk);
	else
		*out = blk;
	return err;
}

static void destroy_queue(struct blk_queue *queue)
{
	virtio_worker_stop(&queue->worker);
	disk_queue_destroy(queue->disk);
	free(queue->requests);
}

void blk_destroy(struct blk *blk)
{
	if (!blk)
		return;
	virtio_transport_destroy(&blk->vdev);
	virtio_device_stop(&blk->vdev.base);
	for (unsigned int i = 0; i < blk->nr_queues; i++)
		destroy_queue(&blk->queues[i]);
	free(blk->queues);
	virtio_device_release(&blk->vdev);
	disk_close(blk->disk);
	free(blk);
}

/* ---- The class ---- */

static void blk_device_destroy(struct device *dev)
{
	blk_destroy(container_of(dev, struct blk, vdev.base));
}

static const struct device_ops blk_device_ops = {
	.name = "virtio-blk",
	.describe = virtio_device_describe,
	.virtio = virtio_device_of,
	.pause = virtio_device_pause,
	.resume = virtio_device_resume,
	.stop = virtio_device_stop,
	.destroy = blk_device_destroy,
};

static int create_one(struct kvm *vm, const struct disk_config *config,
		      const struct blk_options *options)
{
	struct disk *disk;
	struct blk *blk;
	int err;

	err = disk_open(config, vm->failure, &disk);
	if (err)
		return err;
	err = blk_create(&vm->memory, disk, options, &blk);
	if (!err)
		err = virtio_transport_create(vm, &blk->vdev);
	if (err) {
		blk_destroy(blk);
		return vm_fail(vm, err, "disk %s: cannot create the device: %s",
			       config->path, strerror(-err));
	}
	device_register(vm, &blk->vdev.base, &blk_device_ops);
	return 0;
}

/* A queue for each CPU, so that each serves its own, while that is few. */
static unsigned int default_queues(const struct kvm_config *config)
{
	return config->cpus < BLK_DEFAULT_QUEUES ? config->cpus
						 : BLK_DEFAULT_QUEUES;
}

static int blk_class_create(struct kvm *vm, const struct kvm_config *config)
{
	int err = 0;

	for (unsigned int i = 0; i < config->nr_disks && !err; i++) {
		const struct disk_config *disk = &config->disks[i];
		const struct blk_options options = {
			.queues = disk->queues ? disk->queues
					       : default_queues(config),
			.delay_ns = config->debug_iodelay_ns,
		};

		err = create_one(vm, disk, &options);
	}
	return err;
}

const struct device_class virtio_blk_class = {
	.name = "virtio-blk",
	.create = blk_class_create,
};
