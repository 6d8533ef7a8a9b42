// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control queue of the network device (virtio 1.2, 5.1.6.5), served on the
 * event loop as a rule: commands are short, and a driver waits for each.
 */
#include "virtio/net_priv.h"

#include <errno.h>
#include <string.h>
#include "lkvm/iov.h"

/* Commands of one turn: others want the event loop, too. */
#define CONTROL_BATCH 16U

/* What a command carries behind its class and number. */
struct args {
	const struct iovec *iov;
	unsigned int nr;
	u64 at, end; /* next byte, and the last one's end */
};

static bool take(struct args *args, void *buf, size_t len)
{
	if (!range_within(args->at, len, args->end))
		return false;
	iov_to_buf(args->iov, args->nr, args->at, buf, len);
	args->at += len;
	return true;
}

/* Exactly @len bytes are left, and go to @buf. */
static bool take_last(struct args *args, void *buf, size_t len)
{
	return args->end - args->at == len && take(args, buf, len);
}

/* Handlers run with nic->lock held, unless they say otherwise. */

static bool set_mode(struct nic *nic, u8 command, struct args *args)
{
	struct nic_filter *filter = &nic->filter;
	bool *const modes[] = {
		[VIRTIO_NET_CTRL_RX_PROMISC] = &filter->promisc,
		[VIRTIO_NET_CTRL_RX_ALLMULTI] = &filter->allmulti,
		[VIRTIO_NET_CTRL_RX_ALLUNI] = &filter->alluni,
		[VIRTIO_NET_CTRL_RX_NOMULTI] = &filter->nomulti,
		[VIRTIO_NET_CTRL_RX_NOUNI] = &filter->nouni,
		[VIRTIO_NET_CTRL_RX_NOBCAST] = &filter->nobcast,
	};
	unsigned int bit = command < VIRTIO_NET_CTRL_RX_ALLUNI
				   ? VIRTIO_NET_F_CTRL_RX
				   : VIRTIO_NET_F_CTRL_RX_EXTRA;
	u8 on;

	if (command >= ARRAY_SIZE(modes) ||
	    !virtio_has_feature(&nic->vdev, bit) ||
	    !take_last(args, &on, sizeof(on)))
		return false;
	*modes[command] = on;
	return true;
}

/* Longer lists than we keep are legal, and mean all addresses. */
static bool take_macs(struct args *args, struct nic_mac_list *list)
{
	u32 nr;

	if (!take(args, &nr, sizeof(nr)) ||
	    !range_within(args->at, (u64)nr * NIC_MAC_LEN, args->end))
		return false;
	list->all = nr > NIC_MAX_MACS;
	list->nr = list->all ? 0 : nr;
	take(args, list->macs, list->nr * NIC_MAC_LEN);
	if (list->all)
		args->at += (u64)nr * NIC_MAC_LEN;
	return true;
}

static bool set_macs(struct nic *nic, struct args *args)
{
	struct nic_mac_list unicast, multicast;

	if (!take_macs(args, &unicast) || !take_macs(args, &multicast) ||
	    args->at != args->end)
		return false;
	nic->filter.unicast = unicast;
	nic->filter.multicast = multicast;
	return true;
}

static bool set_mac(struct nic *nic, struct args *args)
{
	u8 mac[NIC_MAC_LEN];

	if (!virtio_has_feature(&nic->vdev, VIRTIO_NET_F_CTRL_MAC_ADDR) ||
	    !take_last(args, mac, sizeof(mac)))
		return false;
	memcpy(nic->filter.mac, mac, sizeof(mac));
	memcpy(nic->config.mac, mac, sizeof(mac));
	return true;
}

static bool run_mac(struct nic *nic, u8 command, struct args *args)
{
	switch (command) {
	case VIRTIO_NET_CTRL_MAC_TABLE_SET:
		return virtio_has_feature(&nic->vdev, VIRTIO_NET_F_CTRL_RX) &&
		       set_macs(nic, args);
	case VIRTIO_NET_CTRL_MAC_ADDR_SET:
		return set_mac(nic, args);
	default:
		return false;
	}
}

static bool run_vlan(struct nic *nic, u8 command, struct args *args)
{
	u16 vlan;
	u64 bit;

	if (!virtio_has_feature(&nic->vdev, VIRTIO_NET_F_CTRL_VLAN) ||
	    command > VIRTIO_NET_CTRL_VLAN_DEL ||
	    !take_last(args, &vlan, sizeof(vlan)) || vlan >= NIC_VLANS)
		return false;
	bit = BIT64(vlan % 64);
	if (command == VIRTIO_NET_CTRL_VLAN_ADD)
		nic->filter.vlans[vlan / 64] |= bit;
	else
		nic->filter.vlans[vlan / 64] &= ~bit;
	return true;
}

/* Without nic->lock: waits for workers, which take it. */
static bool run_mq(struct nic *nic, u8 command, struct args *args)
{
	u16 pairs;

	return virtio_has_feature(&nic->vdev, VIRTIO_NET_F_MQ) &&
	       command == VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET &&
	       take_last(args, &pairs, sizeof(pairs)) && pairs &&
	       pairs <= nic->max_pairs && !nic_set_pairs(nic, pairs);
}

/* 5.1.6.5.6: some of the features that the driver has accepted. */
static bool run_offloads(struct nic *nic, u8 command, struct args *args)
{
	unsigned int offloads;
	u64 features;

	if (!virtio_has_feature(&nic->vdev, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS) ||
	    command != VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET ||
	    !take_last(args, &features, sizeof(features)) ||
	    features & ~nic->vdev.driver_features)
		return false;
	offloads = nic_offloads(features);
	if (nic->net->ops->configure(nic->net, nic->header_len, offloads))
		return false;
	nic->offloads = offloads;
	return true;
}

static bool run_locked(struct nic *nic, u8 class, u8 command, struct args *args)
{
	switch (class) {
	case VIRTIO_NET_CTRL_RX:
		return set_mode(nic, command, args);
	case VIRTIO_NET_CTRL_MAC:
		return run_mac(nic, command, args);
	case VIRTIO_NET_CTRL_VLAN:
		return run_vlan(nic, command, args);
	default:
		return false;
	}
}

static bool run_command(struct nic *nic, struct args *args)
{
	struct virtio_net_ctrl_hdr header;
	bool done;

	if (!take(args, &header, sizeof(header)))
		return false;
	switch (header.class) {
	case VIRTIO_NET_CTRL_MQ:
		return run_mq(nic, header.cmd, args);
	case VIRTIO_NET_CTRL_GUEST_OFFLOADS:
		return run_offloads(nic, header.cmd, args);
	default:
		pthread_mutex_lock(&nic->lock);
		done = run_locked(nic, header.class, header.cmd, args);
		pthread_mutex_unlock(&nic->lock);
		return done;
	}
}

/* Returns the bytes written: the driver reads the last of its buffer. */
static u32 answer_chain(struct nic *nic, const struct virtq_chain *chain)
{
	struct args args = {
		.iov = chain->iov,
		.nr = chain->nr_out,
		.end = chain->out_len,
	};
	virtio_net_ctrl_ack ack;

	if (!chain->in_len)
		return 0;
	ack = run_command(nic, &args) ? VIRTIO_NET_OK : VIRTIO_NET_ERR;
	iov_from_buf(chain->iov + chain->nr_out, chain->nr_in, 0, &ack,
		     sizeof(ack));
	return sizeof(ack);
}

void nic_control_serve(struct nic *nic)
{
	struct virtq *q = nic->control_queue;
	struct iovec iov[NIC_QUEUE_SIZE];
	struct virtq_chain chain = { .iov = iov, .max_iov = ARRAY_SIZE(iov) };

	virtq_disable_kicks(q);
	for (unsigned int i = 0; i < CONTROL_BATCH; i++) {
		if (virtq_pop(q, &chain) <= 0)
			break;
		virtq_push(q, chain.head, answer_chain(nic, &chain));
	}
	virtq_notify(q);
	if (virtq_enable_kicks(q))
		virtq_kick(q); /* there is more, after the others' turn */
}

void nic_control_ready(struct event_source *source, u32 events)
{
	struct nic *nic = container_of(source, struct nic, control);

	virtq_take_kick(nic->control_queue);
	nic_control_serve(nic);
}
