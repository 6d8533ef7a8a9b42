/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lkvm list: the running VMs of this user. All are asked first and then waited
 * for together, so that one that is stuck costs a second and not a second each.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include "builtin-client.h"
#include "lkvm/failure.h"
#include "lkvm/log.h"

#define ANSWER_MS 1000

struct list_options {
	bool json;
	bool run; /* as kvmtool's, and what happens without it */
};

static const struct option list_options[] = {
	{ .name = "run",
	  .letter = 'i',
	  .help = "running VMs (what else?)",
	  .set = option_set_flag,
	  .offset = offsetof(struct list_options, run) },
	{ .name = "rootfs",
	  .letter = 'r',
	  .set = option_refuse,
	  .missing = "root file systems from directories are not in this "
		     "version of lkvm" },
	{ .name = "json",
	  .help = "one JSON object for each VM, a line each",
	  .set = option_set_flag,
	  .offset = offsetof(struct list_options, json) },
	{ .name = NULL },
};

/* Who listens there, when it does not say so itself. */
static json_t *silent_vm(const struct client_vm *vm)
{
	struct ucred peer = { .pid = 0 };
	socklen_t len = sizeof(peer);
	json_t *info = json_object();

	(void)getsockopt(vm->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
	json_object_set_new(info, "name", json_string(vm->name));
	json_object_set_new(info, "pid", json_integer(peer.pid));
	json_object_set_new(info, "state", json_string("silent"));
	return info;
}

static void print_json(const json_t *info)
{
	json_dumpf(info, stdout, JSON_COMPACT);
	putchar('\n');
}

static void print_row(const json_t *info)
{
	printf("%7llu  %-24s %-8s %4llu %9llu\n",
	       (unsigned long long)reply_number(info, "pid"),
	       reply_text(info, "name"), reply_text(info, "state"),
	       (unsigned long long)reply_number(info, "cpus"),
	       (unsigned long long)(reply_number(info, "ram") / MIB));
}

static void print_vm(struct client_vm *vm, bool json)
{
	int err;
	json_t *info = client_receive_quietly(vm, ANSWER_MS, &err);

	if (err == -ESHUTDOWN)
		return; /* it went while we looked */
	if (!info)
		info = silent_vm(vm);
	json_object_del(info, "ok");
	if (json)
		print_json(info);
	else
		print_row(info);
	json_decref(info);
}

static int list_vms(const struct list_options *options)
{
	struct client_vms list = { NULL };
	int err = client_connect_all(&list);

	if (err)
		log_fatal("out of memory");
	for (unsigned int i = 0; i < list.nr; i++)
		(void)client_send(&list.vms[i],
				  json_pack("{ss}", "op", "info"));
	if (!options->json)
		printf("%7s  %-24s %-8s %4s %9s\n", "PID", "NAME", "STATE",
		       "CPUS", "RAM (MiB)");
	for (unsigned int i = 0; i < list.nr; i++)
		print_vm(&list.vms[i], options->json);
	client_vms_release(&list);
	return err ? STATUS_FATAL : STATUS_OK;
}

static int list_main(int argc, char **argv)
{
	static const struct option_grammar grammar = {
		.command = "list",
		.options = list_options,
	};
	struct failure why = FAILURE_INIT;
	struct list_options options = { .json = false };

	switch (options_parse(&grammar, argc, argv, &options, &why)) {
	case 0:
		return list_vms(&options);
	case OPTIONS_HELP:
		help_print_command(&list_command);
		return STATUS_OK;
	default:
		log_error("list: %s", why.text);
		return STATUS_USAGE;
	}
}

const struct command list_command = {
	.name = "list",
	.summary = "show the running VMs",
	.usage = "lkvm list [OPTIONS]",
	.notes = "STATE is running, paused, or silent: a VM that does not "
		 "answer.",
	.options = list_options,
	.run = list_main,
};
