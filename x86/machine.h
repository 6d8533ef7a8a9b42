/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The x86-64 machine: where things are, and what its files share. The ASL in
 * dsdt.asl repeats some of these numbers.
 */
#ifndef LKVM_X86_MACHINE_H
#define LKVM_X86_MACHINE_H

#include <linux/kvm.h>
#include "lkvm/irq.h"
#include "lkvm/pci.h"
#include "lkvm/types.h"

struct kvm;

/* ---- Guest physical memory ---- */

#define BDA_GPA 0x400ULL  /* BIOS data area */
#define GDT_GPA 0x6000ULL /* for the 64-bit entry */
#define ZERO_PAGE_GPA 0x7000ULL
#define BOOT_STACK_GPA 0x9000ULL  /* grows down from here */
#define PAGE_TABLES_GPA 0x9000ULL /* six pages */
#define FLAT_GPA 0x10000ULL	  /* 1000:0000 */
#define CMDLINE_GPA 0x20000ULL
#define CMDLINE_MAX 0x10000ULL /* bytes, with the NUL */
#define EBDA_GPA 0x9fc00ULL    /* end of base memory */
#define ACPI_GPA 0xe0000ULL
#define ACPI_MAX 0x1e000ULL /* bytes */
#define MPTABLE_GPA 0xfe000ULL
#define MPTABLE_MAX 0x2000ULL
#define HIGH_GPA 0x100000ULL

#define LOW_RAM_MAX 0xc0000000ULL /* the PCI hole begins */
#define MEM32_GPA 0xc0000000ULL
#define MEM32_LEN 0x20000000ULL
#define ECAM_GPA 0xe0000000ULL
#define ECAM_LEN 0x10000000ULL
/*
 * Buses that are announced of the 256 that have room in ECAM: the root bus, all
 * there is. Linux looks for devices on every bus that MCFG names, which is
 * 8160 reads, 0.8 s of a boot in the lab and 15 % of it.
 */
#define PCI_NR_BUSES 1U
#define IOAPIC_GPA 0xfec00000ULL
#define LAPIC_GPA 0xfee00000ULL
#define IDENTITY_MAP_GPA 0xfffbc000ULL /* one page, KVM's own */
#define TSS_GPA 0xfffbd000ULL	       /* three pages, KVM's own */
#define HIGH_RAM_GPA 0x100000000ULL

/* ---- Ports ---- */

#define PCI_PORTS 0xcf8U
#define PCI_IO_START 0x6000U
#define PCI_IO_LEN 0xa000U
#define FIXED_PORTS_END 0x1000U /* all other ports here are below */
#define PM_EVENT_PORT 0x600U
#define PM_CONTROL_PORT 0x604U
#define RESET_PORT 0xcf9U
#define RESET_VALUE 6U
#define PVPANIC_PORT 0x505U

/* ---- Interrupts ---- */

#define NR_GSIS 24U /* inputs of the IOAPIC */
#define SCI_GSI 9U
#define PCI_FIRST_GSI 16U
#define PCI_NR_GSIS 8U

/* Inputs of the IOAPIC that PCI pins are wired to; as _PRT in dsdt.asl. */
static inline u32 pci_pin_gsi(unsigned int slot, unsigned int pin)
{
	return PCI_FIRST_GSI + (slot + pin) % PCI_NR_GSIS;
}

struct arch_vm {
	u64 low_ram_len;  /* from 0 */
	u64 high_ram_len; /* from HIGH_RAM_GPA */
	struct pci_window mem64;
	/* What every vCPU gets; the APIC ids are filled in for each. Owned. */
	struct kvm_cpuid2 *cpuid;
	struct irq_line_hub gsis[NR_GSIS];
};

#endif
