// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that sleeps for ever is ended by --timeout.
 *
 * guest-args: --timeout 2
 * guest-status: 124
 * guest-stdout: zzz
 */
#include "real.inc"
	PRINT	text, 4
	HANG
text:	.ascii "zzz\n"
