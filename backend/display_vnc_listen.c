/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the VNC server listens, and its password.
 */
#include "backend/display_vnc_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "lkvm/failure.h"
#include "lkvm/log.h"
#include "lkvm/options.h"

#define FIRST_PORT 5900U
#define LAST_PORT 5999U
#define BACKLOG 16
#define UNIX_PREFIX "unix:"

/* ---- TCP ---- */

static int bind_inet(const struct addrinfo *info)
{
	int one = 1;
	int fd = socket(info->ai_family,
			SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	/* A port that a VM of a minute ago had is free. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!bind(fd, info->ai_addr, info->ai_addrlen) && !listen(fd, BACKLOG))
		return fd;
	one = -errno;
	close(fd);
	return one;
}

/* The socket, or a negative errno; -EINVAL: there is no such address. */
static int listen_inet(const char *host, unsigned int port)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV | AI_PASSIVE,
	};
	struct addrinfo *info;
	char service[8];
	int fd;

	snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(host, service, &hints, &info))
		return -EINVAL;
	fd = bind_inet(info);
	freeaddrinfo(info);
	return fd;
}

static int say_where(int fd, const char *host)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	char service[8];

	if (getsockname(fd, (struct sockaddr *)&addr, &len) ||
	    getnameinfo((struct sockaddr *)&addr, len, NULL, 0, service,
			sizeof(service), NI_NUMERICSERV))
		return fd;
	log_info("vnc %s:%s", host, service);
	return fd;
}

/* The first port from 5900 on that is free. */
static int listen_default(void)
{
	int fd = -EADDRINUSE;

	for (unsigned int port = FIRST_PORT;
	     port <= LAST_PORT && fd == -EADDRINUSE; port++)
		fd = listen_inet("127.0.0.1", port);
	return fd < 0 ? fd : say_where(fd, "127.0.0.1");
}

/* [HOST]:PORT or PORT; without HOST it is loopback. */
static int listen_named(const char *address)
{
	char host[256] = "127.0.0.1";
	const char *port = strrchr(address, ':');
	size_t len = port ? (size_t)(port - address) : 0;
	u64 number;
	int fd;

	if (len >= 2 && address[0] == '[' && address[len - 1] == ']') {
		address++;
		len -= 2;
	}
	if (len >= sizeof(host))
		return -EINVAL;
	if (len) {
		memcpy(host, address, len);
		host[len] = '\0';
	}
	if (!parse_u64(port ? port + 1 : address, &number) || number > 65535)
		return -EINVAL;
	fd = listen_inet(host, (unsigned int)number);
	return fd < 0 ? fd : say_where(fd, host);
}

/* ---- Unix ---- */

static bool is_stale(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool refused;

	if (fd < 0)
		return false;
	refused = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) &&
		  errno == ECONNREFUSED;
	close(fd);
	return refused;
}

/* Only its owner may connect. */
static int bind_unix(int fd, const struct sockaddr_un *addr)
{
	mode_t mask = umask(0177);
	int err = bind(fd, (const struct sockaddr *)addr, sizeof(*addr))
			  ? -errno
			  : 0;

	umask(mask);
	return err;
}

/* A socket that a VM has left behind is taken over. */
static int listen_unix(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, err;

	if (!*path || strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	err = bind_unix(fd, &addr);
	if (err == -EADDRINUSE && is_stale(&addr) && !unlink(path))
		err = bind_unix(fd, &addr);
	if (!err && listen(fd, BACKLOG))
		err = -errno;
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

int vnc_listen(struct vnc *vnc, struct failure *why)
{
	const char *address = vnc->display->config.address;
	int fd;

	if (!*address)
		fd = listen_default();
	else if (!strncmp(address, UNIX_PREFIX, strlen(UNIX_PREFIX)))
		fd = listen_unix(address + strlen(UNIX_PREFIX));
	else
		fd = listen_named(address);
	if (fd == -EINVAL)
		return fail(why, fd,
			    "--vnc %s: no address: give [HOST]:PORT or "
			    "unix:PATH",
			    address);
	if (fd < 0)
		return fail(why, fd, "--vnc %s: cannot listen there: %s",
			    *address ? address : "127.0.0.1:5900",
			    strerror(-fd));
	vnc->listen_fd = fd;
	return 0;
}

/* ---- The password: the first line of a file ---- */

int vnc_read_password(struct vnc *vnc, struct failure *why)
{
	const char *path = vnc->display->config.password_file;
	char line[64] = "";
	ssize_t len;
	int fd;

	if (!path)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return fail(why, -errno, "--vnc password-file %s: %s", path,
			    strerror(errno));
	len = read(fd, line, sizeof(line) - 1);
	close(fd);
	line[len > 0 ? len : 0] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	if (!line[0] || strlen(line) > VNC_PASSWORD_MAX)
		return fail(why, -EINVAL,
			    "--vnc password-file %s: its first line must be a "
			    "password of 1 to %u bytes: VNC looks at no more",
			    path, VNC_PASSWORD_MAX);
	memcpy(vnc->password, line, strlen(line) + 1);
	explicit_bzero(line, sizeof(line));
	vnc->passwords[0] = vnc->password;
	return 0;
}
