/* SPDX-License-Identifier: GPL-2.0-only */
#include "lkvm/keys.h"

#include <errno.h>
#include <linux/input-event-codes.h>
#include <string.h>
#include <strings.h>
#include "lkvm/failure.h"

#define NAME_LEN 32 /* shown of one that is none */

/* Two names of a key stand side by side; keys_help lists them all. */
static const struct key {
	const char *name;
	u16 code;
} keys[KEYS_NR] = {
	{ "a", KEY_A },
	{ "b", KEY_B },
	{ "c", KEY_C },
	{ "d", KEY_D },
	{ "e", KEY_E },
	{ "f", KEY_F },
	{ "g", KEY_G },
	{ "h", KEY_H },
	{ "i", KEY_I },
	{ "j", KEY_J },
	{ "k", KEY_K },
	{ "l", KEY_L },
	{ "m", KEY_M },
	{ "n", KEY_N },
	{ "o", KEY_O },
	{ "p", KEY_P },
	{ "q", KEY_Q },
	{ "r", KEY_R },
	{ "s", KEY_S },
	{ "t", KEY_T },
	{ "u", KEY_U },
	{ "v", KEY_V },
	{ "w", KEY_W },
	{ "x", KEY_X },
	{ "y", KEY_Y },
	{ "z", KEY_Z },
	{ "0", KEY_0 },
	{ "1", KEY_1 },
	{ "2", KEY_2 },
	{ "3", KEY_3 },
	{ "4", KEY_4 },
	{ "5", KEY_5 },
	{ "6", KEY_6 },
	{ "7", KEY_7 },
	{ "8", KEY_8 },
	{ "9", KEY_9 },
	{ "f1", KEY_F1 },
	{ "f2", KEY_F2 },
	{ "f3", KEY_F3 },
	{ "f4", KEY_F4 },
	{ "f5", KEY_F5 },
	{ "f6", KEY_F6 },
	{ "f7", KEY_F7 },
	{ "f8", KEY_F8 },
	{ "f9", KEY_F9 },
	{ "f10", KEY_F10 },
	{ "f11", KEY_F11 },
	{ "f12", KEY_F12 },
	{ "ctrl", KEY_LEFTCTRL },
	{ "shift", KEY_LEFTSHIFT },
	{ "alt", KEY_LEFTALT },
	{ "super", KEY_LEFTMETA },
	{ "rightctrl", KEY_RIGHTCTRL },
	{ "rightshift", KEY_RIGHTSHIFT },
	{ "rightalt", KEY_RIGHTALT },
	{ "altgr", KEY_RIGHTALT },
	{ "rightsuper", KEY_RIGHTMETA },
	{ "menu", KEY_COMPOSE },
	{ "enter", KEY_ENTER },
	{ "esc", KEY_ESC },
	{ "tab", KEY_TAB },
	{ "space", KEY_SPACE },
	{ "backspace", KEY_BACKSPACE },
	{ "up", KEY_UP },
	{ "down", KEY_DOWN },
	{ "left", KEY_LEFT },
	{ "right", KEY_RIGHT },
	{ "home", KEY_HOME },
	{ "end", KEY_END },
	{ "pageup", KEY_PAGEUP },
	{ "pagedown", KEY_PAGEDOWN },
	{ "insert", KEY_INSERT },
	{ "delete", KEY_DELETE },
	{ "minus", KEY_MINUS },
	{ "equal", KEY_EQUAL },
	{ "leftbracket", KEY_LEFTBRACE },
	{ "rightbracket", KEY_RIGHTBRACE },
	{ "semicolon", KEY_SEMICOLON },
	{ "apostrophe", KEY_APOSTROPHE },
	{ "grave", KEY_GRAVE },
	{ "backslash", KEY_BACKSLASH },
	{ "comma", KEY_COMMA },
	{ "dot", KEY_DOT },
	{ "slash", KEY_SLASH },
	{ "102nd", KEY_102ND },
	{ "capslock", KEY_CAPSLOCK },
	{ "numlock", KEY_NUMLOCK },
	{ "scrolllock", KEY_SCROLLLOCK },
	{ "print", KEY_SYSRQ },
	{ "sysrq", KEY_SYSRQ },
	{ "pause", KEY_PAUSE },
	{ "power", KEY_POWER },
	{ "kp0", KEY_KP0 },
	{ "kp1", KEY_KP1 },
	{ "kp2", KEY_KP2 },
	{ "kp3", KEY_KP3 },
	{ "kp4", KEY_KP4 },
	{ "kp5", KEY_KP5 },
	{ "kp6", KEY_KP6 },
	{ "kp7", KEY_KP7 },
	{ "kp8", KEY_KP8 },
	{ "kp9", KEY_KP9 },
	{ "kpdot", KEY_KPDOT },
	{ "kpplus", KEY_KPPLUS },
	{ "kpminus", KEY_KPMINUS },
	{ "kpasterisk", KEY_KPASTERISK },
	{ "kpslash", KEY_KPSLASH },
	{ "kpenter", KEY_KPENTER },
};

const char keys_help[] =
	"Keys joined by \"-\" are pressed together, one word after the other. "
	"A name stands for\n"
	"a key's place on a US keyboard:\n"
	" a b c d e f g h i j k l m n o p q r s t u v w x y z\n"
	" 0 1 2 3 4 5 6 7 8 9 f1 f2 f3 f4 f5 f6 f7 f8 f9 f10 f11 f12\n"
	" ctrl shift alt super rightctrl rightshift rightalt altgr rightsuper "
	"menu\n"
	" enter esc tab space backspace up down left right home end pageup "
	"pagedown insert delete\n"
	" minus equal leftbracket rightbracket semicolon apostrophe grave "
	"backslash comma dot slash 102nd\n"
	" capslock numlock scrolllock print sysrq pause power\n"
	" kp0 kp1 kp2 kp3 kp4 kp5 kp6 kp7 kp8 kp9 kpdot kpplus kpminus "
	"kpasterisk kpslash kpenter";

static const struct key *find_key(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strlen(keys[i].name) == len &&
		    !strncasecmp(keys[i].name, name, len))
			return &keys[i];
	return NULL;
}

int keys_parse(const char *text, u16 codes[KEYS_MAX], unsigned int *nr,
	       struct failure *why)
{
	const char *name = text;

	*nr = 0;
	do {
		size_t len = strcspn(name, "-");
		const struct key *key = find_key(name, len);

		if (!key)
			return fail(why, -EINVAL, "\"%.*s\" is no key",
				    len < NAME_LEN ? (int)len : NAME_LEN, name);
		if (*nr == KEYS_MAX)
			return fail(why, -EINVAL, "at most %u keys together",
				    KEYS_MAX);
		codes[(*nr)++] = key->code;
		name += len;
	} while (*name++);
	return 0;
}
