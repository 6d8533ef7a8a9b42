/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the files of the network device:
 *   net.c          the device, its features and its life
 *   net_rx.c       packets to the guest
 *   net_tx.c       packets from it
 *   net_control.c  the control queue
 *   net_filter.c   which packets the guest wants
 *   net_vhost.c    vhost-net, in the place of net_rx.c and net_tx.c
 */
#ifndef LKVM_VIRTIO_NET_PRIV_H
#define LKVM_VIRTIO_NET_PRIV_H

#include <limits.h>
#include <linux/virtio_net.h>
#include <pthread.h>
#include "lkvm/event.h"
#include "lkvm/net.h"
#include "lkvm/virtio.h"
#include "virtio/worker.h"

#define NIC_QUEUE_SIZE 256U
#define NIC_MAX_MACS 64U
#define NIC_MAC_LEN 6U
#define NIC_VLANS 4096U
/* Destination, source, VLAN tag: what a filter looks at. */
#define NIC_FILTER_LEN 16U

struct kvm;
struct nic;
struct nic_vhost;

/* ---- Filters ---- */

/* Addresses that one list of the driver's has; with @all there were too many. */
struct nic_mac_list {
	bool all;
	unsigned int nr;
	u8 macs[NIC_MAX_MACS][NIC_MAC_LEN];
};

/* 5.1.6.5.1 to 5.1.6.5.3. */
struct nic_filter {
	bool promisc, allmulti, alluni, nomulti, nouni, nobcast;
	u8 mac[NIC_MAC_LEN];
	struct nic_mac_list unicast, multicast;
	bool has_vlans; /* only those below */
	u64 vlans[NIC_VLANS / 64];
};

/* As after a reset: everything. */
void nic_filter_reset(struct nic_filter *filter, const u8 *mac);
/* @head: the first NIC_FILTER_LEN bytes of a packet, or zeroes. */
bool nic_filter_accepts(const struct nic_filter *filter, const u8 *head);

/* ---- Receiving ---- */

/* Without large packets: one buffer of Linux's. */
#define NIC_RX_LEAST 1526U

/* A chain of the driver's that was popped, and not used yet. */
struct nic_buffer {
	u16 head;
	u16 nr_iov;
	u32 len;
};

struct nic_rx {
	struct nic *nic;
	struct virtio_worker worker;
	int fd;		  /* the host's queue; borrowed */
	bool has_control; /* serves control commands; const while it runs */

	/* Worker's thread only, while it runs. */
	struct nic_buffer buffers[VIRTQ_MAX_SIZE];
	unsigned int first, nr; /* of buffers */
	struct iovec iov[IOV_MAX];
	unsigned int first_iov, nr_iov;
	u64 len;	  /* bytes that all buffers have room for */
	u64 wanted;	  /* so much of it before a packet is read */
	u8 *spill;	  /* where the end of a long packet goes; owned */
	u32 pending;	  /* bytes of a packet that has not enough room, or 0 */
	u32 pending_room; /* so many of them are in the buffers */
	struct log_once gone;
};

extern const struct virtio_worker_ops nic_rx_ops;

/* ---- Sending ---- */

struct nic_tx {
	struct nic *nic;
	struct virtio_worker worker;
	int fd;
	struct iovec iov[IOV_MAX]; /* worker's thread only */
};

extern const struct virtio_worker_ops nic_tx_ops;

/* ---- The device ---- */

struct nic {
	struct virtio_device vdev;
	struct net *net; /* borrowed */
	struct event_loop *loop;
	unsigned int max_pairs;
	struct nic_rx *rx; /* max_pairs each; owned */
	struct nic_tx *tx;
	struct nic_vhost *vhosts; /* max_pairs, or NULL; owned */
	bool has_workers;
	u8 own_mac[NIC_MAC_LEN];

	/* Set by activate(), const until deactivate(). */
	unsigned int header_len;
	bool mergeable;
	struct event_source control; /* kicks of the control queue */
	struct virtq *control_queue;

	/* Who serves the control queue while active, else under vdev.lock. */
	unsigned int pairs;    /* in use */
	unsigned int offloads; /* TUN_F_* left to the guest */

	pthread_mutex_t lock; /* guards all below; innermost */
	struct nic_filter filter;
	struct virtio_net_config config;
};

/*
 * Create one on @net, which outlives it. Not yet on a bus; the workers wait.
 * @loop serves the control queue. @vhost: nobody serves the pairs until
 * nic_vhost_create() has found somebody.
 */
int nic_create(const struct memory *mem, struct event_loop *loop,
	       struct net *net, const u8 *mac, bool vhost, struct nic **out);
/* Accepts NULL and half-built ones. */
void nic_destroy(struct nic *nic);

/* Commands have come: on the event loop, or on a worker's thread. */
void nic_control_ready(struct event_source *source, u32 events);
void nic_control_serve(struct nic *nic);
/* Use @pairs pairs of queues from now on. Who serves the control queue. */
int nic_set_pairs(struct nic *nic, unsigned int pairs);
/* TUN_F_* for the VIRTIO_NET_F_GUEST_* in @features. */
unsigned int nic_offloads(u64 features);

/* ---- vhost-net ---- */

/* Let the kernel serve all pairs. Before @nic is on a bus. */
int nic_vhost_create(struct nic *nic, struct kvm *vm);
void nic_vhost_destroy(struct nic *nic);
/* In activate() and deactivate(). After a failure nic_vhost_stop(). */
int nic_vhost_start(struct nic *nic, unsigned int pairs);
void nic_vhost_stop(struct nic *nic);

#endif
