// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_EXIT_INTERNAL_ERROR: code where neither RAM nor a device is. The VM ends
 * as crashed, and the log shows the registers.
 *
 * guest-status: 33
 */
#include "guest.h"

void guest_main(void)
{
	say_end();
	((void (*)(void))NOBODY)();
}
