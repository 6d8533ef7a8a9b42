/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The client's side of the control socket. A VM may be stuck, or not be lkvm at
 * all: what it sends is limited, and nothing but "wait" waits for ever.
 */
#include "builtin-client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "lkvm/clock.h"
#include "lkvm/failure.h"
#include "lkvm/log.h"

#define REPLY_MAX (8 * MIB)
#define READ_LEN 65536U

/* ---- Which VMs ---- */

static int add_name(struct client_choice *choice, const char *name,
		    struct failure *why)
{
	if (!instance_name_is_valid(name))
		return fail(why, -EINVAL, "%s can be no name of a VM", name);
	if (choice->nr_names == CLIENT_MAX_NAMES)
		return fail(why, -EINVAL, "at most %d names", CLIENT_MAX_NAMES);
	choice->names[choice->nr_names++] = name;
	return 0;
}

int client_set_name(const struct option *opt, const struct option_value *value,
		    void *target, struct failure *why)
{
	struct client_choice *choice = target;

	if (value->negated) {
		choice->nr_names = 0;
		return 0;
	}
	return add_name(choice, value->text, why);
}

int client_take_word(const char *word, void *choice, struct failure *why)
{
	return add_name(choice, word, why);
}

static int add_vm(void *opaque, const char *name, int fd)
{
	struct client_vms *list = opaque;
	struct client_vm *vms =
		realloc(list->vms, (list->nr + 1) * sizeof(*list->vms));

	if (!vms) {
		close(fd);
		return -ENOMEM;
	}
	list->vms = vms;
	vms[list->nr] = (struct client_vm){ .fd = fd };
	snprintf(vms[list->nr].name, sizeof(vms->name), "%s", name);
	list->nr++;
	return 0;
}

int client_connect_all(struct client_vms *out)
{
	return instance_for_each(add_vm, out);
}

static int connect_named(const struct client_choice *choice,
			 struct client_vms *out, struct failure *why)
{
	for (unsigned int i = 0; i < choice->nr_names; i++) {
		int fd = instance_connect(choice->names[i]);

		if (fd < 0)
			return fail(why, fd,
				    "no VM of the name %s is running: \"lkvm "
				    "list\" shows which are",
				    choice->names[i]);
		if (add_vm(out, choice->names[i], fd))
			return fail(why, -ENOMEM, "out of memory");
	}
	return 0;
}

static int connect_chosen(const struct client_choice *choice,
			  struct client_vms *out, struct failure *why)
{
	if (!choice->all)
		return connect_named(choice, out, why);
	if (client_connect_all(out))
		return fail(why, -ENOMEM, "out of memory");
	if (!out->nr)
		log_info("no VM is running");
	return 0;
}

static int usage(const char *command, const char *text)
{
	log_error("%s: %s", command, text);
	return STATUS_USAGE;
}

int client_begin_with(const struct command *command, int argc, char **argv,
		      void *target, struct client_choice *choice,
		      int (*word)(const char *word, void *target,
				  struct failure *why),
		      struct client_vms *out, bool *done)
{
	const struct option_grammar grammar = {
		.command = command->name,
		.options = command->options,
		.word = word,
	};
	struct failure why = FAILURE_INIT;
	int err;

	*out = (struct client_vms){ NULL };
	err = options_parse(&grammar, argc, argv, target, &why);
	*done = err == OPTIONS_HELP;
	if (*done) {
		help_print_command(command);
		return STATUS_OK;
	}
	if (err)
		return usage(command->name, why.text);
	if (choice->all && choice->nr_names)
		return usage(command->name, "all VMs, or those named?");
	if (!choice->all && !choice->nr_names)
		return usage(command->name,
			     "which VM? --name NAME, or --all of them");
	if (!connect_chosen(choice, out, &why))
		return STATUS_OK;
	log_error("%s: %s", command->name, why.text);
	return STATUS_FATAL;
}

int client_begin(const struct command *command, int argc, char **argv,
		 void *target, struct client_choice *choice,
		 struct client_vms *out, bool *done)
{
	return client_begin_with(command, argc, argv, target, choice,
				 client_take_word, out, done);
}

void client_vms_release(struct client_vms *vms)
{
	for (unsigned int i = 0; i < vms->nr; i++) {
		close(vms->vms[i].fd);
		free(vms->vms[i].rest);
	}
	free(vms->vms);
}

/* ---- Requests and replies ---- */

int client_send(struct client_vm *vm, json_t *request)
{
	char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	size_t len, sent = 0;

	json_decref(request);
	if (!text)
		return -ENOMEM;
	len = strlen(text);
	text[len++] = '\n';
	while (sent < len) {
		struct pollfd pfd = { .fd = vm->fd, .events = POLLOUT };
		ssize_t n = send(vm->fd, text + sent, len - sent, MSG_NOSIGNAL);

		if (n > 0)
			sent += (size_t)n;
		else if (errno != EINTR &&
			 (errno != EAGAIN ||
			  poll(&pfd, 1, CLIENT_ANSWER_MS) <= 0))
			break;
	}
	free(text);
	return sent == len ? 0 : -EPIPE;
}

static long long now_ms(void)
{
	return (long long)(monotonic_ns() / NSEC_PER_MSEC);
}

/* Read more behind @vm->rest. */
static int read_more(struct client_vm *vm)
{
	char *rest;
	ssize_t n;

	if (vm->rest_len > REPLY_MAX)
		return -EMSGSIZE;
	rest = realloc(vm->rest, vm->rest_len + READ_LEN);
	if (!rest)
		return -ENOMEM;
	vm->rest = rest;
	n = read(vm->fd, rest + vm->rest_len, READ_LEN);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -ESHUTDOWN;
	if (n == 0)
		return -ESHUTDOWN;
	vm->rest_len += (size_t)n;
	return 0;
}

/* The first line of what was read, or NULL: it is not complete. */
static json_t *take_line(struct client_vm *vm, int *err)
{
	const char *newline =
		vm->rest_len ? memchr(vm->rest, '\n', vm->rest_len) : NULL;
	size_t len;
	json_t *reply;

	if (!newline)
		return NULL;
	len = (size_t)(newline - vm->rest);
	reply = json_loadb(vm->rest, len, 0, NULL);
	*err = json_is_object(reply) ? 0 : -EPROTO;
	vm->rest_len -= len + 1;
	memmove(vm->rest, newline + 1, vm->rest_len);
	return reply;
}

json_t *client_receive_quietly(struct client_vm *vm, int timeout_ms, int *err)
{
	long long deadline = now_ms() + timeout_ms;
	json_t *reply;

	*err = 0;
	while (!(reply = take_line(vm, err)) && !*err) {
		struct pollfd pfd = { .fd = vm->fd, .events = POLLIN };
		long long left = timeout_ms < 0 ? -1 : deadline - now_ms();
		int ready = 1;

		if (timeout_ms >= 0 && left <= 0)
			ready = 0;
		else if (poll(&pfd, 1, (int)left) < 0)
			continue; /* a signal */
		*err = ready ? read_more(vm) : -ETIMEDOUT;
	}
	if (*err) {
		json_decref(reply);
		return NULL;
	}
	return reply;
}

json_t *client_receive(struct client_vm *vm, int timeout_ms)
{
	int err;
	json_t *reply = client_receive_quietly(vm, timeout_ms, &err);

	if (!reply) {
		log_error("%s: %s", vm->name,
			  err == -ESHUTDOWN   ? "the VM has ended"
			  : err == -ETIMEDOUT ? "the VM does not answer"
					      : strerror(-err));
		return NULL;
	}
	if (!reply_flag(reply, "ok")) {
		log_error("%s: %s", vm->name, reply_text(reply, "error"));
		json_decref(reply);
		return NULL;
	}
	return reply;
}

json_t *client_ask(struct client_vm *vm, json_t *request)
{
	/* A failure shows when the reply does not come. */
	(void)client_send(vm, request);
	return client_receive(vm, CLIENT_ANSWER_MS);
}

int client_receive_data(struct client_vm *vm, void *data, size_t len)
{
	size_t got = len < vm->rest_len ? len : vm->rest_len;
	u8 *to = data;

	if (got)
		memcpy(to, vm->rest, got);
	vm->rest_len -= got;
	if (vm->rest_len)
		memmove(vm->rest, vm->rest + got, vm->rest_len);
	while (got < len) {
		struct pollfd pfd = { .fd = vm->fd, .events = POLLIN };
		int ready = poll(&pfd, 1, CLIENT_ANSWER_MS);
		ssize_t n;

		if (!ready)
			return -ETIMEDOUT;
		n = read(vm->fd, to + got, len - got);
		if (!n)
			return -ESHUTDOWN;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		got += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int client_wait_gone(struct client_vm *vm)
{
	int err;

	do {
		json_decref(client_receive_quietly(vm, CLIENT_PATIENT, &err));
	} while (!err);
	return err == -ESHUTDOWN ? 0 : err;
}

u64 reply_number(const json_t *reply, const char *name)
{
	return (u64)json_integer_value(json_object_get(reply, name));
}

bool reply_flag(const json_t *reply, const char *name)
{
	return json_is_true(json_object_get(reply, name));
}

const char *reply_text(const json_t *reply, const char *name)
{
	const char *text = json_string_value(json_object_get(reply, name));

	return text ? text : "";
}
