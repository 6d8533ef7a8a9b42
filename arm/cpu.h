/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Features and registers of vCPUs.
 */
#ifndef LKVM_ARM_CPU_H
#define LKVM_ARM_CPU_H

#include "lkvm/types.h"

struct kvm;
struct vcpu;

/* Does this host have what the user asked for? */
int cpu_check(struct kvm *vm);

/* What waits for the interrupt controller: counters, stolen time. */
int cpus_complete(struct kvm *vm);

/* Affinity fields of MPIDR_EL1, which name a CPU in the device tree. */
int cpu_get_mpidr(struct vcpu *vcpu, u64 *mpidr);
/* CLIDR_EL1, or 0 where KVM does not tell. */
u64 cpu_get_clidr(struct vcpu *vcpu);

/* The boot CPU begins at @entry and finds the device tree at @fdt. */
int cpu_set_entry(struct vcpu *vcpu, u64 entry, u64 fdt);

/* Read or set a register of 64 bits. 0 or -errno. */
int cpu_get_reg(struct vcpu *vcpu, u64 id, u64 *value);
int cpu_set_reg(struct vcpu *vcpu, u64 id, u64 value);

#endif
