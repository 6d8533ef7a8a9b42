/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exits that only arm64 has.
 */
#include <errno.h>
#include <linux/kvm.h>
#include "lkvm/arch.h"
#include "lkvm/kvm.h"
#include "lkvm/log.h"
#include "lkvm/vcpu.h"

static int handle_undecoded(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;

	log_error("vCPU %u: the guest accessed device memory at 0x%llx with an "
		  "instruction that hardware does not decode for a hypervisor "
		  "(a pair, a vector, one that writes back): the guest's "
		  "driver must use single loads and stores",
		  vcpu->index, (unsigned long long)run->arm_nisv.fault_ipa);
	arch_dump_vcpu(vcpu, &log_info_sink, false);
	return -EFAULT;
}

int arch_handle_exit(struct vcpu *vcpu)
{
	if (vcpu->run->exit_reason == KVM_EXIT_ARM_NISV)
		return handle_undecoded(vcpu);
	return 1;
}
