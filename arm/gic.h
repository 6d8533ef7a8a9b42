/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interrupt controller that KVM emulates, and the GICv2m frame that lkvm
 * emulates beside a GICv2.
 */
#ifndef LKVM_ARM_GIC_H
#define LKVM_ARM_GIC_H

#include "lkvm/types.h"

struct kvm;

/*
 * Create the one the user asked for, or the first that this host has. Before
 * vCPUs exist. Sets arch->irqchip.
 */
int gic_create(struct kvm *vm);
/* vCPUs are initialised: so is the controller. */
int gic_init(struct kvm *vm);
/* Accepts a VM that gic_create() failed for. */
void gic_release(struct kvm *vm);

/* GSIs, SPI lines, and the frame for messages. After gic_create(). */
int gic_create_routing(struct kvm *vm);

/* Describe the file descriptor's attribute to KVM. 0 or -errno. */
int kvm_device_set(int fd, u32 group, u64 attr, const void *value);
bool kvm_device_has(int fd, u32 group, u64 attr);

#endif
