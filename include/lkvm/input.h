/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keys and pointers on their way from whoever has them (a window, a VNC client,
 * "lkvm sendkey") to the guest's keyboards and mice. Codes are Linux's, of
 * <linux/input-event-codes.h>: KEY_* and BTN_*.
 *
 * Any thread; the hub's lock is held while a device takes an event, and no event
 * waits for the guest: what it does not read in time is lost.
 */
#ifndef LKVM_INPUT_H
#define LKVM_INPUT_H

#include <pthread.h>
#include "lkvm/types.h"

/* Absolute positions reach from 0 to this, over all of the screen. */
#define INPUT_ABS_MAX 32767

/* What an input device of the guest takes. Const; ops left out are not taken. */
struct input_ops {
	/* Does a driver listen? The newest device that has one gets the events. */
	bool (*is_ready)(void *opaque);
	/* Has the guest read all it was told? Left out: it always has. */
	bool (*is_idle)(void *opaque);
	/* A key, or with BTN_* a button, goes down or up. */
	void (*key)(void *opaque, u16 code, bool down);
	/* The pointer is at a position of the screen. */
	void (*move_to)(void *opaque, u16 x, u16 y);
	/* It moves by so many pixels, right and down. */
	void (*move_by)(void *opaque, int dx, int dy);
	/* Notches of the wheel, away from the user. */
	void (*wheel)(void *opaque, int notches);
	/* What was said since the last time belongs together. Optional. */
	void (*sync)(void *opaque);
};

/* One device; storage belongs to it. */
struct input_device {
	const struct input_ops *ops;
	void *opaque;
	struct input_device *next;
};

#define INPUT_MAX_CODES 0x300 /* above every KEY_* and BTN_* that is sent */

struct input_hub {
	pthread_mutex_t lock; /* guards all below */
	struct input_device *devices;
	/* Who was told that a key is down, so that the same is told it is up. */
	struct input_device *down[INPUT_MAX_CODES];
	u32 x, y; /* where the pointer was, in pixels */
	bool has_position;
};

void input_init(struct input_hub *hub);
void input_release(struct input_hub *hub);

void input_attach(struct input_hub *hub, struct input_device *dev);
/* Once it returns, no op runs. Accepts one that was never attached. */
void input_detach(struct input_hub *hub, struct input_device *dev);

void input_key(struct input_hub *hub, u16 code, bool down);
/*
 * Press keys one after the other, and let them go in the opposite order. -ENODEV:
 * there is no keyboard; -EBUSY: the guest does not listen to it, or has not read
 * what it was told, and nothing was pressed.
 */
int input_press(struct input_hub *hub, const u16 *codes, unsigned int nr);
/* All keys and buttons that are down go up: the window lost the keyboard. */
void input_release_keys(struct input_hub *hub);
/*
 * The pointer is at pixel (@x, @y) of a screen of @width by @height. A guest that
 * has only a mouse is told how far it moved since.
 */
void input_move_to(struct input_hub *hub, u32 x, u32 y, u32 width, u32 height);
void input_wheel(struct input_hub *hub, int notches);

#endif
