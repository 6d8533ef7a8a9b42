/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control socket: its life, and clients that come and go. What they say is
 * in control_line.c, what they can ask in control_ops.c.
 */
#include "lkvm/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "control_priv.h"
#include "lkvm/clock.h"
#include "lkvm/log.h"

/* ---- Clients ---- */

/* The one that has been silent for longest, and can be done without; or NULL. */
static struct control_client *oldest_client(const struct control *ctl)
{
	struct control_client *oldest = NULL;

	for (unsigned int i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		struct control_client *client = ctl->clients[i];

		if (!client || (client->state != CLIENT_READS &&
				client->state != CLIENT_CLOSING))
			continue;
		if (!oldest || client->stamp < oldest->stamp)
			oldest = client;
	}
	return oldest;
}

static struct control_client **free_slot(struct control *ctl)
{
	for (unsigned int i = 0; i < CONTROL_MAX_CLIENTS; i++)
		if (!ctl->clients[i])
			return &ctl->clients[i];
	return NULL;
}

struct control_client *control_add_client(struct control *ctl, int fd)
{
	struct control_client *client, **slot = free_slot(ctl);

	if (!slot && oldest_client(ctl)) {
		control_remove_client(oldest_client(ctl));
		slot = free_slot(ctl);
	}
	/* Pages of it that are not used are no memory: see calloc(3). */
	client = slot ? calloc(1, sizeof(*client)) : NULL;
	if (!client) {
		close(fd);
		return NULL;
	}
	client->ctl = ctl;
	client->source = (struct event_source){ fd, client_ready };
	client->stamp = ++ctl->requests;
	*slot = client;
	client_watch(client);
	return client;
}

void control_remove_client(struct control_client *client)
{
	struct control *ctl = client->ctl;

	if (ctl->work.client == client)
		ctl->work.client = NULL;
	balloon_forget(client);
	for (unsigned int i = 0; i < CONTROL_MAX_CLIENTS; i++)
		if (ctl->clients[i] == client)
			ctl->clients[i] = NULL;
	if (client->in_loop)
		event_remove(&ctl->vm->loop, &client->source);
	close(client->source.fd);
	free(client->reply);
	free(client->data);
	free(client);
}

/* Whoever gets into the folder: only its owner and root are listened to. */
static bool is_friend(const struct control *ctl, int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	return peer.uid == 0 || peer.uid == ctl->uid;
}

static void listener_ready(struct event_source *source, u32 events)
{
	struct control *ctl = container_of(source, struct control, listener);
	int fd;

	pthread_mutex_lock(&ctl->lock);
	if (!ctl->vm)
		goto out;
	fd = accept4(source->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0 && is_friend(ctl, fd)) {
		control_add_client(ctl, fd);
	} else if (fd >= 0) {
		close(fd);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
		/* It would be reported again and again. */
		if (oldest_client(ctl))
			control_remove_client(oldest_client(ctl));
		else
			event_modify(&ctl->vm->loop, source, 0);
	}
out:
	pthread_mutex_unlock(&ctl->lock);
}

/* ---- Work of the main thread ---- */

void control_run_queued(struct control *ctl)
{
	for (unsigned int i = 0; i < CONTROL_MAX_CLIENTS; i++)
		if (ctl->clients[i] && ctl->clients[i]->state == CLIENT_QUEUED)
			client_go_on(ctl->clients[i]);
}

static void finish_work(struct control *ctl)
{
	struct control_work *work = &ctl->work;
	struct control_client *client = work->client;
	json_t *reply = work->reply;

	/* client_go_on() may begin the next one. */
	work->reply = NULL;
	work->client = NULL;
	work->is_busy = false;
	if (client) {
		client->state = CLIENT_READS;
		client_reply(client, reply, work->err, &work->why);
		client_go_on(client);
	} else {
		json_decref(reply);
	}
}

static void work_ready(struct event_source *source, u32 events)
{
	struct control *ctl = container_of(source, struct control, work_ready);
	u64 count;

	pthread_mutex_lock(&ctl->lock);
	/* Nothing to read is no reason not to look. */
	if (read(source->fd, &count, sizeof(count)) < 0)
		count = 0;
	if (ctl->vm && ctl->work.is_busy &&
	    atomic_load_explicit(&ctl->work.is_done, memory_order_acquire)) {
		finish_work(ctl);
		control_run_queued(ctl);
	}
	pthread_mutex_unlock(&ctl->lock);
}

static void grace_expired(struct event_timer *timer)
{
	struct control *ctl = container_of(timer, struct control, grace);

	pthread_mutex_lock(&ctl->lock);
	if (ctl->vm)
		vm_end(ctl->vm, VM_END_STOP);
	pthread_mutex_unlock(&ctl->lock);
}

/* ---- Life ---- */

static struct event_source new_notice(void (*ready)(struct event_source *, u32))
{
	return (struct event_source){ eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
				      ready };
}

/* Cannot fail: the counter is far from its limit. */
static void notify(const struct event_source *notice)
{
	u64 one = 1;

	while (write(notice->fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void close_notices(struct control *ctl)
{
	if (ctl->work_ready.fd >= 0)
		close(ctl->work_ready.fd);
	if (ctl->output_ready.fd >= 0)
		close(ctl->output_ready.fd);
}

int control_open(const char *name, struct failure *why, struct control **out)
{
	struct control *ctl = calloc(1, sizeof(*ctl));
	int err;

	if (!ctl)
		return fail(why, -ENOMEM, "control socket: out of memory");
	err = instance_claim(&ctl->instance, name, why);
	if (err)
		goto err_free;
	ctl->work_ready = new_notice(work_ready);
	ctl->output_ready = new_notice(console_output_ready);
	if (ctl->work_ready.fd < 0 || ctl->output_ready.fd < 0) {
		err = fail(why, -EMFILE, "control socket: %s",
			   strerror(EMFILE));
		goto err_release;
	}
	json_prepare();
	pthread_mutex_init(&ctl->lock, NULL);
	ctl->uid = geteuid();
	ctl->started_ns = monotonic_ns();
	ctl->listener = (struct event_source){ ctl->instance.listen_fd,
					       listener_ready };
	ctl->grace.expired = grace_expired;
	ctl->retry.expired = console_retry;
	*out = ctl;
	return 0;

err_release:
	close_notices(ctl);
	instance_release(&ctl->instance);
err_free:
	free(ctl);
	return err;
}

u64 control_uptime_ns(const struct control *ctl)
{
	return monotonic_ns() - ctl->started_ns;
}

int control_attach(struct control *ctl, struct kvm *vm)
{
	int err;

	if (!ctl)
		return 0;
	err = event_timer_init(&vm->loop, &ctl->grace);
	if (!err)
		err = event_timer_init(&vm->loop, &ctl->retry);
	if (!err)
		err = event_add(&vm->loop, &ctl->work_ready, EPOLLIN);
	if (!err)
		err = event_add(&vm->loop, &ctl->output_ready, EPOLLIN);
	if (!err)
		err = event_add(&vm->loop, &ctl->listener, EPOLLIN);
	if (err)
		return vm_fail(vm, err, "control socket: %s", strerror(-err));
	pthread_mutex_lock(&ctl->lock);
	ctl->vm = vm;
	for (unsigned int i = 0; i < CONTROL_MAX_CLIENTS; i++)
		if (ctl->clients[i])
			client_settle(ctl->clients[i]);
	pthread_mutex_unlock(&ctl->lock);
	/* Clients that watch the console go on when the loop runs. */
	notify(&ctl->output_ready);
	return 0;
}

/* What was under way came to nothing. */
static void fail_pending(struct control *ctl)
{
	struct failure why = FAILURE_INIT;

	fail(&why, -ESHUTDOWN, "the VM has ended");
	for (unsigned int i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		struct control_client *client = ctl->clients[i];

		if (!client || (client->state != CLIENT_QUEUED &&
				client->state != CLIENT_WORKING &&
				client->state != CLIENT_ASKS))
			continue;
		balloon_forget(client);
		client->state = CLIENT_READS;
		client->len = 0;
		client_reply(client, NULL, -ESHUTDOWN, &why);
	}
	json_decref(ctl->work.reply);
	ctl->work = (struct control_work){ .client = NULL };
}

void control_detach(struct control *ctl)
{
	struct event_loop *loop;

	if (!ctl || !ctl->vm)
		return;
	loop = &ctl->vm->loop;
	/* Callbacks find no VM from now on; then they are waited for. */
	pthread_mutex_lock(&ctl->lock);
	console_finish(ctl);
	ctl->vm = NULL;
	pthread_mutex_unlock(&ctl->lock);
	event_remove(loop, &ctl->listener);
	event_remove(loop, &ctl->work_ready);
	event_remove(loop, &ctl->output_ready);
	event_timer_release(loop, &ctl->grace);
	event_timer_release(loop, &ctl->retry);
	for (unsigned int i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		if (!ctl->clients[i] || !ctl->clients[i]->in_loop)
			continue;
		event_remove(loop, &ctl->clients[i]->source);
		ctl->clients[i]->in_loop = false;
	}
	fail_pending(ctl);
}

void control_end(struct control *ctl, const char *how, int status)
{
	if (!ctl)
		return;
	instance_release(&ctl->instance);
	for (unsigned int i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		struct control_client *client = ctl->clients[i];
		json_t *reply;

		if (!client || client->state != CLIENT_WAITS)
			continue;
		reply = json_object();
		json_object_set_new(reply, "how", json_string(how));
		json_object_set_new(reply, "status", json_integer(status));
		client->state = CLIENT_CLOSING;
		client_reply(client, reply, 0, NULL);
	}
}

void control_close(struct control *ctl)
{
	if (!ctl)
		return;
	for (unsigned int i = 0; i < CONTROL_MAX_CLIENTS; i++)
		if (ctl->clients[i])
			control_remove_client(ctl->clients[i]);
	instance_release(&ctl->instance);
	close_notices(ctl);
	pthread_mutex_destroy(&ctl->lock);
	free(ctl);
}
