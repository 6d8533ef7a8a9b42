/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lkvm help [COMMAND], and what shell completion asks:
 * lkvm help --names [COMMAND]. All on standard output.
 */
#include "lkvm/builtin.h"

#include <string.h>
#include "lkvm/log.h"

void help_print_overview(void)
{
	const struct command *const *command;

	/* Scripts look for "The most commonly used" to know an lkvm. */
	puts("usage: lkvm COMMAND [ARGS]\n\n"
	     "The most commonly used lkvm commands are:");
	for (command = commands; *command; command++)
		printf("   %-10s %s\n", (*command)->name, (*command)->summary);
	puts("\n\"lkvm help COMMAND\" says more about one.");
}

void help_print_command(const struct command *command)
{
	printf("usage: %s\n", command->usage);
	if (command->options)
		options_print_help(command->options, stdout);
	if (command->notes)
		printf("\n%s\n", command->notes);
}

static const struct command *find_command(const char *name)
{
	const struct command *const *command;

	for (command = commands; *command; command++)
		if (!strcmp((*command)->name, name))
			return *command;
	return NULL;
}

static void print_names(const struct command *about)
{
	const struct command *const *command;

	if (!about)
		for (command = commands; *command; command++)
			puts((*command)->name);
	else if (about->options)
		options_print_names(about->options, stdout);
}

static int help_main(int argc, char **argv)
{
	bool names = argc && !strcmp(argv[0], "--names");
	const struct command *about = NULL;

	if (names) {
		argc--;
		argv++;
	}
	if (argc > 1) {
		log_error("help: unexpected argument %s", argv[1]);
		return STATUS_USAGE;
	}
	if (argc) {
		about = find_command(argv[0]);
		if (!about) {
			log_error("help: there is no command %s: \"lkvm help\" "
				  "lists them",
				  argv[0]);
			return STATUS_USAGE;
		}
	}
	if (names)
		print_names(about);
	else if (about)
		help_print_command(about);
	else
		help_print_overview();
	return STATUS_OK;
}

const struct command help_command = {
	.name = "help",
	.summary = "say how lkvm, or one command, is used",
	.usage = "lkvm help [COMMAND]",
	.run = help_main,
};
