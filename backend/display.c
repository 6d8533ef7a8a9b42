/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The thread of a display: it waits for the user, and looks at the source's
 * picture from time to time, less often the longer nothing changes.
 */
#include "backend/display_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lkvm/confine.h"
#include "lkvm/failure.h"
#include "lkvm/input.h"

#define FASTEST_MS 16
#define SLOWEST_MS 256
#define MAX_RANGES 16

/* Which of the kinds were built: the Makefile says so. */
static const struct display_front_ops *ops_of(enum display_kind kind)
{
	switch (kind) {
#if CONFIG_SDL
	case DISPLAY_SDL:
		return &display_sdl_ops;
#endif
#if CONFIG_VNC
	case DISPLAY_VNC:
		return &display_vnc_ops;
#endif
	default:
		return NULL;
	}
}

bool display_is_built_in(enum display_kind kind)
{
	return ops_of(kind);
}

/* ---- The picture ---- */

static bool same_place(const struct display_frame *a,
		       const struct display_frame *b)
{
	return a->pixels == b->pixels && a->width == b->width &&
	       a->height == b->height && a->stride == b->stride;
}

static void show_locked(struct display *display,
			const struct display_frame *frame)
{
	if (!frame && !display->has_frame)
		return;
	if (frame && display->has_frame && same_place(frame, &display->frame))
		return;
	display->has_frame = frame;
	if (frame)
		display->frame = *frame;
	display->ops->show(display, frame);
	display->interval_ms = FASTEST_MS;
}

static void refresh_locked(struct display *display)
{
	struct display_rows rows[MAX_RANGES];
	struct display_frame frame;
	unsigned int nr;

	if (!display->source) {
		show_locked(display, NULL);
		pthread_cond_broadcast(&display->changed);
		return;
	}
	/* Who comes later is told the right size at once. */
	if (!display->source->frame(display->opaque, &frame)) {
		show_locked(display, NULL);
		return;
	}
	show_locked(display, &frame);
	if (!display->ops->is_watched(display))
		return;
	nr = display->source->changes(display->opaque, &frame, rows,
				      MAX_RANGES);
	for (unsigned int i = 0; i < nr; i++)
		display->ops->update(display, rows[i]);
	if (nr)
		display->interval_ms = FASTEST_MS;
	else if (display->interval_ms < SLOWEST_MS)
		display->interval_ms *= 2;
}

/* ---- The thread ---- */

static int timeout_ms(struct display *display)
{
	int ms;

	pthread_mutex_lock(&display->lock);
	ms = display->source && display->ops->is_watched(display)
		     ? display->interval_ms
		     : -1;
	pthread_mutex_unlock(&display->lock);
	return ms;
}

static void serve(struct display *display)
{
	while (!atomic_load(&display->stop)) {
		display->ops->wait(display, timeout_ms(display));
		pthread_mutex_lock(&display->lock);
		/* First: whoever asks for the picture gets it as it is now. */
		refresh_locked(display);
		display->ops->dispatch(display);
		pthread_mutex_unlock(&display->lock);
	}
}

static void *display_thread(void *opaque)
{
	struct display *display = opaque;
	int err;

	pthread_setname_np(pthread_self(), "display");
	err = display->ops->open(display, display->why);
	if (!err && display->ops->is_confined)
		confine_thread(CONFINE_DISPLAY);
	pthread_mutex_lock(&display->lock);
	display->error = err;
	display->is_open = true;
	pthread_cond_signal(&display->changed);
	pthread_mutex_unlock(&display->lock);
	if (!err)
		serve(display);
	display->ops->close(display);
	return NULL;
}

static int start_thread(struct display *display, struct failure *why)
{
	int err;

	display->why = why;
	err = -pthread_create(&display->thread, NULL, display_thread, display);
	if (err)
		return fail(why, err, "display: no thread: %s", strerror(-err));
	pthread_mutex_lock(&display->lock);
	while (!display->is_open)
		pthread_cond_wait(&display->changed, &display->lock);
	err = display->error;
	pthread_mutex_unlock(&display->lock);
	if (err)
		pthread_join(display->thread, NULL);
	return err;
}

static void free_display(struct display *display)
{
	pthread_cond_destroy(&display->changed);
	pthread_mutex_destroy(&display->lock);
	free(display);
}

int display_open(const struct display_config *config,
		 const struct display_user *user, struct failure *why,
		 struct display **out)
{
	const struct display_front_ops *ops = ops_of(config->kind);
	struct display *display;
	int err;

	*out = NULL;
	if (config->kind == DISPLAY_NONE)
		return 0;
	if (!ops)
		return fail(why, -ENOTSUP, "display: not built in");
	display = calloc(1, sizeof(*display));
	if (!display)
		return fail(why, -ENOMEM, "display: out of memory");
	display->ops = ops;
	display->config = *config;
	display->user = *user;
	display->interval_ms = FASTEST_MS;
	pthread_mutex_init(&display->lock, NULL);
	pthread_cond_init(&display->changed, NULL);
	err = start_thread(display, why);
	if (err)
		free_display(display);
	else
		*out = display;
	return err;
}

void display_close(struct display *display)
{
	if (!display)
		return;
	atomic_store(&display->stop, true);
	display_wake(display);
	pthread_join(display->thread, NULL);
	free_display(display);
}

/* ---- The user ---- */

/* Whoever types wants to see it. */
static struct input_hub *input_of(struct display *display)
{
	display->interval_ms = FASTEST_MS;
	return display->input;
}

void display_key(struct display *display, u16 code, bool down)
{
	struct input_hub *input = input_of(display);

	if (input)
		input_key(input, code, down);
}

void display_release_keys(struct display *display)
{
	struct input_hub *input = input_of(display);

	if (input)
		input_release_keys(input);
}

void display_pointer(struct display *display, u32 x, u32 y)
{
	struct input_hub *input = input_of(display);

	if (input && display->has_frame)
		input_move_to(input, x, y, display->frame.width,
			      display->frame.height);
}

void display_wheel(struct display *display, int notches)
{
	struct input_hub *input = input_of(display);

	if (input)
		input_wheel(input, notches);
}

/* ---- The source ---- */

void display_attach(struct display *display,
		    const struct display_source_ops *ops, void *opaque,
		    struct input_hub *input)
{
	pthread_mutex_lock(&display->lock);
	display->source = ops;
	display->opaque = opaque;
	display->input = input;
	pthread_mutex_unlock(&display->lock);
	display_wake(display);
}

void display_detach(struct display *display)
{
	pthread_mutex_lock(&display->lock);
	display->source = NULL;
	display->input = NULL;
	display_wake(display);
	while (display->has_frame)
		pthread_cond_wait(&display->changed, &display->lock);
	pthread_mutex_unlock(&display->lock);
}

void display_wake(struct display *display)
{
	display->ops->wake(display);
}
