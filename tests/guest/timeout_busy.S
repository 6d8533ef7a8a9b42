// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same for one that never leaves guest mode of its own accord.
 *
 * guest-args: --timeout 2
 * guest-status: 124
 * guest-stdout: busy
 */
#include "real.inc"
	PRINT	text, 5
1:	jmp	1b
text:	.ascii "busy\n"
