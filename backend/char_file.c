/* SPDX-License-Identifier: GPL-2.0-only */
/* A file, or what is like one, that takes the output of a chardev. */
#include "backend/char_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lkvm/failure.h"

/* O_NONBLOCK: a FIFO without a reader is refused, and not waited for. */
static int open_file(struct chardev *chr, const char *path)
{
	int err;

	chr->out_fd = open(path,
			   O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC |
				   O_NONBLOCK,
			   0666);
	if (chr->out_fd < 0)
		return -errno;
	/* From here on, a reader that is slow is waited for. */
	err = fcntl(chr->out_fd, F_SETFL, 0) < 0 ? -errno : 0;
	if (!err)
		err = chardev_init(chr, "file", CHAR_OUTPUT_LEN, false);
	if (err)
		close(chr->out_fd);
	return err;
}

int chardev_open_file(const char *what, const char *path, struct failure *why,
		      struct chardev **out)
{
	struct chardev *chr = chardev_alloc();
	int err;

	if (!chr)
		return fail(why, -ENOMEM, "%s: out of memory", what);
	err = open_file(chr, path);
	if (err) {
		free(chr);
		return fail(why, err, "%s: cannot write to %s: %s", what, path,
			    err == -ENXIO ? "nobody reads that pipe"
					  : strerror(-err));
	}
	*out = chr;
	return 0;
}
