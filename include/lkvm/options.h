/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Command line options. One const table per command says everything about each
 * option; parsing, --help and shell completion all come from it.
 *
 * Grammar: --name, --name=value, --name value, -n, -nvalue, -n value, bundled
 * short options, --no-name, unique abbreviations of long names (an exact name
 * wins), and words that are no options anywhere between them. "--" ends the
 * options.
 */
#ifndef LKVM_OPTIONS_H
#define LKVM_OPTIONS_H

#include <stdio.h>
#include "lkvm/types.h"

struct failure;
struct option;

/* What set() is given. */
struct option_value {
	const char *text; /* the argument; NULL: none, or --no-name */
	bool negated;	  /* --no-name */
};

/*
 * Store @value in @target. -EINVAL, having said why, when it is no good. What
 * --no-name means is the setter's business: back to the default.
 */
typedef int option_set_fn(const struct option *opt,
			  const struct option_value *value, void *target,
			  struct failure *why);

enum option_flags {
	/* There is no --no-name. */
	OPTION_NO_NEGATION = 1 << 0,
	/*
	 * Not one of kvmtool's: an abbreviation never means this option if it
	 * can mean another, so that kvmtool's abbreviations keep working.
	 */
	OPTION_LOW_PRIORITY = 1 << 1,
	/* The argument may be missing where the option is the last word. */
	OPTION_LAST_ARG_OPTIONAL = 1 << 2,
	/* The argument may be missing, and otherwise stands behind a "=". */
	OPTION_ARG_OPTIONAL = 1 << 3,
};

/* One row: an option, or (no @name) the heading of those that follow. */
struct option {
	const char *name;    /* long, without the dashes */
	char letter;	     /* short, or 0 */
	const char *arg;     /* name of the argument in --help; NULL: none */
	const char *help;    /* one line; NULL: not shown */
	const char *heading; /* of a group of options */
	option_set_fn *set;
	size_t offset;	     /* for the setters below: place in the target */
	const char *missing; /* option_refuse(): what lkvm lacks */
	unsigned int flags;
	const struct option *more; /* last row: the table that goes on here */
};

/* What a command line may hold. */
struct option_grammar {
	const char *command; /* its name, for messages */
	/* Ends with a row that has neither name nor heading. */
	const struct option *options;
	/*
	 * A word that is no option. -EINVAL, having said why, if it is
	 * unwelcome. NULL: all are.
	 */
	int (*word)(const char *word, void *target, struct failure *why);
	bool words_end_options; /* options behind a word are words, too */
	/* Told of each option that was set; or NULL. @value lives as argv. */
	void (*note)(const struct option *opt, const struct option_value *value,
		     void *target);
};

enum {
	OPTIONS_HELP = 1, /* -h or --help was there: nothing else matters */
};

/*
 * Parse @argc words. 0; OPTIONS_HELP; or -EINVAL with @why filled in. Setters
 * keep pointers into @argv.
 */
int options_parse(const struct option_grammar *grammar, int argc,
		  char *const *argv, void *target, struct failure *why);

/* The row of the option with that long name, not abbreviated; or NULL. */
const struct option *options_find(const struct option *options,
				  const char *name);

/* The table as lines of help. */
void options_print_help(const struct option *options, FILE *out);
/* For shell completion: "--name", or "--name=" with an argument, per line. */
void options_print_names(const struct option *options, FILE *out);

/*
 * The same with all that a shell can use, between tabs: "--name", "-n" or nothing,
 * the argument or nothing, the line of help.
 */
void options_print_words(const struct option *options, FILE *out);
/* The table as a part of a manual page, in mdoc. */
void options_print_man(const struct option *options, FILE *out);
/* Text for a page in mdoc: what its macros would take for their own is escaped. */
void options_print_man_text(const char *text, FILE *out);

/* Setters for a member of the target at opt->offset. */
option_set_fn option_set_flag;	 /* bool */
option_set_fn option_set_string; /* const char * */
/* Always fails, naming the option and opt->missing; --no-name is fine. */
option_set_fn option_refuse;

/*
 * Rows of options that exist elsewhere and not here, with the reason. FORK: one
 * that is not kvmtool's on this architecture, so abbreviations pass it over.
 */
#define OPTION_REFUSE(long_name, argument, why_not)                            \
	{                                                                      \
		.name = (long_name), .arg = (argument), .set = option_refuse,  \
		.missing = (why_not), .flags = OPTION_LAST_ARG_OPTIONAL        \
	}
#define OPTION_REFUSE_FORK(long_name, argument, why_not)                       \
	{                                                                      \
		.name = (long_name), .arg = (argument), .set = option_refuse,  \
		.missing = (why_not),                                          \
		.flags = OPTION_LAST_ARG_OPTIONAL | OPTION_LOW_PRIORITY        \
	}

/* fail() with "--name: " in front of the text. Returns -EINVAL. */
int option_fail(const struct option *opt, struct failure *why, const char *fmt,
		...) __attribute__((format(printf, 3, 4)));

/*
 * Whole numbers, decimal or 0x..., without sign, blanks or anything behind.
 * False when @text is none or does not fit.
 */
bool parse_u64(const char *text, u64 *out);
/* A number of bytes with a unit of BKMGTP, either case; @unit where none is. */
bool parse_size(const char *text, u64 unit, u64 *out);

#endif
