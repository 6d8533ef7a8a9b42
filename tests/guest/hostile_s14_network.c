// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets that lie about their lengths, and packets that are too long, to the
 * network stack of user mode: each is lost, or answered, and the network works on.
 *
 * guest-args: -n mode=user
 */
#include "virtio.h"

#define VIRTIO_NET 0x1041
#define HEADER 12 /* virtio 1.2, 5.1.6: with num_buffers */
#define RX_RINGS DMA_AREA
#define TX_RINGS (DMA_AREA + 0x4000)
#define PACKET (DMA_AREA + 0x8000)
#define RX_BUFFERS (DMA_AREA + 0x10000)
#define RX_LEN 2048
#define LONG_PACKET (DMA_AREA + 0x20000)

enum {
	ARP = 0x0806,
	IPV4 = 0x0800,
	IPV6 = 0x86dd
};
enum {
	ICMP = 1,
	TCP = 6,
	UDP = 17
};

static const u8 guest_mac[] = { 2, 0, 0, 0, 0, 1 };
static const u8 guest_ip[] = { 192, 168, 33, 15 };
static const u8 host_ip[] = { 192, 168, 33, 1 };

static struct virtio dev;
static struct queue rx, tx;
static u8 *const frame = (u8 *)PACKET + HEADER;

static void put16(u32 at, u16 value)
{
	frame[at] = (u8)(value >> 8);
	frame[at + 1] = (u8)value;
}

static void begin(u16 type)
{
	memset((void *)PACKET, 0, 2048);
	memset(frame, 0xff, 6);
	memcpy(frame + 6, guest_mac, 6);
	put16(12, type);
}

static void send(u32 len)
{
	queue_desc(&tx, 0, PACKET, HEADER + len, 0, 0);
	queue_submit(&tx, 0);
	check(queue_wait(&tx, NULL));
}

static u8 *buffer(u32 i)
{
	return (u8 *)(RX_BUFFERS + (u64)i * RX_LEN);
}

static void offer(u32 i)
{
	memset(buffer(i), 0, RX_LEN);
	queue_desc(&rx, (u16)i, (u64)buffer(i), RX_LEN, DESC_WRITE, 0);
	queue_submit(&rx, (u16)i);
}

static bool is_arp_reply(const u8 *got)
{
	return got[12] == ARP >> 8 && got[13] == (u8)ARP && got[21] == 2;
}

/* Whatever else came in meanwhile is passed over. */
static bool wait_for_arp(void)
{
	while (queue_wait(&rx, NULL)) {
		u32 id = rx.used->ring[(rx.seen - 1) % QUEUE_SIZE].id;
		bool found = is_arp_reply(buffer(id) + HEADER);

		offer(id);
		if (found)
			return true;
	}
	return false;
}

/* RFC 826: who has the host's address? */
static bool is_alive(void)
{
	static const u8 request[] = { 0, 1, 8, 0, 6, 4, 0, 1 };

	begin(ARP);
	memcpy(frame + 14, request, sizeof(request));
	memcpy(frame + 22, guest_mac, 6);
	memcpy(frame + 28, guest_ip, 4);
	memcpy(frame + 38, host_ip, 4);
	send(60);
	return wait_for_arp();
}

/* What is there of an IPv4 header, made right: its checksum. */
static void finish_ip(void)
{
	u32 sum = 0;

	put16(24, 0);
	for (u32 at = 14; at < 34; at += 2)
		sum += (u32)frame[at] << 8 | frame[at + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	put16(24, (u16)~sum);
}

static void begin_ip(u8 protocol, u8 ihl, u16 total)
{
	begin(IPV4);
	frame[14] = (u8)(0x40 | ihl);
	put16(16, total);
	frame[22] = 64;
	frame[23] = protocol;
	memcpy(frame + 26, guest_ip, 4);
	memcpy(frame + 30, host_ip, 4);
	finish_ip();
}

/* Total lengths, header lengths and frames that do not fit together. */
static void attack_ip(u8 protocol)
{
	static const u16 totals[] = { 0, 19, 20, 27, 28, 60, 1500, 0xffff };
	static const u8 ihls[] = { 0, 4, 5, 15 };
	static const u16 frames[] = { 14, 15, 33, 34, 42, 60 };

	for (u32 t = 0; t < 8; t++)
		for (u32 h = 0; h < 4; h++)
			for (u32 f = 0; f < 6; f++) {
				begin_ip(protocol, ihls[h], totals[t]);
				send(frames[f]);
			}
}

/* UDP lengths, to a port where DHCP listens too, and TCP's data offset. */
static void attack_lengths(void)
{
	static const u16 lengths[] = { 0, 7, 8, 9, 1000, 0xffff };

	for (u32 i = 0; i < 6; i++) {
		begin_ip(UDP, 5, 48);
		put16(34, 68);
		put16(36, i % 2 ? 67 : 53);
		put16(38, lengths[i]);
		send(62);
	}
	for (u32 i = 0; i < 16; i++) {
		begin_ip(TCP, 5, 44);
		put16(34, 1000);
		put16(36, 80);
		frame[46] = (u8)(i << 4);
		frame[47] = i % 2 ? 2 : 0x10; /* SYN, ACK */
		send(58);
	}
}

/* DHCP with options that run beyond the end (RFC 2132). */
static void attack_dhcp(u8 option, u8 len)
{
	static const u8 magic[] = { 0x63, 0x82, 0x53, 0x63 };

	begin_ip(UDP, 5, 28 + 244);
	memset(frame + 30, 0xff, 4);
	finish_ip();
	put16(34, 68);
	put16(36, 67);
	put16(38, 8 + 244);
	frame[42] = 1;
	frame[43] = 1;
	frame[44] = 6;
	memcpy(frame + 42 + 236, magic, 4);
	frame[42 + 240] = option;
	frame[42 + 241] = len;
	send(42 + 244);
}

static void attack_ip6(u16 payload, u8 next)
{
	begin(IPV6);
	frame[14] = 0x60;
	put16(18, payload);
	frame[20] = next;
	frame[21] = 255;
	memset(frame + 22, 0xfe, 32);
	memset(frame + 54, 0xff, 8);
	send(62);
}

/* Of 32 KiB pieces, the last one @last long. */
static void send_long(u32 pieces, u32 last)
{
	for (u32 i = 0; i < pieces; i++)
		queue_desc(&tx, (u16)i, LONG_PACKET,
			   i + 1 < pieces ? 32768 : last,
			   i + 1 < pieces ? DESC_NEXT : 0, (u16)(i + 1));
	queue_submit(&tx, 0);
	check(queue_wait(&tx, NULL));
}

static void attack_size(void)
{
	begin_ip(UDP, 5, 0xffff);
	put16(38, 0xffff);
	memcpy((void *)LONG_PACKET, (void *)PACKET, 128);
	send_long(2, 32768);
	send_long(3, 12);
	send_long(3, 32768);
	send_long(7, 32768);
	for (u32 len = 0; len <= HEADER; len++) {
		queue_desc(&tx, 0, PACKET, len + !len, 0, 0);
		queue_submit(&tx, 0);
		check(queue_wait(&tx, NULL));
	}
}

void guest_main(void)
{
	check(virtio_find(&dev, VIRTIO_NET));
	check(virtio_start(&dev, 0));
	queue_setup(&dev, &rx, 0, RX_RINGS, NO_VECTOR);
	queue_setup(&dev, &tx, 1, TX_RINGS, NO_VECTOR);
	virtio_ready(&dev);
	for (u32 i = 0; i < QUEUE_SIZE; i++)
		offer(i);
	check(is_alive());
	attack_ip(ICMP);
	attack_ip(TCP);
	attack_ip(UDP);
	attack_lengths();
	for (u32 len = 0; len < 256; len += 51) {
		attack_dhcp(53, (u8)len);
		attack_dhcp(12, (u8)len);
		attack_ip6((u16)(len * 257), len % 2 ? UDP : 0);
	}
	attack_size();
	check(is_alive());
	end();
}
