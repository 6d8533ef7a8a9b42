/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Streams between a guest and its host, for the vhost cases:
 *
 *   vsock echo PORT      takes connections for ever, and sends back what comes;
 *                        says "@ listening" when it is ready
 *   vsock call CID PORT  stdin to a peer, and what it answers to stdout
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/vm_sockets.h> /* older ones want sys/socket.h before them */

static void check(int result, const char *what)
{
	if (result < 0) {
		perror(what);
		exit(1);
	}
}

/* Until @from ends. */
static void copy(int from, int to)
{
	static char buf[65536];
	ssize_t len, done;

	while ((len = read(from, buf, sizeof(buf))) > 0) {
		for (ssize_t at = 0; at < len; at += done) {
			done = write(to, buf + at, (size_t)(len - at));
			check((int)done, "write");
		}
	}
	check((int)len, "read");
}

static int open_socket(struct sockaddr_vm *address, unsigned int cid,
		       const char *port)
{
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	check(fd, "socket");
	memset(address, 0, sizeof(*address));
	address->svm_family = AF_VSOCK;
	address->svm_cid = cid;
	address->svm_port = (unsigned int)strtoul(port, NULL, 10);
	return fd;
}

static void echo(const char *port)
{
	struct sockaddr_vm address;
	int fd = open_socket(&address, VMADDR_CID_ANY, port);

	signal(SIGCHLD, SIG_IGN);
	check(bind(fd, (struct sockaddr *)&address, sizeof(address)), "bind");
	check(listen(fd, 8), "listen");
	printf("@ listening\n");
	fflush(stdout);
	for (;;) {
		int peer = accept(fd, NULL, NULL);

		check(peer, "accept");
		if (!fork()) {
			copy(peer, peer);
			exit(0);
		}
		close(peer);
	}
}

static int call(const char *cid, const char *port)
{
	struct sockaddr_vm address;
	int fd = open_socket(&address, (unsigned int)strtoul(cid, NULL, 10),
			     port);
	int status;
	pid_t pid;

	check(connect(fd, (struct sockaddr *)&address, sizeof(address)),
	      "connect");
	pid = fork();
	check(pid, "fork");
	if (!pid) {
		copy(0, fd);
		check(shutdown(fd, SHUT_WR), "shutdown");
		exit(0);
	}
	copy(fd, 1);
	check(waitpid(pid, &status, 0), "waitpid");
	return status != 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "echo"))
		echo(argv[2]);
	else if (argc == 4 && !strcmp(argv[1], "call"))
		return call(argv[2], argv[3]);
	fprintf(stderr, "usage: vsock echo PORT | vsock call CID PORT\n");
	return 2;
}
