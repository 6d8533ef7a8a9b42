/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tables of options for shells and for manual pages; --help is in options.c.
 */
#include "lkvm/options.h"

/* The row at @opt, or the first one of the table that goes on there; or NULL. */
static const struct option *row_at(const struct option *opt)
{
	while (opt && !opt->name && !opt->heading)
		opt = opt->more;
	return opt;
}

void options_print_words(const struct option *options, FILE *out)
{
	const struct option *opt;

	for (opt = row_at(options); opt; opt = row_at(opt + 1)) {
		char letter[3] = { '-', opt->letter, '\0' };

		if (opt->name && opt->help)
			fprintf(out, "--%s\t%s\t%s\t%s\n", opt->name,
				opt->letter ? letter : "",
				opt->arg ? opt->arg : "", opt->help);
	}
}

void options_print_man_text(const char *text, FILE *out)
{
	bool starts_line = true;

	for (; *text; text++) {
		if (starts_line && (*text == '.' || *text == '\''))
			fputs("\\&", out);
		starts_line = *text == '\n';
		fputs(*text == '\\' ? "\\e" : (char[]){ *text, '\0' }, out);
	}
	fputc('\n', out);
}

static void print_man_item(const struct option *opt, FILE *out)
{
	fputs(".It ", out);
	if (opt->letter)
		fprintf(out, "Fl %c , ", opt->letter);
	fprintf(out, "Fl -%s", opt->name);
	if (opt->arg)
		fprintf(out, " Ar %s", opt->arg);
	fputc('\n', out);
	options_print_man_text(opt->help, out);
}

void options_print_man(const struct option *options, FILE *out)
{
	const struct option *opt;
	bool in_list = false;

	for (opt = row_at(options); opt; opt = row_at(opt + 1)) {
		if (opt->heading) {
			fprintf(out, "%s.Ss %s\n", in_list ? ".El\n" : "",
				opt->heading);
			in_list = false;
		}
		if (!opt->name || !opt->help)
			continue;
		if (!in_list)
			fputs(".Bl -tag -width Ds\n", out);
		in_list = true;
		print_man_item(opt, out);
	}
	if (in_list)
		fputs(".El\n", out);
}
