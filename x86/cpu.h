/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vCPUs before they run: what they are, and where the boot CPU begins.
 */
#ifndef LKVM_X86_CPU_H
#define LKVM_X86_CPU_H

#include "lkvm/types.h"

struct kvm;
struct vcpu;

/*
 * Ask KVM what its guests' CPUs can do and keep the answer, for this machine's
 * topology, in vm->arch->cpuid. Before vCPUs exist.
 */
int cpu_prepare(struct kvm *vm, unsigned int *phys_bits);

/* 64-bit mode, flat, paging on, %rsi = @arg: the entry of Linux. */
int cpu_enter_long_mode(struct vcpu *vcpu, u64 entry, u64 arg);
/* Real mode at @segment:0000. */
int cpu_enter_real_mode(struct vcpu *vcpu, u16 segment);

#endif
