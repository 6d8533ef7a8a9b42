/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The arm64 machine: where things are, and what its files share. Firmware and
 * test suites hard-code this map: nothing of it may move.
 */
#ifndef LKVM_ARM_MACHINE_H
#define LKVM_ARM_MACHINE_H

#include "arm/config.h"
#include "lkvm/irq.h"
#include "lkvm/pci.h"
#include "lkvm/types.h"

struct kvm;

/* ---- Guest physical memory ---- */

#define PCI_IO_GPA 0x0ULL /* port 0 */
#define PCI_IO_LEN 0x10000ULL
#define UART_GPA 0x1000000ULL
#define UART_STEP 0x1000ULL
#define RTC_GPA 0x1010000ULL /* MC146818, for firmware */
#define PL031_GPA 0x1011000ULL
#define PL061_GPA 0x1012000ULL
#define PVPANIC_GPA 0x1013000ULL
#define PVTIME_GPA 0x1020000ULL
#define PVTIME_LEN 0x10000ULL
#define FLASH_GPA 0x2000000ULL
#define FLASH_MAX 0x1000000ULL
#define VIRTIO_MMIO_GPA 0x3000000ULL
#define VIRTIO_MMIO_STEP 0x200ULL
#define VIRTIO_MMIO_SLOTS 32U

#define GICV2_CPU_GPA 0x3ffd0000ULL
#define GICV2_CPU_LEN 0x2000ULL
#define GICV2M_GPA 0x3ffcf000ULL
#define GICV2M_LEN 0x1000ULL
#define GICV2M_SETSPI 0x40ULL /* where messages go */
#define GIC_DIST_GPA 0x3fff0000ULL
#define GICV2_DIST_LEN 0x1000ULL
#define GICV3_DIST_LEN 0x10000ULL
#define GICV3_REDIST_LEN 0x20000ULL /* for each CPU, below the distributor */
#define GIC_ITS_LEN 0x20000ULL	    /* below the redistributors */

#define ECAM_GPA 0x40000000ULL
#define ECAM_LEN 0x10000000ULL
#define MEM32_GPA 0x50000000ULL
#define MEM32_LEN 0x30000000ULL
#define RAM_GPA 0x80000000ULL /* unless the user says where */
#define MEM64_GPA (512 * GIB) /* where the address size allows */
#define MEM64_LEN (512 * GIB)

static inline u64 gic_redist_gpa(unsigned int cpus)
{
	return GIC_DIST_GPA - cpus * GICV3_REDIST_LEN;
}

static inline u64 gic_its_gpa(unsigned int cpus)
{
	return gic_redist_gpa(cpus) - GIC_ITS_LEN;
}

/* ---- Interrupts: shared peripheral ones (SPI), numbered from 0 ---- */

#define FIRST_SPI 32U /* its number among all interrupts of the GIC */
#define UART_SPI 0U
#define RTC_SPI 4U
#define PL031_SPI 5U
#define PL061_SPI 6U
#define PCI_FIRST_SPI 16U
#define PCI_NR_SPIS 32U
#define V2M_FIRST_SPI 64U
#define V2M_NR_SPIS 64U
#define VIRTIO_MMIO_FIRST_SPI 128U
#define NR_SPIS 160U

/* Private peripheral interrupts (PPI) of each CPU, numbered from 0. */
#define PMU_PPI 7U
#define TIMER_SECURE_PPI 13U
#define TIMER_PHYS_PPI 14U
#define TIMER_VIRT_PPI 11U
#define TIMER_HYP_PPI 10U

/* Every slot has a line of its own for pin A; functions share in turn. */
static inline u32 pci_pin_spi(unsigned int slot, unsigned int pin)
{
	return PCI_FIRST_SPI + (slot + pin) % PCI_NR_SPIS;
}

struct arch_vm {
	enum irqchip irqchip; /* chosen, never IRQCHIP_AUTO */
	int gic_fd, its_fd;   /* devices of KVM; -1: none */
	struct pci_window mem64;
	void *pvtime; /* PVTIME_LEN bytes, mapped; NULL: none */
	struct irq_line_hub spis[NR_SPIS];
	bool has_paused_count; /* while paused; main thread */
	u64 paused_count;      /* the virtual counter then */
};

#endif
