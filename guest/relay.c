/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between ports and pipes. A port cannot be the command's stream itself: only one
 * may have it open, so that "cat /dev/stdin" would fail.
 *
 * The host closes a port for the end of standard input and when nobody reads what
 * the command writes any more: then the command sees the end of its pipe.
 */
#include "guest/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* What Linux's driver sends at once. */
#define BUFFER_LEN 32768

struct relay {
	int from, to; /* -1: closed */
	size_t start, end;
	char buffer[BUFFER_LEN];
};

enum {
	IN,
	OUT,
	ERR,
	NR_RELAYS
};

static int open_stream(const char *name, int flags)
{
	int fd = open_port(name, flags | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		die("%s: no such port", name);
	return fd;
}

void streams_open(const struct settings *settings, struct streams *streams)
{
	streams->in = open_stream(settings->in, O_RDONLY);
	streams->out = open_stream(settings->out, O_WRONLY);
	streams->err = open_stream(settings->err, O_WRONLY);
}

static void relay_close(struct relay *relay)
{
	if (relay->from >= 0)
		close(relay->from);
	if (relay->to >= 0)
		close(relay->to);
	relay->from = -1;
	relay->to = -1;
}

static bool is_closed(const struct relay *relay)
{
	return relay->to < 0;
}

/* False: not now. */
static bool is_later(ssize_t n)
{
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void relay_read(struct relay *relay)
{
	ssize_t n = read(relay->from, relay->buffer, BUFFER_LEN);

	if (n > 0) {
		relay->start = 0;
		relay->end = (size_t)n;
	} else if (!is_later(n)) {
		relay_close(relay);
	}
}

static void relay_write(struct relay *relay)
{
	ssize_t n = write(relay->to, relay->buffer + relay->start,
			  relay->end - relay->start);

	if (n > 0)
		relay->start += (size_t)n;
	else if (!is_later(n))
		relay_close(relay);
}

static void relay_prepare(const struct relay *relay, struct pollfd *poll)
{
	bool full = relay->start < relay->end;

	poll->fd = is_closed(relay) ? -1 : full ? relay->to : relay->from;
	poll->events = full ? POLLOUT : POLLIN;
	poll->revents = 0;
}

/* A port that the host has closed is never written to. */
static void relay_step(struct relay *relay, const struct pollfd *poll)
{
	if (poll->fd < 0 || !poll->revents)
		return;
	if (poll->events == POLLIN)
		relay_read(relay);
	else if (poll->revents & (POLLHUP | POLLERR))
		relay_close(relay);
	else
		relay_write(relay);
}

/* Readable when a child has ended. */
static int watch_children(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		die("signalfd: %s", strerror(errno));
	return fd;
}

static void take_signals(int fd)
{
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof(info)) > 0)
		;
}

static struct relay *make_relays(const struct streams *streams,
				 const int pipes[3])
{
	struct relay *relays = calloc(NR_RELAYS, sizeof(*relays));

	if (!relays)
		die("out of memory");
	relays[IN].from = streams->in;
	relays[IN].to = pipes[0];
	relays[OUT].from = pipes[1];
	relays[OUT].to = streams->out;
	relays[ERR].from = pipes[2];
	relays[ERR].to = streams->err;
	for (int i = 0; i < 3; i++)
		fcntl(pipes[i], F_SETFL, O_NONBLOCK);
	return relays;
}

int streams_serve(const struct streams *streams, const int pipes[3], pid_t pid)
{
	struct relay *relays = make_relays(streams, pipes);
	struct pollfd polls[NR_RELAYS + 1];
	int children = watch_children(), status = 0;
	bool ended = reap(pid, &status);

	while (!ended || !is_closed(&relays[OUT]) || !is_closed(&relays[ERR])) {
		for (int i = 0; i < NR_RELAYS; i++)
			relay_prepare(&relays[i], &polls[i]);
		polls[NR_RELAYS] = (struct pollfd){ children, POLLIN, 0 };
		if (poll(polls, NR_RELAYS + 1, -1) < 0)
			continue;
		for (int i = 0; i < NR_RELAYS; i++)
			relay_step(&relays[i], &polls[i]);
		take_signals(children);
		if (!reap(pid, &status))
			continue;
		/* What it left behind would keep the pipes open. */
		ended = true;
		kill(-1, SIGKILL);
		relay_close(&relays[IN]);
	}
	free(relays);
	return status;
}
