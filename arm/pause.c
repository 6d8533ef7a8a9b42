/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pauses. There is no way to tell a guest that it was stopped, so its virtual
 * counter stands still meanwhile: nothing in it sees a CPU that hung, and its clock
 * is late by the length of the pause until it asks its RTC or the network.
 * KVM has one offset for all vCPUs of a VM (KVM API, 4.68), so one of them is set.
 */
#include <errno.h>
#include <linux/kvm.h>
#include "arm/cpu.h"
#include "arm/machine.h"
#include "lkvm/arch.h"
#include "lkvm/kvm.h"
#include "lkvm/vcpu.h"

int arch_vcpu_nmi(struct vcpu *vcpu)
{
	return -ENOTSUP;
}

void arch_vm_paused(struct kvm *vm)
{
	struct arch_vm *arch = vm->arch;

	arch->has_paused_count = !cpu_get_reg(
		&vm->vcpus[0], KVM_REG_ARM_TIMER_CNT, &arch->paused_count);
}

void arch_vm_resuming(struct kvm *vm)
{
	const struct arch_vm *arch = vm->arch;

	if (arch->has_paused_count)
		cpu_set_reg(&vm->vcpus[0], KVM_REG_ARM_TIMER_CNT,
			    arch->paused_count);
}
