/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One virtual machine: everything that it consists of hangs off struct kvm.
 *
 *   kvm_create()   fds, memory, interrupts, devices, kernel: nothing runs
 *   kvm_start()    event loop, devices, vCPU threads
 *   kvm_wait()     until something ends the VM
 *   kvm_drain()    until what the guest wrote last has been taken
 *   kvm_destroy()  stops what runs and frees all; accepts NULL
 */
#ifndef LKVM_KVM_H
#define LKVM_KVM_H

#include <pthread.h>
#include "lkvm/bus.h"
#include "lkvm/config.h"
#include "lkvm/device.h"
#include "lkvm/event.h"
#include "lkvm/failure.h"
#include "lkvm/framebuffer.h"
#include "lkvm/input.h"
#include "lkvm/irq.h"
#include "lkvm/memory.h"
#include "lkvm/types.h"

struct arch_vm;
struct balloon;
struct chardev;
struct display;
struct pci_bus;
struct vcpu;

/* How a VM ended. */
enum vm_end {
	VM_RUNNING,
	VM_END_POWEROFF, /* the guest, or lkvm's user, ended it in order */
	VM_END_STOP,	 /* "lkvm stop" did */
	VM_END_RESET,
	VM_END_CRASH, /* triple fault, KVM internal error, unknown exit */
	VM_END_PANIC, /* pvpanic */
	VM_END_TIMEOUT,
	VM_END_SIGNAL, /* kvm->end_signal says which */
	VM_END_ERROR,  /* kvm->failure says why */
};

/* Work for the main thread: see vm_post(). */
struct vm_job {
	void (*run)(struct vm_job *job, struct kvm *vm);
	struct vm_job *next; /* of the list; guarded by kvm.state_lock */
};

/*
 * The host's ends of the guest's consoles. They outlive a VM that restarts, so
 * the user's terminal and the ptys stay.
 */
struct vm_consoles {
	struct chardev *console;		 /* what --console names */
	struct chardev *ttys[CONFIG_MAX_TTYS];	 /* NULL: nobody listens */
	struct chardev *ports[CONFIG_MAX_PORTS]; /* as config->ports */
	struct display *display;		 /* NULL: none */
};

struct kvm {
	const struct kvm_config *config;
	const struct vm_consoles *consoles; /* borrowed */
	struct failure *failure;	    /* borrowed */
	int sys_fd;			    /* /dev/kvm; borrowed from config */
	int fd;				    /* the VM */
	struct memory memory;
	struct bus ports;
	struct bus mmio;
	struct irq_router irq;
	struct event_loop loop;
	struct input_hub input;
	struct framebuffer framebuffer; /* set before arch_load() */
	struct pci_bus *pci;
	struct arch_vm *arch; /* owned by arch_vm_* */
	struct device *devices;
	struct balloon *balloon;     /* one of the devices, or NULL */
	unsigned int nr_virtio_mmio; /* slots taken; main thread */
	struct vcpu *vcpus;	     /* nr_vcpus of them */
	unsigned int nr_vcpus;

	pthread_mutex_t state_lock; /* guards all below */
	pthread_cond_t state_changed;
	enum vm_end end;
	int end_signal;
	bool hurried;	     /* somebody does not want to wait for readers */
	bool held;	     /* vCPUs are to stay out of the guest */
	bool paused;	     /* and devices stand still */
	unsigned int parked; /* vCPUs that wait in vm_checkpoint() */
	struct vm_job *jobs; /* newest first */
};

/* fail() and fail_host() for a VM: see failure.h. */
#define vm_fail(vm, err, ...) fail((vm)->failure, err, __VA_ARGS__)
#define vm_fail_host(vm, err, ...) fail_host((vm)->failure, err, __VA_ARGS__)

/*
 * Create a VM that is ready to start. @config, @consoles and @why outlive it.
 * On failure *out is NULL and @why says why.
 */
int kvm_create(const struct kvm_config *config,
	       const struct vm_consoles *consoles, struct failure *why,
	       struct kvm **out);
int kvm_start(struct kvm *vm);
enum vm_end kvm_wait(struct kvm *vm);
/*
 * Of ports, that is: their readers may be slow. Does not wait where somebody wanted
 * the end (stop, time limit, signal), or wants it meanwhile.
 */
void kvm_drain(struct kvm *vm);
void kvm_destroy(struct kvm *vm);

/*
 * End the VM; the first end wins. Any thread, signal handlers excepted. Returns
 * at once; vCPUs leave the guest soon after.
 */
void vm_end(struct kvm *vm, enum vm_end end);
/* The same for a signal that asked for it. */
void vm_end_signal(struct kvm *vm, int signal);

/*
 * Have the main thread do @job, in kvm_wait(): what may block, and what needs all
 * vCPUs out of the guest. -ESHUTDOWN: the VM has ended. If it ends before its
 * turn comes, @job is forgotten. Any thread; storage is the caller's.
 */
int vm_post(struct kvm *vm, struct vm_job *job);

/*
 * Pause: vCPUs leave the guest and wait, devices finish what is under way; returns
 * when they have. False: it was so already. Main thread, by way of vm_post().
 */
bool vm_pause(struct kvm *vm);
bool vm_resume(struct kvm *vm);
bool vm_is_paused(struct kvm *vm);

/*
 * For a look at the vCPUs: they leave the guest, devices go on. False: they are
 * paused, so there is nothing to undo with vm_unhold(). Main thread.
 */
bool vm_hold(struct kvm *vm);
void vm_unhold(struct kvm *vm);

/*
 * Called by vCPU threads between exits after a kick: waits while the VM is
 * paused. True: go on; false: the VM has ended, leave the thread.
 */
bool vm_checkpoint(struct kvm *vm);

/* KVM_CHECK_EXTENSION on the VM (or on /dev/kvm before it exists). */
int vm_extension(const struct kvm *vm, long cap);

#endif
