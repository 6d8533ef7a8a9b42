/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lkvm console: the console of a running VM on this terminal, beginning with
 * the last 64 KiB that it printed. Ctrl-A d leaves it; the VM runs on.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>
#include "builtin-client.h"
#include "lkvm/failure.h"
#include "lkvm/log.h"

#define CTRL_A 1
#define PIECE_LEN 4096
/* History has come when nothing follows for so long. */
#define QUIET_MS 200

struct console_options {
	struct client_choice choice;
	bool history; /* print it and leave */
};

struct session {
	int fd;
	bool has_terminal;
	bool escaped; /* the last key was Ctrl-A */
	bool detached;
	bool input_ended;
	struct termios found;
};

static const struct option console_options[] = {
	CLIENT_OPTION_NAME,
	{ .name = "history",
	  .help = "print what there is, and leave",
	  .set = option_set_flag,
	  .offset = offsetof(struct console_options, history) },
	{ .name = NULL },
};

static bool write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		struct pollfd pfd = { .fd = fd, .events = POLLOUT };
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EAGAIN && poll(&pfd, 1, -1) > 0)
			continue;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/* ---- Keyboard ---- */

static void enter_raw(struct session *session)
{
	struct termios raw;

	session->has_terminal = !tcgetattr(STDIN_FILENO, &session->found);
	if (!session->has_terminal)
		return;
	raw = session->found;
	cfmakeraw(&raw);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

static void leave_raw(const struct session *session)
{
	if (session->has_terminal)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &session->found);
}

/* What of @bytes is for the guest; returns how many, in @out (of twice as many). */
static size_t sort_keys(struct session *session, const char *bytes, size_t len,
			char *out)
{
	size_t used = 0;

	for (size_t i = 0; i < len && !session->detached; i++) {
		bool was_escaped = session->escaped;

		session->escaped = !was_escaped && bytes[i] == CTRL_A;
		if (session->escaped)
			continue;
		if (was_escaped && bytes[i] == 'd') {
			session->detached = true;
		} else if (was_escaped && bytes[i] == 'h') {
			log_info("Ctrl-A d leaves the console, Ctrl-A Ctrl-A "
				 "sends Ctrl-A\r");
		} else {
			if (was_escaped && bytes[i] != CTRL_A)
				out[used++] = CTRL_A;
			out[used++] = bytes[i];
		}
	}
	return used;
}

static bool pass_input(struct session *session)
{
	char bytes[PIECE_LEN], keys[2 * PIECE_LEN];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
	size_t len;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n <= 0) {
		/* The end of a pipe is not the end of the guest's output. */
		session->input_ended = true;
		return true;
	}
	if (!session->has_terminal)
		return write_all(session->fd, bytes, (size_t)n);
	len = sort_keys(session, bytes, (size_t)n, keys);
	return write_all(session->fd, keys, len);
}

/* ---- Screen ---- */

static bool pass_output(struct session *session)
{
	char bytes[PIECE_LEN];
	ssize_t n = read(session->fd, bytes, sizeof(bytes));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	return n > 0 && write_all(STDOUT_FILENO, bytes, (size_t)n);
}

/* Until the VM ends, the user leaves, or nobody reads any more. */
static void converse(struct session *session)
{
	bool goes_on = true;

	while (goes_on && !session->detached) {
		struct pollfd pfds[2] = {
			{ .fd = session->fd, .events = POLLIN },
			{ .fd = session->input_ended ? -1 : STDIN_FILENO,
			  .events = POLLIN },
		};

		if (poll(pfds, 2, -1) < 0)
			continue; /* a signal */
		if (pfds[0].revents)
			goes_on = pass_output(session);
		if (goes_on && pfds[1].revents)
			goes_on = pass_input(session);
	}
}

static void print_history(struct session *session)
{
	struct pollfd pfd = { .fd = session->fd, .events = POLLIN };

	while (poll(&pfd, 1, QUIET_MS) > 0 && pass_output(session))
		;
}

static int attach(struct client_vm *vm, bool history_only)
{
	struct session session = { .fd = vm->fd };
	json_t *reply = client_ask(vm, json_pack("{ss}", "op", "console"));

	if (!reply)
		return STATUS_FATAL;
	json_decref(reply);
	/* What came behind the reply is output already. */
	if (!write_all(STDOUT_FILENO, vm->rest, vm->rest_len))
		return STATUS_FATAL;
	if (history_only) {
		print_history(&session);
		return STATUS_OK;
	}
	enter_raw(&session);
	converse(&session);
	leave_raw(&session);
	if (session.has_terminal)
		log_info("%s: %s", vm->name,
			 session.detached ? "left" : "the VM has ended");
	return STATUS_OK;
}

static int console_main(int argc, char **argv)
{
	struct console_options options = { .history = false };
	struct client_vms list;
	bool done;
	int status = client_begin(&console_command, argc, argv, &options,
				  &options.choice, &list, &done);

	if (list.nr > 1) {
		log_error("console: one VM at a time");
		status = STATUS_USAGE;
	} else if (list.nr) {
		status = attach(&list.vms[0], options.history);
	}
	client_vms_release(&list);
	return status;
}

const struct command console_command = {
	.name = "console",
	.summary = "attach to a running VM's console",
	.usage = "lkvm console [OPTIONS] [NAME]",
	.notes = "Begins with the last 64 KiB of output. On a terminal, Ctrl-A "
		 "d leaves and Ctrl-A h\nlists the keys; the VM runs on. "
		 "Several "
		 "may look, and type, at once.",
	.options = console_options,
	.run = console_main,
};
