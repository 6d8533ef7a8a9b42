/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the commands that speak to running VMs share: which VMs are meant, and
 * one request to each with its reply. docs/control.md has the words.
 */
#ifndef LKVM_BUILTIN_CLIENT_H
#define LKVM_BUILTIN_CLIENT_H

#include <jansson.h>
#include "lkvm/builtin.h"
#include "lkvm/instance.h"
#include "lkvm/options.h"
#include "lkvm/types.h"

struct failure;

#define CLIENT_MAX_NAMES 64

/* Which VMs: begins the target of each command's options. */
struct client_choice {
	bool all;
	const char *names[CLIENT_MAX_NAMES];
	unsigned int nr_names;
};

option_set_fn client_set_name;

/* Rows of a command's table. */
#define CLIENT_OPTION_NAME                                                     \
	{                                                                      \
		.name = "name", .letter = 'n', .arg = "NAME",                  \
		.help = "the VM of that name; again for more",                 \
		.set = client_set_name                                         \
	}
#define CLIENT_OPTION_ALL                                                      \
	{                                                                      \
		.name = "all", .letter = 'a', .help = "all running VMs",       \
		.set = option_set_flag,                                        \
		.offset = offsetof(struct client_choice, all)                  \
	}

/* A word is a name, too: option_grammar.word. */
int client_take_word(const char *word, void *choice, struct failure *why);

struct client_vm {
	char name[INSTANCE_NAME_MAX + 1];
	int fd;
	char *rest; /* read behind the last reply; NULL: nothing */
	size_t rest_len;
};

struct client_vms {
	struct client_vm *vms;
	unsigned int nr;
};

/*
 * Parse, and connect to those that are meant. 0, or an exit status, having
 * printed what is wrong; with --help *done is set. client_vms_release() in any
 * case.
 */
int client_begin(const struct command *command, int argc, char **argv,
		 void *target, struct client_choice *choice,
		 struct client_vms *out, bool *done);
/* The same for a command whose words are no names: option_grammar.word. */
int client_begin_with(const struct command *command, int argc, char **argv,
		      void *target, struct client_choice *choice,
		      int (*word)(const char *word, void *target,
				  struct failure *why),
		      struct client_vms *out, bool *done);
void client_vms_release(struct client_vms *vms);

/* Every instance that there is. -ENOMEM. */
int client_connect_all(struct client_vms *out);

/* How long a VM may take to answer, ms. */
#define CLIENT_ANSWER_MS 10000
/* No limit, for client_receive(). */
#define CLIENT_PATIENT (-1)

/* Send @request, which is consumed. 0 or -errno. */
int client_send(struct client_vm *vm, json_t *request);
/*
 * The next reply, or NULL, having logged why: a failure of the request, no
 * answer in time, or the end of the VM.
 */
json_t *client_receive(struct client_vm *vm, int timeout_ms);
/* The same without a message; *err is -ESHUTDOWN at the end of the VM. */
json_t *client_receive_quietly(struct client_vm *vm, int timeout_ms, int *err);
/* Both, with the usual patience. */
json_t *client_ask(struct client_vm *vm, json_t *request);
/* The @len bytes behind a reply, to @data. 0 or -errno. */
int client_receive_data(struct client_vm *vm, void *data, size_t len);
/* Wait for the VM to close the connection: it has gone. */
int client_wait_gone(struct client_vm *vm);

/* Of a reply; 0, false or "" where it is missing. */
u64 reply_number(const json_t *reply, const char *name);
bool reply_flag(const json_t *reply, const char *name);
const char *reply_text(const json_t *reply, const char *name);

#endif
