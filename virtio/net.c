// SPDX-License-Identifier: GPL-2.0-only
/*
 * The network device (virtio 1.2, 5.1): pairs of queues with a thread for each
 * direction, and a control queue. No RSS, no hash reports, no announcements.
 */
#include "virtio/net_priv.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include "lkvm/devices.h"
#include "lkvm/kvm.h"

#define NIC_CLASS 0x020000 /* Ethernet */

/* What a virtual link is said to be; bonding wants to know. */
#define NIC_SPEED_MBIT 10000U
#define NIC_FULL_DUPLEX 1U

/* ---- Offloads ---- */

/* What each end can leave to the other, in the tap's words and in virtio's. */
static const struct {
	unsigned int tap;
	unsigned int to_guest, to_host; /* VIRTIO_NET_F_* */
} offloads[] = {
	{ TUN_F_CSUM, VIRTIO_NET_F_GUEST_CSUM, VIRTIO_NET_F_CSUM },
	{ TUN_F_TSO4, VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_HOST_TSO4 },
	{ TUN_F_TSO6, VIRTIO_NET_F_GUEST_TSO6, VIRTIO_NET_F_HOST_TSO6 },
	{ TUN_F_TSO_ECN, VIRTIO_NET_F_GUEST_ECN, VIRTIO_NET_F_HOST_ECN },
	{ TUN_F_UFO, VIRTIO_NET_F_GUEST_UFO, VIRTIO_NET_F_HOST_UFO },
#if defined(TUN_F_USO4) && defined(VIRTIO_NET_F_HOST_USO)
	{ TUN_F_USO4, VIRTIO_NET_F_GUEST_USO4, VIRTIO_NET_F_HOST_USO },
	{ TUN_F_USO6, VIRTIO_NET_F_GUEST_USO6, VIRTIO_NET_F_HOST_USO },
#endif
};

unsigned int nic_offloads(u64 features)
{
	unsigned int set = 0;

	/* 5.1.3.1: the others need it. */
	if (!(features & BIT64(VIRTIO_NET_F_GUEST_CSUM)))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(offloads); i++)
		if (features & BIT64(offloads[i].to_guest))
			set |= offloads[i].tap;
	/* ECN is nothing without segmentation. */
	if (!(set & (TUN_F_TSO4 | TUN_F_TSO6)))
		set &= ~(unsigned int)TUN_F_TSO_ECN;
	return set;
}

static u64 offload_features(const struct net *net)
{
	u64 features = 0;

	for (size_t i = 0; i < ARRAY_SIZE(offloads); i++) {
		if (!(net->offloads & offloads[i].tap))
			continue;
		features |= BIT64(offloads[i].to_guest);
		if (net->takes_offloads)
			features |= BIT64(offloads[i].to_host);
	}
	if (features)
		features |= BIT64(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS);
	return features;
}

static u64 nic_features(const struct net *net)
{
	u64 features = BIT64(VIRTIO_NET_F_MAC) | BIT64(VIRTIO_NET_F_STATUS) |
		       BIT64(VIRTIO_NET_F_MRG_RXBUF) |
		       BIT64(VIRTIO_NET_F_SPEED_DUPLEX) |
		       BIT64(VIRTIO_NET_F_CTRL_VQ) |
		       BIT64(VIRTIO_NET_F_CTRL_RX) |
		       BIT64(VIRTIO_NET_F_CTRL_RX_EXTRA) |
		       BIT64(VIRTIO_NET_F_CTRL_VLAN) |
		       BIT64(VIRTIO_NET_F_CTRL_MAC_ADDR);

	if (net->mtu)
		features |= BIT64(VIRTIO_NET_F_MTU);
	if (net->nr_queues > 1)
		features |= BIT64(VIRTIO_NET_F_MQ);
	return features | offload_features(net);
}

/* ---- Serving ---- */

static int start_pair(struct nic *nic, unsigned int i)
{
	int err = nic->net->ops->set_queue(nic->net, i, true);

	if (err || !nic->has_workers)
		return err;
	nic->rx[i].has_control = false;
	virtio_worker_run(&nic->rx[i].worker);
	virtio_worker_run(&nic->tx[i].worker);
	return 0;
}

/* A queue of the host that is off must not be waited for: parked first. */
static void stop_pair(struct nic *nic, unsigned int i)
{
	if (nic->has_workers) {
		virtio_worker_park(&nic->rx[i].worker);
		virtio_worker_park(&nic->tx[i].worker);
	}
	if (i)
		nic->net->ops->set_queue(nic->net, i, false);
}

int nic_set_pairs(struct nic *nic, unsigned int pairs)
{
	int err = 0;

	while (nic->pairs < pairs && !err) {
		err = start_pair(nic, nic->pairs);
		if (!err)
			nic->pairs++;
	}
	while (nic->pairs > pairs)
		stop_pair(nic, --nic->pairs);
	return err;
}

/* Pairs that the driver may come to use. */
static unsigned int usable_pairs(const struct nic *nic)
{
	return virtio_has_feature(&nic->vdev, VIRTIO_NET_F_MQ) ? nic->max_pairs
							       : 1;
}

/*
 * 5.1.2: the control queue follows the pairs that the driver knows of. With one
 * of several that is where another driver has a queue to receive from, and the
 * thread that waits for its doorbell serves it.
 */
static int start_control(struct nic *nic)
{
	unsigned int pairs = usable_pairs(nic);

	if (!virtio_has_feature(&nic->vdev, VIRTIO_NET_F_CTRL_VQ))
		return 0;
	nic->control_queue = &nic->vdev.queues[2 * pairs];
	if (pairs < nic->max_pairs && nic->has_workers) {
		nic->rx[pairs].has_control = true;
		virtio_worker_run(&nic->rx[pairs].worker);
		return 0;
	}
	nic->control.fd = nic->control_queue->kick_fd;
	virtq_kick(nic->control_queue);
	return event_add(nic->loop, &nic->control, EPOLLIN);
}

/* After it nobody but us changes nic->pairs. */
static void stop_control(struct nic *nic)
{
	unsigned int pairs = usable_pairs(nic);

	if (nic->control_queue && pairs < nic->max_pairs && nic->has_workers)
		virtio_worker_park(&nic->rx[pairs].worker);
	else if (nic->control_queue)
		event_remove(nic->loop, &nic->control);
	nic->control_queue = NULL;
}

/* A driver that is new, not one that was paused: as it has negotiated. */
static void take_features(struct nic *nic)
{
	nic->offloads = nic_offloads(nic->vdev.driver_features);
	pthread_mutex_lock(&nic->lock);
	nic->filter.has_vlans =
		virtio_has_feature(&nic->vdev, VIRTIO_NET_F_CTRL_VLAN);
	pthread_mutex_unlock(&nic->lock);
}

static void stop_serving(struct nic *nic)
{
	stop_control(nic);
	nic_set_pairs(nic, 0);
	if (nic->vhosts)
		nic_vhost_stop(nic);
}

static int nic_activate(struct virtio_device *vdev)
{
	struct nic *nic = container_of(vdev, struct nic, vdev);
	unsigned int pairs = nic->pairs;
	int err;

	nic->mergeable = virtio_has_feature(vdev, VIRTIO_NET_F_MRG_RXBUF);
	/* 5.1.6.1: the short one is of drivers before virtio 1.0. */
	nic->header_len =
		nic->mergeable || virtio_has_feature(vdev, VIRTIO_F_VERSION_1)
			? NET_LONG_HEADER
			: NET_SHORT_HEADER;
	if (!pairs) {
		pairs = 1;
		take_features(nic);
	}
	nic->pairs = 0;
	err = nic->net->ops->configure(nic->net, nic->header_len,
				       nic->offloads);
	if (!err && nic->vhosts)
		err = nic_vhost_start(nic, usable_pairs(nic));
	if (!err)
		err = nic_set_pairs(nic, pairs);
	if (!err)
		err = start_control(nic);
	if (err)
		stop_serving(nic);
	return err;
}

static void nic_deactivate(struct virtio_device *vdev)
{
	struct nic *nic = container_of(vdev, struct nic, vdev);
	unsigned int pairs;

	stop_control(nic);
	pairs = nic->pairs;
	stop_serving(nic);
	/* For activate() after a pause. */
	nic->pairs = pairs;
}

static void nic_reset(struct virtio_device *vdev)
{
	struct nic *nic = container_of(vdev, struct nic, vdev);

	nic->pairs = 0;
	nic->offloads = 0;
	pthread_mutex_lock(&nic->lock);
	memcpy(nic->config.mac, nic->own_mac, NIC_MAC_LEN);
	nic_filter_reset(&nic->filter, nic->own_mac);
	pthread_mutex_unlock(&nic->lock);
}

/* Nothing is kept: workers that park give all chains back to the queue. */
static void nic_queue_reset(struct virtio_device *vdev, struct virtq *q)
{
}

/* ---- Configuration space (5.1.4) ---- */

static void nic_config_read(struct virtio_device *vdev, unsigned int offset,
			    void *buf, unsigned int len)
{
	struct nic *nic = container_of(vdev, struct nic, vdev);

	pthread_mutex_lock(&nic->lock);
	memcpy(buf, (const u8 *)&nic->config + offset, len);
	pthread_mutex_unlock(&nic->lock);
}

/* Only the address, only by drivers before virtio 1.0. */
static void nic_config_write(struct virtio_device *vdev, unsigned int offset,
			     const void *buf, unsigned int len)
{
	struct nic *nic = container_of(vdev, struct nic, vdev);

	if (virtio_has_feature(vdev, VIRTIO_F_VERSION_1) ||
	    !range_within(offset, len, NIC_MAC_LEN))
		return;
	pthread_mutex_lock(&nic->lock);
	memcpy(nic->config.mac + offset, buf, len);
	memcpy(nic->filter.mac, nic->config.mac, NIC_MAC_LEN);
	pthread_mutex_unlock(&nic->lock);
}

static const struct virtio_dev_ops nic_vdev_ops = {
	.name = "net",
	.id = VIRTIO_ID_NET,
	.pci_class = NIC_CLASS,
	.config_read = nic_config_read,
	.config_write = nic_config_write,
	.activate = nic_activate,
	.deactivate = nic_deactivate,
	.reset = nic_reset,
	.queue_reset = nic_queue_reset,
};

static void fill_config(struct nic *nic)
{
	nic->config = (struct virtio_net_config){
		.status = VIRTIO_NET_S_LINK_UP,
		.max_virtqueue_pairs = (u16)nic->max_pairs,
		.mtu = nic->net->mtu,
		.speed = NIC_SPEED_MBIT,
		.duplex = NIC_FULL_DUPLEX,
	};
	memcpy(nic->config.mac, nic->own_mac, NIC_MAC_LEN);
	nic_filter_reset(&nic->filter, nic->own_mac);
}

/* ---- Creation ---- */

static int start_workers(struct nic *nic, unsigned int i)
{
	struct nic_rx *rx = &nic->rx[i];
	struct nic_tx *tx = &nic->tx[i];
	char name[16];
	int err;

	rx->nic = nic;
	rx->fd = nic->net->fds[i];
	rx->wanted = NIC_RX_LEAST;
	tx->nic = nic;
	tx->fd = nic->net->fds[i];
	rx->spill = malloc(NET_LONG_HEADER + NET_MAX_PACKET);
	if (!rx->spill)
		return -ENOMEM;
	snprintf(name, sizeof(name), "virtio-net-rx%u", i);
	err = virtio_worker_start(&rx->worker, &nic_rx_ops,
				  &nic->vdev.queues[2 * i], name);
	if (err)
		return err;
	rx->worker.wait_fd = rx->fd;
	snprintf(name, sizeof(name), "virtio-net-tx%u", i);
	err = virtio_worker_start(&tx->worker, &nic_tx_ops,
				  &nic->vdev.queues[2 * i + 1], name);
	tx->worker.wait_fd = tx->fd;
	return err;
}

static int nic_init(struct nic *nic, const struct memory *mem)
{
	unsigned int pairs = nic->net->nr_queues;
	int err;

	pthread_mutex_init(&nic->lock, NULL);
	nic->max_pairs = pairs;
	fill_config(nic);
	nic->control.ready = nic_control_ready;
	nic->rx = calloc(pairs, sizeof(*nic->rx));
	nic->tx = calloc(pairs, sizeof(*nic->tx));
	if (!nic->rx || !nic->tx)
		return -ENOMEM;
	err = virtio_device_init(&nic->vdev, &nic_vdev_ops, mem,
				 nic_features(nic->net), sizeof(nic->config),
				 2 * pairs + 1, NIC_QUEUE_SIZE);
	for (unsigned int i = 0; i < pairs && !err && nic->has_workers; i++)
		err = start_workers(nic, i);
	return err;
}

int nic_create(const struct memory *mem, struct event_loop *loop,
	       struct net *net, const u8 *mac, bool vhost, struct nic **out)
{
	struct nic *nic = calloc(1, sizeof(*nic));
	int err;

	*out = NULL;
	if (!nic)
		return -ENOMEM;
	nic->has_workers = !vhost;
	nic->loop = loop;
	nic->net = net;
	memcpy(nic->own_mac, mac, NIC_MAC_LEN);
	err = nic_init(nic, mem);
	if (err)
		nic_destroy(nic);
	else
		*out = nic;
	return err;
}

void nic_destroy(struct nic *nic)
{
	if (!nic)
		return;
	virtio_transport_destroy(&nic->vdev);
	virtio_device_stop(&nic->vdev.base);
	for (unsigned int i = 0; i < nic->max_pairs && nic->rx && nic->tx;
	     i++) {
		virtio_worker_stop(&nic->rx[i].worker);
		virtio_worker_stop(&nic->tx[i].worker);
		free(nic->rx[i].spill);
	}
	nic_vhost_destroy(nic);
	virtio_device_release(&nic->vdev);
	pthread_mutex_destroy(&nic->lock);
	free(nic->rx);
	free(nic->tx);
	free(nic);
}

/* ---- The class ---- */

static void nic_device_destroy(struct device *dev)
{
	nic_destroy(container_of(dev, struct nic, vdev.base));
}

static const struct device_ops nic_device_ops = {
	.name = "virtio-net",
	.describe = virtio_device_describe,
	.virtio = virtio_device_of,
	.pause = virtio_device_pause,
	.resume = virtio_device_resume,
	.stop = virtio_device_stop,
	.destroy = nic_device_destroy,
};

static int create_one(struct kvm *vm, const struct net_config *config)
{
	struct nic *nic;
	int err;

	err = nic_create(&vm->memory, &vm->loop, config->net, config->mac,
			 config->vhost, &nic);
	if (!err && config->vhost)
		err = nic_vhost_create(nic, vm);
	if (!err)
		err = virtio_transport_create_as(
			vm, &nic->vdev,
			config->has_transport ? config->transport
					      : vm->config->virtio_transport);
	if (err) {
		nic_destroy(nic);
		return vm_fail(vm, err, "cannot create virtio-net: %s",
			       strerror(-err));
	}
	device_register(vm, &nic->vdev.base, &nic_device_ops);
	return 0;
}

static int nic_class_create(struct kvm *vm, const struct kvm_config *config)
{
	int err = 0;

	for (unsigned int i = 0; i < config->nr_nics && !err; i++)
		if (config->nics[i].net)
			err = create_one(vm, &config->nics[i]);
	return err;
}

const struct device_class virtio_net_class = {
	.name = "virtio-net",
	.create = nic_class_create,
};
