// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which packets a driver wants (virtio 1.2, 5.1.6.5). Best effort, as the
 * specification has it: a packet too many does no harm.
 */
#include "virtio/net_priv.h"

#include <linux/if_ether.h>
#include <string.h>

void nic_filter_reset(struct nic_filter *filter, const u8 *mac)
{
	memset(filter, 0, sizeof(*filter));
	filter->promisc = true;
	memcpy(filter->mac, mac, NIC_MAC_LEN);
}

static bool is_listed(const struct nic_mac_list *list, const u8 *mac)
{
	for (unsigned int i = 0; i < list->nr; i++)
		if (!memcmp(list->macs[i], mac, NIC_MAC_LEN))
			return true;
	return list->all;
}

static bool is_broadcast(const u8 *mac)
{
	static const u8 broadcast[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	return !memcmp(mac, broadcast, sizeof(broadcast));
}

/* 802.1Q: the tag stands behind the two addresses. */
static bool accepts_vlan(const struct nic_filter *filter, const u8 *head)
{
	unsigned int vlan = (head[14] & 0xfU) << 8 | head[15];

	if (!filter->has_vlans || (head[12] << 8 | head[13]) != ETH_P_8021Q)
		return true;
	return filter->vlans[vlan / 64] & BIT64(vlan % 64);
}

bool nic_filter_accepts(const struct nic_filter *filter, const u8 *head)
{
	if (filter->promisc)
		return true;
	if (!accepts_vlan(filter, head))
		return false;
	if (is_broadcast(head))
		return !filter->nobcast;
	if (head[0] & 1)
		return !filter->nomulti &&
		       (filter->allmulti ||
			is_listed(&filter->multicast, head));
	if (filter->nouni)
		return false;
	return filter->alluni || !memcmp(head, filter->mac, NIC_MAC_LEN) ||
	       is_listed(&filter->unicast, head);
}
