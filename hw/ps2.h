/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two devices at the ends of the keyboard controller's cables, after the IBM
 * PS/2 technical references ("Keyboard", "Mouse") and, for the wheel,
 * Microsoft's IntelliMouse. They are passive: the controller (i8042.c) hands
 * them the guest's bytes and takes theirs, under its own lock.
 */
#ifndef LKVM_HW_PS2_H
#define LKVM_HW_PS2_H

#include "lkvm/types.h"

#define PS2_QUEUE_LEN 32U /* more than the longest answer and a few keys */
#define PS2_ACK 0xfa
#define PS2_RESEND 0xfe
#define PS2_TEST_PASSED 0xaa

/* Bytes on their way to the guest; those that find no room are lost. */
struct ps2_queue {
	u8 bytes[PS2_QUEUE_LEN];
	u8 first; /* index of the oldest byte */
	u8 count;
};

void ps2_clear(struct ps2_queue *queue);
void ps2_put(struct ps2_queue *queue, u8 byte);
/* All of them or, where they do not fit, none. */
bool ps2_put_all(struct ps2_queue *queue, const u8 *bytes, unsigned int nr);
/* There is one: count is not 0. */
u8 ps2_take(struct ps2_queue *queue);

struct ps2_keyboard {
	struct ps2_queue queue;
	u8 pending; /* command whose argument comes next, or 0 */
	u8 set;	    /* of scan codes: 1 or 2 */
	u8 leds;
	bool scanning; /* keys are told */
	u8 last;       /* byte that was sent, for RESEND */
};

/* As after power-on. */
void ps2_keyboard_reset(struct ps2_keyboard *kbd);
/* A byte from the guest. */
void ps2_keyboard_write(struct ps2_keyboard *kbd, u8 byte);
/* KEY_* of <linux/input-event-codes.h>; those that PS/2 does not have are not told. */
void ps2_keyboard_key(struct ps2_keyboard *kbd, u16 code, bool down);
/*
 * The scan code of set 1 that stands for @code of set 2, as the controller
 * translates: make codes, and answers, which mostly stay as they are.
 */
u8 ps2_translate(u8 code);

struct ps2_mouse {
	struct ps2_queue queue;
	u8 pending;
	u8 rates[3]; /* the last three that were set: the knock for the wheel */
	u8 rate, resolution;
	u8 id; /* 0: three buttons; 3: and a wheel; 4: and two more buttons */
	bool scaling; /* 2:1, which only remote mode heeds: kept for the status */
	bool remote;
	bool wrap; /* echo whatever comes */
	bool reporting;
	u8 buttons; /* bit 0 left, 1 right, 2 middle, 3 and 4 the sides */
	int dx, dy, wheel; /* not told yet; down and away from the user */
	bool changed;	   /* buttons, or any of these */
};

void ps2_mouse_reset(struct ps2_mouse *mouse);
void ps2_mouse_write(struct ps2_mouse *mouse, u8 byte);
/* BTN_*. */
void ps2_mouse_button(struct ps2_mouse *mouse, u16 code, bool down);
void ps2_mouse_move(struct ps2_mouse *mouse, int dx, int dy);
void ps2_mouse_wheel(struct ps2_mouse *mouse, int notches);
/* Queue a report if something is to be told, and there is room. */
void ps2_mouse_report(struct ps2_mouse *mouse);

#endif
