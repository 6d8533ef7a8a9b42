/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lkvm stop: press the power buttons of all VMs that are meant, then wait until
 * they have gone. The VM itself keeps the time, so it ends even if this command
 * is interrupted.
 */
#include <limits.h>
#include "builtin-client.h"
#include "lkvm/failure.h"
#include "lkvm/log.h"

#define MAX_GRACE_S (24 * 3600)

struct stop_options {
	struct client_choice choice;
	u64 grace_s;
	bool force;
};

static int set_grace(const struct option *opt, const struct option_value *value,
		     void *target, struct failure *why)
{
	struct stop_options *options = target;

	options->grace_s = 10;
	if (value->negated)
		return 0;
	if (!parse_u64(value->text, &options->grace_s) ||
	    options->grace_s > MAX_GRACE_S)
		return option_fail(opt, why, "%s is no number of seconds",
				   value->text);
	return 0;
}

static const struct option stop_options[] = {
	CLIENT_OPTION_NAME,
	CLIENT_OPTION_ALL,
	{ .name = "grace",
	  .arg = "SECONDS",
	  .help = "end it by force after that time (default: 10)",
	  .set = set_grace },
	{ .name = "force",
	  .help = "end it at once",
	  .set = option_set_flag,
	  .offset = offsetof(struct stop_options, force) },
	{ .name = NULL },
};

/* A VM that goes before it answers is what was asked for. */
static bool tell(struct client_vm *vm, const struct stop_options *options)
{
	json_t *reply;
	bool told;

	if (client_send(vm, json_pack("{ss sI sb}", "op", "stop", "grace_ms",
				      (json_int_t)options->grace_s * 1000,
				      "force", options->force)))
		return true;
	reply = client_receive(vm, CLIENT_ANSWER_MS);
	told = reply;
	json_decref(reply);
	return told;
}

static int stop_main(int argc, char **argv)
{
	struct stop_options options = { .grace_s = 10 };
	struct client_vms list;
	bool done;
	int status = client_begin(&stop_command, argc, argv, &options,
				  &options.choice, &list, &done);

	/* Not told: it ends by itself, or its connection is of no use. */
	for (unsigned int i = 0; i < list.nr && !status; i++)
		if (!tell(&list.vms[i], &options))
			status = STATUS_FATAL;
	for (unsigned int i = 0; i < list.nr && !status; i++)
		if (client_wait_gone(&list.vms[i]))
			status = STATUS_FATAL;
	client_vms_release(&list);
	return status;
}

const struct command stop_command = {
	.name = "stop",
	.summary = "end running VMs",
	.usage = "lkvm stop [OPTIONS] [NAME...]",
	.notes = "Presses the guest's power button, waits until the VM has "
		 "gone, and ends it by force\n"
		 "after --grace. A guest that does not listen to the button, "
		 "or is paused, is ended at once.",
	.options = stop_options,
	.run = stop_main,
};
