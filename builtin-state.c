/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lkvm pause, resume, reset: one request to each VM, and one line of what became
 * of it.
 */
#include <stdio.h>
#include "builtin-client.h"
#include "lkvm/log.h"

struct state_options {
	struct client_choice choice;
};

static const struct option state_options[] = {
	CLIENT_OPTION_NAME,
	CLIENT_OPTION_ALL,
	{ .name = NULL },
};

/* @says: the line for a reply. */
static int run_on_each(const struct command *command, int argc, char **argv,
		       const char *(*says)(const json_t *reply))
{
	struct state_options options = { .choice.all = false };
	struct client_vms list;
	bool done;
	int status = client_begin(command, argc, argv, &options,
				  &options.choice, &list, &done);

	for (unsigned int i = 0; i < list.nr; i++) {
		struct client_vm *vm = &list.vms[i];
		json_t *reply =
			client_ask(vm, json_pack("{ss}", "op", command->name));

		if (reply)
			printf("%s: %s\n", vm->name, says(reply));
		else
			status = STATUS_FATAL;
		json_decref(reply);
	}
	client_vms_release(&list);
	return status;
}

static const char *paused(const json_t *reply)
{
	return reply_flag(reply, "changed") ? "paused" : "was paused already";
}

static const char *resumed(const json_t *reply)
{
	return reply_flag(reply, "changed") ? "resumed" : "was not paused";
}

static const char *was_reset(const json_t *reply)
{
	return reply_flag(reply, "restarts")
		       ? "reset"
		       : "ended: only --reboot=restart starts it again";
}

static int pause_main(int argc, char **argv)
{
	return run_on_each(&pause_command, argc, argv, paused);
}

static int resume_main(int argc, char **argv)
{
	return run_on_each(&resume_command, argc, argv, resumed);
}

static int reset_main(int argc, char **argv)
{
	return run_on_each(&reset_command, argc, argv, was_reset);
}

const struct command pause_command = {
	.name = "pause",
	.summary = "stop the CPUs and devices of running VMs",
	.usage = "lkvm pause [OPTIONS] [NAME...]",
	.options = state_options,
	.run = pause_main,
};

const struct command resume_command = {
	.name = "resume",
	.summary = "let paused VMs run on",
	.usage = "lkvm resume [OPTIONS] [NAME...]",
	.options = state_options,
	.run = resume_main,
};

const struct command reset_command = {
	.name = "reset",
	.summary = "press the reset buttons of running VMs",
	.usage = "lkvm reset [OPTIONS] [NAME...]",
	.notes = "As a reset by the guest: it ends the VM, unless it runs with "
		 "--reboot=restart.",
	.options = state_options,
	.run = reset_main,
};
