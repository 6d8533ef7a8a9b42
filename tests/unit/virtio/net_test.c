/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * virtio/net*.c between a driver of ours and a network that is a socket: packets
 * arrive whole or not at all, and the control queue does what it says.
 */
#include "virtio/net_priv.h"

#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <linux/virtio_config.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "lkvm/failure.h"
#include "tests/support/fake_net.h"
#include "tests/support/fake_virtio.h"
#include <cmocka.h>

#define RING 16
#define NEXT VRING_DESC_F_NEXT
#define WRITE VRING_DESC_F_WRITE
#define HDR NET_LONG_HEADER
#define BUF_LEN (64 * KIB)
#define OFFLOADS (TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6)

enum {
	RX,
	TX,
	RX1,
	TX1,
	CONTROL,
	QUEUES
};

struct fixture {
	struct fake_guest guest;
	struct fake_transport transport;
	struct fake_net host;
	struct event_loop loop;
	struct fake_ring rings[QUEUES];
	struct nic *nic;
	u64 buf; /* guest addresses */
	u64 ack;
	u8 packet[128 * KIB];
};

static struct fixture f;

static const u8 mac[] = { 2, 0, 0, 0, 0, 1 };
static const u8 other[] = { 2, 0, 0, 0, 0, 9 };

static void create(unsigned int pairs)
{
	fake_net_init(&f.host, pairs, OFFLOADS);
	assert_int_equal(nic_create(&f.guest.mem, &f.loop, &f.host.net, mac,
				    false, &f.nic),
			 0);
	fake_transport_init(&f.transport, &f.nic->vdev);
}

static void start_queue(unsigned int ring, unsigned int queue)
{
	fake_ring_init(&f.rings[ring], &f.guest, &f.nic->vdev.queues[queue],
		       RING);
	assert_int_equal(virtio_queue_enable(&f.nic->vdev, f.rings[ring].q), 0);
}

static void start(u64 without)
{
	u64 features = f.nic->vdev.host_features & ~without;
	bool several = features & BIT64(VIRTIO_NET_F_MQ);

	fake_negotiate(&f.nic->vdev, features);
	start_queue(RX, 0);
	start_queue(TX, 1);
	if (several) {
		start_queue(RX1, 2);
		start_queue(TX1, 3);
	}
	start_queue(CONTROL, several ? 4 : 2);
	fake_driver_ok(&f.nic->vdev);
}

static int setup(void **state)
{
	struct failure why = FAILURE_INIT;

	memset(&f, 0, sizeof(f));
	fake_guest_init(&f.guest, 8 * MIB);
	f.buf = fake_alloc(&f.guest, RING * BUF_LEN, 16);
	f.ack = fake_alloc(&f.guest, 1, 1);
	if (event_loop_init(&f.loop, &why) || event_loop_start(&f.loop))
		return -1;
	return 0;
}

static int teardown(void **state)
{
	nic_destroy(f.nic);
	event_loop_release(&f.loop);
	fake_net_release(&f.host);
	fake_guest_release(&f.guest);
	return 0;
}

static void *buffer(unsigned int i)
{
	return fake_ptr(&f.guest, f.buf + i * BUF_LEN, BUF_LEN);
}

static void kick(unsigned int ring)
{
	virtq_kick(f.rings[ring].q);
}

static struct vring_used_elem wait_used(unsigned int ring)
{
	struct vring_used_elem elem = { 0 };

	assert_true(fake_wait_used(&f.rings[ring], &elem));
	return elem;
}

/* ---- Sending ---- */

static void fill(u8 *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (u8)(i * 7 + (i >> 8));
}

/* A chain of one buffer of @len bytes, at index 0. */
static void driver_send(u32 len)
{
	fake_desc(&f.rings[TX], 0, f.buf, len, 0, 0);
	fake_post(&f.rings[TX], 0);
	kick(TX);
	wait_used(TX);
}

static ssize_t host_receive(int flags)
{
	return recv(f.host.ends[0], f.packet, sizeof(f.packet), flags);
}

static void test_net__sends_what_lies_in_several_buffers(void **state)
{
	u8 *bytes = buffer(0);

	create(1);
	start(0);
	fill(bytes, 2000);
	fake_desc(&f.rings[TX], 0, f.buf, HDR, NEXT, 1);
	fake_desc(&f.rings[TX], 1, f.buf + HDR, 100, NEXT, 2);
	fake_desc(&f.rings[TX], 2, f.buf + HDR + 100, 1900 - HDR, 0, 0);
	fake_post(&f.rings[TX], 0);
	kick(TX);
	assert_int_equal(wait_used(TX).len, 0);

	assert_int_equal(host_receive(0), 2000);
	assert_memory_equal(f.packet, bytes, 2000);
}

static void test_net__packets_without_sense_are_lost(void **state)
{
	create(1);
	start(0);
	driver_send(HDR); /* nothing behind the header */
	driver_send(3);
	fake_desc(&f.rings[TX], 0, f.buf, BUF_LEN, NEXT, 1);
	fake_desc(&f.rings[TX], 1, f.buf, BUF_LEN, 0, 0);
	fake_post(&f.rings[TX], 0);
	kick(TX);
	wait_used(TX); /* too long */
	driver_send(HDR + 60);

	assert_int_equal(host_receive(0), HDR + 60);
	assert_true(host_receive(MSG_DONTWAIT) < 0);
}

static unsigned int wait_irqs(unsigned int nr)
{
	while (f.transport.queue_irqs < nr)
		sched_yield();
	return f.transport.queue_irqs;
}

/* Later than the packet, when nothing else happens any more. */
static void test_net__tells_of_what_was_sent(void **state)
{
	create(1);
	start(0);
	driver_send(HDR + 60);
	assert_int_equal(wait_irqs(1), 1);
	/* And again: used_event is the driver's next. */
	f.rings[TX].avail->ring[RING] = 1;
	driver_send(HDR + 60);
	assert_int_equal(wait_irqs(2), 2);
}

/* Who has found out by itself, and says so in time, is not interrupted. */
static void test_net__tells_no_driver_that_knows(void **state)
{
	create(1);
	start(0);
	f.rings[TX].avail->ring[RING] = 2;
	driver_send(HDR + 60);
	driver_send(HDR + 60);
	driver_send(HDR + 60);
	assert_int_equal(wait_irqs(1), 1);
}

/* A pause comes before the moment to tell. */
static void test_net__tells_before_a_pause(void **state)
{
	create(1);
	start(0);
	driver_send(HDR + 60);
	virtio_device_pause(&f.nic->vdev.base);
	assert_int_equal(f.transport.queue_irqs, 1);
	virtio_device_resume(&f.nic->vdev.base);
}

/* The host takes nothing for a while: what it did not take comes later. */
static void test_net__waits_for_room_in_the_host(void **state)
{
	unsigned int sent = 0, got = 0;
	struct vring_used_elem elem;

	create(1);
	start(0);
	while (sent < 400) {
		fake_desc(&f.rings[TX], sent % RING, f.buf, BUF_LEN, 0, 0);
		fake_post(&f.rings[TX], sent % RING);
		kick(TX);
		sent++;
		if (sent < RING)
			continue;
		while (!fake_used(&f.rings[TX], &elem))
			if (host_receive(MSG_DONTWAIT) == (ssize_t)BUF_LEN)
				got++;
	}
	while (got < sent)
		if (host_receive(0) == (ssize_t)BUF_LEN)
			got++;
	assert_int_equal(got, sent);
}

/* ---- Receiving ---- */

/* Buffers @first to @last of @len bytes each, one chain each. */
static void post_buffers(unsigned int first, unsigned int last, u32 len)
{
	for (unsigned int i = first; i <= last; i++) {
		fake_desc(&f.rings[RX], (u16)i, f.buf + i * BUF_LEN, len, WRITE,
			  0);
		fake_post(&f.rings[RX], (u16)i);
	}
	kick(RX);
}

static void host_send(size_t len)
{
	fill(f.packet, len);
	memset(f.packet, 0, HDR);
	/* To everybody, so that no filter minds. */
	memset(f.packet + HDR, 0xff, 6);
	assert_int_equal(write(f.host.ends[0], f.packet, len), len);
}

static u16 num_buffers(unsigned int i)
{
	const struct virtio_net_hdr_mrg_rxbuf *header = buffer(i);

	return header->num_buffers;
}

static void test_net__receives_into_one_buffer(void **state)
{
	struct vring_used_elem elem;

	create(1);
	start(0);
	post_buffers(0, 3, 2048);
	host_send(1000);
	elem = wait_used(RX);

	assert_int_equal(elem.id, 0);
	assert_int_equal(elem.len, 1000);
	assert_int_equal(num_buffers(0), 1);
	assert_memory_equal((u8 *)buffer(0) + HDR, f.packet + HDR, 1000 - HDR);
	host_send(60 + HDR);
	assert_int_equal(wait_used(RX).id, 1);
	assert_true(f.transport.queue_irqs > 0);
}

/* Twice: with a packet that comes as a surprise, and when they are expected. */
static void test_net__merges_buffers(void **state)
{
	u8 *whole = malloc(5000);

	create(1);
	start(0);
	post_buffers(0, 11, 1600);
	for (unsigned int first = 0; first < 8; first += 4) {
		size_t at = 0;

		host_send(5000);
		for (unsigned int i = first; i < first + 4; i++) {
			struct vring_used_elem elem = wait_used(RX);

			assert_int_equal(elem.id, i);
			assert_int_equal(elem.len, i % 4 == 3 ? 200 : 1600);
			memcpy(whole + at, buffer(i), elem.len);
			at += elem.len;
		}
		assert_int_equal(num_buffers(first), 4);
		assert_memory_equal(whole + HDR, f.packet + HDR, 5000 - HDR);
	}
	free(whole);
}

/* A packet that has only some of its buffers waits for the rest of them. */
static void test_net__waits_for_buffers(void **state)
{
	struct vring_used_elem elem;

	create(1);
	start(0);
	host_send(3000);
	post_buffers(0, 0, 1600);
	/* Nothing to wait for: at worst the packet is seen later than this. */
	for (unsigned int i = 0; i < 100; i++)
		sched_yield();
	assert_false(fake_used(&f.rings[RX], &elem));
	post_buffers(1, 1, 1600);
	assert_int_equal(wait_used(RX).len, 1600);
	assert_int_equal(wait_used(RX).len, 1400);
	assert_int_equal(num_buffers(0), 2);
}

static void test_net__without_merging_long_packets_are_lost(void **state)
{
	struct vring_used_elem elem;

	create(1);
	start(BIT64(VIRTIO_NET_F_MRG_RXBUF));
	post_buffers(0, 1, 1600);
	host_send(3000);
	host_send(1600);
	elem = wait_used(RX);

	assert_int_equal(elem.id, 0);
	assert_int_equal(elem.len, 1600);
	assert_int_equal(num_buffers(0), 1);
}

static void test_net__useless_buffers_come_back(void **state)
{
	create(1);
	start(BIT64(VIRTIO_NET_F_MRG_RXBUF));
	post_buffers(0, 0, 8);
	post_buffers(1, 1, 1600);
	host_send(100);
	assert_int_equal(wait_used(RX).len, 0);
	host_send(100);
	assert_int_equal(wait_used(RX).len, 100);
}

static void test_net__pause_loses_no_buffers(void **state)
{
	create(1);
	start(0);
	post_buffers(0, 3, 1600);
	host_send(100);
	assert_int_equal(wait_used(RX).id, 0);
	virtio_device_pause(&f.nic->vdev.base);
	virtio_device_resume(&f.nic->vdev.base);
	host_send(4000);
	for (unsigned int i = 1; i <= 3; i++)
		assert_int_equal(wait_used(RX).id, i);
}

static void test_net__legacy_headers_are_short(void **state)
{
	create(1);
	virtio_device_make_legacy(&f.nic->vdev);
	virtio_set_driver_features(&f.nic->vdev, 0, 0);
	virtio_set_status(&f.nic->vdev, VIRTIO_CONFIG_S_DRIVER_OK);
	assert_int_equal(f.host.header_len, NET_SHORT_HEADER);
	virtio_set_status(&f.nic->vdev, 0);
	virtio_set_driver_features(&f.nic->vdev, 0,
				   BIT(VIRTIO_NET_F_MRG_RXBUF));
	virtio_set_status(&f.nic->vdev, VIRTIO_CONFIG_S_DRIVER_OK);
	assert_int_equal(f.host.header_len, NET_LONG_HEADER);
}

static void test_net__legacy_drivers_write_the_address(void **state)
{
	u8 now[6];

	create(1);
	virtio_config_write(&f.nic->vdev, 0, other, 6);
	virtio_config_read(&f.nic->vdev, 0, now, 6);
	assert_memory_equal(now, other, 6);
	start(0);
	virtio_config_write(&f.nic->vdev, 0, mac, 6);
	virtio_config_read(&f.nic->vdev, 0, now, 6);
	assert_memory_equal(now, other, 6);
	virtio_set_status(&f.nic->vdev, 0);
	virtio_config_read(&f.nic->vdev, 0, now, 6);
	assert_memory_equal(now, mac, 6);
}

/* ---- The control queue ---- */

/* The answer to a command with @len bytes behind the class and number. */
static u8 command(u8 class, u8 number, const void *data, u32 len)
{
	u8 *bytes = buffer(15);
	u8 *ack = fake_ptr(&f.guest, f.ack, 1);

	bytes[0] = class;
	bytes[1] = number;
	if (len)
		memcpy(bytes + 2, data, len);
	*ack = 0xee;
	fake_desc(&f.rings[CONTROL], 0, f.buf + 15 * BUF_LEN, 2, NEXT, 1);
	fake_desc(&f.rings[CONTROL], 1, f.buf + 15 * BUF_LEN + 2, len, NEXT, 2);
	fake_desc(&f.rings[CONTROL], 2, f.ack, 1, WRITE, 0);
	fake_post(&f.rings[CONTROL], 0);
	kick(CONTROL);
	assert_int_equal(wait_used(CONTROL).len, 1);
	return *ack;
}

static u8 command8(u8 class, u8 number, u8 value)
{
	return command(class, number, &value, sizeof(value));
}

static u8 command16(u8 class, u8 number, u16 value)
{
	return command(class, number, &value, sizeof(value));
}

/* Would a packet to @to, with a tag of @vlan if that is not 0, be received? */
static bool accepts(const u8 *to, u16 vlan)
{
	u8 head[NIC_FILTER_LEN] = { 0 };
	bool wanted;

	memcpy(head, to, 6);
	if (vlan) {
		head[12] = ETH_P_8021Q >> 8;
		head[14] = (u8)(vlan >> 8);
		head[15] = (u8)vlan;
	}
	pthread_mutex_lock(&f.nic->lock);
	wanted = nic_filter_accepts(&f.nic->filter, head);
	pthread_mutex_unlock(&f.nic->lock);
	return wanted;
}

static const u8 multicast[] = { 1, 0, 0x5e, 0, 0, 1 };
static const u8 broadcast[] = { 255, 255, 255, 255, 255, 255 };

static void test_net__modes_of_reception(void **state)
{
	create(1);
	start(0);
	assert_true(accepts(other, 0)); /* promiscuous at first */
	assert_int_equal(command8(VIRTIO_NET_CTRL_RX,
				  VIRTIO_NET_CTRL_RX_PROMISC, 0),
			 VIRTIO_NET_OK);
	assert_false(accepts(other, 0));
	assert_false(accepts(multicast, 0));
	assert_true(accepts(mac, 0));
	assert_true(accepts(broadcast, 0));
	command8(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLMULTI, 1);
	assert_true(accepts(multicast, 0));
	command8(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLUNI, 1);
	assert_true(accepts(other, 0));
	command8(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_NOMULTI, 1);
	command8(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_NOUNI, 1);
	command8(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_NOBCAST, 1);
	assert_false(accepts(multicast, 0));
	assert_false(accepts(mac, 0));
	assert_false(accepts(broadcast, 0));
	assert_int_equal(command8(VIRTIO_NET_CTRL_RX, 6, 1), VIRTIO_NET_ERR);
	assert_int_equal(command16(VIRTIO_NET_CTRL_RX, 0, 1), VIRTIO_NET_ERR);
}

/* What the filter refuses leaves the buffer for the next packet. */
static void test_net__unwanted_packets_use_no_buffer(void **state)
{
	create(1);
	start(0);
	command8(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, 0);
	memset(f.packet, 0, 100);
	memcpy(f.packet + HDR, other, 6);
	assert_int_equal(write(f.host.ends[0], f.packet, 100), 100);
	host_send(200);
	post_buffers(0, 0, 1600);
	assert_int_equal(wait_used(RX).len, 200);
}

static void test_net__tables_of_addresses(void **state)
{
	u8 table[4 + 6 + 4 + 6];
	u32 one = 1;

	create(1);
	start(0);
	command8(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, 0);
	memcpy(table, &one, 4);
	memcpy(table + 4, other, 6);
	memcpy(table + 10, &one, 4);
	memcpy(table + 14, multicast, 6);
	assert_int_equal(command(VIRTIO_NET_CTRL_MAC,
				 VIRTIO_NET_CTRL_MAC_TABLE_SET, table,
				 sizeof(table)),
			 VIRTIO_NET_OK);
	assert_true(accepts(other, 0));
	assert_true(accepts(multicast, 0));
	assert_true(accepts(mac, 0));
	/* Cut short, and one that says it is longer than it is. */
	assert_int_equal(command(VIRTIO_NET_CTRL_MAC,
				 VIRTIO_NET_CTRL_MAC_TABLE_SET, table, 13),
			 VIRTIO_NET_ERR);
	memset(table, 0xff, 4);
	assert_int_equal(command(VIRTIO_NET_CTRL_MAC,
				 VIRTIO_NET_CTRL_MAC_TABLE_SET, table,
				 sizeof(table)),
			 VIRTIO_NET_ERR);
	assert_true(accepts(other, 0));
}

static void test_net__a_table_too_long_means_all(void **state)
{
	u8 table[4 + 6 * (NIC_MAX_MACS + 1) + 4] = { 0 };
	u32 many = NIC_MAX_MACS + 1;

	create(1);
	start(0);
	command8(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, 0);
	memcpy(table, &many, 4);
	assert_int_equal(command(VIRTIO_NET_CTRL_MAC,
				 VIRTIO_NET_CTRL_MAC_TABLE_SET, table,
				 sizeof(table)),
			 VIRTIO_NET_OK);
	assert_true(accepts(other, 0));
	assert_false(accepts(multicast, 0));
}

static void test_net__address_is_set(void **state)
{
	u8 now[6];

	create(1);
	start(0);
	command8(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, 0);
	assert_int_equal(command(VIRTIO_NET_CTRL_MAC,
				 VIRTIO_NET_CTRL_MAC_ADDR_SET, other, 6),
			 VIRTIO_NET_OK);
	virtio_config_read(&f.nic->vdev, 0, now, 6);
	assert_memory_equal(now, other, 6);
	assert_true(accepts(other, 0));
	assert_false(accepts(mac, 0));
	assert_int_equal(command(VIRTIO_NET_CTRL_MAC,
				 VIRTIO_NET_CTRL_MAC_ADDR_SET, other, 5),
			 VIRTIO_NET_ERR);
}

static void test_net__vlans(void **state)
{
	create(1);
	start(0);
	command8(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, 0);
	assert_true(accepts(mac, 0));
	assert_false(accepts(mac, 5));
	assert_int_equal(command16(VIRTIO_NET_CTRL_VLAN,
				   VIRTIO_NET_CTRL_VLAN_ADD, 5),
			 VIRTIO_NET_OK);
	assert_true(accepts(mac, 5));
	assert_false(accepts(mac, 4095));
	command16(VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_DEL, 5);
	assert_false(accepts(mac, 5));
	assert_int_equal(command16(VIRTIO_NET_CTRL_VLAN,
				   VIRTIO_NET_CTRL_VLAN_ADD, 4096),
			 VIRTIO_NET_ERR);
	assert_int_equal(command16(VIRTIO_NET_CTRL_VLAN, 2, 5), VIRTIO_NET_ERR);
}

static void test_net__pairs_of_queues(void **state)
{
	create(2);
	start(0);
	assert_true(f.host.is_on[0]);
	assert_false(f.host.is_on[1]);
	assert_int_equal(command16(VIRTIO_NET_CTRL_MQ, 0, 2), VIRTIO_NET_OK);
	assert_true(f.host.is_on[1]);
	/* The second one works, too. */
	fake_desc(&f.rings[TX1], 0, f.buf, HDR + 60, 0, 0);
	fake_post(&f.rings[TX1], 0);
	kick(TX1);
	wait_used(TX1);
	assert_int_equal(recv(f.host.ends[1], f.packet, 100, 0), HDR + 60);
	assert_int_equal(command16(VIRTIO_NET_CTRL_MQ, 0, 1), VIRTIO_NET_OK);
	assert_false(f.host.is_on[1]);
	assert_int_equal(command16(VIRTIO_NET_CTRL_MQ, 0, 0), VIRTIO_NET_ERR);
	assert_int_equal(command16(VIRTIO_NET_CTRL_MQ, 0, 3), VIRTIO_NET_ERR);
}

static void test_net__without_mq_the_control_queue_is_the_third(void **state)
{
	create(2);
	start(BIT64(VIRTIO_NET_F_MQ));
	assert_int_equal(command8(VIRTIO_NET_CTRL_RX, 0, 0), VIRTIO_NET_OK);
	assert_int_equal(command16(VIRTIO_NET_CTRL_MQ, 0, 2), VIRTIO_NET_ERR);
}

static u8 set_offloads(u64 features)
{
	return command(VIRTIO_NET_CTRL_GUEST_OFFLOADS,
		       VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET, &features,
		       sizeof(features));
}

static void test_net__offloads_of_the_guest(void **state)
{
	u64 csum = BIT64(VIRTIO_NET_F_GUEST_CSUM);
	u64 tso6 = BIT64(VIRTIO_NET_F_GUEST_TSO6);

	create(1);
	start(tso6);
	assert_int_equal(f.host.offloads, TUN_F_CSUM | TUN_F_TSO4);
	assert_int_equal(set_offloads(csum), VIRTIO_NET_OK);
	assert_int_equal(f.host.offloads, TUN_F_CSUM);
	assert_int_equal(set_offloads(csum | tso6), VIRTIO_NET_ERR);
	assert_int_equal(set_offloads(BIT64(VIRTIO_NET_F_GUEST_TSO4)),
			 VIRTIO_NET_OK);
	assert_int_equal(f.host.offloads, 0);
	assert_int_equal(set_offloads(1ULL << 50), VIRTIO_NET_ERR);
}

static void test_net__unknown_commands(void **state)
{
	struct vring_used_elem elem;

	create(1);
	start(0);
	assert_int_equal(command8(77, 0, 0), VIRTIO_NET_ERR);
	assert_int_equal(command(VIRTIO_NET_CTRL_ANNOUNCE, 0, NULL, 0),
			 VIRTIO_NET_ERR);
	/* Nothing to read, and nowhere to answer: it comes back. */
	fake_desc(&f.rings[CONTROL], 0, f.ack, 1, WRITE, 0);
	fake_post(&f.rings[CONTROL], 0);
	fake_desc(&f.rings[CONTROL], 1, f.buf, 1, 0, 0);
	fake_post(&f.rings[CONTROL], 1);
	kick(CONTROL);
	assert_int_equal(wait_used(CONTROL).len, 1);
	elem = wait_used(CONTROL);
	assert_int_equal(elem.id, 1);
	assert_int_equal(elem.len, 0);
}

static void test_net__a_reset_forgets(void **state)
{
	create(2);
	start(0);
	command8(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, 0);
	command(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, other, 6);
	command16(VIRTIO_NET_CTRL_MQ, 0, 2);
	post_buffers(0, 3, 1600);
	virtio_set_status(&f.nic->vdev, 0);
	assert_true(accepts(other, 7));
	start(0);
	assert_false(f.host.is_on[1]);
	post_buffers(0, 0, 1600);
	host_send(100);
	assert_int_equal(wait_used(RX).id, 0);
}

static void test_net__configuration_space(void **state)
{
	struct virtio_net_config config;

	create(2);
	virtio_config_read(&f.nic->vdev, 0, &config, sizeof(config));
	assert_memory_equal(config.mac, mac, 6);
	assert_int_equal(config.status, VIRTIO_NET_S_LINK_UP);
	assert_int_equal(config.max_virtqueue_pairs, 2);
	assert_int_equal(config.mtu, 1500);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(test_net__##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sends_what_lies_in_several_buffers),
		TEST(tells_of_what_was_sent),
		TEST(tells_no_driver_that_knows),
		TEST(tells_before_a_pause),
		TEST(packets_without_sense_are_lost),
		TEST(waits_for_room_in_the_host),
		TEST(receives_into_one_buffer),
		TEST(merges_buffers),
		TEST(waits_for_buffers),
		TEST(without_merging_long_packets_are_lost),
		TEST(useless_buffers_come_back),
		TEST(pause_loses_no_buffers),
		TEST(legacy_headers_are_short),
		TEST(legacy_drivers_write_the_address),
		TEST(modes_of_reception),
		TEST(unwanted_packets_use_no_buffer),
		TEST(tables_of_addresses),
		TEST(a_table_too_long_means_all),
		TEST(address_is_set),
		TEST(vlans),
		TEST(pairs_of_queues),
		TEST(without_mq_the_control_queue_is_the_third),
		TEST(offloads_of_the_guest),
		TEST(unknown_commands),
		TEST(a_reset_forgets),
		TEST(configuration_space),
	};

	return cmocka_run_group_tests_name("virtio/net", tests, NULL, NULL);
}
