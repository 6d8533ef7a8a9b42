// SPDX-License-Identifier: GPL-2.0-only
/*
 * Both ends of the network tests and benches: bulk transfers whose checksum shows
 * every byte in its place, round trips, and what ethtool says of channels.
 *
 *   nettest serve PORT            answers the following, for ever
 *   nettest out HOST PORT MIB     sends; the server tells the checksum it saw
 *   nettest in HOST PORT MIB      receives
 *   nettest ping HOST PORT COUNT  sends a byte and waits for it to come back
 *   nettest raw-out, raw-in       the same without checksums
 *   nettest dns ADDRESS           answers every question with ADDRESS, for ever
 *   nettest as UID COMMAND...     runs it as that user, without any privilege
 *   nettest tapfd NAME COMMAND... runs it with a tap open as descriptor 3
 *   nettest channels DEV [N]      combined channels: prints "NOW MAX"
 *
 * A transfer prints "ok MB/S"; ping prints "ok MICROSECONDS".
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/ethtool.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 65536u
#define WORDS (BLOCK / 8)
#define MIB 1048576u

struct request {
	uint64_t blocks; /* or bytes, for pings */
	uint32_t op;	 /* 'o', 'i', 'p' */
	uint32_t checked;
};

static uint64_t block[WORDS];

_Noreturn static void die(const char *what)
{
	printf("failed: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void fill_block(void)
{
	uint64_t x = 88172645463325252u;

	for (unsigned int i = 0; i < WORDS; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		block[i] = x;
	}
}

static uint64_t add(uint64_t sum, const uint64_t *words)
{
	for (unsigned int i = 0; i < WORDS; i++)
		sum = sum * 0x9e3779b97f4a7c15u + words[i];
	return sum;
}

static void send_all(int fd, const void *buf, size_t len)
{
	const char *at = buf;

	while (len) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		if (n <= 0)
			die("send");
		at += n;
		len -= (size_t)n;
	}
}

static void recv_all(int fd, void *buf, size_t len)
{
	char *at = buf;

	while (len) {
		ssize_t n = recv(fd, at, len, 0);

		if (n <= 0)
			die(n ? "recv" : "recv: the end");
		at += n;
		len -= (size_t)n;
	}
}

/* Each block begins with its number, so that none can stand for another. */
static uint64_t send_blocks(int fd, const struct request *req)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < req->blocks; i++) {
		block[0] = i;
		send_all(fd, block, BLOCK);
		if (req->checked)
			sum = add(sum, block);
	}
	return sum;
}

static uint64_t recv_blocks(int fd, const struct request *req)
{
	static uint64_t got[WORDS];
	uint64_t sum = 0;

	for (uint64_t i = 0; i < req->blocks; i++) {
		recv_all(fd, got, BLOCK);
		if (req->checked)
			sum = add(sum, got);
	}
	return sum;
}

static int set_nodelay(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void serve_one(int fd)
{
	struct request req;
	uint64_t sum = 0;
	char byte;

	recv_all(fd, &req, sizeof(req));
	switch (req.op) {
	case 'o':
		sum = recv_blocks(fd, &req);
		break;
	case 'i':
		sum = send_blocks(fd, &req);
		break;
	case 'p':
		for (uint64_t i = 0; i < req.blocks; i++) {
			recv_all(fd, &byte, 1);
			send_all(fd, &byte, 1);
		}
	}
	send_all(fd, &sum, sizeof(sum));
	exit(0);
}

_Noreturn static void serve(const char *port)
{
	struct sockaddr_in6 any = {
		.sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)atoi(port)),
	};
	int sock = socket(AF_INET6, SOCK_STREAM, 0), one = 1;

	setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (sock < 0 || bind(sock, (struct sockaddr *)&any, sizeof(any)) < 0 ||
	    listen(sock, 16) < 0)
		die("listen");
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept(sock, NULL, NULL);

		if (fd < 0)
			continue;
		if (!fork())
			serve_one(set_nodelay(fd));
		close(fd);
	}
}

/* RFC 1035, 4.1: the question comes back, with one answer of type A behind it. */
_Noreturn static void serve_dns(const char *address)
{
	static const uint8_t answer[] = { 0xc0, 12, 0, 1,  0, 1,
					  0,	0,  0, 60, 0, 4 };
	struct sockaddr_in local = {
		.sin_family = AF_INET,
		.sin_port = htons(53),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int sock = socket(AF_INET, SOCK_DGRAM, 0);

	if (bind(sock, (struct sockaddr *)&local, sizeof(local)) < 0)
		die("bind to port 53");
	for (;;) {
		struct sockaddr_in from;
		socklen_t from_len = sizeof(from);
		uint8_t msg[512 + 16];
		ssize_t n = recvfrom(sock, msg, 512, 0,
				     (struct sockaddr *)&from, &from_len);
		size_t len = (size_t)n;

		if (n < 17)
			continue;
		msg[2] = 0x81; /* a response */
		msg[3] = 0x80;
		msg[7] = 0;
		/* Only addresses are known. */
		if (msg[len - 4] == 0 && msg[len - 3] == 1) {
			msg[7] = 1;
			memcpy(msg + len, answer, sizeof(answer));
			len += sizeof(answer);
			inet_pton(AF_INET, address, msg + len);
			len += 4;
		}
		sendto(sock, msg, len, 0, (struct sockaddr *)&from, from_len);
	}
}

static int dial(const char *host, const char *port)
{
	struct sockaddr_in6 six = {
		.sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)atoi(port)),
	};
	struct sockaddr_in four = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(port)),
	};
	int fd, err;

	if (inet_pton(AF_INET, host, &four.sin_addr) == 1) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		err = connect(fd, (struct sockaddr *)&four, sizeof(four));
	} else {
		inet_pton(AF_INET6, host, &six.sin6_addr);
		fd = socket(AF_INET6, SOCK_STREAM, 0);
		err = connect(fd, (struct sockaddr *)&six, sizeof(six));
	}
	if (fd < 0 || err)
		die("connect");
	return set_nodelay(fd);
}

static int transfer(int fd, const struct request *req)
{
	uint64_t sum, theirs, ns = now_ns();

	send_all(fd, req, sizeof(*req));
	sum = req->op == 'o' ? send_blocks(fd, req) : recv_blocks(fd, req);
	recv_all(fd, &theirs, sizeof(theirs));
	ns = now_ns() - ns;
	if (sum != theirs) {
		printf("failed: checksum %llx, and there %llx\n",
		       (unsigned long long)sum, (unsigned long long)theirs);
		return 1;
	}
	printf("ok %.1f\n", (double)(req->blocks * BLOCK) * 1000 / (double)ns);
	return 0;
}

static int ping(int fd, const struct request *req)
{
	uint64_t start, sum;
	char byte = 'x';

	send_all(fd, req, sizeof(*req));
	start = now_ns();
	for (uint64_t i = 0; i < req->blocks; i++) {
		send_all(fd, &byte, 1);
		recv_all(fd, &byte, 1);
	}
	printf("ok %.1f\n",
	       (double)(now_ns() - start) / 1000 / (double)req->blocks);
	recv_all(fd, &sum, sizeof(sum));
	return 0;
}

static int ethtool(struct ifreq *ifr)
{
	int sock = socket(AF_INET, SOCK_DGRAM, 0);
	int err = ioctl(sock, SIOCETHTOOL, ifr);

	close(sock);
	return err;
}

static int channels(const char *dev, const char *wanted)
{
	struct ethtool_channels ch = { .cmd = ETHTOOL_GCHANNELS };
	struct ifreq ifr = { .ifr_data = (void *)&ch };

	strncpy(ifr.ifr_name, dev, IFNAMSIZ - 1);
	if (ethtool(&ifr) < 0)
		die("ETHTOOL_GCHANNELS");
	if (wanted) {
		ch.cmd = ETHTOOL_SCHANNELS;
		ch.combined_count = (uint32_t)atoi(wanted);
		if (ethtool(&ifr) < 0)
			die("ETHTOOL_SCHANNELS");
		ch.cmd = ETHTOOL_GCHANNELS;
		if (ethtool(&ifr) < 0)
			die("ETHTOOL_GCHANNELS");
	}
	printf("%u %u\n", ch.combined_count, ch.max_combined);
	return 0;
}

_Noreturn static void run(char **argv)
{
	execvp(argv[0], argv);
	die(argv[0]);
}

_Noreturn static void run_as(const char *user, char **argv)
{
	uid_t uid = (uid_t)atoi(user);

	if (setgroups(0, NULL) < 0 || setgid(uid) < 0 || setuid(uid) < 0)
		die("setuid");
	run(argv);
}

_Noreturn static void run_with_tap(const char *name, char **argv)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR);

	strncpy(ifr.ifr_name, name, IFNAMSIZ - 1);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) < 0)
		die("TUNSETIFF");
	if (fd != 3)
		dup2(fd, 3);
	run(argv);
}

int main(int argc, char **argv)
{
	struct request req = { .checked = 1 };
	const char *op = argc > 1 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	fill_block();
	if (!strcmp(op, "serve") && argc == 3)
		serve(argv[2]);
	if (!strcmp(op, "as") && argc > 3)
		run_as(argv[2], argv + 3);
	if (!strcmp(op, "tapfd") && argc > 3)
		run_with_tap(argv[2], argv + 3);
	if (!strcmp(op, "dns") && argc == 3)
		serve_dns(argv[2]);
	if (!strcmp(op, "channels") && argc >= 3)
		return channels(argv[2], argv[3]);
	if (!strncmp(op, "raw-", 4)) {
		req.checked = 0;
		op += 4;
	}
	if (argc != 5 || !strchr("oip", op[0]) || !op[0])
		return 129;
	req.op = (uint32_t)op[0];
	req.blocks = strtoull(argv[4], NULL, 10);
	if (req.op == 'p')
		return ping(dial(argv[2], argv[3]), &req);
	req.blocks *= MIB / BLOCK;
	return transfer(dial(argv[2], argv[3]), &req);
}
