/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each architecture folder implements, resolved by the linker. Common code
 * calls these in the order in which they stand here.
 */
#ifndef LKVM_ARCH_H
#define LKVM_ARCH_H

#include "lkvm/device.h"
#include "lkvm/types.h"

struct kvm;
struct kvm_config;
struct kvm_run;
struct pci_windows;
struct vcpu;

/* A capability that this architecture cannot do without. */
struct arch_required_cap {
	long cap;
	const char *name; /* "KVM_CAP_..." */
};

/* Ends with a NULL name. */
extern const struct arch_required_cap arch_required_caps[];

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

/* Write registers and the code around the program counter to the log. */
void arch_dump_vcpu(struct vcpu *vcpu);

/*
 * Argument @index, below 6, of the system call that SIGSYS stopped. @context is the
 * handler's; async-signal-safe.
 */
u64 arch_trapped_argument(const void *context, unsigned int index);

/* The kernel's name of serial console @index: "ttyS0". */
const char *arch_serial_console(unsigned int index);
/* Defaults that lkvm puts before the user's kernel parameters, or "". */
const char *arch_default_cmdline(void);

#endif
