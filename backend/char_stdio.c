/* SPDX-License-Identifier: GPL-2.0-only */
/* Standard input and output as a chardev: a terminal, a pipe, a file, or none. */
#include "backend/char_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lkvm/failure.h"

/* In the background, reads fail and writes go through, but nothing stops us. */
static void block_terminal_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTTIN);
	sigaddset(&set, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int chardev_open_stdio(void (*quit)(void *opaque), void *opaque,
		       struct failure *why, struct chardev **out)
{
	struct chardev *chr = chardev_alloc();
	int err;

	if (!chr)
		return fail(why, -ENOMEM, "console: out of memory");
	chr->in_fd = fcntl(STDIN_FILENO, F_GETFD) < 0 ? -1 : STDIN_FILENO;
	chr->out_fd = STDOUT_FILENO;
	chr->owns_fds = false;
	chr->has_terminal = isatty(STDIN_FILENO);
	chr->quit = quit;
	chr->quit_opaque = opaque;
	block_terminal_signals();
	if (chr->has_terminal)
		atexit(terminal_restore);
	err = chardev_init(chr, "standard output", CHAR_OUTPUT_LEN, false);
	if (err) {
		free(chr);
		return fail(why, err, "console: %s", strerror(-err));
	}
	*out = chr;
	return 0;
}
