/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One of a program's standard streams, or a place that keeps what was written
 * last. Where standard input is a terminal it stays as it is: lines are edited
 * there, and its keys make signals.
 */
#include "backend/char_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lkvm/failure.h"

int chardev_open_stream(const char *what, int in_fd, int out_fd,
			struct failure *why, struct chardev **out)
{
	struct chardev *chr = calloc(1, sizeof(*chr));
	int err;

	if (!chr)
		return fail(why, -ENOMEM, "%s: out of memory", what);
	chr->in_fd = in_fd;
	chr->out_fd = out_fd;
	chr->slave_fd = -1;
	chr->is_stream = true;
	err = chardev_init(chr, what, CHAR_OUTPUT_LEN, false);
	if (err) {
		free(chr);
		return fail(why, err, "%s: %s", what, strerror(-err));
	}
	if (out_fd < 0)
		output_set_fd(&chr->output, -1); /* what is put is lost */
	*out = chr;
	return 0;
}
