/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command line as JSON: an object whose members are long options. A string or
 * a number is an argument, true and false are --option and --no-option, and an
 * array is the option once for each element. --config reads it, --print-config
 * prints it; both go by the table of options.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "builtin-run.h"
#include "lkvm/failure.h"
#include "lkvm/json.h"

#define NUMBER_LEN 24

/* ---- --config ---- */

/* Arguments are kept for as long as @run is: setters keep pointers to them. */
static const char *text_of(struct run_options *run, const json_t *value)
{
	char text[NUMBER_LEN];
	json_t *string;

	if (json_is_string(value))
		return json_string_value(value);
	snprintf(text, sizeof(text), "%lld", json_integer_value(value));
	string = json_string(text);
	json_array_append_new(run->json, string);
	return json_string_value(string);
}

static int set_value(struct run_options *run, const struct option *opt,
		     const json_t *value, struct failure *why)
{
	struct option_value given = { .negated = json_is_false(value) };
	int err;

	if (given.negated && opt->flags & OPTION_NO_NEGATION)
		return option_fail(opt, why, "cannot be false");
	if (json_is_string(value) || json_is_integer(value)) {
		if (!opt->arg)
			return option_fail(opt, why,
					   "is true or false in a --config");
		given.text = text_of(run, value);
	} else if (!json_is_true(value) && !json_is_false(value)) {
		return option_fail(opt, why,
				   "in a --config, values are strings, whole "
				   "numbers, true, false, or arrays of those");
	} else if (opt->arg && !given.negated &&
		   !(opt->flags & OPTION_LAST_ARG_OPTIONAL)) {
		return option_fail(opt, why, "needs an argument: %s", opt->arg);
	}
	err = opt->set(opt, &given, run, why);
	if (!err)
		run_note_option(opt, &given, run);
	return err;
}

static int set_member(struct run_options *run, const char *name, json_t *value,
		      struct failure *why)
{
	const struct option *opt = options_find(run_option_table, name);
	json_t *element;
	size_t i;
	int err = 0;

	if (!opt)
		return fail(why, -EINVAL,
			    "--config: there is no option %s: \"lkvm help "
			    "run\" lists them",
			    name);
	if (opt->set == run_set_config)
		return fail(why, -EINVAL, "--config: a file names no other");
	if (!json_is_array(value))
		return set_value(run, opt, value, why);
	json_array_foreach(value, i, element)
	{
		err = set_value(run, opt, element, why);
		if (err)
			break;
	}
	return err;
}

static json_t *load(const char *path, json_error_t *error)
{
	if (!strcmp(path, "-"))
		return json_loadfd(STDIN_FILENO, JSON_REJECT_DUPLICATES, error);
	return json_load_file(path, JSON_REJECT_DUPLICATES, error);
}

int run_set_config(const struct option *opt, const struct option_value *value,
		   void *target, struct failure *why)
{
	struct run_options *run = target;
	json_error_t error;
	const char *name;
	json_t *root, *member;
	int err = 0;

	if (value->negated)
		return 0;
	json_prepare();
	root = load(value->text, &error);
	if (!root)
		return option_fail(opt, why, "%s: line %d: %s", value->text,
				   error.line, error.text);
	if (!run->json)
		run->json = json_array();
	json_array_append_new(run->json, root);
	if (!json_is_object(root))
		return option_fail(opt, why, "%s is no JSON object",
				   value->text);
	json_object_foreach(root, name, member)
	{
		err = set_member(run, name, member, why);
		if (err)
			break;
	}
	return err;
}

/* ---- --print-config ---- */

static json_t *value_of(const struct option_value *given)
{
	if (!given->text)
		return json_boolean(!given->negated);
	return json_text(given->text);
}

static void note(struct run_options *run, const char *name,
		 const struct option_value *given)
{
	json_t *before, *both;

	if (!run->said) {
		json_prepare();
		run->said = json_object();
	}
	before = json_object_get(run->said, name);
	if (!before || !given->text || json_is_boolean(before)) {
		json_object_set_new(run->said, name, value_of(given));
	} else if (json_is_array(before)) {
		json_array_append_new(before, value_of(given));
	} else {
		both = json_array();
		json_array_append(both, before);
		json_array_append_new(both, value_of(given));
		json_object_set_new(run->said, name, both);
	}
}

void run_note_option(const struct option *opt, const struct option_value *value,
		     void *target)
{
	if (opt->set != run_set_config &&
	    strcmp(opt->name, "print-config") != 0)
		note(target, opt->name, value);
}

void run_print_config(struct run_options *run)
{
	const struct option_value kernel = { .text = run->word };

	if (run->word)
		note(run, "kernel", &kernel);
	if (!run->said)
		run->said = json_object();
	json_dumpf(run->said, stdout, JSON_INDENT(2));
	putchar('\n');
}

void run_release_json(struct run_options *run)
{
	json_decref(run->said);
	json_decref(run->json);
}
