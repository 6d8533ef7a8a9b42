/* SPDX-License-Identifier: GPL-2.0-only */
/* Performance counters (PMUv3) for vCPUs. */
#ifndef LKVM_ARM_PMU_H
#define LKVM_ARM_PMU_H

struct kvm;

/* Every vCPU gets one. The interrupt controller is initialised. */
int pmu_init(struct kvm *vm);

#endif
