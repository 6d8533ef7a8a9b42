/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The options of "lkvm run" that share directories: --9p, and --disk where it
 * names a directory, which becomes the root file system.
 */
#include "builtin-run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lkvm/failure.h"

/* What kvmtool's users find in their scripts. */
#define DEFAULT_TAG "kvm_9p"
#define ROOT_TAG "/dev/root"

#define TAG_MAX_LEN 32

static bool is_word(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && !memcmp(text, word, len);
}

/* One of the words that may stand behind a directory. */
static bool take_share_word(struct share_config *share, const char *word,
			    size_t len)
{
	if (is_word(word, len, "ro"))
		share->read_only = true;
	else if (is_word(word, len, "security=mapped"))
		share->mapped = true;
	else if (is_word(word, len, "security=passthrough"))
		share->mapped = false;
	else
		return false;
	return true;
}

/* *rest: the words behind the directory, or NULL. NULL: @why says why. */
static struct share_config *add_share(const struct option *opt,
				      struct run_options *run, const char *text,
				      char **rest, struct failure *why)
{
	struct kvm_config *config = &run->config;
	struct share_config *share;

	if (config->nr_shares == CONFIG_MAX_SHARES) {
		option_fail(opt, why, "%s: at most %u directories", text,
			    CONFIG_MAX_SHARES);
		return NULL;
	}
	*rest = strdup(text);
	if (!*rest) {
		option_fail(opt, why, "out of memory");
		return NULL;
	}
	run->share_words[config->nr_shares] = *rest;
	share = &config->shares[config->nr_shares++];
	*share = (struct share_config){ .path = strsep(rest, ",") };
	if (*share->path)
		return share;
	option_fail(opt, why, "needs a directory");
	return NULL;
}

static int check_tag(const struct option *opt, const struct kvm_config *config,
		     struct failure *why)
{
	const struct share_config *share =
		&config->shares[config->nr_shares - 1];

	if (!*share->tag || strlen(share->tag) > TAG_MAX_LEN)
		return option_fail(opt, why,
				   "%s: the tag %s does not have 1 to %d bytes",
				   share->path, share->tag, TAG_MAX_LEN);
	for (unsigned int i = 0; i < config->nr_shares - 1; i++)
		if (!strcmp(config->shares[i].tag, share->tag))
			return option_fail(opt, why,
					   "%s and %s have the same tag, %s",
					   config->shares[i].path, share->path,
					   share->tag);
	return 0;
}

/* The first word may be the tag, unless there is one. */
static int take_words(const struct option *opt, struct share_config *share,
		      char *words, struct failure *why)
{
	bool may_be_tag = !share->tag;
	char *word;

	while ((word = strsep(&words, ","))) {
		if (take_share_word(share, word, strlen(word))) {
			may_be_tag = false;
			continue;
		}
		if (!may_be_tag)
			return option_fail(opt, why,
					   "%s: %s is none of ro, "
					   "security=mapped, "
					   "security=passthrough",
					   share->path, word);
		share->tag = word;
		may_be_tag = false;
	}
	return 0;
}

void run_drop_shares(struct run_options *run)
{
	while (run->config.nr_shares)
		free(run->share_words[--run->config.nr_shares]);
	run->has_root_share = false;
}

/* DIR[,TAG][,ro][,security=...] */
int run_set_9p(const struct option *opt, const struct option_value *value,
	       void *target, struct failure *why)
{
	struct run_options *run = target;
	struct share_config *share;
	char *words;
	int err;

	if (value->negated) {
		run_drop_shares(run);
		return 0;
	}
	share = add_share(opt, run, value->text, &words, why);
	if (!share)
		return -EINVAL;
	err = take_words(opt, share, words, why);
	if (err)
		return err;
	if (!share->tag)
		share->tag = DEFAULT_TAG;
	return check_tag(opt, &run->config, why);
}

/* DIR[,ro][,security=...] */
int run_set_root_share(const struct option *opt, struct run_options *run,
		       const char *text, struct failure *why)
{
	struct share_config *share;
	char *words;
	int err;

	if (run->has_root_share)
		return option_fail(opt, why,
				   "%s: there is a directory as root already",
				   text);
	share = add_share(opt, run, text, &words, why);
	if (!share)
		return -EINVAL;
	share->tag = ROOT_TAG;
	err = take_words(opt, share, words, why);
	if (err)
		return err;
	run->has_root_share = true;
	run->root_share_is_ro = share->read_only;
	return check_tag(opt, &run->config, why);
}
