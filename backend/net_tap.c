// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network interfaces of the host that a process serves: TAP (tun.txt in the
 * kernel's documentation) by name, an open one by descriptor, and macvtap by its
 * character device.
 */
#include "backend/net_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "lkvm/failure.h"
#include "lkvm/types.h"

#define TUN_PATH "/dev/net/tun"
#define TAP_FLAGS (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)

struct tap {
	struct net net;
	char name[IFNAMSIZ];
	struct net_script down;
};

/* ---- While it runs ---- */

static int tap_configure(struct net *net, unsigned int header_len,
			 unsigned int offloads)
{
	int len = (int)header_len;

	/* Both are the interface's, whichever queue one asks: macvtap's not. */
	for (unsigned int i = 0; i < net->nr_queues; i++) {
		if (ioctl(net->fds[i], TUNSETVNETHDRSZ, &len) < 0 ||
		    ioctl(net->fds[i], TUNSETOFFLOAD, (unsigned long)offloads) <
			    0) {
			/* A queue that is off has no interface: later. */
			if (i)
				continue;
			return -errno;
		}
	}
	return 0;
}

static int tap_set_queue(struct net *net, unsigned int index, bool on)
{
	struct ifreq request = { 0 };

	if (net->nr_queues == 1)
		return 0;
	request.ifr_flags = on ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE;
	if (!ioctl(net->fds[index], TUNSETQUEUE, &request))
		return 0;
	/* It was so already. */
	return errno == EINVAL ? 0 : -errno;
}

static void tap_close(struct net *net)
{
	struct tap *tap = container_of(net, struct tap, net);

	/* A script finds the interface as it was. */
	net_script_finish(&tap->down);
	for (unsigned int i = 0; i < net->nr_queues; i++)
		close(net->fds[i]);
	free(tap);
}

static const struct net_ops tap_ops = {
	.configure = tap_configure,
	.set_queue = tap_set_queue,
	.close = tap_close,
};

/* ---- Opening ---- */

/* Not errors of the caller's but of the host, with their cures. */
static int fail_tun(struct failure *why, const char *name, int err)
{
	switch (err) {
	case -ENOENT:
	case -ENODEV:
	case -ENXIO:
		return fail_host(why, err,
				 "network: %s: %s: is the kernel's tun module "
				 "there?",
				 TUN_PATH, strerror(-err));
	case -EPERM:
	case -EACCES:
		return fail(why, err,
			    "network: tap %s: %s: root, or CAP_NET_ADMIN, "
			    "creates interfaces; a user takes one that root "
			    "made for them: ip tuntap add %s mode tap user "
			    "NAME; or -n mode=user",
			    name, strerror(-err), *name ? name : "tap0");
	case -EBUSY:
		return fail(why, err, "network: tap %s: another process has it",
			    name);
	default:
		return fail(why, err, "network: tap %s: %s", name,
			    strerror(-err));
	}
}

/* Takes, or makes, an interface; @name becomes what it is called. */
static int attach(int fd, char *name, int flags)
{
	struct ifreq request = { 0 };

	request.ifr_flags = (short)flags;
	memcpy(request.ifr_name, name, IFNAMSIZ);
	if (ioctl(fd, TUNSETIFF, &request) < 0)
		return -errno;
	memcpy(name, request.ifr_name, IFNAMSIZ);
	name[IFNAMSIZ - 1] = '\0';
	return 0;
}

static int open_queue(struct tap *tap, const char *path, struct failure *why)
{
	int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && !strcmp(path, TUN_PATH))
		return fail_tun(why, tap->name, -errno);
	if (fd < 0)
		return fail(why, -errno, "network: macvtap %s: %s", path,
			    strerror(errno));
	tap->net.fds[tap->net.nr_queues++] = fd;
	return fd;
}

static int open_named(struct tap *tap, const struct net_config *config,
		      struct failure *why)
{
	bool several = config->pairs > 1;
	int fd, err;

	while (tap->net.nr_queues < config->pairs) {
		fd = open_queue(tap, TUN_PATH, why);
		if (fd < 0)
			return fd;
		err = attach(fd, tap->name,
			     TAP_FLAGS | (several ? IFF_MULTI_QUEUE : 0));
		/* Made for several queues: one can be used, too. */
		if (err == -EINVAL && !several)
			err = attach(fd, tap->name,
				     TAP_FLAGS | IFF_MULTI_QUEUE);
		if (err == -EINVAL && several)
			return fail(why, err,
				    "network: tap %s was made for one queue, "
				    "and mq=%u wants several: ip tuntap add "
				    "... multi_queue",
				    tap->name, config->pairs);
		if (err)
			return fail_tun(why, tap->name, err);
	}
	return 0;
}

/* The kernel's macvtap has its own idea of names: only flags count. */
static int open_macvtap(struct tap *tap, const struct net_config *config,
			struct failure *why)
{
	while (tap->net.nr_queues < config->pairs) {
		int fd = open_queue(tap, config->tapif, why);
		struct ifreq request = { .ifr_flags = TAP_FLAGS };

		if (fd < 0)
			return fd;
		if (ioctl(fd, TUNSETIFF, &request) < 0 ||
		    ioctl(fd, TUNGETIFF, &request) < 0)
			return fail(why, -errno, "network: macvtap %s: %s",
				    config->tapif, strerror(errno));
		memcpy(tap->name, request.ifr_name, IFNAMSIZ - 1);
	}
	return 0;
}

static int take_descriptor(struct tap *tap, int fd, struct failure *why)
{
	struct ifreq request = { 0 };
	int own;

	if (ioctl(fd, TUNGETIFF, &request) < 0)
		return fail(why, -errno, "network: fd=%d is no tap: %s", fd,
			    strerror(errno));
	if (!(request.ifr_flags & IFF_TAP) ||
	    !(request.ifr_flags & IFF_VNET_HDR) ||
	    !(request.ifr_flags & IFF_NO_PI))
		return fail(why, -EINVAL,
			    "network: fd=%d: %s was opened without one of "
			    "IFF_TAP, IFF_NO_PI, IFF_VNET_HDR",
			    fd, request.ifr_name);
	own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (own < 0 || fcntl(own, F_SETFL, O_RDWR | O_NONBLOCK) < 0) {
		if (own >= 0)
			close(own);
		return fail(why, -errno, "network: fd=%d: %s", fd,
			    strerror(errno));
	}
	tap->net.fds[tap->net.nr_queues++] = own;
	memcpy(tap->name, request.ifr_name, IFNAMSIZ - 1);
	return 0;
}

static int open_queues(struct tap *tap, const struct net_config *config,
		       struct failure *why)
{
	if (config->fd >= 0)
		return take_descriptor(tap, config->fd, why);
	if (config->tapif && config->tapif[0] == '/')
		return open_macvtap(tap, config, why);
	if (config->tapif) {
		if (strlen(config->tapif) >= IFNAMSIZ)
			return fail(why, -EINVAL,
				    "network: tap %s: names of interfaces have "
				    "at most %d characters",
				    config->tapif, IFNAMSIZ - 1);
		memcpy(tap->name, config->tapif, strlen(config->tapif));
	}
	return open_named(tap, config, why);
}

/* ---- The interface ---- */

static int set_address(int sock, const struct tap *tap, u32 ip)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(ip),
	};
	struct ifreq request = { 0 };

	memcpy(request.ifr_name, tap->name, IFNAMSIZ);
	memcpy(&request.ifr_addr, &address, sizeof(address));
	if (ioctl(sock, SIOCSIFADDR, &request) < 0 ||
	    ioctl(sock, SIOCGIFFLAGS, &request) < 0)
		return -errno;
	request.ifr_flags |= IFF_UP | IFF_RUNNING;
	return ioctl(sock, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

static u16 get_mtu(int sock, const struct tap *tap)
{
	struct ifreq request = { 0 };

	memcpy(request.ifr_name, tap->name, IFNAMSIZ);
	if (ioctl(sock, SIOCGIFMTU, &request) < 0 || request.ifr_mtu < 68 ||
	    request.ifr_mtu > UINT16_MAX)
		return 0;
	return (u16)request.ifr_mtu;
}

static int bring_up(struct tap *tap, const struct net_config *config,
		    struct failure *why)
{
	int sock, err = 0;

	if (config->script) {
		err = net_script_run(config->script, tap->name, why);
		if (err)
			return err;
	}
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return fail(why, -errno, "network: socket: %s",
			    strerror(errno));
	/* An interface that is nobody else's business. */
	if (!config->script && !config->tapif && config->fd < 0)
		err = set_address(sock, tap, config->host_ip);
	if (!err)
		tap->net.mtu = get_mtu(sock, tap);
	close(sock);
	if (!err)
		return 0;
	return fail(why, err, "network: cannot bring up %s with host_ip: %s",
		    tap->name, strerror(-err));
}

/* What the kernel can leave to a guest: the largest set that it takes. */
static unsigned int probe_offloads(int fd)
{
	static const unsigned int more[] = {
#ifdef TUN_F_USO4
		TUN_F_USO4 | TUN_F_USO6,
#endif
		TUN_F_UFO,
		TUN_F_TSO_ECN,
	};
	unsigned int offloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;

	if (ioctl(fd, TUNSETOFFLOAD, (unsigned long)offloads) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(more); i++)
		if (!ioctl(fd, TUNSETOFFLOAD,
			   (unsigned long)(offloads | more[i])))
			offloads |= more[i];
	/* None until a driver asks for some. */
	(void)!ioctl(fd, TUNSETOFFLOAD, 0UL);
	return offloads;
}

static int tap_init(struct tap *tap, const struct net_config *config,
		    struct failure *why)
{
	int err;

	err = open_queues(tap, config, why);
	if (err)
		return err;
	if (config->downscript) {
		err = net_script_prepare(&tap->down, config->downscript,
					 tap->name, why);
		if (err)
			return err;
	}
	tap->net.offloads = probe_offloads(tap->net.fds[0]);
	tap->net.takes_offloads = true;
	tap->net.is_tap = true;
	err = bring_up(tap, config, why);
	for (unsigned int i = 1; i < tap->net.nr_queues && !err; i++)
		err = tap_set_queue(&tap->net, i, false);
	return err;
}

int net_tap_open(const struct net_config *config, struct failure *why,
		 struct net **out)
{
	struct tap *tap = calloc(1, sizeof(*tap));
	int err;

	if (!tap)
		return fail(why, -ENOMEM, "network: out of memory");
	tap->net.ops = &tap_ops;
	err = tap_init(tap, config, why);
	if (err)
		net_close(&tap->net);
	else
		*out = &tap->net;
	return err;
}
