/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lkvm debug: look into running VMs, and poke at them.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include "builtin-client.h"
#include "lkvm/failure.h"
#include "lkvm/log.h"

/* The guest may have input to read first: so often, 20 ms apart, it is tried. */
#define SYSRQ_TRIES 100

struct debug_options {
	struct client_choice choice;
	bool dump;
	bool pci;
	bool queues;
	int nmi_cpu; /* -1: none */
	char sysrq[2];
};

static int set_nmi(const struct option *opt, const struct option_value *value,
		   void *target, struct failure *why)
{
	struct debug_options *options = target;
	u64 cpu;

	options->nmi_cpu = -1;
	if (value->negated)
		return 0;
	if (!parse_u64(value->text, &cpu) || cpu > INT_MAX)
		return option_fail(opt, why, "%s is no number of a CPU",
				   value->text);
	options->nmi_cpu = (int)cpu;
	return 0;
}

static int set_sysrq(const struct option *opt, const struct option_value *value,
		     void *target, struct failure *why)
{
	struct debug_options *options = target;

	options->sysrq[0] = '\0';
	if (value->negated)
		return 0;
	if (strlen(value->text) != 1 || value->text[0] & 0x80)
		return option_fail(opt, why, "%s is not one character",
				   value->text);
	options->sysrq[0] = value->text[0];
	return 0;
}

static const struct option debug_options[] = {
	CLIENT_OPTION_NAME,
	CLIENT_OPTION_ALL,
	{ .name = "dump",
	  .letter = 'd',
	  .help = "registers, code, stack and page tables of each CPU",
	  .set = option_set_flag,
	  .offset = offsetof(struct debug_options, dump) },
	{ .name = "pci",
	  .letter = 'p',
	  .help = "the PCI tree: functions, BARs, vectors",
	  .set = option_set_flag,
	  .offset = offsetof(struct debug_options, pci) },
	{ .name = "queues",
	  .letter = 'q',
	  .help = "virtio devices and their queues",
	  .set = option_set_flag,
	  .offset = offsetof(struct debug_options, queues) },
	{ .name = "nmi",
	  .letter = 'm',
	  .arg = "CPU",
	  .help = "send a non-maskable interrupt to that CPU",
	  .set = set_nmi },
	{ .name = "sysrq",
	  .letter = 's',
	  .arg = "KEY",
	  .help = "send the guest's kernel that magic SysRq key",
	  .set = set_sysrq },
	{ .name = NULL },
};

static bool print_lines(struct client_vm *vm, json_t *reply)
{
	const json_t *lines = json_object_get(reply, "lines");
	bool ok = reply;

	if (ok)
		printf("%s:\n", vm->name);
	for (size_t i = 0; i < json_array_size(lines); i++)
		printf("%s\n", json_string_value(json_array_get(lines, i)));
	json_decref(reply);
	return ok;
}

static bool send_nmi(struct client_vm *vm, int cpu)
{
	json_t *reply =
		client_ask(vm, json_pack("{ss si}", "op", "nmi", "cpu", cpu));
	bool ok = reply;

	json_decref(reply);
	return ok;
}

static bool send_sysrq(struct client_vm *vm, const char *key)
{
	json_t *reply = NULL;
	bool ok;
	int err;

	for (int i = 0; i < SYSRQ_TRIES; i++) {
		(void)client_send(vm, json_pack("{ss ss}", "op", "sysrq", "key",
						key));
		reply = client_receive_quietly(vm, CLIENT_ANSWER_MS, &err);
		if (reply_number(reply, "errno") != EBUSY)
			break;
		if (i + 1 < SYSRQ_TRIES)
			json_decref(reply);
		poll(NULL, 0, 20);
	}
	ok = reply_flag(reply, "ok");
	if (!ok)
		log_error("%s: %s", vm->name,
			  reply ? reply_text(reply, "error") : strerror(-err));
	json_decref(reply);
	return ok;
}

static bool debug_vm(struct client_vm *vm, const struct debug_options *options)
{
	bool ok = true;

	if (options->dump)
		ok = print_lines(
			vm, client_ask(vm, json_pack("{ss}", "op", "dump")));
	if (options->pci)
		ok &= print_lines(
			vm, client_ask(vm, json_pack("{ss}", "op", "pci")));
	if (options->queues)
		ok &= print_lines(
			vm, client_ask(vm, json_pack("{ss}", "op", "queues")));
	if (options->nmi_cpu >= 0)
		ok &= send_nmi(vm, options->nmi_cpu);
	if (options->sysrq[0])
		ok &= send_sysrq(vm, options->sysrq);
	return ok;
}

static int debug_main(int argc, char **argv)
{
	struct debug_options options = { .nmi_cpu = -1 };
	struct client_vms list;
	bool done;
	int status = client_begin(&debug_command, argc, argv, &options,
				  &options.choice, &list, &done);

	if (!status && !done && !options.dump && !options.pci &&
	    !options.queues && options.nmi_cpu < 0 && !options.sysrq[0]) {
		log_error("debug: what? --dump, --pci, --queues, --nmi or "
			  "--sysrq");
		status = STATUS_USAGE;
	}
	for (unsigned int i = 0; i < list.nr && status != STATUS_USAGE; i++)
		if (!debug_vm(&list.vms[i], &options))
			status = STATUS_FATAL;
	client_vms_release(&list);
	return status;
}

const struct command debug_command = {
	.name = "debug",
	.summary = "look into running VMs, send NMI or SysRq",
	.usage = "lkvm debug [OPTIONS] [NAME...]",
	.options = debug_options,
	.run = debug_main,
};
