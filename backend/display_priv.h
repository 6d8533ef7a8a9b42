/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between display.c, which has the thread and the source, and the kinds of
 * display (display_sdl.c, display_vnc.c).
 */
#ifndef LKVM_BACKEND_DISPLAY_PRIV_H
#define LKVM_BACKEND_DISPLAY_PRIV_H

#include <pthread.h>
#include <stdatomic.h>
#include "lkvm/display.h"

/* A kind of display. Const. All but wake() run on the display's thread. */
struct display_front_ops {
	/* How its thread is confined, once open() is done. */
	bool is_confined;
	/*
	 * Open it, showing black; sets display->front. What one thread of the
	 * host's libraries begins the same thread has to go on with.
	 */
	int (*open)(struct display *display, struct failure *why);
	/* Accepts one that open() failed for. */
	void (*close)(struct display *display);
	/* Is there somebody to see the picture? */
	bool (*is_watched)(struct display *display);
	/*
	 * Return when there is something for dispatch(), after wake(), or after
	 * @timeout_ms (-1: none). Without the lock.
	 */
	void (*wait)(struct display *display, int timeout_ms);
	/* Handle what has come, below with display->lock held. */
	void (*dispatch)(struct display *display);
	/*
	 * There is another picture, at another place, all of it new; NULL: none
	 * any more, and the pixels of the last one must not be touched again.
	 */
	void (*show)(struct display *display,
		     const struct display_frame *frame);
	/* These rows of the picture have changed. */
	void (*update)(struct display *display, struct display_rows rows);
	/* End a wait(). Any thread. */
	void (*wake)(struct display *display);
};

struct display {
	const struct display_front_ops *ops;
	struct display_config config;
	struct display_user user;
	pthread_t thread;
	void *front; /* the kind's; its thread only, wake() excepted */
	_Atomic bool stop;

	pthread_mutex_t lock;	/* guards all below */
	pthread_cond_t changed; /* is_open, has_frame */
	bool is_open;		/* or has failed to: error */
	int error;
	struct failure *why; /* where to say so; until is_open */
	const struct display_source_ops *source;
	void *opaque;
	struct input_hub *input;
	struct display_frame frame; /* what is shown */
	bool has_frame;
	int interval_ms; /* from one look at the picture to the next */
};

extern const struct display_front_ops display_sdl_ops;
extern const struct display_front_ops display_vnc_ops;

/* ---- Called by dispatch() ---- */

void display_key(struct display *display, u16 code, bool down);
void display_release_keys(struct display *display);
/* In pixels of the frame that is shown. */
void display_pointer(struct display *display, u32 x, u32 y);
void display_wheel(struct display *display, int notches);

#endif
