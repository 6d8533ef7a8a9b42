/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lkvm sendkey: press keys of the guests' keyboards.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include "builtin-client.h"
#include "lkvm/failure.h"
#include "lkvm/keys.h"
#include "lkvm/log.h"

/* The guest may have keys to read first: so often, 20 ms apart, it is tried. */
#define TRIES 100
#define WAIT_MS 20
#define MAX_WORDS 256U

struct sendkey_options {
	struct client_choice choice;
	const char *keys[MAX_WORDS];
	unsigned int nr_keys;
};

static int take_keys(const char *word, void *target, struct failure *why)
{
	struct sendkey_options *options = target;
	u16 codes[KEYS_MAX];
	unsigned int nr;
	int err = keys_parse(word, codes, &nr, why);

	if (err)
		return err;
	if (options->nr_keys == MAX_WORDS)
		return fail(why, -EINVAL, "at most %u words", MAX_WORDS);
	options->keys[options->nr_keys++] = word;
	return 0;
}

static const struct option sendkey_options[] = {
	CLIENT_OPTION_NAME,
	CLIENT_OPTION_ALL,
	{ .name = NULL },
};

static bool send_keys(struct client_vm *vm, const char *keys)
{
	json_t *reply = NULL;
	bool ok;
	int err;

	for (int i = 0; i < TRIES; i++) {
		json_decref(reply);
		(void)client_send(vm, json_pack("{ss ss}", "op", "sendkey",
						"keys", keys));
		reply = client_receive_quietly(vm, CLIENT_ANSWER_MS, &err);
		if (reply_number(reply, "errno") != EBUSY)
			break;
		poll(NULL, 0, WAIT_MS);
	}
	ok = reply_flag(reply, "ok");
	if (!ok)
		log_error("%s: %s", vm->name,
			  reply ? reply_text(reply, "error") : strerror(-err));
	json_decref(reply);
	return ok;
}

static int sendkey_main(int argc, char **argv)
{
	struct sendkey_options options = { .nr_keys = 0 };
	struct client_vms list;
	bool done;
	int status = client_begin_with(&sendkey_command, argc, argv, &options,
				       &options.choice, take_keys, &list,
				       &done);

	if (!status && !done && !options.nr_keys) {
		log_error("sendkey: which keys? As in ctrl-alt-f2");
		status = STATUS_USAGE;
	}
	for (unsigned int i = 0; i < list.nr && status != STATUS_USAGE; i++)
		for (unsigned int k = 0; k < options.nr_keys; k++)
			if (!send_keys(&list.vms[i], options.keys[k])) {
				status = STATUS_FATAL;
				break;
			}
	client_vms_release(&list);
	return status;
}

const struct command sendkey_command = {
	.name = "sendkey",
	.summary = "press keys of running VMs' keyboards",
	.usage = "lkvm sendkey -n NAME KEY[-KEY...]...",
	.notes = keys_help,
	.options = sendkey_options,
	.run = sendkey_main,
};
