/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LKVM_IOPORT_H
#define LKVM_IOPORT_H

struct vcpu;

/* Carry out the KVM_EXIT_IO that stands in vcpu->run. vCPU thread. Returns 0. */
int ioport_handle_exit(struct vcpu *vcpu);

#endif
