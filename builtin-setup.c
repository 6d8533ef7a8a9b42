/* SPDX-License-Identifier: GPL-2.0-only */
/* lkvm setup NAME: a root file system for "lkvm run --disk NAME". */
#include <errno.h>
#include <stdlib.h>
#include "lkvm/builtin.h"
#include "lkvm/failure.h"
#include "lkvm/log.h"
#include "lkvm/rootfs.h"

struct setup_options {
	const char *name;
};

static const struct option setup_options[] = {
	{ .name = NULL },
};

static int take_name(const char *word, void *target, struct failure *why)
{
	struct setup_options *setup = target;

	if (setup->name)
		return fail(why, -EINVAL, "two names: %s and %s", setup->name,
			    word);
	setup->name = word;
	return 0;
}

static int parse(struct setup_options *setup, int argc, char **argv,
		 struct failure *why)
{
	static const struct option_grammar grammar = {
		.command = "setup",
		.options = setup_options,
		.word = take_name,
	};
	int err = options_parse(&grammar, argc, argv, setup, why);

	if (!err && !setup->name)
		return fail(why, -EINVAL, "which name? lkvm setup NAME");
	return err;
}

static int make(const char *name, struct failure *why)
{
	char *path = NULL;
	int err = rootfs_path(name, &path, why);

	if (!err)
		err = rootfs_create(path, why);
	if (!err)
		log_info("%s: use it with \"lkvm run --disk %s\"", path, name);
	free(path);
	return err;
}

static int setup_main(int argc, char **argv)
{
	struct setup_options setup = { NULL };
	struct failure why = FAILURE_INIT;

	switch (parse(&setup, argc, argv, &why)) {
	case 0:
		break;
	case OPTIONS_HELP:
		help_print_command(&setup_command);
		return STATUS_OK;
	default:
		log_error("%s", why.text);
		return STATUS_USAGE;
	}
	if (!make(setup.name, &why))
		return STATUS_OK;
	log_fatal("%s", why.text);
	return STATUS_FATAL;
}

const struct command setup_command = {
	.name = "setup",
	.summary = "make a root file system for VMs",
	.usage = "lkvm setup NAME",
	.notes = "It is the folder $HOME/.lkvm/NAME. Guests that have it as "
		 "root find their programs\n"
		 "in the host's files, which they can only read. Remove it "
		 "with \"rm -r\".",
	.options = setup_options,
	.run = setup_main,
};
