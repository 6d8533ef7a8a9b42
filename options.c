/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parser of command lines and the printer of their help: see options.h for
 * the grammar. It knows no option of its own but -h and --help.
 */
#include "lkvm/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lkvm/failure.h"

/* Column at which the help texts begin. */
#define HELP_COLUMN 30

static const struct option help_option = {
	.name = "help",
	.letter = 'h',
	.flags = OPTION_NO_NEGATION,
};

struct parser {
	const struct option_grammar *grammar;
	int argc;
	char *const *argv;
	int next; /* index of the word to look at next */
	void *target;
	struct failure *why;
};

static bool is_last(const struct option *opt)
{
	return !opt->name && !opt->heading;
}

/* The row at @opt, or the first one of the table that goes on there; or NULL. */
static const struct option *row_at(const struct option *opt)
{
	while (opt && is_last(opt))
		opt = opt->more;
	return opt;
}

static const struct option *next_row(const struct option *opt)
{
	return row_at(opt + 1);
}

/* A long name that was given, up to '=' if there is one. */
struct long_name {
	const char *text;
	size_t len;
};

static bool starts(const char *name, const struct long_name *given)
{
	return !strncmp(name, given->text, given->len);
}

/* What a long name matched so far. */
struct long_match {
	const struct option *opt;
	const struct option *other; /* a second one: ambiguous */
	bool negated;
};

static void match_add(struct long_match *match, const struct option *opt,
		      bool negated)
{
	if (!match->opt) {
		match->opt = opt;
		match->negated = negated;
	} else if (match->opt != opt) {
		match->other = opt;
	}
}

/*
 * Compare @given with @opt's name and its negation. True: exactly this one;
 * otherwise @opt is added to @match if @given abbreviates it.
 */
static bool match_option(const struct long_name *given,
			 const struct option *opt, struct long_match *match)
{
	static const char no[] = "no-";
	struct long_name rest;

	if (starts(opt->name, given)) {
		if (opt->name[given->len] == '\0') {
			*match = (struct long_match){ .opt = opt };
			return true;
		}
		match_add(match, opt, false);
	}
	if (opt->flags & OPTION_NO_NEGATION || given->len < strlen(no) ||
	    strncmp(given->text, no, strlen(no)))
		return false;
	rest.text = given->text + strlen(no);
	rest.len = given->len - strlen(no);
	if (!starts(opt->name, &rest))
		return false;
	if (opt->name[rest.len] == '\0') {
		*match = (struct long_match){ .opt = opt, .negated = true };
		return true;
	}
	if (rest.len)
		match_add(match, opt, true);
	return false;
}

/* The option that @given names or abbreviates; NULL, having said why. */
static const struct option *
find_long(const struct parser *p, const struct long_name *given, bool *negated)
{
	struct long_match match = { NULL }, low = { NULL };
	struct long_match *kind;
	const struct option *opt;
	bool exact = false;

	for (opt = row_at(p->grammar->options); !exact && opt;
	     opt = next_row(opt)) {
		if (!opt->name)
			continue;
		kind = opt->flags & OPTION_LOW_PRIORITY ? &low : &match;
		exact = match_option(given, opt, kind);
		if (exact)
			match = *kind;
	}
	if (!exact)
		match_option(given, &help_option, &match);
	if (!match.opt)
		match = low;
	if (!match.opt) {
		fail(p->why, -EINVAL,
		     "unknown option --%.*s: \"lkvm help %s\" lists them",
		     (int)given->len, given->text, p->grammar->command);
		return NULL;
	}
	if (match.other) {
		fail(p->why, -EINVAL, "--%.*s is ambiguous: --%s or --%s?",
		     (int)given->len, given->text, match.opt->name,
		     match.other->name);
		return NULL;
	}
	*negated = match.negated;
	return match.opt;
}

static const struct option *find_short(const struct parser *p, char letter)
{
	const struct option *opt;

	for (opt = row_at(p->grammar->options); opt; opt = next_row(opt))
		if (opt->letter == letter)
			return opt;
	return letter == help_option.letter ? &help_option : NULL;
}

/* The word behind an option, as its argument. */
static int take_argument(struct parser *p, const struct option *opt,
			 const char **out)
{
	if (p->next < p->argc) {
		*out = p->argv[p->next++];
		return 0;
	}
	*out = NULL;
	if (opt->flags & OPTION_LAST_ARG_OPTIONAL)
		return 0;
	return option_fail(opt, p->why, "needs an argument: %s", opt->arg);
}

static int set_option(const struct parser *p, const struct option *opt,
		      const struct option_value *value)
{
	int err = opt->set(opt, value, p->target, p->why);

	if (!err && p->grammar->note)
		p->grammar->note(opt, value, p->target);
	return err;
}

/* The word is "--..." with @text behind the dashes. */
static int parse_long(struct parser *p, const char *text)
{
	const char *equals = strchr(text, '=');
	struct long_name given = { .text = text };
	struct option_value value = { NULL };
	const struct option *opt;
	int err;

	given.len = equals ? (size_t)(equals - text) : strlen(text);
	opt = find_long(p, &given, &value.negated);
	if (!opt)
		return -EINVAL;
	if (opt == &help_option)
		return OPTIONS_HELP;
	if (equals && (value.negated || !opt->arg))
		return fail(p->why, -EINVAL, "--%s%s takes no argument, not %s",
			    value.negated ? "no-" : "", opt->name, equals + 1);
	if (equals) {
		value.text = equals + 1;
	} else if (opt->arg && !value.negated &&
		   !(opt->flags & OPTION_ARG_OPTIONAL)) {
		err = take_argument(p, opt, &value.text);
		if (err)
			return err;
	}
	return set_option(p, opt, &value);
}

/* The word is "-..." with @letters behind the dash. */
static int parse_short(struct parser *p, const char *letters)
{
	for (; *letters; letters++) {
		const struct option *opt = find_short(p, *letters);
		struct option_value value = { NULL };
		int err;

		if (!opt)
			return fail(p->why, -EINVAL,
				    "unknown option -%c: \"lkvm help %s\" "
				    "lists them",
				    *letters, p->grammar->command);
		if (opt == &help_option)
			return OPTIONS_HELP;
		if (opt->arg && letters[1]) {
			value.text = letters + 1;
		} else if (opt->arg) {
			err = take_argument(p, opt, &value.text);
			if (err)
				return err;
		}
		err = set_option(p, opt, &value);
		if (err || opt->arg)
			return err;
	}
	return 0;
}

static int parse_plain(struct parser *p, const char *word)
{
	if (!p->grammar->word)
		return fail(p->why, -EINVAL, "unexpected argument %s", word);
	return p->grammar->word(word, p->target, p->why);
}

int options_parse(const struct option_grammar *grammar, int argc,
		  char *const *argv, void *target, struct failure *why)
{
	struct parser p = {
		.grammar = grammar,
		.argc = argc,
		.argv = argv,
		.target = target,
		.why = why,
	};
	bool only_words = false;
	int err = 0;

	while (!err && p.next < argc) {
		const char *word = argv[p.next++];

		if (only_words || word[0] != '-' || word[1] == '\0') {
			only_words = only_words || grammar->words_end_options;
			err = parse_plain(&p, word);
		} else if (!strcmp(word, "--")) {
			only_words = true;
		} else if (word[1] == '-') {
			err = parse_long(&p, word + 2);
		} else {
			err = parse_short(&p, word + 1);
		}
	}
	return err;
}

const struct option *options_find(const struct option *options,
				  const char *name)
{
	const struct option *opt;

	for (opt = row_at(options); opt; opt = next_row(opt))
		if (opt->name && !strcmp(opt->name, name))
			return opt;
	return NULL;
}

/* Returns how many characters that were. */
static int print_name(const struct option *opt, FILE *out)
{
	if (!opt->arg)
		return fprintf(out, "--%s", opt->name);
	if (opt->flags & OPTION_ARG_OPTIONAL)
		return fprintf(out, "--%s[=%s]", opt->name, opt->arg);
	return fprintf(out, "--%s %s", opt->name, opt->arg);
}

void options_print_help(const struct option *options, FILE *out)
{
	const struct option *opt;

	for (opt = row_at(options); opt; opt = next_row(opt)) {
		int used;

		if (opt->heading) {
			fprintf(out, "\n%s:\n", opt->heading);
			continue;
		}
		if (!opt->help)
			continue;
		used = opt->letter ? fprintf(out, "  -%c, ", opt->letter)
				   : fprintf(out, "      ");
		used += print_name(opt, out);
		if (used >= HELP_COLUMN) {
			fputc('\n', out);
			used = 0;
		}
		fprintf(out, "%*s%s\n", HELP_COLUMN - used, "", opt->help);
	}
}

void options_print_names(const struct option *options, FILE *out)
{
	const struct option *opt;

	for (opt = row_at(options); opt; opt = next_row(opt))
		if (opt->name && opt->help)
			fprintf(out, "--%s%s\n", opt->name,
				opt->arg ? "=" : "");
}

int option_set_flag(const struct option *opt, const struct option_value *value,
		    void *target, struct failure *why)
{
	bool *flag = (void *)((char *)target + opt->offset);

	*flag = !value->negated;
	return 0;
}

int option_set_string(const struct option *opt,
		      const struct option_value *value, void *target,
		      struct failure *why)
{
	const char **string = (void *)((char *)target + opt->offset);

	*string = value->text;
	return 0;
}

int option_refuse(const struct option *opt, const struct option_value *value,
		  void *target, struct failure *why)
{
	if (value->negated)
		return 0;
	return option_fail(opt, why, "%s", opt->missing);
}

int option_fail(const struct option *opt, struct failure *why, const char *fmt,
		...)
{
	char text[384];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return fail(why, -EINVAL, "--%s: %s", opt->name, text);
}

/* A number at the start of @text; *end is what follows. */
static bool parse_number(const char *text, u64 *out, const char **end)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	char *behind;

	/* strtoull() takes blanks and signs; we do not. */
	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*out = strtoull(text, &behind, hex ? 16 : 10);
	*end = behind;
	return !errno;
}

bool parse_u64(const char *text, u64 *out)
{
	const char *end;

	return parse_number(text, out, &end) && *end == '\0';
}

bool parse_size(const char *text, u64 unit, u64 *out)
{
	static const char units[] = "BKMGTP";
	const char *end, *letter;
	u64 number;

	if (!parse_number(text, &number, &end))
		return false;
	if (*end) {
		/* Upper case; all units are letters. */
		letter = strchr(units, *end & ~0x20);
		if (!letter || *letter == '\0' || end[1])
			return false;
		unit = 1ULL << (10 * (letter - units));
	}
	return !__builtin_mul_overflow(number, unit, out);
}
