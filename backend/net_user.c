// SPDX-License-Identifier: GPL-2.0-only
/*
 * User-mode networking: libslirp ends the guest's connections and makes its own
 * from sockets, so no privilege is needed. It has a thread, which owns the
 * library's state; packets cross to the queue's side in a pair of sockets.
 *
 * The guest sees a network of 254 addresses with a router, DHCP, and a name
 * server that forwards to the host's.
 */
#include "backend/net_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <pthread.h>
#include <slirp/libslirp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include "lkvm/clock.h"
#include "lkvm/confine.h"
#include "lkvm/failure.h"
#include "lkvm/library.h"
#include "lkvm/log.h"
#include "lkvm/thread.h"

#define LIBRARY "libslirp.so.0"
/* What waits in the sockets, each way. */
#define SOCKET_LEN (1 << 20)
/* Packets of the guest between two looks at the other sockets. */
#define MAX_BATCH 64
#define MAX_TIMERS 4
#define MTU 1500

#define NETMASK NET_USER_MASK
#define DNS_PORT 53
#define NOBODY 254U
#define IP_LEN 20
#define UDP_LEN 8

struct slirp_library {
	__typeof__(slirp_new) *new;
	__typeof__(slirp_cleanup) *cleanup;
	__typeof__(slirp_pollfds_fill) *fill;
	__typeof__(slirp_pollfds_poll) *poll;
	__typeof__(slirp_input) *input;
	__typeof__(slirp_add_hostfwd) *add_hostfwd;
};

struct user_timer {
	SlirpTimerCb expired; /* NULL: free */
	void *opaque;
	int64_t at_ms; /* 0: not set */
};

struct user {
	struct net net;
	struct slirp_library lib;
	void *library; /* never unloaded: glib does not like it */
	Slirp *slirp;
	pthread_t thread;
	bool has_thread;
	int socket;	      /* the thread's end; net.fds[0] is the other */
	int stop_fd;	      /* eventfd: the thread shall leave */
	pthread_mutex_t lock; /* guards header_len; held for each send */
	unsigned int header_len;
	struct log_once guest_error;

	/* The thread's own (the opener's before there is one). */
	struct user_timer timers[MAX_TIMERS];
	struct pollfd *polled; /* owned */
	unsigned int nr_polled, max_polled;
	u8 packet[NET_LONG_HEADER + NET_MAX_PACKET];
};

/* ---- What libslirp calls ---- */

/* A guest that does not listen loses packets, as on any network. */
static ssize_t send_packet(const void *packet, size_t len, void *opaque)
{
	static const struct virtio_net_hdr_v1 complete = { 0 };
	struct user *user = opaque;
	struct iovec iov[] = {
		{ .iov_base = (void *)(uintptr_t)&complete },
		{ .iov_base = (void *)(uintptr_t)packet, .iov_len = len },
	};

	pthread_mutex_lock(&user->lock);
	iov[0].iov_len = user->header_len;
	(void)!writev(user->socket, iov, ARRAY_SIZE(iov));
	pthread_mutex_unlock(&user->lock);
	return (ssize_t)len;
}

static void guest_error(const char *text, void *opaque)
{
	struct user *user = opaque;

	log_guest_error(&user->guest_error, "network: mode=user: %s", text);
}

static int64_t clock_ns(void *opaque)
{
	return (int64_t)monotonic_ns();
}

static void *timer_new(SlirpTimerCb expired, void *timer_opaque, void *opaque)
{
	struct user *user = opaque;

	for (unsigned int i = 0; i < MAX_TIMERS; i++) {
		struct user_timer *timer = &user->timers[i];

		if (timer->expired)
			continue;
		*timer = (struct user_timer){ expired, timer_opaque, 0 };
		return timer;
	}
	return NULL;
}

static void timer_free(void *timer, void *opaque)
{
	if (timer)
		memset(timer, 0, sizeof(struct user_timer));
}

static void timer_mod(void *timer, int64_t at_ms, void *opaque)
{
	if (timer)
		((struct user_timer *)timer)->at_ms = at_ms;
}

/* The thread asks for all descriptors each time, and calls nobody else. */
static void ignore_fd(int fd, void *opaque)
{
}

static void ignore_notify(void *opaque)
{
}

static const SlirpCb callbacks = {
	.send_packet = send_packet,
	.guest_error = guest_error,
	.clock_get_ns = clock_ns,
	.timer_new = timer_new,
	.timer_free = timer_free,
	.timer_mod = timer_mod,
	.register_poll_fd = ignore_fd,
	.unregister_poll_fd = ignore_fd,
	.notify = ignore_notify,
};

/* ---- The thread ---- */

static const struct {
	short slirp, poll;
} events[] = {
	{ SLIRP_POLL_IN, POLLIN },   { SLIRP_POLL_OUT, POLLOUT },
	{ SLIRP_POLL_PRI, POLLPRI }, { SLIRP_POLL_ERR, POLLERR },
	{ SLIRP_POLL_HUP, POLLHUP },
};

/*
 * As many as there are sockets, which the limit of open files bounds. Without
 * memory a socket is not looked at: index -1 has no events.
 */
static int add_poll(int fd, int wanted, void *opaque)
{
	struct user *user = opaque;
	unsigned int max = user->max_polled ? 2 * user->max_polled : 64;
	struct pollfd *more;
	short mask = 0;

	if (user->nr_polled == user->max_polled) {
		more = realloc(user->polled, max * sizeof(*more));
		if (!more)
			return -1;
		user->polled = more;
		user->max_polled = max;
	}
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		if (wanted & events[i].slirp)
			mask = (short)(mask | events[i].poll);
	user->polled[user->nr_polled] = (struct pollfd){
		.fd = fd,
		.events = mask,
	};
	return (int)user->nr_polled++;
}

static int get_events(int index, void *opaque)
{
	struct user *user = opaque;
	int got = 0;

	for (size_t i = 0; i < ARRAY_SIZE(events) && index >= 0; i++)
		if (user->polled[index].revents & events[i].poll)
			got |= events[i].slirp;
	return got;
}

static void take_packets(struct user *user)
{
	unsigned int header_len;
	ssize_t len;

	pthread_mutex_lock(&user->lock);
	header_len = user->header_len;
	pthread_mutex_unlock(&user->lock);
	for (unsigned int i = 0; i < MAX_BATCH; i++) {
		len = read(user->socket, user->packet, sizeof(user->packet));
		if (len <= 0)
			break;
		if ((size_t)len > header_len)
			user->lib.input(user->slirp, user->packet + header_len,
					(int)len - (int)header_len);
	}
}

/* Milliseconds until the first timer, at most @timeout. */
static int next_timeout(struct user *user, u32 timeout)
{
	int64_t now = (int64_t)(monotonic_ns() / NSEC_PER_MSEC);
	int64_t least = timeout < INT32_MAX ? timeout : INT32_MAX;

	for (unsigned int i = 0; i < MAX_TIMERS; i++) {
		int64_t left = user->timers[i].at_ms - now;

		if (user->timers[i].at_ms && left < least)
			least = left < 0 ? 0 : left;
	}
	return least == INT32_MAX ? -1 : (int)least;
}

static void run_timers(struct user *user)
{
	int64_t now = (int64_t)(monotonic_ns() / NSEC_PER_MSEC);

	for (unsigned int i = 0; i < MAX_TIMERS; i++) {
		struct user_timer *timer = &user->timers[i];

		if (!timer->expired || !timer->at_ms || timer->at_ms > now)
			continue;
		timer->at_ms = 0;
		timer->expired(timer->opaque);
	}
}

/* Wait once and do what there is to do. False: leave. */
static bool turn(struct user *user)
{
	u32 timeout = UINT32_MAX;
	int ours, stop, ready;

	user->nr_polled = 0;
	stop = add_poll(user->stop_fd, SLIRP_POLL_IN, user);
	ours = add_poll(user->socket, SLIRP_POLL_IN, user);
	if (stop < 0 || ours < 0)
		return false; /* no memory for the first two */
	user->lib.fill(user->slirp, &timeout, add_poll, user);
	ready = poll(user->polled, user->nr_polled,
		     next_timeout(user, timeout));
	if (ready < 0 && errno != EINTR)
		return false;
	if (ready > 0 && user->polled[stop].revents)
		return false;
	if (ready > 0 && user->polled[ours].revents & POLLIN)
		take_packets(user);
	run_timers(user);
	user->lib.poll(user->slirp, ready < 0, get_events, user);
	return true;
}

static void *user_main(void *arg)
{
	confine_thread(CONFINE_NETWORK);
	while (turn(arg))
		;
	return NULL;
}

/* ---- As a network ---- */

static int user_configure(struct net *net, unsigned int header_len,
			  unsigned int offloads)
{
	struct user *user = container_of(net, struct user, net);
	u8 byte;

	pthread_mutex_lock(&user->lock);
	/* What waits has the old header. One byte takes a whole packet. */
	while (user->header_len != header_len &&
	       read(net->fds[0], &byte, 1) > 0)
		;
	user->header_len = header_len;
	pthread_mutex_unlock(&user->lock);
	return offloads ? -EINVAL : 0;
}

static int user_set_queue(struct net *net, unsigned int index, bool on)
{
	return 0;
}

static void user_close(struct net *net)
{
	struct user *user = container_of(net, struct user, net);

	if (user->has_thread) {
		eventfd_write(user->stop_fd, 1);
		pthread_join(user->thread, NULL);
	}
	if (user->slirp)
		user->lib.cleanup(user->slirp);
	for (unsigned int i = 0; i < net->nr_queues; i++)
		close(net->fds[i]);
	if (user->socket >= 0)
		close(user->socket);
	if (user->stop_fd >= 0)
		close(user->stop_fd);
	pthread_mutex_destroy(&user->lock);
	free(user->polled);
	free(user);
}

static const struct net_ops user_ops = {
	.configure = user_configure,
	.set_queue = user_set_queue,
	.close = user_close,
};

/* ---- Opening ---- */

static bool load_library(struct user *user)
{
	const struct library_symbol symbols[] = {
		{ "slirp_new", (void **)&user->lib.new },
		{ "slirp_cleanup", (void **)&user->lib.cleanup },
		{ "slirp_pollfds_fill", (void **)&user->lib.fill },
		{ "slirp_pollfds_poll", (void **)&user->lib.poll },
		{ "slirp_input", (void **)&user->lib.input },
		{ "slirp_add_hostfwd", (void **)&user->lib.add_hostfwd },
		{ NULL, NULL },
	};

	user->library = library_open(LIBRARY, symbols);
	return user->library;
}

static int open_sockets(struct user *user)
{
	int len = SOCKET_LEN, ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
		       0, ends) < 0)
		return -errno;
	user->net.fds[0] = ends[0];
	user->net.nr_queues = 1;
	user->socket = ends[1];
	for (unsigned int i = 0; i < 2; i++)
		setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &len, sizeof(len));
	user->stop_fd = eventfd(0, EFD_CLOEXEC);
	return user->stop_fd < 0 ? -errno : 0;
}

/* fd33:3333:3333::/64, addresses that are nobody's in particular. */
static struct in6_addr address6(u8 host)
{
	static const u8 prefix[] = { 0xfd, 0x33, 0x33, 0x33, 0x33, 0x33 };
	struct in6_addr address = { 0 };

	memcpy(&address, prefix, sizeof(prefix));
	address.s6_addr[15] = host;
	return address;
}

static int start_slirp(struct user *user, const struct net_config *config,
		       u32 dns, struct failure *why)
{
	u32 host = config->host_ip;
	SlirpConfig slirp = {
		.version = SLIRP_CONFIG_VERSION_MIN,
		.in_enabled = true,
		.vnetwork.s_addr = htonl(host & NETMASK),
		.vnetmask.s_addr = htonl(NETMASK),
		.vhost.s_addr = htonl(host),
		.in6_enabled = true,
		.vprefix_addr6 = address6(0),
		.vprefix_len = 64,
		.vhost6 = address6(1),
		.vdhcp_start.s_addr = htonl(config->guest_ip),
		.vnameserver.s_addr = htonl(dns),
		.vnameserver6 = address6(NET_USER_DNS),
	};

	user->slirp = user->lib.new(&slirp, &callbacks, user);
	if (!user->slirp)
		return fail(why, -ENOMEM,
			    "network: mode=user: libslirp does not start");
	for (unsigned int i = 0; i < config->nr_forwards; i++) {
		const struct net_forward *fwd = &config->forwards[i];
		struct in_addr from = { htonl(fwd->host_ip) };
		struct in_addr to = { htonl(fwd->guest_ip) };

		if (user->lib.add_hostfwd(user->slirp, fwd->is_udp, from,
					  fwd->host_port, to,
					  fwd->guest_port) < 0)
			return fail(why, -errno,
				    "network: hostfwd=%s: port %u of the host: "
				    "%s",
				    fwd->is_udp ? "udp" : "tcp", fwd->host_port,
				    strerror(errno));
	}
	return 0;
}

/* RFC 1071. */
static u16 ip_checksum(const u8 *bytes, size_t len)
{
	u32 sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += (u32)bytes[i] << 8 | bytes[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~sum;
}

static void put16(u8 *at, u16 value)
{
	at[0] = (u8)(value >> 8);
	at[1] = (u8)value;
}

static void put32(u8 *at, u32 value)
{
	put16(at, (u16)(value >> 16));
	put16(at + 2, (u16)value);
}

/* An empty datagram to @port of the name server, from nobody's address. */
static void ask_name_server(struct user *user, u32 dns, u16 port)
{
	u8 packet[ETH_HLEN + IP_LEN + UDP_LEN] = { 0 };
	u8 *ip = packet + ETH_HLEN, *udp = ip + IP_LEN;

	put16(packet + 12, ETH_P_IP);
	ip[0] = 0x45; /* version 4, five words */
	put16(ip + 2, IP_LEN + UDP_LEN);
	ip[8] = 64; /* time to live */
	ip[9] = IPPROTO_UDP;
	put32(ip + 12, (dns & NETMASK) + NOBODY);
	put32(ip + 16, dns);
	put16(ip + 10, ip_checksum(ip, IP_LEN));
	put16(udp, 1024);
	put16(udp + 2, port);
	put16(udp + 4, UDP_LEN);
	user->lib.input(user->slirp, packet, sizeof(packet));
}

static bool is_udp_socket(int fd)
{
	socklen_t len = sizeof(int);
	int type;

	return !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) &&
	       type == SOCK_DGRAM;
}

/*
 * libslirp reads /etc/resolv.conf when a packet for the name server comes, and
 * keeps what it read. Its thread may open no files: so let it have such a packet
 * now. Nothing is to leave this host for that. So the socket is first made, by
 * a packet to another port, and replaced by something that cannot send.
 */
static void learn_name_server(struct user *user, u32 dns)
{
	u32 timeout = UINT32_MAX;
	/* The number that the next descriptor gets. */
	int next = dup(user->stop_fd);

	if (next < 0)
		return;
	close(next);
	/* The library knows what time it is when it has looked around. */
	user->nr_polled = 0;
	user->lib.fill(user->slirp, &timeout, add_poll, user);
	user->lib.poll(user->slirp, 1, get_events, user);
	ask_name_server(user, dns, 0);
	if (is_udp_socket(next) && dup3(user->stop_fd, next, O_CLOEXEC) >= 0)
		ask_name_server(user, dns, DNS_PORT);
}

static int user_init(struct user *user, const struct net_config *config,
		     struct failure *why)
{
	u32 host = config->host_ip, guest = config->guest_ip;
	u32 dns = net_user_dns(config);
	int err;

	if ((host & NETMASK) != (guest & NETMASK) || host == guest)
		return fail(why, -EINVAL,
			    "network: mode=user: host_ip and guest_ip have to "
			    "be two addresses of one /24 network");
	if (!load_library(user))
		return net_user_missing(config,
					"this host has no " LIBRARY
					" (Debian: libslirp0)",
					why);
	err = open_sockets(user);
	if (!err)
		err = start_slirp(user, config, dns, why);
	if (!err) {
		learn_name_server(user, dns);
		/* Whatever it answered is for nobody. */
		user->header_len = 0;
		user_configure(&user->net, NET_LONG_HEADER, 0);
		err = thread_start(&user->thread, "network", user_main, user);
		user->has_thread = !err;
	}
	if (err)
		return fail(why, err, "network: mode=user: %s", strerror(-err));
	return 0;
}

int net_user_open(const struct net_config *config, struct failure *why,
		  struct net **out)
{
	struct user *user = calloc(1, sizeof(*user));
	int err;

	if (!user)
		return fail(why, -ENOMEM, "network: out of memory");
	user->net.ops = &user_ops;
	user->net.mtu = MTU;
	user->header_len = NET_LONG_HEADER;
	user->socket = -1;
	user->stop_fd = -1;
	pthread_mutex_init(&user->lock, NULL);
	err = user_init(user, config, why);
	if (err)
		net_close(&user->net);
	else
		*out = &user->net;
	return err;
}
