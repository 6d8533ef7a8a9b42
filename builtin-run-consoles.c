/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's ends of the guest's consoles and ports: standard input and output,
 * ptys, files and sockets; and the display.
 */
#include "builtin-run.h"

#include <stdio.h>
#include <string.h>
#include "lkvm/chardev.h"
#include "lkvm/failure.h"
#include "lkvm/kvm.h"
#include "lkvm/log.h"

/*
 * How long output may take once the user or the time limit wanted the end: the
 * whole of it has one second.
 */
#define HURRIED_FLUSH_MS 800
/* Output to a pty that nobody may ever read. */
#define PTY_FLUSH_MS 200
/* Output to a file, which takes it at once. */
#define FILE_FLUSH_MS 100

static int open_ttys(const struct kvm_config *config, struct failure *why,
		     struct vm_consoles *consoles)
{
	char what[24];

	for (unsigned int i = 0; i < CONFIG_MAX_TTYS; i++) {
		int err;

		if (!config->tty_pty[i])
			continue;
		snprintf(what, sizeof(what), "serial port %u", i);
		err = chardev_open_pty(what, why, &consoles->ttys[i]);
		if (err)
			return err;
	}
	return 0;
}

static int open_port(const struct port_config *port, struct failure *why,
		     struct chardev **out)
{
	char what[CONFIG_PORT_NAME_LEN + 8];

	snprintf(what, sizeof(what), "port %s", port->name);
	switch (port->kind) {
	case PORT_FILE:
		return chardev_open_file(what, port->path, why, out);
	case PORT_STREAM:
		return chardev_open_stream(what, port->in_fd, port->out_fd, why,
					   out);
	case PORT_UNIX:
		return chardev_open_socket(what, port->path, why, out);
	default:
		return chardev_open_pty(what, why, out);
	}
}

/* Where the kernel's messages are kept: the first serial port, in any case. */
static int open_hidden(const struct kvm_config *config, struct failure *why,
		       struct vm_consoles *consoles)
{
	struct chardev **chr = config->console == CONSOLE_SERIAL
				       ? &consoles->console
				       : &consoles->ttys[0];

	return chardev_open_stream("kernel messages", -1, -1, why, chr);
}

int run_open_consoles(const struct kvm_config *config, struct run_watch *watch,
		      struct failure *why, struct vm_consoles *consoles)
{
	bool moved = config->console == CONSOLE_SERIAL && config->tty_pty[0];
	const struct display_user user = { run_watch_power, watch };
	int err = open_ttys(config, why, consoles);

	for (unsigned int i = 0; i < config->nr_ports && !err; i++)
		err = open_port(&config->ports[i], why, &consoles->ports[i]);
	if (!err)
		err = display_open(&config->display, &user, why,
				   &consoles->display);
	if (!err && config->hidden_console && !consoles->ttys[0]) {
		err = open_hidden(config, why, consoles);
		moved = consoles->console;
	}
	/* Nothing of the guest's: the terminal stays as it is. */
	if (err || moved)
		return err;
	return chardev_open_stdio(run_watch_quit, watch, why,
				  &consoles->console);
}

void run_close_consoles(const struct kvm_config *config,
			struct vm_consoles *consoles, bool hurry)
{
	display_close(consoles->display);
	for (unsigned int i = 0; i < CONFIG_MAX_TTYS; i++)
		chardev_close(consoles->ttys[i], hurry ? 0 : PTY_FLUSH_MS);
	for (unsigned int i = 0; i < config->nr_ports; i++) {
		bool is_file = config->ports[i].kind == PORT_FILE;

		chardev_close(consoles->ports[i], !hurry    ? -1
						  : is_file ? FILE_FLUSH_MS
							    : 0);
	}
	chardev_close(consoles->console, hurry ? HURRIED_FLUSH_MS : -1);
}
