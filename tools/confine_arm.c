/* SPDX-License-Identifier: GPL-2.0-only */
/* What arch_dump_vcpu() of arm64 calls. */
#include "confine_rules.h"

#include <linux/kvm.h>

const struct confine_rule confine_arch_vcpu[] = {
	IOCTL(KVM_GET_ONE_REG),
	END,
};
