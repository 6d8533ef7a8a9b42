/* SPDX-License-Identifier: GPL-2.0-only */
/* What arch_dump_vcpu() and the pauses of arm64 call. */
#include "confine_rules.h"

#include <linux/kvm.h>

const struct confine_rule confine_arch_vcpu[] = {
	IOCTL(KVM_GET_ONE_REG),
	END,
};

const struct confine_rule confine_arch_pause[] = {
	IOCTL(KVM_SET_ONE_REG),
	END,
};
