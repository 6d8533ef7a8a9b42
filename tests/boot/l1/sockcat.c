// SPDX-License-Identifier: GPL-2.0-only
/*
 * sockcat PATH: standard input and output, and a Unix socket. Ends when the
 * socket does. Busybox has no tool for that.
 */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* 0 at the end. */
static int copy(int from, int to)
{
	char bytes[4096];
	ssize_t n = read(from, bytes, sizeof(bytes));

	return n > 0 && write(to, bytes, (size_t)n) == n;
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct pollfd fds[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN },
	};

	if (argc != 2 || strlen(argv[1]) >= sizeof(address.sun_path))
		return 2;
	memcpy(address.sun_path, argv[1], strlen(argv[1]));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return 1;
	while (poll(fds, 2, -1) >= 0) {
		if (fds[0].revents && !copy(fd, STDOUT_FILENO))
			return 0;
		if (fds[1].revents && !copy(STDIN_FILENO, fd))
			fds[1].fd = -1;
	}
	return 1;
}
