/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lkvm sandbox -- COMMAND: "lkvm run" for one command, on the host's files. What is
 * different is in builtin-run-guest.c.
 */
#include "builtin-run.h"
#include "lkvm/builtin.h"
#include "lkvm/failure.h"

static int sandbox_main(int argc, char **argv)
{
	struct failure why = FAILURE_INIT;
	struct run_options run;
	int parsed = run_options_parse_sandbox(&run, argc, argv, &why);

	return run_with_parsed(&run, parsed, &sandbox_command, &why);
}

const struct command sandbox_command = {
	.name = "sandbox",
	.summary = "run a command in a VM, on a view of this host's files",
	.usage = "lkvm sandbox [OPTIONS] [--] COMMAND [ARGUMENT...]",
	.notes = "The command finds the files that you can read. What it "
		 "writes is kept in the guest's\n"
		 "memory and gone at the end. It has no network unless "
		 "--network gives it one.\n"
		 "Exit status: the command's, 128 + N where signal N killed "
		 "it, 127 not found,\n"
		 "126 not to be run. If it never ran to its end: as for "
		 "\"lkvm run\", with a message;\n"
		 "--result tells one from the other.",
	.options = sandbox_option_table,
	.run = sandbox_main,
};
