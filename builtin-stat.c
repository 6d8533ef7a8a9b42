/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lkvm stat: counters of running VMs. A line each, "NAME: WHAT: NUMBER", or
 * with --json the reply as it is.
 */
#include <stdio.h>
#include "builtin-client.h"
#include "lkvm/log.h"

struct stat_options {
	struct client_choice choice;
	bool json;
	bool memory; /* as kvmtool's */
};

static const struct option stat_options[] = {
	CLIENT_OPTION_NAME,
	CLIENT_OPTION_ALL,
	{ .name = "memory",
	  .letter = 'm',
	  .help = "memory only",
	  .set = option_set_flag,
	  .offset = offsetof(struct stat_options, memory) },
	{ .name = "json",
	  .help = "one JSON object for each VM, a line each",
	  .set = option_set_flag,
	  .offset = offsetof(struct stat_options, json) },
	{ .name = NULL },
};

/* Every number of @value, with the way to it in front: "cpus 0 exits: 12". */
static void print_value(const char *path, const json_t *value)
{
	char deeper[128];
	const char *key;
	json_t *member;
	size_t i;

	if (json_is_integer(value))
		printf("%s: %lld\n", path, json_integer_value(value));
	json_array_foreach((json_t *)(uintptr_t)value, i, member)
	{
		snprintf(deeper, sizeof(deeper), "%s %zu", path, i);
		print_value(deeper, member);
	}
	json_object_foreach((json_t *)(uintptr_t)value, key, member)
	{
		snprintf(deeper, sizeof(deeper), "%s %s", path, key);
		print_value(deeper, member);
	}
}

static void print_text(const struct client_vm *vm, const json_t *reply)
{
	char path[INSTANCE_NAME_MAX + 2];

	snprintf(path, sizeof(path), "%s:", vm->name);
	print_value(path, reply);
}

static bool stat_vm(struct client_vm *vm, const struct stat_options *options)
{
	json_t *reply = client_ask(vm, json_pack("{ss sb}", "op", "stat",
						 "memory", options->memory));

	if (!reply)
		return false;
	json_object_del(reply, "ok");
	if (options->json) {
		json_object_set_new(reply, "name", json_string(vm->name));
		json_dumpf(reply, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		print_text(vm, reply);
	}
	json_decref(reply);
	return true;
}

static int stat_main(int argc, char **argv)
{
	struct stat_options options = { .json = false };
	struct client_vms list;
	bool done;
	int status = client_begin(&stat_command, argc, argv, &options,
				  &options.choice, &list, &done);

	for (unsigned int i = 0; i < list.nr; i++)
		if (!stat_vm(&list.vms[i], &options))
			status = STATUS_FATAL;
	client_vms_release(&list);
	return status;
}

const struct command stat_command = {
	.name = "stat",
	.summary = "print counters of running VMs",
	.usage = "lkvm stat [OPTIONS] [NAME...]",
	.notes = "Of each CPU: exits from the guest to lkvm, and how many of "
		 "them were\naccesses to ports and to memory. Of each virtio "
		 "device, named by kind and\nplace, and each of its queues: "
		 "requests answered, bytes_out from the driver\nand bytes_in "
		 "to it, wakeups of whoever serves the queue, and "
		 "interrupts\nsent for it; in_kernel where vhost serves it, "
		 "and counts nothing.",
	.options = stat_options,
	.run = stat_main,
};
