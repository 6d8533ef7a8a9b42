/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exits that only x86 has.
 */
#include "lkvm/arch.h"

#include "lkvm/vcpu.h"

int arch_handle_exit(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	switch (run->exit_reason) {
	case KVM_EXIT_X86_RDMSR:
	case KVM_EXIT_X86_WRMSR:
		run->msr.error = 1; /* the guest gets #GP */
		return 0;
	case KVM_EXIT_HYPERCALL:
		run->hypercall.ret = (u64)-1000; /* KVM_ENOSYS */
		return 0;
	default:
		return 1;
	}
}
