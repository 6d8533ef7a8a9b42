/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looks for a text in what is written, however it comes in pieces.
 */
#include <string.h>
#include "backend/char_priv.h"
#include "lkvm/clock.h"

/* How much of the text's beginning ends its first @matched bytes, but not all. */
static size_t border(const char *text, size_t matched)
{
	size_t len = matched - 1;

	while (len && memcmp(text, text + matched - len, len) != 0)
		len--;
	return len;
}

void spot_feed(struct chardev_spot *spot, const u8 *bytes, size_t len)
{
	for (size_t i = 0; i < len && !spot->seen_ns; i++) {
		while (spot->matched &&
		       (u8)spot->text[spot->matched] != bytes[i])
			spot->matched = border(spot->text, spot->matched);
		if ((u8)spot->text[spot->matched] == bytes[i])
			spot->matched++;
		if (!spot->text[spot->matched])
			spot->seen_ns = monotonic_ns();
	}
}
