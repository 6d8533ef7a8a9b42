/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The SCSI host device (virtio 1.2, 5.6) in front of a target of the host's
 * kernel (vhost-scsi, configured with targetcli or configfs): requests never
 * come to user space. One request queue; no protection information.
 */
#include "lkvm/virtio.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_scsi.h>
#include <stdlib.h>
#include <string.h>
#include "lkvm/devices.h"
#include "lkvm/kvm.h"
#include "virtio/vhost.h"

#define SCSI_CLASS 0x010000 /* mass storage, SCSI */
#define SCSI_QUEUE_SIZE 128U
/* A request takes two descriptors of its own. */
#define SCSI_SEG_MAX (SCSI_QUEUE_SIZE - 2)
/* vhost-scsi takes LUNs as one byte of target and 14 bits of unit. */
#define SCSI_MAX_TARGET 255
#define SCSI_MAX_LUN 16383

enum {
	SCSI_CONTROL_QUEUE,
	SCSI_EVENT_QUEUE,
	SCSI_REQUEST_QUEUE,
	NR_SCSI_QUEUES
};

struct scsi {
	struct virtio_device vdev;
	struct vhost vhost;
	struct vhost_scsi_target target;
};

/* ---- vhost ---- */

static int scsi_start(struct vhost *vhost)
{
	struct scsi *scsi = container_of(vhost, struct scsi, vhost);

	return vhost_do(vhost, VHOST_SCSI_SET_ENDPOINT, &scsi->target);
}

static void scsi_stop(struct vhost *vhost)
{
	struct scsi *scsi = container_of(vhost, struct scsi, vhost);

	/* Waits for requests in flight. */
	vhost_do(vhost, VHOST_SCSI_CLEAR_ENDPOINT, &scsi->target);
}

static const struct vhost_ops scsi_vhost_ops = {
	.start = scsi_start,
	.stop = scsi_stop,
};

/*
 * A target that cannot be had is the user's to know before the VM runs, and not
 * when the driver starts.
 */
static int try_target(struct scsi *scsi, struct kvm *vm)
{
	int err = vhost_sys_ioctl(scsi->vhost.fd, VHOST_SCSI_SET_ENDPOINT,
				  &scsi->target);

	if (err == -ENODEV)
		return vm_fail(vm, err,
			       "disk scsi:%s: the host has no vhost target of "
			       "this name with a LUN that no other VM uses: "
			       "see targetcli",
			       scsi->target.vhost_wwpn);
	if (err)
		return vm_fail(vm, err, "disk scsi:%s: %s",
			       scsi->target.vhost_wwpn, strerror(-err));
	vhost_sys_ioctl(scsi->vhost.fd, VHOST_SCSI_CLEAR_ENDPOINT,
			&scsi->target);
	return 0;
}

/* ---- The device ---- */

/*
 * Sense and CDB sizes are those that vhost-scsi has: what the driver writes
 * there changes nothing, and it reads so.
 */
static void scsi_config_read(struct virtio_device *vdev, unsigned int offset,
			     void *buf, unsigned int len)
{
	static const struct virtio_scsi_config config = {
		.num_queues = NR_SCSI_QUEUES - SCSI_REQUEST_QUEUE,
		.seg_max = SCSI_SEG_MAX,
		.max_sectors = UINT16_MAX,
		.cmd_per_lun = SCSI_QUEUE_SIZE,
		.event_info_size = sizeof(struct virtio_scsi_event),
		.sense_size = VIRTIO_SCSI_SENSE_DEFAULT_SIZE,
		.cdb_size = VIRTIO_SCSI_CDB_DEFAULT_SIZE,
		.max_target = SCSI_MAX_TARGET,
		.max_lun = SCSI_MAX_LUN,
	};

	memcpy(buf, (const u8 *)&config + offset, len);
}

/* Firmware does without the control and event queues. */
static int scsi_activate(struct virtio_device *vdev)
{
	struct scsi *scsi = container_of(vdev, struct scsi, vdev);

	if (!vdev->queues[SCSI_REQUEST_QUEUE].usable)
		return 0;
	return vhost_start(&scsi->vhost, 0);
}

static void scsi_deactivate(struct virtio_device *vdev)
{
	vhost_stop(&container_of(vdev, struct scsi, vdev)->vhost);
}

static const struct virtio_dev_ops scsi_vdev_ops = {
	.name = "scsi",
	.id = VIRTIO_ID_SCSI,
	.pci_class = SCSI_CLASS,
	.config_read = scsi_config_read,
	.activate = scsi_activate,
	.deactivate = scsi_deactivate,
};

static void scsi_destroy(struct scsi *scsi)
{
	virtio_transport_destroy(&scsi->vdev);
	virtio_device_stop(&scsi->vdev.base);
	vhost_release(&scsi->vhost);
	virtio_device_release(&scsi->vdev);
	free(scsi);
}

static void scsi_device_destroy(struct device *dev)
{
	scsi_destroy(container_of(dev, struct scsi, vdev.base));
}

static const struct device_ops scsi_device_ops = {
	.name = "virtio-scsi",
	.describe = virtio_device_describe,
	.virtio = virtio_device_of,
	.pause = virtio_device_pause,
	.resume = virtio_device_resume,
	.stop = virtio_device_stop,
	.destroy = scsi_device_destroy,
};

static int scsi_init(struct scsi *scsi, struct kvm *vm)
{
	int fd, err;

	err = vhost_open(vm, "scsi", &fd);
	if (err)
		return err;
	err = virtio_device_init(&scsi->vdev, &scsi_vdev_ops, &vm->memory,
				 BIT64(VIRTIO_SCSI_F_HOTPLUG),
				 sizeof(struct virtio_scsi_config),
				 NR_SCSI_QUEUES, SCSI_QUEUE_SIZE);
	if (err) {
		vhost_close(fd);
		return err;
	}
	err = vhost_init(&scsi->vhost, &scsi_vhost_ops, vm, &scsi->vdev, fd,
			 SCSI_CONTROL_QUEUE, NR_SCSI_QUEUES,
			 BIT64(VIRTIO_SCSI_F_HOTPLUG));
	if (!err)
		err = try_target(scsi, vm);
	return err ? err : virtio_transport_create(vm, &scsi->vdev);
}

static int create_one(struct kvm *vm, const char *wwpn)
{
	struct scsi *scsi = calloc(1, sizeof(*scsi));
	int err;

	if (!scsi)
		return -ENOMEM;
	scsi->target.abi_version = VHOST_SCSI_ABI_VERSION;
	memcpy(scsi->target.vhost_wwpn, wwpn, strlen(wwpn) + 1);
	err = scsi_init(scsi, vm);
	if (err) {
		scsi_destroy(scsi);
		return vm_fail(vm, err, "disk scsi:%s: %s", wwpn,
			       strerror(-err));
	}
	device_register(vm, &scsi->vdev.base, &scsi_device_ops);
	return 0;
}

static int scsi_class_create(struct kvm *vm, const struct kvm_config *config)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < config->nr_scsi; i++)
		err = create_one(vm, config->scsi[i].wwpn);
	return err;
}

const struct device_class virtio_scsi_class = {
	.name = "virtio-scsi",
	.create = scsi_class_create,
};
