/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The 33rd function is refused before any guest runs.
 *
 * guest-args: --rng
 * guest-disks: 31
 * guest-status: 128
 * guest-stderr: no PCI slot is left
 */
#include "real.inc"
	POWER_OFF
	HANG
