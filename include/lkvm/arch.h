/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each architecture folder implements, resolved by the linker. Common code
 * calls these in the order in which they stand here.
 */
#ifndef LKVM_ARCH_H
#define LKVM_ARCH_H

#include "lkvm/device.h"
#include "lkvm/options.h"
#include "lkvm/types.h"

struct arch_config;
struct kvm;
struct kvm_config;
struct kvm_run;
struct pci_windows;
struct text_sink;
struct vcpu;

/*
 * The options of "lkvm run" that only this architecture has, and those that it
 * refuses as another's. What their setters get as target is a struct kvm_config,
 * or begins with one. Ends as every table of options.
 */
extern const struct option arch_run_options[];
/* What they set: config->arch. NULL: no memory. Destroy accepts NULL. */
struct arch_config *arch_config_create(void);
void arch_config_destroy(struct arch_config *arch);

/* Does "--virtio-transport mmio" exist? */
extern const bool arch_has_virtio_mmio;

/*
 * Where "lkvm run" looks for a kernel that nobody named; "%s" at the end stands
 * for the host kernel's release. Ends with a NULL.
 */
extern const char *const arch_kernel_places[];

/* A flat image that resets the machine and does nothing else. */
extern const u8 *const arch_tiny_guest;
extern const size_t arch_tiny_guest_len;

/* A capability of KVM, by the name that users are told. */
struct arch_cap {
	long cap;
	const char *name;
};

/*
 * Those that this architecture cannot do without, as "KVM_CAP_...", and those that
 * decide what some of its options can do. Both end with a NULL name.
 */
extern const struct arch_cap arch_required_caps[];
extern const struct arch_cap arch_optional_caps[];

/* Argument of KVM_CREATE_VM. vm->sys_fd is open. */
int arch_vm_type(struct kvm *vm, unsigned long *type);

/*
 * The VM fd exists. Allocates vm->arch, lays out and maps RAM, creates the
 * interrupt controller and timers, and calls irq_init() and irq_commit().
 */
int arch_vm_init(struct kvm *vm);
/* Frees vm->arch. Accepts a VM that arch_vm_init() failed for. */
void arch_vm_release(struct kvm *vm);

/* Where the PCI core may place BARs, and where ECAM is. */
void arch_pci_windows(const struct kvm *vm, struct pci_windows *out);

/*
 * The input of the interrupt controller for INTx pin @pin (0: A) of slot @slot.
 * Returns an initialised, undriven line.
 */
struct irq_line arch_pci_irq_line(struct kvm *vm, unsigned int slot,
				  unsigned int pin);

/* Where the machine has a fixed device, or -ENODEV. */
int arch_place(struct kvm *vm, enum place_kind kind, unsigned int index,
	       struct device_place *out);

/* Devices that only this architecture has, NULL-terminated. */
extern const struct device_class *const arch_device_classes[];

/* All vCPU fds exist (and no thread runs yet). */
int arch_vcpu_init(struct vcpu *vcpu);
void arch_vcpu_release(struct vcpu *vcpu);

/* arch_vcpu_init() is done for all of them; devices do not exist. */
int arch_vcpus_ready(struct kvm *vm);

/*
 * Load kernel, initrd and command line, write the machine's description (ACPI,
 * FDT) and set the boot CPU's registers. Devices exist.
 */
int arch_load(struct kvm *vm);

/* On the vCPU's own thread, before its first KVM_RUN. */
int arch_vcpu_start(struct vcpu *vcpu);

/*
 * Exits that only this architecture has. 0: go on; 1: not one of mine; negative
 * errno: end the VM as crashed.
 */
int arch_handle_exit(struct vcpu *vcpu);

/*
 * Registers and the code around the program counter, and @deeply also the stack
 * and the way through the page tables. The vCPU's own thread, or any while it
 * is out of the guest.
 */
void arch_dump_vcpu(struct vcpu *vcpu, const struct text_sink *sink,
		    bool deeply);

/*
 * A non-maskable interrupt. -ENOTSUP: this architecture has none. The vCPU is out
 * of the guest.
 */
int arch_vcpu_nmi(struct vcpu *vcpu);

/*
 * The guest was, and will no more be, paused: all vCPUs are out of the guest.
 * Its clocks are told, so that nobody in it thinks that a CPU has hung.
 */
void arch_vm_paused(struct kvm *vm);
void arch_vm_resuming(struct kvm *vm);

/*
 * Argument @index, below 6, of the system call that SIGSYS stopped. @context is the
 * handler's; async-signal-safe.
 */
u64 arch_trapped_argument(const void *context, unsigned int index);

#endif
