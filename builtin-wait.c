/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lkvm wait: until VMs have ended. The exit status of one VM is this command's.
 */
#include <errno.h>
#include <stdio.h>
#include "builtin-client.h"
#include "lkvm/log.h"

struct wait_options {
	struct client_choice choice;
};

static const struct option wait_options[] = {
	CLIENT_OPTION_NAME,
	CLIENT_OPTION_ALL,
	{ .name = NULL },
};

/* The exit status of @vm's "lkvm run". */
static int wait_for(struct client_vm *vm)
{
	json_t *reply;
	int status, err;

	reply = client_receive_quietly(vm, CLIENT_PATIENT, &err);
	if (!reply) {
		log_error("%s: the VM went without saying how", vm->name);
		return STATUS_FATAL;
	}
	status = (int)reply_number(reply, "status");
	printf("%s: %s, status %d\n", vm->name, reply_text(reply, "how"),
	       status);
	json_decref(reply);
	return status & 0xff;
}

static int wait_main(int argc, char **argv)
{
	struct wait_options options = { .choice.all = false };
	struct client_vms list;
	bool done;
	int status = client_begin(&wait_command, argc, argv, &options,
				  &options.choice, &list, &done);

	for (unsigned int i = 0; i < list.nr; i++)
		(void)client_send(&list.vms[i],
				  json_pack("{ss}", "op", "wait"));
	for (unsigned int i = 0; i < list.nr; i++) {
		int ended = wait_for(&list.vms[i]);

		if (!status)
			status = ended;
	}
	client_vms_release(&list);
	return status;
}

const struct command wait_command = {
	.name = "wait",
	.summary = "wait until running VMs have ended",
	.usage = "lkvm wait [OPTIONS] [NAME...]",
	.notes = "Exit status: that of the VM's \"lkvm run\", 128 + N for "
		 "signal N; of several VMs,\n"
		 "the first that is not 0.",
	.options = wait_options,
	.run = wait_main,
};
