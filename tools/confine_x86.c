/* SPDX-License-Identifier: GPL-2.0-only */
/* What arch_dump_vcpu(), the pauses and NMIs of x86 call. */
#include "confine_rules.h"

#include <linux/kvm.h>

/*
 * These numbers contain sizes of structures, so the headers must be x86's,
 * although this program runs on the machine that builds.
 */
_Static_assert(KVM_GET_REGS == 0x8090ae81, "the headers of x86");

const struct confine_rule confine_arch_vcpu[] = {
	IOCTL(KVM_GET_REGS),
	IOCTL(KVM_GET_SREGS),
	END,
};

const struct confine_rule confine_arch_pause[] = {
	IOCTL(KVM_KVMCLOCK_CTRL),
	IOCTL(KVM_NMI),
	END,
};
