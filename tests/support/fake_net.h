/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A network of the host that is a pair of sockets for each queue: packets, with
 * their headers, as tests and fuzzers write and read them at the other end.
 */
#ifndef LKVM_TESTS_FAKE_NET_H
#define LKVM_TESTS_FAKE_NET_H

#include "lkvm/net.h"

struct fake_net {
	struct net net;
	int ends[NET_MAX_QUEUES]; /* the network's */
	/* What the device asked for last. */
	_Atomic unsigned int header_len, offloads;
	_Atomic bool is_on[NET_MAX_QUEUES];
};

void fake_net_init(struct fake_net *fake, unsigned int nr_queues,
		   unsigned int offloads);
void fake_net_release(struct fake_net *fake);

#endif
