/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of keys, for people and scripts: "a", "enter", "ctrl-alt-f2". A name stands
 * for the key at its place on a US keyboard; what it writes is up to the guest.
 */
#ifndef LKVM_KEYS_H
#define LKVM_KEYS_H

#include "lkvm/types.h"

struct failure;

/* As many as are pressed together: a PS/2 keyboard holds what they say. */
#define KEYS_MAX 5U

/*
 * The codes of <linux/input-event-codes.h> for names that "-" joins, either case.
 * -EINVAL, having said which is none.
 */
int keys_parse(const char *text, u16 codes[KEYS_MAX], unsigned int *nr,
	       struct failure *why);

#define KEYS_NR 108 /* names */

/* What "lkvm help sendkey" says of them, with all names. */
extern const char keys_help[];

#endif
