/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lkvm help [COMMAND]; what shell completion asks, lkvm help --names [COMMAND] and
 * --words COMMAND; and the command's manual page, --man COMMAND. All from the same
 * tables, on standard output.
 */
#include "lkvm/builtin.h"

#include <ctype.h>
#include <stdio.h>
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

static void print_words(const struct command *about)
{
	if (about && about->options)
		options_print_words(about->options, stdout);
}

static void print_page(const struct command *about)
{
	if (!about)
		return;
	fputs(".Dd\n.Dt LKVM-", stdout);
	for (const char *c = about->name; *c; c++)
		putchar(toupper((unsigned char)*c));
	printf(" 1\n.Os\n.Sh NAME\n.Nm lkvm-%s\n.Nd %s\n.Sh SYNOPSIS\n"
	       ".Bd -literal\n%s\n.Ed\n",
	       about->name, about->summary, about->usage);
	if (about->options) {
		puts(".Sh OPTIONS");
		options_print_man(about->options, stdout);
	}
	if (about->notes) {
		puts(".Sh NOTES\n.Bd -literal");
		options_print_man_text(about->notes, stdout);
		puts(".Ed");
	}
	puts(".Sh SEE ALSO\n.Xr lkvm 1");
}

static void print_help(const struct command *about)
{
	if (about)
		help_print_command(about);
	else
		help_print_overview();
}

static int help_main(int argc, char **argv)
{
	static const struct {
		const char *option;
		void (*print)(const struct command *about);
	} forms[] = {
		{ "--names", print_names },
		{ "--words", print_words },
		{ "--man", print_page },
	};
	void (*print)(const struct command *about) = print_help;
	const struct command *about = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(forms) && argc; i++)
		if (!strcmp(argv[0], forms[i].option))
			print = forms[i].print;
	if (print != print_help) {
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
	print(about);
	return STATUS_OK;
}

const struct command help_command = {
	.name = "help",
	.summary = "say how lkvm, or one command, is used",
	.usage = "lkvm help [COMMAND]",
	.run = help_main,
};
