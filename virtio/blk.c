/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The block device (virtio 1.2, 5.2) with one queue and a thread to serve it.
 * No multiqueue, no lifetime, no secure erase, no zoned model.
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

/* ---- Serving; worker's thread ---- */

static struct virtq *blk_queue(struct blk *blk)
{
	return &blk->vdev.queues[0];
}

void blk_complete(struct blk_request *req, u32 written)
{
	struct blk *blk = req->blk;

	virtq_push(blk_queue(blk), req->chain.head, written);
	blk->unannounced += req->chain.in_len + req->chain.out_len;
	blk->in_flight--;
	req->next = blk->free;
	blk->free = req;
}

static void announce(struct blk *blk)
{
	blk->unannounced = 0;
	virtq_notify(blk_queue(blk));
}

/* Start what the driver has put into the queue, as far as slots go. */
static void start_requests(struct blk *blk)
{
	while (blk->free && virtio_worker_may_run(&blk->worker)) {
		struct blk_request *req = blk->free;

		if (virtq_pop(blk_queue(blk), &req->chain) <= 0)
			break;
		blk->free = req->next;
		blk->in_flight++;
		blk_request_start(req);
		if (blk->unannounced >= BLK_BATCH_LEN)
			announce(blk);
	}
	disk_commit(blk->disk);
}

/*
 * With every slot taken we leave with kicks off: a completion rings, and this
 * runs again.
 */
static void blk_serve(struct virtio_worker *worker)
{
	struct blk *blk = container_of(worker, struct blk, worker);

	disk_poll(blk->disk);
	virtq_disable_kicks(blk_queue(blk));
	do {
		start_requests(blk);
		announce(blk);
	} while (blk->free && virtio_worker_may_run(worker) &&
		 virtq_enable_kicks(blk_queue(blk)));
}

static void blk_drain(struct virtio_worker *worker)
{
	struct blk *blk = container_of(worker, struct blk, worker);

	/* Look before waiting: the ring that brought us here may be the last. */
	for (;;) {
		disk_poll(blk->disk);
		disk_commit(blk->disk);
		if (!blk->in_flight)
			break;
		virtq_take_kick(worker->q);
	}
	if (blk->unannounced)
		announce(blk);
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

	memcpy(buf, (const u8 *)&blk->config + offset, len);
}

static int blk_activate(struct virtio_device *vdev)
{
	virtio_worker_run(&container_of(vdev, struct blk, vdev)->worker);
	return 0;
}

static void blk_deactivate(struct virtio_device *vdev)
{
	virtio_worker_park(&container_of(vdev, struct blk, vdev)->worker);
}

static const struct virtio_dev_ops blk_vdev_ops = {
	.name = "blk",
	.id = VIRTIO_ID_BLOCK,
	.pci_class = BLK_CLASS,
	.config_read = blk_config_read,
	.activate = blk_activate,
	.deactivate = blk_deactivate,
};

static u64 blk_features(const struct disk_info *info)
{
	u64 features = BIT64(VIRTIO_BLK_F_SEG_MAX) |
		       BIT64(VIRTIO_BLK_F_BLK_SIZE) |
		       BIT64(VIRTIO_BLK_F_TOPOLOGY) | BIT64(VIRTIO_BLK_F_FLUSH);

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
			const struct disk_info *info)
{
	u32 blocks = info->block_size / info->sector_size;

	*config = (struct virtio_blk_config){
		.capacity = info->len / DISK_SECTOR,
		.seg_max = BLK_SEG_MAX,
		.blk_size = info->sector_size,
		.physical_block_exp = log2_of(blocks),
		.min_io_size = (u16)blocks,
		.max_discard_sectors = BLK_MAX_DISCARD_SECTORS,
		.max_discard_seg = 1,
		.discard_sector_alignment = info->block_size / DISK_SECTOR,
		.max_write_zeroes_sectors = BLK_MAX_ZEROES_SECTORS,
		.max_write_zeroes_seg = 1,
		.write_zeroes_may_unmap = info->can_discard,
	};
}

static int create_requests(struct blk *blk, unsigned int nr)
{
	blk->requests = calloc(nr, sizeof(*blk->requests));
	if (!blk->requests)
		return -ENOMEM;
	/* Last one first: a slow queue depth touches the first slots only. */
	while (nr--) {
		struct blk_request *req = &blk->requests[nr];

		req->blk = blk;
		req->chain.iov = req->iov;
		req->chain.max_iov = ARRAY_SIZE(req->iov);
		req->next = blk->free;
		blk->free = req;
	}
	return 0;
}

static int blk_init(struct blk *blk, const struct memory *mem)
{
	const struct disk_info *info = disk_info(blk->disk);
	int err;

	fill_config(&blk->config, info);
	err = create_requests(blk, info->queue_depth);
	if (!err)
		err = virtio_device_init(&blk->vdev, &blk_vdev_ops, mem,
					 blk_features(info),
					 sizeof(blk->config), 1,
					 BLK_QUEUE_SIZE);
	if (err)
		return err;
	disk_set_event_fd(blk->disk, blk_queue(blk)->kick_fd);
	return virtio_worker_start(&blk->worker, &blk_worker_ops,
				   blk_queue(blk), "virtio-blk");
}

int blk_create(const struct memory *mem, struct disk *disk, u64 delay_ns,
	       struct blk **out)
{
	struct blk *blk = calloc(1, sizeof(*blk));
	int err;

	*out = NULL;
	if (!blk) {
		disk_close(disk);
		return -ENOMEM;
	}
	blk->disk = disk;
	blk->delay_ns = delay_ns;
	err = blk_init(blk, mem);
	if (err)
		blk_destroy(blk);
	else
		*out = blk;
	return err;
}

void blk_destroy(struct blk *blk)
{
	if (!blk)
		return;
	virtio_transport_destroy(&blk->vdev);
	virtio_device_stop(&blk->vdev.base);
	virtio_worker_stop(&blk->worker);
	virtio_device_release(&blk->vdev);
	disk_close(blk->disk);
	free(blk->requests);
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
	.pause = virtio_device_pause,
	.resume = virtio_device_resume,
	.stop = virtio_device_stop,
	.destroy = blk_device_destroy,
};

static int create_one(struct kvm *vm, const struct disk_config *config,
		      u64 delay_ns)
{
	struct disk *disk;
	struct blk *blk;
	int err;

	err = disk_open(config, vm->failure, &disk);
	if (err)
		return err;
	err = blk_create(&vm->memory, disk, delay_ns, &blk);
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

static int blk_class_create(struct kvm *vm, const struct kvm_config *config)
{
	for (unsigned int i = 0; i < config->nr_disks; i++) {
		int err = create_one(vm, &config->disks[i],
				     config->debug_iodelay_ns);

		if (err)
			return err;
	}
	return 0;
}

const struct device_class virtio_blk_class = {
	.name = "virtio-blk",
	.create = blk_class_create,
};
