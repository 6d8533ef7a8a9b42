/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vCPU threads: KVM_RUN, and the table of exits.
 */
#ifndef LKVM_VCPU_H
#define LKVM_VCPU_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>
#include "lkvm/bus.h"
#include "lkvm/counter.h"
#include "lkvm/types.h"

struct kvm;

/* Written by the vCPU's own thread. */
struct vcpu_stats {
	_Atomic u64 exits;
	_Atomic u64 io;
	_Atomic u64 mmio;
	_Atomic u64 first_exit_ns; /* CLOCK_MONOTONIC; 0: none yet */
};

struct vcpu {
	struct kvm *vm;
	unsigned int index; /* 0 is the boot CPU */
	int fd;
	struct kvm_run *run; /* shared with KVM; this thread only */
	size_t run_len;
	pthread_t thread;
	bool has_thread;    /* guarded by vm->state_lock */
	atomic_bool kicked; /* leave KVM_RUN and look at the VM's state */
	struct bus_reader port_reader, mmio_reader;
	struct vcpu_stats stats;
	void *arch; /* owned by arch_vcpu_*, may stay NULL */
};

/* Create @index's fd and mapping; arch_vcpu_init() follows. Main thread. */
int vcpu_init(struct vcpu *vcpu, struct kvm *vm, unsigned int index);
/* The thread must have been joined. Accepts a zeroed vCPU. */
void vcpu_release(struct vcpu *vcpu);

/* Start its thread. vm->state_lock is held. */
int vcpu_start_locked(struct vcpu *vcpu);
/* Make it leave the guest and call vm_checkpoint(). vm->state_lock is held. */
void vcpu_kick_locked(struct vcpu *vcpu);
void vcpu_join(struct vcpu *vcpu);

/* Once per process, before any vCPU starts: the signal that kicks. */
int vcpu_signal_setup(void);

/* The vCPU of the calling thread, or NULL. */
struct vcpu *vcpu_current(void);

#endif
