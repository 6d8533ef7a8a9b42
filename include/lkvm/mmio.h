/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LKVM_MMIO_H
#define LKVM_MMIO_H

struct vcpu;

/* Carry out the KVM_EXIT_MMIO that stands in vcpu->run. vCPU thread. Returns 0. */
int mmio_handle_exit(struct vcpu *vcpu);

#endif
