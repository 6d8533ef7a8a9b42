/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend/net_user.c: what a guest finds in its network, and that frames of any
 * shape do not disturb it. Without libslirp there is nothing to test.
 */
#include "lkvm/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "lkvm/failure.h"
#include <cmocka.h>

#define HDR NET_LONG_HEADER
#define HOST 0xc0a82101U
#define GUEST 0xc0a8210fU
#define BOOTP_LEN 300U

struct frame {
	u8 header[HDR];
	u8 to[6], from[6];
	u8 type[2];
	u8 body[1500];
} __attribute__((packed));

static struct net *net;
static struct frame frame;

static const u8 guest_mac[] = { 2, 0, 0, 0, 0, 1 };

static int setup(void **state)
{
	struct failure why = FAILURE_INIT;
	struct net_config config = {
		.mode = NET_MODE_USER,
		.is_default = true,
		.fd = -1,
		.pairs = 1,
		.host_ip = HOST,
		.guest_ip = GUEST,
	};
	int err = net_open(&config, &why, &net);

	memset(&frame, 0, sizeof(frame));
	memset(frame.to, 0xff, 6);
	memcpy(frame.from, guest_mac, 6);
	return err && err != -ENOTSUP ? -1 : 0;
}

static int teardown(void **state)
{
	net_close(net);
	net = NULL;
	return 0;
}

static void need_network(void)
{
	if (!net)
		skip();
}

static void send_frame(u16 type, size_t body_len)
{
	frame.type[0] = (u8)(type >> 8);
	frame.type[1] = (u8)type;
	assert_true(write(net->fds[0], &frame,
			  offsetof(struct frame, body) + body_len) > 0);
}

/* The next frame of @type; others are passed over. */
static size_t receive_frame(u16 type, struct frame *got)
{
	struct pollfd pollfd = { .fd = net->fds[0], .events = POLLIN };

	for (;;) {
		ssize_t len;

		assert_int_equal(poll(&pollfd, 1, 10000), 1);
		len = read(net->fds[0], got, sizeof(*got));
		assert_true(len > (ssize_t)offsetof(struct frame, body));
		if ((got->type[0] << 8 | got->type[1]) == type)
			return (size_t)len - offsetof(struct frame, body);
	}
}

/* Who has the host's address? Also: is anybody there? */
static void ask_for_host(struct frame *got)
{
	static const u8 request[] = { 0, 1, 8, 0, 6, 4, 0, 1 };
	u32 host = htonl(HOST), guest = htonl(GUEST);

	memcpy(frame.body, request, sizeof(request));
	memcpy(frame.body + 8, guest_mac, 6);
	memcpy(frame.body + 14, &guest, 4);
	memset(frame.body + 18, 0, 6);
	memcpy(frame.body + 24, &host, 4);
	send_frame(ETH_P_ARP, 28);
	do {
		receive_frame(ETH_P_ARP, got);
	} while (got->body[7] != ARPOP_REPLY);
}

static u16 checksum(const u8 *bytes, size_t len)
{
	u32 sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += (u32)bytes[i] << 8 | bytes[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((u16)~sum);
}

/* Headers for @len bytes of UDP, which stand behind them already. */
static void put_udp(u32 from, u32 to, u16 from_port, u16 to_port, size_t len)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.tot_len = htons((u16)(28 + len)),
		.ttl = 64,
		.protocol = IPPROTO_UDP,
		.saddr = htonl(from),
		.daddr = htonl(to),
	};
	struct udphdr udp = {
		.source = htons(from_port),
		.dest = htons(to_port),
		.len = htons((u16)(8 + len)),
	};

	ip.check = checksum((const u8 *)&ip, sizeof(ip));
	memcpy(frame.body, &ip, sizeof(ip));
	memcpy(frame.body + 20, &udp, sizeof(udp));
}

static void send_udp(u32 from, u32 to, u16 from_port, u16 to_port, size_t len)
{
	put_udp(from, to, from_port, to_port, len);
	send_frame(ETH_P_IP, 28 + len);
}

static void test_net_user__answers_for_the_host(void **state)
{
	u32 host = htonl(HOST);
	struct frame got;

	need_network();
	ask_for_host(&got);
	assert_memory_equal(got.body + 14, &host, 4);
	assert_memory_equal(got.to, guest_mac, 6);
}

/* RFC 2131: a DHCPDISCOVER is offered the guest's address. */
static void test_net_user__offers_an_address(void **state)
{
	static const u8 options[] = { 0x63, 0x82, 0x53, 0x63, 53, 1, 1, 255 };
	u8 *bootp = frame.body + 28;
	u32 guest = htonl(GUEST);
	struct frame got;

	need_network();
	bootp[0] = 1;
	bootp[1] = 1;
	bootp[2] = 6;
	memcpy(bootp + 28, guest_mac, 6);
	memcpy(bootp + 236, options, sizeof(options));
	send_udp(0, INADDR_BROADCAST, 68, 67, BOOTP_LEN);
	receive_frame(ETH_P_IP, &got);
	assert_memory_equal(got.body + 28 + 16, &guest, 4);
}

/* The host's address leads to this host's loopback. */
static void test_net_user__reaches_the_host(void **state)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(address);
	int sock = socket(AF_INET, SOCK_DGRAM, 0);
	struct frame got;
	char text[16];

	need_network();
	assert_int_equal(bind(sock, (struct sockaddr *)&address, len), 0);
	getsockname(sock, (struct sockaddr *)&address, &len);
	ask_for_host(&got);
	memcpy(frame.body + 28, "question", 8);
	send_udp(GUEST, HOST, 1000, ntohs(address.sin_port), 8);
	assert_int_equal(recvfrom(sock, text, sizeof(text), 0,
				  (struct sockaddr *)&address, &len),
			 8);
	assert_memory_equal(text, "question", 8);
	sendto(sock, "answer", 6, 0, (struct sockaddr *)&address, len);
	assert_int_equal(receive_frame(ETH_P_IP, &got), 34);
	assert_memory_equal(got.body + 28, "answer", 6);
	close(sock);
}

/* A packet that claims more than there is does not bring along what is beside it. */
static void test_net_user__sends_no_more_than_it_got(void **state) /* S14 */
{
	static const u16 lies[] = { 100, 1000, 0xffff };
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(address);
	int sock = socket(AF_INET, SOCK_DGRAM, 0);
	struct frame got;
	static char text[65536];
	u16 port, lie;

	need_network();
	assert_int_equal(bind(sock, (struct sockaddr *)&address, len), 0);
	getsockname(sock, (struct sockaddr *)&address, &len);
	port = ntohs(address.sin_port);
	ask_for_host(&got);
	for (unsigned int i = 0; i < ARRAY_SIZE(lies); i++) {
		lie = htons(lies[i]);
		put_udp(GUEST, HOST, 1000, port, 8);
		memcpy(frame.body + 24, &lie, 2); /* of UDP */
		send_frame(ETH_P_IP, 36);
		put_udp(GUEST, HOST, 1000, port, 8);
		memcpy(frame.body + 2, &lie, 2); /* of IP */
		memset(frame.body + 10, 0, 2);
		lie = checksum(frame.body, 20);
		memcpy(frame.body + 10, &lie, 2);
		send_frame(ETH_P_IP, 36);
	}
	memcpy(frame.body + 28, "truth", 5);
	send_udp(GUEST, HOST, 1000, port, 5);
	/* Datagrams come in their order. */
	assert_int_equal(recv(sock, text, sizeof(text), 0), 5);
	assert_memory_equal(text, "truth", 5);
	close(sock);
}

/* Lengths that are not true, frames of all sizes: it goes on. */
static void test_net_user__survives_nonsense(void **state)
{
	static const u16 types[] = { ETH_P_IP, ETH_P_IPV6, ETH_P_ARP, 0 };
	struct frame got;

	need_network();
	srand(1);
	for (unsigned int i = 0; i < 3000; i++) {
		size_t len = (size_t)rand() % sizeof(frame.body);

		for (size_t at = 0; at < len; at++)
			frame.body[at] = (u8)rand();
		/* Most of it past the first checks. */
		frame.body[0] = i % 2 ? 0x45 : 0x60;
		frame.body[9] = i % 3 ? IPPROTO_UDP : IPPROTO_TCP;
		frame.body[10] = 0;
		frame.body[11] = 0;
		if (i % 4) {
			u16 sum = checksum(frame.body, 20);

			memcpy(frame.body + 10, &sum, 2);
		}
		frame.type[0] = (u8)(types[i % 4] >> 8);
		frame.type[1] = (u8)types[i % 4];
		(void)!write(net->fds[0], &frame,
			     offsetof(struct frame, body) + len);
		/* Its answers must not fill the socket. */
		(void)!read(net->fds[0], &got, sizeof(got));
	}
	ask_for_host(&got);
}

static void test_net_user__headers_change_length(void **state)
{
	struct frame got;

	need_network();
	assert_int_equal(net->ops->configure(net, NET_SHORT_HEADER, 0), 0);
	assert_int_equal(net->ops->configure(net, NET_LONG_HEADER, 0), 0);
	ask_for_host(&got);
	assert_int_not_equal(net->ops->configure(net, NET_LONG_HEADER, 1), 0);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(test_net_user__##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_for_the_host),  TEST(offers_an_address),
		TEST(reaches_the_host),	     TEST(survives_nonsense),
		TEST(headers_change_length), TEST(sends_no_more_than_it_got),
	};

	return cmocka_run_group_tests_name("backend/net_user", tests, NULL,
					   NULL);
}
