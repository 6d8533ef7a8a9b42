/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The socket device (virtio 1.2, 5.10), whose queues the host's kernel serves
 * (vhost-vsock), so that host and guest reach each other by AF_VSOCK. The event
 * queue is for migration and stays empty.
 */
#include "lkvm/virtio.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_vsock.h>
#include <stdlib.h>
#include <string.h>
#include "lkvm/devices.h"
#include "lkvm/kvm.h"
#include "virtio/vhost.h"

#define VSOCK_CLASS 0x078000 /* communication, other */
#define VSOCK_QUEUE_SIZE 128U

enum {
	VSOCK_RX_QUEUE,
	VSOCK_TX_QUEUE,
	NR_VHOST_QUEUES,
	VSOCK_EVENT_QUEUE = NR_VHOST_QUEUES,
	NR_VSOCK_QUEUES
};

struct vsock {
	struct virtio_device vdev;
	struct vhost vhost;
	u64 cid;
};

/* ---- vhost ---- */

static int set_running(struct vhost *vhost, int running)
{
	return vhost_do(vhost, VHOST_VSOCK_SET_RUNNING, &running);
}

static int vsock_start(struct vhost *vhost)
{
	return set_running(vhost, 1);
}

static void vsock_stop(struct vhost *vhost)
{
	set_running(vhost, 0);
}

static const struct vhost_ops vsock_vhost_ops = {
	.start = vsock_start,
	.stop = vsock_stop,
};

static int set_cid(struct vsock *vsock, struct kvm *vm)
{
	int err = vhost_sys_ioctl(vsock->vhost.fd, VHOST_VSOCK_SET_GUEST_CID,
				  &vsock->cid);

	if (err == -EADDRINUSE)
		return vm_fail(vm, err,
			       "--vsock %llu: another VM has this CID: use "
			       "another one",
			       (unsigned long long)vsock->cid);
	return err ? vm_fail(vm, err, "--vsock %llu: %s",
			     (unsigned long long)vsock->cid, strerror(-err))
		   : 0;
}

/* ---- The device ---- */

static void vsock_config_read(struct virtio_device *vdev, unsigned int offset,
			      void *buf, unsigned int len)
{
	const struct vsock *vsock = container_of(vdev, struct vsock, vdev);
	struct virtio_vsock_config config = { .guest_cid = vsock->cid };

	memcpy(buf, (const u8 *)&config + offset, len);
}

static int vsock_activate(struct virtio_device *vdev)
{
	struct vsock *vsock = container_of(vdev, struct vsock, vdev);

	/* vhost-vsock runs with both or not at all. */
	if (!vdev->queues[VSOCK_RX_QUEUE].usable ||
	    !vdev->queues[VSOCK_TX_QUEUE].usable)
		return 0;
	return vhost_start(&vsock->vhost, 0);
}

static void vsock_deactivate(struct virtio_device *vdev)
{
	vhost_stop(&container_of(vdev, struct vsock, vdev)->vhost);
}

static const struct virtio_dev_ops vsock_vdev_ops = {
	.name = "vsock",
	.id = VIRTIO_ID_VSOCK,
	.pci_class = VSOCK_CLASS,
	.config_read = vsock_config_read,
	.activate = vsock_activate,
	.deactivate = vsock_deactivate,
};

static void vsock_destroy(struct vsock *vsock)
{
	virtio_transport_destroy(&vsock->vdev);
	virtio_device_stop(&vsock->vdev.base);
	vhost_release(&vsock->vhost);
	virtio_device_release(&vsock->vdev);
	free(vsock);
}

static void vsock_device_destroy(struct device *dev)
{
	vsock_destroy(container_of(dev, struct vsock, vdev.base));
}

static const struct device_ops vsock_device_ops = {
	.name = "virtio-vsock",
	.describe = virtio_device_describe,
	.virtio = virtio_device_of,
	.pause = virtio_device_pause,
	.resume = virtio_device_resume,
	.stop = virtio_device_stop,
	.destroy = vsock_device_destroy,
};

static int vsock_init(struct vsock *vsock, struct kvm *vm)
{
	int fd, err;

	err = vhost_open(vm, "vsock", &fd);
	if (err)
		return err;
	err = virtio_device_init(&vsock->vdev, &vsock_vdev_ops, &vm->memory,
				 BIT64(VIRTIO_VSOCK_F_SEQPACKET),
				 sizeof(struct virtio_vsock_config),
				 NR_VSOCK_QUEUES, VSOCK_QUEUE_SIZE);
	if (err) {
		vhost_close(fd);
		return err;
	}
	err = vhost_init(&vsock->vhost, &vsock_vhost_ops, vm, &vsock->vdev, fd,
			 VSOCK_RX_QUEUE, NR_VHOST_QUEUES,
			 BIT64(VIRTIO_VSOCK_F_SEQPACKET));
	if (!err)
		err = set_cid(vsock, vm);
	return err ? err : virtio_transport_create(vm, &vsock->vdev);
}

static int vsock_class_create(struct kvm *vm, const struct kvm_config *config)
{
	struct vsock *vsock;
	int err;

	if (!config->vsock_cid)
		return 0;
	vsock = calloc(1, sizeof(*vsock));
	if (!vsock)
		return -ENOMEM;
	vsock->cid = config->vsock_cid;
	err = vsock_init(vsock, vm);
	if (err) {
		vsock_destroy(vsock);
		return vm_fail(vm, err, "cannot create virtio-vsock: %s",
			       strerror(-err));
	}
	device_register(vm, &vsock->vdev.base, &vsock_device_ops);
	return 0;
}

const struct device_class virtio_vsock_class = {
	.name = "virtio-vsock",
	.create = vsock_class_create,
};
