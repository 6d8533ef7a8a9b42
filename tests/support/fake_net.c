/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/support/fake_net.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int configure(struct net *net, unsigned int header_len,
		     unsigned int offloads)
{
	struct fake_net *fake = container_of(net, struct fake_net, net);

	fake->header_len = header_len;
	fake->offloads = offloads;
	return 0;
}

static int set_queue(struct net *net, unsigned int index, bool on)
{
	container_of(net, struct fake_net, net)->is_on[index] = on;
	return 0;
}

static const struct net_ops fake_ops = {
	.configure = configure,
	.set_queue = set_queue,
};

void fake_net_init(struct fake_net *fake, unsigned int nr_queues,
		   unsigned int offloads)
{
	*fake = (struct fake_net){
		.net = {
			.ops = &fake_ops,
			.nr_queues = nr_queues,
			.offloads = offloads,
			.takes_offloads = offloads,
			.mtu = 1500,
		},
	};
	for (unsigned int i = 0; i < nr_queues; i++) {
		int ends[2], len = 1 << 20;

		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			       ends) < 0)
			abort();
		setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &len, sizeof(len));
		setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &len, sizeof(len));
		fcntl(ends[0], F_SETFL, O_NONBLOCK);
		fake->net.fds[i] = ends[0];
		fake->ends[i] = ends[1];
	}
}

void fake_net_release(struct fake_net *fake)
{
	for (unsigned int i = 0; i < fake->net.nr_queues; i++) {
		close(fake->net.fds[i]);
		close(fake->ends[i]);
	}
}
