// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shortest way out: ACPI power-off through PM1a control.
 *
 * guest-stdout: off
 */
#include "real.inc"
	PRINT	text, 4
	POWER_OFF
	HANG
text:	.ascii "off\n"
