/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A pseudo-terminal as a chardev. The slave end stays open here, so that the
 * master neither hangs up nor reports errors while no program has it open. Then
 * nobody may ever read it, and a guest must not wait for that: after a second
 * without a reader, output that does not fit into the buffer is dropped, and
 * who opens the pty later finds the oldest.
 */
#include "backend/char_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include "lkvm/failure.h"
#include "lkvm/log.h"

/* Small: several ptys that nobody reads must not cost memory. */
#define PTY_OUTPUT_LEN (64 * 1024U)
#define NAME_LEN 64

/* Opens the slave end, in raw mode; its name goes to @name. */
static int open_slave(int master_fd, char name[NAME_LEN], int *slave_fd)
{
	struct termios mode;
	int err;

	if (grantpt(master_fd) < 0 || unlockpt(master_fd) < 0)
		return -errno;
	err = ptsname_r(master_fd, name, NAME_LEN);
	if (err)
		return -err;
	*slave_fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*slave_fd < 0 || tcgetattr(*slave_fd, &mode) < 0)
		return -errno;
	cfmakeraw(&mode);
	return tcsetattr(*slave_fd, TCSANOW, &mode) < 0 ? -errno : 0;
}

static int open_pty(struct chardev *chr, char name[NAME_LEN])
{
	int err;

	chr->in_fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	chr->out_fd = chr->in_fd;
	if (chr->in_fd < 0)
		return -errno;
	err = open_slave(chr->in_fd, name, &chr->slave_fd);
	if (!err)
		err = chardev_init(chr, "pty", PTY_OUTPUT_LEN, true);
	if (err) {
		if (chr->slave_fd >= 0)
			close(chr->slave_fd);
		close(chr->in_fd);
	}
	return err;
}

int chardev_open_pty(const char *what, struct failure *why,
		     struct chardev **out)
{
	struct chardev *chr = chardev_alloc();
	char name[NAME_LEN];
	int err;

	if (!chr)
		return fail(why, -ENOMEM, "%s: out of memory", what);
	err = open_pty(chr, name);
	if (err) {
		free(chr);
		return fail(why, err, "%s: cannot open a pty: %s", what,
			    strerror(-err));
	}
	log_info("%s is pty %s", what, name);
	*out = chr;
	return 0;
}
