/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From argv to a subcommand, and the only exit of the process that is not a
 * signal: main() returns what the subcommand returned.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "lkvm/builtin.h"
#include "lkvm/log.h"

const struct command *const commands[] = {
	&run_command,	  &sandbox_command,
	&setup_command,	  &list_command,
	&stop_command,	  &pause_command,
	&resume_command,  &reset_command,
	&wait_command,	  &console_command,
	&stat_command,	  &balloon_command,
	&debug_command,	  &screenshot_command,
	&sendkey_command, &vfio_command,
	&doctor_command,  &version_command,
	&help_command,	  NULL,
};

static bool wants_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h");
}

static int run_command_line(int argc, char **argv)
{
	const struct command *const *command;
	const char *name;

	if (argc < 2 || wants_help(argv[1])) {
		help_print_overview();
		return STATUS_OK;
	}
	name = !strcmp(argv[1], "--version") ? "version" : argv[1];
	for (command = commands; *command; command++) {
		if (strcmp((*command)->name, name) != 0)
			continue;
		/* Commands with options know --help among them. */
		if (!(*command)->options && argc > 2 && wants_help(argv[2])) {
			help_print_command(*command);
			return STATUS_OK;
		}
		return (*command)->run(argc - 2, argv + 2);
	}
	log_error("there is no command %s: \"lkvm help\" lists them", name);
	return STATUS_USAGE;
}

int main(int argc, char **argv)
{
	int status;

	/*
	 * A reader that went away, and a disk image that reached the limit of
	 * file sizes, are errors of a write(2), not reasons to die.
	 */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	status = run_command_line(argc, argv);
	if (status == STATUS_OK && fflush(stdout)) {
		log_error("cannot write to standard output");
		return STATUS_FATAL;
	}
	return status;
}
