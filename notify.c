/* SPDX-License-Identifier: GPL-2.0-only */
#include "lkvm/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "lkvm/log.h"

int notify_open(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;
	int fd;

	if (!len || len >= sizeof(addr.sun_path))
		return -1;
	memcpy(addr.sun_path, path, len);
	/* An abstract address, whose length counts. */
	if (*path == '@')
		addr.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&addr,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				len))) {
		close(fd);
		return -1;
	}
	return fd;
}

void notify_send(int fd, const char *text)
{
	size_t len = strlen(text);

	if (fd >= 0 && write(fd, text, len) != (ssize_t)len)
		log_debug("the service manager does not listen");
}
