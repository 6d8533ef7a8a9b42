/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A Unix socket as a chardev: programs of the same user connect to it, one at a
 * time; the next one waits. A client that has only ended its own sending still
 * gets output.
 */
#include "backend/char_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "lkvm/failure.h"

#define SOCKET_OUTPUT_LEN (64 * 1024U)

/* ---- Clients come and go; event loop ---- */

static void set_client_locked(struct chardev *chr, int fd)
{
	chr->in_fd = fd;
	chr->out_fd = fd;
	chr->input.fd = fd;
	chr->at_end = false;
	output_set_fd(&chr->output, fd);
	chr->has_client = fd >= 0;
}

static void tell_front(struct chardev *chr)
{
	if (chr->front->connected)
		chr->front->connected(chr->front_opaque);
}

static bool take_client_locked(struct chardev *chr)
{
	int fd;

	if (!chr->is_served)
		return false;
	fd = accept4(chr->listener.fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return false;
	event_remove(chr->loop, &chr->listener);
	set_client_locked(chr, fd);
	return true;
}

static void listener_ready(struct event_source *src, u32 events)
{
	struct chardev *chr = container_of(src, struct chardev, listener);
	bool taken;

	pthread_mutex_lock(&chr->client_lock);
	taken = take_client_locked(chr);
	pthread_mutex_unlock(&chr->client_lock);
	if (!taken)
		return;
	tell_front(chr);
	chardev_notify(chr); /* input may be watched */
}

/* Its end is closed, so that a write(2) which is stuck there fails. */
static bool drop_client_locked(struct chardev *chr)
{
	int fd = chr->in_fd;

	if (!chr->is_served)
		return false;
	chardev_unwatch(chr);
	set_client_locked(chr, -1);
	close(fd);
	/* Cannot fail but for want of memory: then nobody comes any more. */
	event_add(chr->loop, &chr->listener, EPOLLIN);
	return true;
}

bool socket_client_left(struct chardev *chr, u32 events)
{
	int unread = 0;
	bool dropped;

	if (!(events & (EPOLLHUP | EPOLLERR)))
		return false;
	if (!chr->at_end && !ioctl(chr->in_fd, FIONREAD, &unread) && unread)
		return false;
	pthread_mutex_lock(&chr->client_lock);
	dropped = drop_client_locked(chr);
	pthread_mutex_unlock(&chr->client_lock);
	if (dropped)
		tell_front(chr);
	return true;
}

/* ---- Main thread ---- */

int socket_serve(struct chardev *chr)
{
	int err = 0;

	pthread_mutex_lock(&chr->client_lock);
	if (!chr->has_client)
		err = event_add(chr->loop, &chr->listener, EPOLLIN);
	chr->is_served = !err;
	pthread_mutex_unlock(&chr->client_lock);
	return err;
}

/* With is_served gone nothing changes; then wait for what still runs. */
void socket_unserve(struct chardev *chr)
{
	pthread_mutex_lock(&chr->client_lock);
	chr->is_served = false;
	pthread_mutex_unlock(&chr->client_lock);
	event_remove(chr->loop, &chr->listener);
	event_remove(chr->loop, &chr->input);
}

/* ---- Life ---- */

/* Does @address name a socket whose program has gone? */
static bool is_stale(const struct sockaddr_un *address)
{
	struct stat st;
	bool stale;
	int fd;

	if (lstat(address->sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	stale = connect(fd, (const struct sockaddr *)address,
			sizeof(*address)) < 0 &&
		errno == ECONNREFUSED;
	close(fd);
	return stale;
}

static int bind_address(int fd, const struct sockaddr_un *address)
{
	if (!bind(fd, (const struct sockaddr *)address, sizeof(*address)))
		return 0;
	if (errno != EADDRINUSE || !is_stale(address))
		return -errno;
	if (unlink(address->sun_path) < 0 ||
	    bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return -errno;
	return 0;
}

/* The mode of the socket is that of the inode that bind() makes. */
static int open_listener(const char *path, int *out)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	err = fchmod(fd, 0600) < 0 ? -errno : bind_address(fd, &address);
	if (!err && listen(fd, 1) < 0) {
		err = -errno;
		unlink(path);
	}
	if (err)
		close(fd);
	else
		*out = fd;
	return err;
}

static int open_socket(struct chardev *chr, const char *path)
{
	int err;

	chr->path = strdup(path);
	if (!chr->path)
		return -ENOMEM;
	err = open_listener(path, &chr->listener.fd);
	if (!err) {
		err = chardev_init(chr, "socket", SOCKET_OUTPUT_LEN, false);
		if (!err) {
			output_set_fd(&chr->output, -1);
			return 0;
		}
		close(chr->listener.fd);
		unlink(path);
	}
	free(chr->path);
	return err;
}

int chardev_open_socket(const char *what, const char *path, struct failure *why,
			struct chardev **out)
{
	struct chardev *chr = chardev_alloc();
	int err;

	if (!chr)
		return fail(why, -ENOMEM, "%s: out of memory", what);
	chr->is_socket = true;
	chr->listener.ready = listener_ready;
	pthread_mutex_init(&chr->client_lock, NULL);
	err = open_socket(chr, path);
	if (err) {
		pthread_mutex_destroy(&chr->client_lock);
		free(chr);
		return fail(why, err, "%s: cannot listen at %s: %s", what, path,
			    strerror(-err));
	}
	*out = chr;
	return 0;
}

void socket_close(struct chardev *chr)
{
	close(chr->listener.fd);
	/* Not unlink(), for the filters of confine.c. */
	unlinkat(AT_FDCWD, chr->path, 0);
	pthread_mutex_destroy(&chr->client_lock);
	free(chr->path);
}
