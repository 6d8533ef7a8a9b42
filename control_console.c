/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VM's console for clients: after the reply to "console" a connection is a
 * plain stream both ways. What goes out comes from the chardev's history, at each
 * client's own pace; one that is further behind than the history is long loses
 * the oldest.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "control_priv.h"
#include "lkvm/chardev.h"

#define PIECE_LEN 16384U
/* The guest has not read what was typed before: look again. */
#define RETRY_NS 20000000ULL

static struct chardev *console_of(const struct control *ctl)
{
	return ctl->vm && ctl->vm->consoles ? ctl->vm->consoles->console : NULL;
}

/* What is left of the client's input stays in client->line. */
static void type_input(struct control_client *client, struct chardev *chr)
{
	size_t taken = chardev_type(chr, (const u8 *)client->line, client->len);

	client->len -= taken;
	memmove(client->line, client->line + taken, client->len);
	if (client->len)
		event_timer_set(&client->ctl->retry, RETRY_NS);
}

/* Put the next piece of output where replies are. False: there is none. */
static bool next_piece(struct control_client *client, struct chardev *chr)
{
	u8 *piece = malloc(PIECE_LEN);
	size_t len = 0;

	if (piece)
		len = chardev_read_history(chr, &client->console_from, piece,
					   PIECE_LEN);
	if (!len) {
		free(piece);
		return false;
	}
	client->reply = (char *)piece;
	client->reply_len = len;
	client->reply_sent = 0;
	return true;
}

static void write_out(struct control_client *client, struct chardev *chr)
{
	while (client->state == CLIENT_CONSOLE && !client_has_reply(client) &&
	       next_piece(client, chr))
		client_flush(client);
}

void console_go_on(struct control_client *client)
{
	struct chardev *chr = console_of(client->ctl);

	if (!chr || client->state != CLIENT_CONSOLE)
		return;
	type_input(client, chr);
	/* Before the look, so that nothing comes in between unseen. */
	chardev_watch_output(chr, client->ctl->output_ready.fd);
	write_out(client, chr);
}

static void all_go_on(struct control *ctl)
{
	for (unsigned int i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		struct control_client *client = ctl->clients[i];

		if (!client || client->state != CLIENT_CONSOLE)
			continue;
		console_go_on(client);
		client_settle(client);
	}
}

void console_output_ready(struct event_source *source, u32 events)
{
	struct control *ctl =
		container_of(source, struct control, output_ready);
	u64 count;

	pthread_mutex_lock(&ctl->lock);
	/* Nothing to read is no reason not to look. */
	if (read(source->fd, &count, sizeof(count)) < 0)
		count = 0;
	if (ctl->vm)
		all_go_on(ctl);
	pthread_mutex_unlock(&ctl->lock);
}

void console_retry(struct event_timer *timer)
{
	struct control *ctl = container_of(timer, struct control, retry);

	pthread_mutex_lock(&ctl->lock);
	if (ctl->vm)
		all_go_on(ctl);
	pthread_mutex_unlock(&ctl->lock);
}

void console_finish(struct control *ctl)
{
	struct chardev *chr = console_of(ctl);

	if (!chr)
		return;
	chardev_watch_output(chr, -1);
	for (unsigned int i = 0; i < CONTROL_MAX_CLIENTS; i++)
		if (ctl->clients[i])
			write_out(ctl->clients[i], chr);
}

int console_op(struct control_request *request)
{
	struct control_client *client = request->client;

	if (!console_of(client->ctl))
		return fail(request->why, -ENOTTY,
			    "this VM's console is not on lkvm's standard "
			    "output: see --tty");
	client->state = CLIENT_CONSOLE;
	client->console_from = 0;
	return 0;
}
