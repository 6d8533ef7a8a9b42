/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One client of the control socket: lines in, replies out. A client has at most
 * one request under way and one reply that it has not read; until then nothing
 * more is read from it, so a client that asks and never reads costs one reply.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "control_priv.h"

bool client_has_reply(const struct control_client *client)
{
	return client->reply_sent < client->reply_len;
}

static void drop_reply(struct control_client *client)
{
	free(client->reply);
	client->reply = NULL;
	client->reply_len = 0;
	client->reply_sent = 0;
}

/* Nobody is there any more. */
static void give_up(struct control_client *client)
{
	drop_reply(client);
	client->state = CLIENT_CLOSING;
}

/* ---- Out ---- */

void client_flush(struct control_client *client)
{
	while (client_has_reply(client)) {
		ssize_t n = write(client->source.fd,
				  client->reply + client->reply_sent,
				  client->reply_len - client->reply_sent);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			give_up(client);
			return;
		}
		client->reply_sent += (size_t)n;
	}
	drop_reply(client);
}

static json_t *failure_reply(int err, const struct failure *why)
{
	json_t *reply = json_object();

	json_object_set_new(reply, "ok", json_false());
	json_object_set_new(reply, "errno", json_integer(-err));
	json_object_set_new(reply, "error",
			    json_text(why->kind != FAILURE_NONE
					      ? why->text
					      : strerror(-err)));
	return reply;
}

/* What a reply is about, behind its line. */
static bool append_data(struct control_client *client)
{
	size_t len = client->reply_len + client->data_len;
	char *whole = realloc(client->reply, len);

	if (whole) {
		memcpy(whole + client->reply_len, client->data,
		       client->data_len);
		client->reply = whole;
		client->reply_len = len;
	}
	free(client->data);
	client->data = NULL;
	return whole;
}

/* jansson makes nothing of NULLs, so memory is checked for once, here. */
static bool set_reply(struct control_client *client, const json_t *reply)
{
	char *text = reply ? json_dumps(reply, JSON_COMPACT) : NULL;
	size_t len = text ? strlen(text) : 0;

	if (!text || len > CONTROL_REPLY_MAX) {
		free(text);
		return false;
	}
	text[len++] = '\n'; /* in place of the NUL */
	client->reply = text;
	client->reply_len = len;
	if (client->data && !append_data(client))
		return false;
	client->reply_sent = 0;
	return true;
}

void client_reply(struct control_client *client, json_t *reply, int err,
		  const struct failure *why)
{
	if (err < 0) {
		json_decref(reply);
		reply = failure_reply(err, why);
	} else {
		if (!reply)
			reply = json_object();
		json_object_set_new(reply, "ok", json_true());
	}
	if (set_reply(client, reply))
		client_flush(client);
	else
		give_up(client);
	json_decref(reply);
}

/* ---- In ---- */

/* False: the request has to wait for its turn. */
static bool handle_line(struct control_client *client, size_t len)
{
	struct failure why = FAILURE_INIT;
	struct control_request request = { .client = client, .why = &why };
	json_error_t error;
	int err;

	request.body =
		json_loadb(client->line, len, JSON_REJECT_DUPLICATES, &error);
	request.reply = json_object();
	if (!request.body)
		err = fail(&why, -EINVAL, "no JSON: %s", error.text);
	else if (!json_is_object(request.body))
		err = fail(&why, -EINVAL, "a request is a JSON object");
	else
		err = control_dispatch(&request);
	if (err == -EAGAIN)
		client->state = CLIENT_QUEUED;
	if (err == CONTROL_LATER || err == -EAGAIN)
		json_decref(request.reply);
	else
		client_reply(client, request.reply, err, &why);
	json_decref(request.body);
	return err != -EAGAIN;
}

static void refuse_long_line(struct control_client *client)
{
	struct failure why = FAILURE_INIT;

	fail(&why, -EMSGSIZE, "a request has at most %u bytes and a newline",
	     CONTROL_LINE_LEN - 1);
	client->state = CLIENT_CLOSING;
	client_reply(client, NULL, -EMSGSIZE, &why);
}

static void handle_lines(struct control_client *client)
{
	const char *newline;
	size_t len;

	while (client->state == CLIENT_READS && !client_has_reply(client)) {
		newline = memchr(client->line, '\n', client->len);
		if (!newline) {
			if (client->len == CONTROL_LINE_LEN)
				refuse_long_line(client);
			return;
		}
		len = (size_t)(newline - client->line);
		client->stamp = ++client->ctl->requests;
		if (!handle_line(client, len))
			return;
		/* Behind a "console" stands what is to be typed. */
		client->len -= len + 1;
		memmove(client->line, newline + 1, client->len);
	}
}

static void read_more(struct control_client *client)
{
	ssize_t n;

	if (client->at_end || client->len == CONTROL_LINE_LEN)
		return;
	do {
		n = read(client->source.fd, client->line + client->len,
			 CONTROL_LINE_LEN - client->len);
	} while (n < 0 && errno == EINTR);
	if (n > 0)
		client->len += (size_t)n;
	else if (n == 0)
		client->at_end = true;
	else if (errno != EAGAIN)
		give_up(client);
}

/* ---- States ---- */

static bool is_over(const struct control_client *client)
{
	if (client_has_reply(client))
		return false;
	return client->state == CLIENT_CLOSING ||
	       (client->state == CLIENT_READS && client->at_end);
}

/* A console goes both ways at once; requests wait for replies to be read. */
static bool wants_input(const struct control_client *client)
{
	if (client->state == CLIENT_CONSOLE)
		return !client->at_end && client->len < CONTROL_LINE_LEN;
	return client->state == CLIENT_READS && !client_has_reply(client);
}

void client_watch(struct control_client *client)
{
	struct control *ctl = client->ctl;
	u32 events = 0; /* that the client went away is always reported */

	if (!ctl->vm)
		return;
	if (client_has_reply(client))
		events = EPOLLOUT;
	if (wants_input(client))
		events |= EPOLLIN;
	if (!client->in_loop)
		client->in_loop =
			!event_add(&ctl->vm->loop, &client->source, events);
	else if (events != client->events)
		event_modify(&ctl->vm->loop, &client->source, events);
	client->events = events;
	if (!client->in_loop)
		give_up(client);
}

void client_settle(struct control_client *client)
{
	if (!is_over(client))
		client_watch(client);
	if (is_over(client))
		control_remove_client(client);
}

void client_go_on(struct control_client *client)
{
	if (client->state == CLIENT_QUEUED)
		client->state = CLIENT_READS;
	handle_lines(client);
	console_go_on(client);
	client_settle(client);
}

void client_ready(struct event_source *source, u32 events)
{
	struct control_client *client =
		container_of(source, struct control_client, source);
	struct control *ctl = client->ctl;

	pthread_mutex_lock(&ctl->lock);
	if (ctl->vm) {
		client_flush(client);
		if (events & EPOLLIN && wants_input(client))
			read_more(client);
		if (events & (EPOLLHUP | EPOLLERR) && !wants_input(client))
			give_up(client);
		client_go_on(client);
	}
	pthread_mutex_unlock(&ctl->lock);
}
