/* SPDX-License-Identifier: GPL-2.0-only */
#include "lkvm/input.h"

#include <errno.h>
#include <linux/input-event-codes.h>
#include <string.h>

void input_init(struct input_hub *hub)
{
	memset(hub, 0, sizeof(*hub));
	pthread_mutex_init(&hub->lock, NULL);
}

void input_release(struct input_hub *hub)
{
	pthread_mutex_destroy(&hub->lock);
}

void input_attach(struct input_hub *hub, struct input_device *dev)
{
	pthread_mutex_lock(&hub->lock);
	dev->next = hub->devices;
	hub->devices = dev;
	pthread_mutex_unlock(&hub->lock);
}

void input_detach(struct input_hub *hub, struct input_device *dev)
{
	struct input_device **at;

	pthread_mutex_lock(&hub->lock);
	for (at = &hub->devices; *at && *at != dev; at = &(*at)->next)
		;
	if (*at)
		*at = dev->next;
	for (unsigned int code = 0; code < INPUT_MAX_CODES; code++)
		if (hub->down[code] == dev)
			hub->down[code] = NULL;
	pthread_mutex_unlock(&hub->lock);
}

static bool is_button(u16 code)
{
	return code >= BTN_MOUSE && code <= BTN_TASK;
}

static bool has_pointer(const struct input_device *dev)
{
	return dev->ops->move_to || dev->ops->move_by;
}

/* The newest device of a kind that is listened to; else the newest. */
static struct input_device *choose_locked(struct input_hub *hub, bool pointer)
{
	struct input_device *first = NULL;

	for (struct input_device *dev = hub->devices; dev; dev = dev->next) {
		if (has_pointer(dev) != pointer)
			continue;
		if (dev->ops->is_ready(dev->opaque))
			return dev;
		if (!first)
			first = dev;
	}
	return first;
}

static void sync_locked(const struct input_device *dev)
{
	if (dev->ops->sync)
		dev->ops->sync(dev->opaque);
}

static void key_locked(struct input_hub *hub, u16 code, bool down)
{
	struct input_device *dev = hub->down[code];

	if (!dev)
		dev = down ? choose_locked(hub, is_button(code)) : NULL;
	if (!dev)
		return;
	hub->down[code] = down ? dev : NULL;
	if (dev->ops->key) {
		dev->ops->key(dev->opaque, code, down);
		sync_locked(dev);
	}
}

void input_key(struct input_hub *hub, u16 code, bool down)
{
	if (code >= INPUT_MAX_CODES)
		return;
	pthread_mutex_lock(&hub->lock);
	key_locked(hub, code, down);
	pthread_mutex_unlock(&hub->lock);
}

static int check_keyboard_locked(struct input_hub *hub)
{
	struct input_device *dev = choose_locked(hub, false);

	if (!dev)
		return -ENODEV;
	if (!dev->ops->is_ready(dev->opaque))
		return -EBUSY;
	return !dev->ops->is_idle || dev->ops->is_idle(dev->opaque) ? 0
								    : -EBUSY;
}

int input_press(struct input_hub *hub, const u16 *codes, unsigned int nr)
{
	int err;

	pthread_mutex_lock(&hub->lock);
	err = check_keyboard_locked(hub);
	for (unsigned int i = 0; i < nr && !err; i++)
		key_locked(hub, codes[i], true);
	for (unsigned int i = nr; i-- > 0 && !err;)
		key_locked(hub, codes[i], false);
	pthread_mutex_unlock(&hub->lock);
	return err;
}

void input_release_keys(struct input_hub *hub)
{
	pthread_mutex_lock(&hub->lock);
	for (u16 code = 0; code < INPUT_MAX_CODES; code++)
		if (hub->down[code])
			key_locked(hub, code, false);
	pthread_mutex_unlock(&hub->lock);
}

/* Pixel @at of @of as a position; the last pixel is the end of the range. */
static u16 position(u32 at, u32 of)
{
	if (of < 2)
		return 0;
	if (at >= of)
		at = of - 1;
	return (u16)((u64)at * INPUT_ABS_MAX / (of - 1));
}

void input_move_to(struct input_hub *hub, u32 x, u32 y, u32 width, u32 height)
{
	struct input_device *dev;

	pthread_mutex_lock(&hub->lock);
	dev = choose_locked(hub, true);
	if (dev && dev->ops->move_to) {
		dev->ops->move_to(dev->opaque, position(x, width),
				  position(y, height));
		sync_locked(dev);
	} else if (dev && hub->has_position && (x != hub->x || y != hub->y)) {
		dev->ops->move_by(dev->opaque, (int)x - (int)hub->x,
				  (int)y - (int)hub->y);
		sync_locked(dev);
	}
	hub->x = x;
	hub->y = y;
	hub->has_position = true;
	pthread_mutex_unlock(&hub->lock);
}

void input_wheel(struct input_hub *hub, int notches)
{
	struct input_device *dev;

	pthread_mutex_lock(&hub->lock);
	dev = choose_locked(hub, true);
	if (dev && dev->ops->wheel) {
		dev->ops->wheel(dev->opaque, notches);
		sync_locked(dev);
	}
	pthread_mutex_unlock(&hub->lock);
}
