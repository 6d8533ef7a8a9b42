/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PS/2 mouse: three buttons until a driver knocks for the wheel (sample rates
 * 200, 100, 80) and then for two buttons more (200, 200, 80).
 */
#include "hw/ps2.h"

#include <linux/input-event-codes.h>
#include <string.h>

enum mouse_command {
	SET_SCALING_1 = 0xe6,
	SET_SCALING_2 = 0xe7,
	SET_RESOLUTION = 0xe8,
	GET_STATUS = 0xe9,
	SET_STREAM = 0xea,
	READ_DATA = 0xeb,
	RESET_WRAP = 0xec,
	SET_WRAP = 0xee,
	SET_REMOTE = 0xf0,
	IDENTIFY = 0xf2,
	SET_RATE = 0xf3,
	ENABLE = 0xf4,
	DISABLE = 0xf5,
	SET_DEFAULTS = 0xf6,
	RESEND = 0xfe,
	RESET = 0xff,
};

#define ID_WHEEL 3
#define ID_BUTTONS 4
#define DEFAULT_RATE 100
#define DEFAULT_RESOLUTION 2
#define MAX_STEP 255 /* of one report, each way */

/* First byte of a report */
#define REPORT_ONE BIT(3)
#define REPORT_X_SIGN BIT(4)
#define REPORT_Y_SIGN BIT(5)

static void set_defaults(struct ps2_mouse *mouse)
{
	mouse->rate = DEFAULT_RATE;
	mouse->resolution = DEFAULT_RESOLUTION;
	mouse->scaling = false;
	mouse->remote = false;
	mouse->reporting = false;
	mouse->dx = 0;
	mouse->dy = 0;
	mouse->wheel = 0;
	mouse->changed = false;
}

void ps2_mouse_reset(struct ps2_mouse *mouse)
{
	*mouse = (struct ps2_mouse){ .id = 0 };
	set_defaults(mouse);
}

static int clamp(int value, int limit)
{
	return value > limit ? limit : value < -limit ? -limit : value;
}

/* How much of what is not told yet goes into one report; it is taken off. */
static int take_step(int *left, int limit)
{
	int step = clamp(*left, limit);

	*left -= step;
	return step;
}

/* Three bytes, or four with a wheel. */
static unsigned int build_report(struct ps2_mouse *mouse, u8 report[4])
{
	int dx = take_step(&mouse->dx, MAX_STEP);
	int dy = -take_step(&mouse->dy, MAX_STEP);
	int dz = -take_step(&mouse->wheel, 7);

	report[0] = REPORT_ONE | (mouse->buttons & 7) |
		    (dx < 0 ? REPORT_X_SIGN : 0) | (dy < 0 ? REPORT_Y_SIGN : 0);
	report[1] = (u8)dx;
	report[2] = (u8)dy;
	report[3] = mouse->id == ID_BUTTONS
			    ? (u8)((dz & 0xf) | (mouse->buttons & 0x18) << 1)
			    : (u8)dz;
	if (!mouse->id)
		mouse->wheel = 0;
	mouse->changed = mouse->dx || mouse->dy || mouse->wheel;
	return mouse->id ? 4 : 3;
}

void ps2_mouse_report(struct ps2_mouse *mouse)
{
	u8 report[4];

	/* One at a time: what comes meanwhile makes the next one larger. */
	while (mouse->changed && mouse->reporting && !mouse->remote &&
	       mouse->queue.count <= PS2_QUEUE_LEN / 2)
		ps2_put_all(&mouse->queue, report, build_report(mouse, report));
}

static void set_rate(struct ps2_mouse *mouse, u8 rate)
{
	static const u8 wheel[] = { 200, 100, 80 },
			buttons[] = { 200, 200, 80 };

	mouse->rate = rate;
	mouse->rates[0] = mouse->rates[1];
	mouse->rates[1] = mouse->rates[2];
	mouse->rates[2] = rate;
	if (!memcmp(mouse->rates, wheel, sizeof(wheel)))
		mouse->id = ID_WHEEL;
	else if (mouse->id && !memcmp(mouse->rates, buttons, sizeof(buttons)))
		mouse->id = ID_BUTTONS;
}

static void put_status(struct ps2_mouse *mouse)
{
	const u8 buttons = mouse->buttons;
	const u8 status[] = {
		PS2_ACK,
		(u8)((buttons & 1) << 2 | (buttons & 4) >> 1 |
		     (buttons & 2) >> 1 | mouse->scaling << 4 |
		     mouse->reporting << 5 | mouse->remote << 6),
		mouse->resolution,
		mouse->rate,
	};

	ps2_put_all(&mouse->queue, status, sizeof(status));
}

static void take_argument(struct ps2_mouse *mouse, u8 command, u8 argument)
{
	if (command == SET_RATE)
		set_rate(mouse, argument);
	else
		mouse->resolution = argument & 3;
	ps2_put(&mouse->queue, PS2_ACK);
}

static void answer_reset(struct ps2_mouse *mouse)
{
	static const u8 answer[] = { PS2_ACK, PS2_TEST_PASSED, 0 };

	ps2_mouse_reset(mouse);
	ps2_put_all(&mouse->queue, answer, sizeof(answer));
}

static void read_data(struct ps2_mouse *mouse)
{
	u8 report[4];

	ps2_put(&mouse->queue, PS2_ACK);
	ps2_put_all(&mouse->queue, report, build_report(mouse, report));
}

/* Those that change one setting. False: not one of them. */
static bool set_something(struct ps2_mouse *mouse, u8 command)
{
	switch (command) {
	case SET_SCALING_1:
	case SET_SCALING_2:
		mouse->scaling = command == SET_SCALING_2;
		break;
	case SET_STREAM:
	case SET_REMOTE:
		mouse->remote = command == SET_REMOTE;
		break;
	case RESET_WRAP:
	case SET_WRAP:
		mouse->wrap = command == SET_WRAP;
		break;
	case ENABLE:
	case DISABLE:
		mouse->reporting = command == ENABLE;
		break;
	case SET_DEFAULTS:
		set_defaults(mouse);
		break;
	case SET_RATE:
	case SET_RESOLUTION:
		mouse->pending = command;
		break;
	default:
		return false;
	}
	return true;
}

static void take_command(struct ps2_mouse *mouse, u8 command)
{
	switch (command) {
	case GET_STATUS:
		put_status(mouse);
		break;
	case READ_DATA:
		read_data(mouse);
		break;
	case IDENTIFY:
		ps2_put(&mouse->queue, PS2_ACK);
		ps2_put(&mouse->queue, mouse->id);
		break;
	case RESET:
		answer_reset(mouse);
		break;
	default:
		ps2_put(&mouse->queue,
			set_something(mouse, command) ? PS2_ACK : PS2_RESEND);
		break;
	}
}

void ps2_mouse_write(struct ps2_mouse *mouse, u8 byte)
{
	u8 command = mouse->pending;

	mouse->pending = 0;
	if (mouse->wrap && byte != RESET && byte != RESET_WRAP)
		ps2_put(&mouse->queue, byte);
	else if (command)
		take_argument(mouse, command, byte);
	else
		take_command(mouse, byte);
}

static u8 button_bit(u16 code)
{
	switch (code) {
	case BTN_LEFT:
		return BIT(0);
	case BTN_RIGHT:
		return BIT(1);
	case BTN_MIDDLE:
		return BIT(2);
	case BTN_SIDE:
		return BIT(3);
	case BTN_EXTRA:
		return BIT(4);
	default:
		return 0;
	}
}

void ps2_mouse_button(struct ps2_mouse *mouse, u16 code, bool down)
{
	u8 bit = button_bit(code);

	mouse->buttons = down ? mouse->buttons | bit : mouse->buttons & ~bit;
	mouse->changed = true;
}

/* What a guest that does not look must not add up for ever. */
#define MAX_LEFT 4096

void ps2_mouse_move(struct ps2_mouse *mouse, int dx, int dy)
{
	mouse->dx = clamp(mouse->dx + clamp(dx, MAX_LEFT), MAX_LEFT);
	mouse->dy = clamp(mouse->dy + clamp(dy, MAX_LEFT), MAX_LEFT);
	mouse->changed = true;
}

void ps2_mouse_wheel(struct ps2_mouse *mouse, int notches)
{
	mouse->wheel = clamp(mouse->wheel + clamp(notches, MAX_LEFT), MAX_LEFT);
	mouse->changed = true;
}
