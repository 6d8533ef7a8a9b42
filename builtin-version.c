/* SPDX-License-Identifier: GPL-2.0-only */
/* lkvm version */
#include "lkvm/builtin.h"

#include <stdio.h>
#include "lkvm/log.h"
#include "version.h"

static int version_main(int argc, char **argv)
{
	if (argc) {
		log_error("version: unexpected argument %s", argv[0]);
		return STATUS_USAGE;
	}
	puts("lkvm " LKVM_VERSION);
	return STATUS_OK;
}

const struct command version_command = {
	.name = "version",
	.summary = "print the version",
	.usage = "lkvm version",
	.run = version_main,
};
