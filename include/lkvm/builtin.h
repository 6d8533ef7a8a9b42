/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Subcommands: one builtin-<name>.c each, one row in main.c's table.
 */
#ifndef LKVM_BUILTIN_H
#define LKVM_BUILTIN_H

#include "lkvm/options.h"

/* Exit statuses: promised in the manual page. */
enum exit_status {
	STATUS_OK = 0,
	STATUS_RESET = 32,
	STATUS_CRASH = 33,
	STATUS_PANIC = 34,
	STATUS_HOST = 77,
	STATUS_TIMEOUT = 124,
	STATUS_FATAL = 128,
	STATUS_USAGE = 129,
};

struct command {
	const char *name;
	const char *summary;	      /* one line, for "lkvm help" */
	const char *usage;	      /* behind "usage: " */
	const char *notes;	      /* text behind the options, or NULL */
	const struct option *options; /* NULL: none */
	/* @argv: what follows the subcommand. Returns the exit status. */
	int (*run)(int argc, char **argv);
};

extern const struct command run_command;
extern const struct command sandbox_command;
extern const struct command setup_command;
extern const struct command list_command;
extern const struct command stop_command;
extern const struct command pause_command;
extern const struct command resume_command;
extern const struct command reset_command;
extern const struct command wait_command;
extern const struct command stat_command;
extern const struct command balloon_command;
extern const struct command debug_command;
extern const struct command console_command;
extern const struct command screenshot_command;
extern const struct command sendkey_command;
extern const struct command vfio_command;
extern const struct command doctor_command;
extern const struct command version_command;
extern const struct command help_command;

/* Ends with a NULL. In main.c. */
extern const struct command *const commands[];

/* What "lkvm help" and "lkvm help @command" print. */
void help_print_overview(void);
void help_print_command(const struct command *command);

#endif
