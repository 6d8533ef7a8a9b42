// SPDX-License-Identifier: GPL-2.0-only
/* Which network of the host it is. */
#include "lkvm/net.h"

#include <errno.h>
#include "backend/net_priv.h"
#include "lkvm/failure.h"

#if !CONFIG_LIBSLIRP
int net_user_open(const struct net_config *config, struct failure *why,
		  struct net **out)
{
	return net_user_missing(config, "this lkvm was built without libslirp",
				why);
}
#endif

int net_user_missing(const struct net_config *config, const char *what,
		     struct failure *why)
{
	if (config->is_default)
		return -ENOTSUP;
	return fail(why, -ENOTSUP,
		    "network: mode=user: %s; mode=tap or mode=none", what);
}

u32 net_user_dns(const struct net_config *config)
{
	u32 dns = (config->host_ip & NET_USER_MASK) + NET_USER_DNS;

	while (dns == config->host_ip || dns == config->guest_ip)
		dns++;
	return dns;
}

int net_open(const struct net_config *config, struct failure *why,
	     struct net **out)
{
	*out = NULL;
	if (config->mode == NET_MODE_USER)
		return net_user_open(config, why, out);
	return net_tap_open(config, why, out);
}

void net_close(struct net *net)
{
	if (net)
		net->ops->close(net);
}
