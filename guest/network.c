/* SPDX-License-Identifier: GPL-2.0-only */
/* Loopback and the first network card: lkvm knows the addresses. */
#include "guest/guest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static void set_address(struct sockaddr *to, const char *text)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	inet_pton(AF_INET, text, &in.sin_addr);
	memcpy(to, &in, sizeof(in));
}

static struct ifreq card_request(const char *card)
{
	struct ifreq request = { .ifr_flags = 0 };

	snprintf(request.ifr_name, IFNAMSIZ, "%s", card);
	return request;
}

static int bring_up(int fd, const char *card)
{
	struct ifreq request = card_request(card);

	if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		return -errno;
	request.ifr_flags |= IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

static int set_addresses(int fd, const char *card,
			 const struct settings *settings)
{
	struct ifreq request = card_request(card);
	struct rtentry route = { .rt_flags = RTF_UP | RTF_GATEWAY };

	set_address(&request.ifr_addr, settings->address);
	if (ioctl(fd, SIOCSIFADDR, &request) < 0)
		return -errno;
	set_address(&request.ifr_netmask, "255.255.255.0");
	if (ioctl(fd, SIOCSIFNETMASK, &request) < 0)
		return -errno;
	set_address(&route.rt_dst, "0.0.0.0");
	set_address(&route.rt_genmask, "0.0.0.0");
	set_address(&route.rt_gateway, settings->gateway);
	return ioctl(fd, SIOCADDRT, &route) < 0 ? -errno : 0;
}

/* A link may lead to what a service of the host made: a file of our own. */
static void write_resolver(const char *dns)
{
	const char *path = "/etc/resolv.conf";
	int fd;

	(void)mkdir("/etc", 0755); /* a host may be as small as that */
	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || dprintf(fd, "nameserver %s\n", dns) < 0)
		note("%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

void network_start(const struct settings *settings)
{
	static const char card[] = "eth0"; /* nobody renames it */
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err = -ENODEV;

	if (fd < 0)
		return;
	(void)bring_up(fd, "lo");
	if (settings->address)
		err = bring_up(fd, card);
	if (settings->address && !err)
		err = set_addresses(fd, card, settings);
	close(fd);
	if (settings->address && err)
		note("network: %s", strerror(-err));
	if (settings->address && !err && settings->dns)
		write_resolver(settings->dns);
}
