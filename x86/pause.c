/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pauses and NMIs.
 *
 * The guest's clocks follow the host's, so after a pause it sees that time has
 * passed. KVM_KVMCLOCK_CTRL marks the pvclock page of each vCPU
 * (PVCLOCK_GUEST_STOPPED), and Linux resets its watchdogs for soft lockups, RCU stalls
 * and hung tasks when it finds the mark.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include "lkvm/arch.h"
#include "lkvm/kvm.h"
#include "lkvm/vcpu.h"

int arch_vcpu_nmi(struct vcpu *vcpu)
{
	return ioctl(vcpu->fd, KVM_NMI) < 0 ? -errno : 0;
}

void arch_vm_paused(struct kvm *vm)
{
}

void arch_vm_resuming(struct kvm *vm)
{
	/* Fails for a vCPU whose guest has set up no pvclock: then who cares. */
	for (unsigned int i = 0; i < vm->nr_vcpus; i++)
		(void)ioctl(vm->vcpus[i].fd, KVM_KVMCLOCK_CTRL);
}
