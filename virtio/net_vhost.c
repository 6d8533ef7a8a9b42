// SPDX-License-Identifier: GPL-2.0-only
/*
 * vhost-net: the kernel moves packets between the driver's queues and the tap.
 * One /dev/vhost-net for each pair. Filters of the control queue are not applied;
 * 5.1.6.5 allows packets too many.
 */
#include "virtio/net_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lkvm/kvm.h"
#include "virtio/vhost.h"

#define VHOST_NET_PATH "/dev/vhost-net"

struct nic_vhost {
	struct vhost vhost;
	int tap_fd; /* borrowed */
};

/* Receiving is queue 0 of a pair, sending is queue 1. */
static int set_backend(struct vhost *vhost, unsigned int index, int fd)
{
	struct vhost_vring_file backend = { .index = index, .fd = fd };

	return vhost_do(vhost, VHOST_NET_SET_BACKEND, &backend);
}

static int nic_vhost_start_queues(struct vhost *vhost)
{
	struct nic_vhost *pair = container_of(vhost, struct nic_vhost, vhost);
	int err = 0;

	for (unsigned int i = 0; i < 2 && !err; i++)
		if (vhost_queue_is_set(vhost, i))
			err = set_backend(vhost, i, pair->tap_fd);
	return err;
}

static void nic_vhost_stop_queues(struct vhost *vhost)
{
	for (unsigned int i = 0; i < 2; i++)
		set_backend(vhost, i, -1);
}

static const struct vhost_ops nic_vhost_ops = {
	.start = nic_vhost_start_queues,
	.stop = nic_vhost_stop_queues,
};

static int create_pair(struct nic *nic, struct kvm *vm, unsigned int i)
{
	int fd = open(VHOST_NET_PATH, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return vm_fail_host(vm, -errno,
				    "network: vhost=1: " VHOST_NET_PATH
				    ": %s; modprobe vhost_net, or without "
				    "vhost=1",
				    strerror(errno));
	nic->vhosts[i].tap_fd = nic->net->fds[i];
	return vhost_init(&nic->vhosts[i].vhost, &nic_vhost_ops, vm, &nic->vdev,
			  fd, 2 * i, 2, BIT64(VIRTIO_NET_F_MRG_RXBUF));
}

int nic_vhost_create(struct nic *nic, struct kvm *vm)
{
	int err = 0;

	nic->vhosts = calloc(nic->max_pairs, sizeof(*nic->vhosts));
	if (!nic->vhosts)
		return -ENOMEM;
	for (unsigned int i = 0; i < nic->max_pairs && !err; i++)
		err = create_pair(nic, vm, i);
	return err;
}

void nic_vhost_destroy(struct nic *nic)
{
	for (unsigned int i = 0; nic->vhosts && i < nic->max_pairs; i++)
		vhost_release(&nic->vhosts[i].vhost);
	free(nic->vhosts);
}

/*
 * All pairs that the driver may use, as long as it may: a control command then
 * only switches queues of the tap. vhost takes no queue that is off.
 */
int nic_vhost_start(struct nic *nic, unsigned int pairs)
{
	int err = 0;

	for (unsigned int i = 0; i < pairs && !err; i++) {
		err = nic->net->ops->set_queue(nic->net, i, true);
		if (!err)
			err = vhost_start(&nic->vhosts[i].vhost, 0);
	}
	for (unsigned int i = 1; i < pairs && !err; i++)
		err = nic->net->ops->set_queue(nic->net, i, false);
	return err;
}

void nic_vhost_stop(struct nic *nic)
{
	for (unsigned int i = 0; i < nic->max_pairs; i++)
		vhost_stop(&nic->vhosts[i].vhost);
}
