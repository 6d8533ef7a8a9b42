/* SPDX-License-Identifier: GPL-2.0-only */
/* lkvm balloon: ask guests for some of their memory, or give it back to them. */
#include <stdio.h>
#include "builtin-client.h"
#include "lkvm/failure.h"
#include "lkvm/log.h"

struct balloon_options {
	struct client_choice choice;
	long long add; /* bytes */
	u64 target;
	bool has_target;
};

static int set_change(const struct option *opt,
		      const struct option_value *value, void *target,
		      struct failure *why)
{
	struct balloon_options *options = target;
	u64 bytes = 0;

	if (!value->negated &&
	    (!parse_size(value->text, MIB, &bytes) || bytes > INT64_MAX / 4))
		return option_fail(opt, why, "%s is no size", value->text);
	options->add += opt->letter == 'i' ? (long long)bytes
					   : -(long long)bytes;
	return 0;
}

static int set_target(const struct option *opt,
		      const struct option_value *value, void *target,
		      struct failure *why)
{
	struct balloon_options *options = target;

	options->has_target = !value->negated;
	if (!value->negated &&
	    (!parse_size(value->text, MIB, &options->target) ||
	     options->target > INT64_MAX / 4))
		return option_fail(opt, why, "%s is no size", value->text);
	return 0;
}

static const struct option balloon_options[] = {
	CLIENT_OPTION_NAME,
	CLIENT_OPTION_ALL,
	{ .name = "inflate",
	  .letter = 'i',
	  .arg = "SIZE",
	  .help = "ask for so much more, in MiB or with a unit of BKMGTP",
	  .set = set_change,
	  .flags = OPTION_NO_NEGATION },
	{ .name = "deflate",
	  .letter = 'd',
	  .arg = "SIZE",
	  .help = "give so much back",
	  .set = set_change,
	  .flags = OPTION_NO_NEGATION },
	{ .name = "target",
	  .letter = 't',
	  .arg = "SIZE",
	  .help = "ask for that in all, 0 for nothing",
	  .set = set_target },
	{ .name = NULL },
};

static bool change(struct client_vm *vm, const struct balloon_options *options)
{
	json_t *request = json_pack("{ss sI}", "op", "balloon", "add",
				    (json_int_t)options->add);
	const json_t *balloon;
	json_t *reply;

	if (options->has_target)
		json_object_set_new(request, "target",
				    json_integer((json_int_t)options->target));
	reply = client_ask(vm, request);
	if (!reply)
		return false;
	balloon = json_object_get(reply, "balloon");
	printf("%s: asked for %llu MiB, has given %llu MiB%s\n", vm->name,
	       (unsigned long long)(reply_number(balloon, "target") / MIB),
	       (unsigned long long)(reply_number(balloon, "actual") / MIB),
	       reply_flag(balloon, "driver") ? "" : ", and has no driver yet");
	json_decref(reply);
	return true;
}

static int balloon_main(int argc, char **argv)
{
	struct balloon_options options = { .add = 0 };
	struct client_vms list;
	bool done;
	int status = client_begin(&balloon_command, argc, argv, &options,
				  &options.choice, &list, &done);

	for (unsigned int i = 0; i < list.nr; i++)
		if (!change(&list.vms[i], &options))
			status = STATUS_FATAL;
	client_vms_release(&list);
	return status;
}

const struct command balloon_command = {
	.name = "balloon",
	.summary = "ask running VMs for memory, or give it back",
	.usage = "lkvm balloon [OPTIONS] [NAME...]",
	.notes = "Guests give what they can spare, and take it back when they "
		 "run out of memory.\n"
		 "Without a size: what they were asked for, and have given.",
	.options = balloon_options,
	.run = balloon_main,
};
