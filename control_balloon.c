/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The balloon for clients: its target, and the guest's own statistics, for which
 * the guest is asked and may be silent.
 */
#include <errno.h>
#include "control_priv.h"
#include "lkvm/balloon.h"

/* Below the patience of clients (CLIENT_ANSWER_MS). */
#define ANSWER_NS 5000000000ULL

static void add_number(json_t *object, const char *name, u64 value)
{
	json_object_set_new(object, name, json_integer((json_int_t)value));
}

/* What lkvm knows without the guest. -ENODEV: there is no balloon. */
static int add_balloon(json_t *reply, struct kvm *vm)
{
	struct balloon_info info;
	json_t *balloon;
	int err = balloon_query(vm, &info);

	if (err)
		return err;
	balloon = json_object();
	add_number(balloon, "target", info.target);
	add_number(balloon, "actual", info.actual);
	add_number(balloon, "reported", info.reports);
	json_object_set_new(balloon, "driver", json_boolean(info.has_driver));
	json_object_set_new(balloon, "pinned", json_boolean(info.is_pinned));
	json_object_set_new(reply, "balloon", balloon);
	return 0;
}

/* ---- Statistics ---- */

static void add_guest(json_t *reply, const struct balloon_stats *stats)
{
	json_t *guest = json_object();

	for (unsigned int i = 0; i < VIRTIO_BALLOON_S_NR; i++)
		if (stats->present[i])
			add_number(guest, balloon_stat_names[i],
				   stats->value[i]);
	json_object_set_new(reply, "guest", guest);
}

/* A guest that is silent costs its part of the reply, and no more. */
static void answered(struct balloon_ask *ask, int err,
		     const struct balloon_stats *stats)
{
	struct control_client *client =
		container_of(ask, struct control_client, ask);
	struct control *ctl = client->ctl;

	pthread_mutex_lock(&ctl->lock);
	if (ctl->vm && client->state == CLIENT_ASKS) {
		json_t *reply = client->asked;

		client->asked = NULL;
		if (!err)
			add_guest(reply, stats);
		client->state = CLIENT_READS;
		client_reply(client, reply, 0, NULL);
		client_go_on(client);
	}
	pthread_mutex_unlock(&ctl->lock);
}

int balloon_stat(struct control_request *request)
{
	struct control_client *client = request->client;
	struct kvm *vm = client->ctl->vm;

	if (add_balloon(request->reply, vm))
		return 0;
	client->ask.answer = answered;
	if (balloon_ask_stats(vm, &client->ask, ANSWER_NS))
		return 0;
	client->asked = json_incref(request->reply);
	client->state = CLIENT_ASKS;
	return CONTROL_LATER;
}

void balloon_forget(struct control_client *client)
{
	if (client->asked && client->ctl->vm)
		balloon_cancel(client->ctl->vm, &client->ask);
	json_decref(client->asked);
	client->asked = NULL;
}

/* ---- The target ---- */

/* "target" in bytes, or "add", which may be negative, to the present one. */
static int new_target(struct control_request *request, u64 present, u64 *out)
{
	long long ram = (long long)request->client->ctl->vm->config->ram_len;
	long long target, add;
	int err = request_int(request, "target", 0, ram, (long long)present,
			      &target);

	if (!err)
		err = request_int(request, "add", -ram, ram, 0, &add);
	if (err)
		return err;
	target += add;
	if (target > ram)
		return fail(request->why, -ERANGE,
			    "the guest has %lld bytes of RAM, and was asked "
			    "for %lld",
			    ram, target);
	*out = target > 0 ? (u64)target : 0;
	return 0;
}

int balloon_op(struct control_request *request)
{
	struct kvm *vm = request->client->ctl->vm;
	struct balloon_info info;
	u64 target = 0;
	int err = balloon_query(vm, &info);

	if (err)
		return fail(request->why, err,
			    "it has no balloon: start it with --balloon");
	err = new_target(request, info.target, &target);
	if (err)
		return err;
	if (target != info.target) {
		err = balloon_set_target(vm, target);
		if (err)
			return fail(request->why, err, "no such target: %llu",
				    (unsigned long long)target);
	}
	return add_balloon(request->reply, vm);
}
