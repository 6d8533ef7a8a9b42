/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PS/2 keyboard with scan code sets 1 and 2. Set 3, which no system begins
 * with, is answered as by the many keyboards that do not have it.
 */
#include "hw/ps2.h"

#include <linux/input-event-codes.h>

enum keyboard_command {
	SET_LEDS = 0xed,
	ECHO = 0xee,
	SCAN_CODE_SET = 0xf0,
	IDENTIFY = 0xf2,
	SET_TYPEMATIC = 0xf3,
	ENABLE = 0xf4,
	DISABLE = 0xf5,
	SET_DEFAULTS = 0xf6,
	RESEND = 0xfe,
	RESET = 0xff,
};

#define EXTENDED 0xe0 /* in front of the code of a key that the PC/XT lacked */
#define EXTENDED_PAUSE 0xe1
#define RELEASED 0xf0 /* in set 2, in front of the code */
#define RELEASED_BIT 0x80
#define LAST_PLAIN_CODE KEY_F12

/*
 * Linux numbers the keys of the PC/XT and the AT as set 1 does. These came
 * later, with a prefix.
 */
static const u8 extended[] = {
	[KEY_KPENTER] = 0x1c,  [KEY_RIGHTCTRL] = 0x1d, [KEY_KPSLASH] = 0x35,
	[KEY_SYSRQ] = 0x37,    [KEY_RIGHTALT] = 0x38,  [KEY_HOME] = 0x47,
	[KEY_UP] = 0x48,       [KEY_PAGEUP] = 0x49,    [KEY_LEFT] = 0x4b,
	[KEY_RIGHT] = 0x4d,    [KEY_END] = 0x4f,       [KEY_DOWN] = 0x50,
	[KEY_PAGEDOWN] = 0x51, [KEY_INSERT] = 0x52,    [KEY_DELETE] = 0x53,
	[KEY_LEFTMETA] = 0x5b, [KEY_RIGHTMETA] = 0x5c, [KEY_COMPOSE] = 0x5d,
	[KEY_POWER] = 0x5e,
};

/* Set 2's code of each of set 1's. */
static const u8 set2_codes[128] = {
	0x00, 0x76, 0x16, 0x1e, 0x26, 0x25, 0x2e, 0x36, 0x3d, 0x3e, 0x46, 0x45,
	0x4e, 0x55, 0x66, 0x0d, 0x15, 0x1d, 0x24, 0x2d, 0x2c, 0x35, 0x3c, 0x43,
	0x44, 0x4d, 0x54, 0x5b, 0x5a, 0x14, 0x1c, 0x1b, 0x23, 0x2b, 0x34, 0x33,
	0x3b, 0x42, 0x4b, 0x4c, 0x52, 0x0e, 0x12, 0x5d, 0x1a, 0x22, 0x21, 0x2a,
	0x32, 0x31, 0x3a, 0x41, 0x49, 0x4a, 0x59, 0x7c, 0x11, 0x29, 0x58, 0x05,
	0x06, 0x04, 0x0c, 0x03, 0x0b, 0x83, 0x0a, 0x01, 0x09, 0x77, 0x7e, 0x6c,
	0x75, 0x7d, 0x7b, 0x6b, 0x73, 0x74, 0x79, 0x69, 0x72, 0x7a, 0x70, 0x71,
	0x7f, 0x60, 0x61, 0x78, 0x07, 0x0f, 0x17, 0x1f, 0x27, 0x2f, 0x37, 0x3f,
	0x47, 0x4f, 0x56, 0x5e, 0x08, 0x10, 0x18, 0x20, 0x28, 0x30, 0x38, 0x40,
	0x48, 0x50, 0x57, 0x6f, 0x13, 0x19, 0x39, 0x51, 0x53, 0x5c, 0x5f, 0x62,
	0x63, 0x64, 0x65, 0x67, 0x68, 0x6a, 0x6d, 0x6e,
};

u8 ps2_translate(u8 code)
{
	/* Beyond the table: what was Alt with SysRq. */
	if (code == 0x84)
		return 0x54;
	for (unsigned int set1 = 1; set1 < sizeof(set2_codes); set1++)
		if (set2_codes[set1] == code)
			return (u8)set1;
	return code;
}

void ps2_keyboard_reset(struct ps2_keyboard *kbd)
{
	*kbd = (struct ps2_keyboard){ .set = 2, .scanning = true };
}

static void set_scan_codes(struct ps2_keyboard *kbd, u8 set)
{
	ps2_put(&kbd->queue, PS2_ACK);
	if (!set)
		ps2_put(&kbd->queue, kbd->set);
	else if (set <= 2)
		kbd->set = set;
}

static void take_argument(struct ps2_keyboard *kbd, u8 command, u8 argument)
{
	switch (command) {
	case SCAN_CODE_SET:
		set_scan_codes(kbd, argument);
		break;
	case SET_LEDS:
		kbd->leds = argument & 7;
		ps2_put(&kbd->queue, PS2_ACK);
		break;
	default: /* the guest's repeat rate: whoever types repeats */
		ps2_put(&kbd->queue, PS2_ACK);
		break;
	}
}

static void take_command(struct ps2_keyboard *kbd, u8 command)
{
	static const u8 identity[] = { PS2_ACK, 0xab, 0x83 };

	switch (command) {
	case ECHO:
		ps2_put(&kbd->queue, ECHO);
		return;
	case IDENTIFY:
		ps2_put_all(&kbd->queue, identity, sizeof(identity));
		return;
	case RESEND:
		ps2_put(&kbd->queue, kbd->last);
		return;
	case RESET:
		ps2_keyboard_reset(kbd);
		ps2_put(&kbd->queue, PS2_ACK);
		ps2_put(&kbd->queue, PS2_TEST_PASSED);
		return;
	case SET_LEDS:
	case SCAN_CODE_SET:
	case SET_TYPEMATIC:
		kbd->pending = command;
		break;
	case ENABLE:
		ps2_clear(&kbd->queue);
		kbd->scanning = true;
		break;
	case DISABLE:
		kbd->scanning = false;
		break;
	case SET_DEFAULTS:
		kbd->set = 2;
		break;
	default:
		/* 0xf7 to 0xfd are of set 3; the rest is unknown. */
		if (command < SET_LEDS || command == 0xef || command == 0xf1) {
			ps2_put(&kbd->queue, PS2_RESEND);
			return;
		}
		break;
	}
	ps2_put(&kbd->queue, PS2_ACK);
}

void ps2_keyboard_write(struct ps2_keyboard *kbd, u8 byte)
{
	u8 command = kbd->pending;

	kbd->pending = 0;
	/* A command in place of an argument is one. */
	if (command && byte < SET_LEDS)
		take_argument(kbd, command, byte);
	else
		take_command(kbd, byte);
}

/* The bytes for a key whose code in set 1 is @code. */
static unsigned int encode(const struct ps2_keyboard *kbd, u8 *bytes, u8 code,
			   bool down)
{
	unsigned int nr = 0;

	if (kbd->set == 1) {
		bytes[nr++] = down ? code : code | RELEASED_BIT;
		return nr;
	}
	if (!down)
		bytes[nr++] = RELEASED;
	bytes[nr++] = set2_codes[code];
	return nr;
}

/* Pause has a make code of two keys, released at once, and no break code. */
static unsigned int encode_pause(const struct ps2_keyboard *kbd, u8 *bytes)
{
	static const u8 keys[] = { 0x1d, 0x45 }; /* Ctrl, Num Lock */
	unsigned int nr = 0;

	for (unsigned int up = 0; up < 2; up++) {
		bytes[nr++] = EXTENDED_PAUSE;
		for (unsigned int i = 0; i < 2; i++)
			nr += encode(kbd, bytes + nr, keys[i], !up);
	}
	return nr;
}

void ps2_keyboard_key(struct ps2_keyboard *kbd, u16 code, bool down)
{
	u8 bytes[8];
	unsigned int nr = 0;

	if (!kbd->scanning)
		return;
	if (code == KEY_PAUSE) {
		nr = down ? encode_pause(kbd, bytes) : 0;
	} else if (code < sizeof(extended) && extended[code]) {
		bytes[nr++] = EXTENDED;
		nr += encode(kbd, bytes + nr, extended[code], down);
	} else if (code && code <= LAST_PLAIN_CODE) {
		nr = encode(kbd, bytes, (u8)code, down);
	}
	ps2_put_all(&kbd->queue, bytes, nr);
}
