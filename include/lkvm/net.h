/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Networks of the host (backend/net_*.c): Ethernet packets on file descriptors.
 * They know nothing of guests or virtio.
 *
 * A queue is a descriptor: one read takes a packet, one write sends one. In front
 * of each, both ways, stands a struct virtio_net_hdr as linux/virtio_net.h and
 * IFF_VNET_HDR of linux/if_tun.h have it: what is left to do for that packet
 * (checksum, segmentation). It is a format of the host's; that of virtio devices
 * is the same, so headers pass from a driver to the kernel as they are, and the
 * kernel checks them.
 */
#ifndef LKVM_NET_H
#define LKVM_NET_H

#include "lkvm/config.h"
#include "lkvm/types.h"

struct failure;
struct net;

#define NET_MAX_QUEUES CONFIG_MAX_NET_PAIRS

/* Headers are of one of these lengths; a longer one ends in zeroes. */
#define NET_SHORT_HEADER 10U
#define NET_LONG_HEADER 12U

/* Networks of user mode: /24, with a name server at this address. */
#define NET_USER_MASK 0xffffff00U
#define NET_USER_DNS 3U /* and on, where that is taken */
u32 net_user_dns(const struct net_config *config);

/* The longest packet: an IP packet in Ethernet with a VLAN tag. */
#define NET_MAX_PACKET (65535U + 18U)

/* Const. All may be called while other threads read and write. */
struct net_ops {
	/*
	 * Headers have @header_len bytes from now on, and packets may be handed
	 * over with the work of @offloads (TUN_F_*, some of net->offloads) left
	 * to do; others come complete. Packets that wait may be lost. Any
	 * thread but those of the queues; blocks no longer than the kernel
	 * takes to change an interface.
	 */
	int (*configure)(struct net *net, unsigned int header_len,
			 unsigned int offloads);
	/* Queue @index takes part, or not: nothing else uses it now. */
	int (*set_queue)(struct net *net, unsigned int index, bool on);
	/* Main thread. */
	void (*close)(struct net *net);
};

/* A backend embeds this. Const once open. */
struct net {
	const struct net_ops *ops;
	unsigned int nr_queues;
	int fds[NET_MAX_QUEUES]; /* non-blocking; owned, queue 0 is on */
	unsigned int offloads;	 /* TUN_F_*: what configure() takes */
	bool takes_offloads;	 /* packets written may need any of them */
	bool is_tap;		 /* fds are what vhost-net takes */
	u16 mtu;		 /* 0: unknown */
};

/*
 * Connect to what @config names. Before the process has confined itself: may
 * open files, run scripts, create threads. It outlives VMs that restart.
 * -ENOTSUP: mode=user needs a library that is not here (nothing is said of it
 * where config->is_default).
 */
int net_open(const struct net_config *config, struct failure *why,
	     struct net **out);
/* Runs the downscript. Accepts NULL. */
void net_close(struct net *net);

#endif
