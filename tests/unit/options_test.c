/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * options.c: the grammar of command lines, numbers and sizes.
 */
#include "lkvm/options.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include "lkvm/failure.h"
#include <cmocka.h> /* last: it has a macro named fail */

struct target {
	bool rng, verbose, nodefaults;
	const char *kernel, *mem, *memory_file, *network;
	const char *words[4];
	unsigned int nr_words;
};

#define AT(member) .offset = offsetof(struct target, member)

static const struct option table[] = {
	{ .heading = "Things" },
	{ .name = "cpus",
	  .letter = 'c',
	  .arg = "N",
	  .help = "how many",
	  .set = option_set_string,
	  AT(mem) },
	{ .name = "kernel",
	  .letter = 'k',
	  .arg = "FILE",
	  .help = "kernel",
	  .set = option_set_string,
	  AT(kernel) },
	{ .name = "mem",
	  .letter = 'm',
	  .arg = "SIZE",
	  .help = "RAM",
	  .set = option_set_string,
	  AT(mem) },
	{ .name = "measurement",
	  .arg = "NAME",
	  .set = option_set_string,
	  AT(memory_file),
	  .flags = OPTION_LOW_PRIORITY },
	{ .name = "network",
	  .letter = 'n',
	  .arg = "MODE",
	  .set = option_set_string,
	  AT(network),
	  .flags = OPTION_LAST_ARG_OPTIONAL },
	{ .name = "nodefaults",
	  .help = "none",
	  .set = option_set_flag,
	  AT(nodefaults) },
	{ .name = "rng",
	  .letter = 'r',
	  .help = "random",
	  .set = option_set_flag,
	  AT(rng) },
	{ .name = "verbose",
	  .letter = 'v',
	  .set = option_set_flag,
	  AT(verbose),
	  .flags = OPTION_NO_NEGATION },
	{ .name = "debug", .set = option_set_flag, AT(verbose) },
	{ .name = "debug-mmio", .set = option_set_flag, AT(rng) },
	{ .name = "realm",
	  .letter = 'R',
	  .set = option_refuse,
	  .missing = "no realms here" },
	{ NULL },
};

static int take_word(const char *word, void *opaque, struct failure *why)
{
	struct target *target = opaque;

	if (target->nr_words == ARRAY_SIZE(target->words))
		return -EINVAL;
	target->words[target->nr_words++] = word;
	return 0;
}

static struct failure parse_why;
static struct target got;

/* Parse @line, split at blanks, into @got and @parse_why. */
static int parse(const char *line)
{
	static const struct option_grammar grammar = {
		.command = "test",
		.options = table,
		.word = take_word,
	};
	static char storage[256];
	static char *argv[16];
	char *at = storage, *word;
	int argc = 0;

	snprintf(storage, sizeof(storage), "%s", line);
	while ((word = strsep(&at, " ")))
		argv[argc++] = word;
	parse_why = (struct failure)FAILURE_INIT;
	memset(&got, 0, sizeof(got));
	return options_parse(&grammar, argc, argv, &got, &parse_why);
}

static void test_options__arguments_in_every_form(void **state)
{
	static const char *const forms[] = {
		"--mem 5", "--mem=5", "-m 5", "-m5",
		"--me 5",  "--me=5",  "-vm5", "-vrm 5",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		assert_int_equal(parse(forms[i]), 0);
		assert_string_equal(got.mem, "5");
	}
}

static void test_options__empty_argument_is_one(void **state)
{
	assert_int_equal(parse("--mem="), 0);
	assert_string_equal(got.mem, "");
}

static void test_options__words_stand_anywhere(void **state)
{
	assert_int_equal(parse("first -r second --mem 5 third -"), 0);
	assert_int_equal(got.nr_words, 4);
	assert_string_equal(got.words[0], "first");
	assert_string_equal(got.words[2], "third");
	assert_string_equal(got.words[3], "-");
	assert_true(got.rng);
}

static void test_options__two_dashes_end_the_options(void **state)
{
	assert_int_equal(parse("-r -- --mem"), 0);
	assert_int_equal(got.nr_words, 1);
	assert_string_equal(got.words[0], "--mem");
}

static void test_options__unwelcome_word_is_an_error(void **state)
{
	assert_int_equal(parse("a b c d e"), -EINVAL);
}

static void test_options__abbreviations_are_unique(void **state)
{
	assert_int_equal(parse("--cpu 2"), 0);
	assert_string_equal(got.mem, "2");
	assert_int_equal(parse("--nod"), 0);
	assert_true(got.nodefaults);
	assert_int_equal(parse("--n"), -EINVAL);
	assert_non_null(strstr(parse_why.text, "ambiguous"));
}

static void test_options__exact_name_wins(void **state)
{
	assert_int_equal(parse("--debug"), 0);
	assert_true(got.verbose);
	assert_false(got.rng);
	assert_int_equal(parse("--debu"), -EINVAL);
}

static void test_options__low_priority_never_makes_ambiguous(void **state)
{
	assert_int_equal(parse("--me 5"), 0);
	assert_string_equal(got.mem, "5");
	assert_int_equal(parse("--mea sha"), 0);
	assert_string_equal(got.memory_file, "sha");
	assert_int_equal(parse("--measurement sha"), 0);
	assert_string_equal(got.memory_file, "sha");
}

static void test_options__no_takes_back(void **state)
{
	assert_int_equal(parse("--rng --no-rng"), 0);
	assert_false(got.rng);
	assert_int_equal(parse("-k x --no-kernel"), 0);
	assert_null(got.kernel);
	assert_int_equal(parse("-k x --no-ker"), 0);
	assert_null(got.kernel);
	assert_int_equal(parse("--no-verbose"), -EINVAL);
	assert_int_equal(parse("--no-"), -EINVAL);
	assert_int_equal(parse("--no-mem=5"), -EINVAL);
}

static void test_options__last_argument_may_be_optional(void **state)
{
	assert_int_equal(parse("-r -n"), 0);
	assert_null(got.network);
	assert_int_equal(parse("-n mode"), 0);
	assert_string_equal(got.network, "mode");
	assert_int_equal(parse("-r -m"), -EINVAL);
	assert_non_null(strstr(parse_why.text, "--mem: needs an argument"));
}

static void test_options__mistakes_are_named(void **state)
{
	assert_int_equal(parse("--frobnicate"), -EINVAL);
	assert_non_null(strstr(parse_why.text, "unknown option --frobnicate"));
	assert_non_null(strstr(parse_why.text, "lkvm help test"));
	assert_int_equal(parse("-rx"), -EINVAL);
	assert_non_null(strstr(parse_why.text, "unknown option -x"));
	assert_int_equal(parse("--rng=yes"), -EINVAL);
	assert_non_null(strstr(parse_why.text, "takes no argument"));
	assert_int_equal(parse("---rng"), -EINVAL);
}

static void test_options__refused_ones_say_what_is_missing(void **state)
{
	assert_int_equal(parse("--realm"), -EINVAL);
	assert_string_equal(parse_why.text, "--realm: no realms here");
	assert_int_equal(parse("-R"), -EINVAL);
	assert_int_equal(parse("--no-realm"), 0);
}

static void test_options__help_ends_parsing(void **state)
{
	assert_int_equal(parse("--help"), OPTIONS_HELP);
	assert_int_equal(parse("-rh --nonsense"), OPTIONS_HELP);
	assert_int_equal(parse("--he"), OPTIONS_HELP);
	assert_int_equal(parse("--no-help"), -EINVAL);
}

static void test_options__help_and_names_show_the_table(void **state)
{
	char text[1024] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	options_print_help(table, out);
	options_print_names(table, out);
	fclose(out);
	assert_non_null(strstr(text, "\nThings:\n"));
	assert_non_null(strstr(text, "  -k, --kernel FILE           kernel\n"));
	assert_non_null(strstr(text, "      --nodefaults            none\n"));
	assert_non_null(strstr(text, "\n--kernel=\n"));
	assert_non_null(strstr(text, "\n--rng\n"));
	assert_null(strstr(text, "realm"));
}

static void test_options__numbers_are_strict(void **state)
{
	static const char *const bad[] = {
		"",  " 1", "-1", "+1",	"1 ",
		"x", "0x", "1k", "1.5", "18446744073709551616"
	};
	unsigned int i;
	u64 n;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(parse_u64(bad[i], &n));
	assert_true(parse_u64("18446744073709551615", &n));
	assert_true(n == UINT64_MAX);
	assert_true(parse_u64("0x10", &n));
	assert_int_equal(n, 16);
	/* Not octal. */
	assert_true(parse_u64("010", &n));
	assert_int_equal(n, 10);
}

static void test_options__sizes_have_units(void **state)
{
	static const struct {
		const char *text;
		u64 size;
	} good[] = {
		{ "5", 5 * MIB },
		{ "5b", 5 },
		{ "5K", 5 * KIB },
		{ "5m", 5 * MIB },
		{ "5G", 5 * GIB },
		{ "5t", 5 * 1024 * GIB },
		{ "5P", 5 * MIB * GIB },
		{ "0x10K", 16 * KIB },
		{ "0", 0 },
	};
	static const char *const bad[] = { "",	  "M",	"5X", "5MB",
					   "5 M", "-5", "5@", "5\xc2" };
	unsigned int i;
	u64 size;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(parse_size(good[i].text, MIB, &size));
		assert_true(size == good[i].size);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(parse_size(bad[i], MIB, &size));
	assert_true(parse_size("16383P", MIB, &size));
	assert_false(parse_size("16384P", MIB, &size));
}

static int note_word(const char *word, void *target, struct failure *why)
{
	(*(unsigned int *)target)++;
	return 0;
}

static void test_options__a_command_has_options_of_its_own(void **state)
{
	static const struct option none[] = { { .name = NULL } };
	const struct option_grammar grammar = {
		.command = "sandbox",
		.options = none,
		.word = note_word,
		.words_end_options = true,
	};
	char *const words[] = { (char[]){ "ls" }, (char[]){ "-l" },
				(char[]){ "--" }, (char[]){ "--help" } };
	struct failure why = FAILURE_INIT;
	unsigned int nr = 0;

	assert_int_equal(options_parse(&grammar, 4, words, &nr, &why), 0);
	assert_int_equal(nr, 4);
	assert_int_equal(options_parse(&grammar, 1, words + 1, &nr, &why),
			 -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_options__a_command_has_options_of_its_own),
		cmocka_unit_test(test_options__arguments_in_every_form),
		cmocka_unit_test(test_options__empty_argument_is_one),
		cmocka_unit_test(test_options__words_stand_anywhere),
		cmocka_unit_test(test_options__two_dashes_end_the_options),
		cmocka_unit_test(test_options__unwelcome_word_is_an_error),
		cmocka_unit_test(test_options__abbreviations_are_unique),
		cmocka_unit_test(test_options__exact_name_wins),
		cmocka_unit_test(
			test_options__low_priority_never_makes_ambiguous),
		cmocka_unit_test(test_options__no_takes_back),
		cmocka_unit_test(test_options__last_argument_may_be_optional),
		cmocka_unit_test(test_options__mistakes_are_named),
		cmocka_unit_test(
			test_options__refused_ones_say_what_is_missing),
		cmocka_unit_test(test_options__help_ends_parsing),
		cmocka_unit_test(test_options__help_and_names_show_the_table),
		cmocka_unit_test(test_options__numbers_are_strict),
		cmocka_unit_test(test_options__sizes_have_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
