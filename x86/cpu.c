/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPUID, MSRs, local APIC and first registers of vCPUs. KVM's own reset state
 * is right for all that is not set here; application processors wait in it for
 * the guest's startup interrupt.
 */
#include "x86/cpu.h"

#include <cpuid.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "lkvm/arch.h"
#include "lkvm/kvm.h"
#include "lkvm/vcpu.h"
#include "x86/cpuid.h"
#include "x86/machine.h"

#define CPUID_FIRST_ROOM 128U
#define CPUID_MAX_ROOM 4096U

#define MSR_MISC_ENABLE 0x1a0U
#define MISC_ENABLE_FAST_STRING BIT(0)
#define MISC_ENABLE_BTS_UNAVAILABLE BIT(11)
#define MISC_ENABLE_PEBS_UNAVAILABLE BIT(12)
#define MSR_MTRR_DEF_TYPE 0x2ffU
#define MTRR_ENABLE BIT(11)
#define MTRR_WRITE_BACK 6U

#define LAPIC_LVT_LINT0 0x350U
#define LAPIC_LVT_LINT1 0x360U
#define LVT_NMI (4U << 8)
#define LVT_EXTINT (7U << 8)

#define CR0_PE BIT64(0)
#define CR0_ET BIT64(4)
#define CR0_NE BIT64(5)
#define CR0_PG BIT64(31)
#define CR4_PAE BIT64(5)
#define EFER_LME BIT64(8)
#define EFER_LMA BIT64(10)
#define RFLAGS_FIXED BIT64(1)

#define PTE_PRESENT BIT64(0)
#define PTE_WRITE BIT64(1)
#define PTE_LARGE BIT64(7)
#define PAGE 0x1000ULL

/* Selectors that the 64-bit boot protocol names. */
#define BOOT_CS 0x10U
#define BOOT_DS 0x18U

static struct kvm_cpuid2 *cpuid_alloc(unsigned int room)
{
	struct kvm_cpuid2 *table;

	table = calloc(1, sizeof(*table) + (room + CPUID_EXTRA) *
						   sizeof(table->entries[0]));
	if (table)
		table->nent = room;
	return table;
}

static int get_supported_cpuid(struct kvm *vm, unsigned int *room,
			       struct kvm_cpuid2 **out)
{
	for (*room = CPUID_FIRST_ROOM; *room <= CPUID_MAX_ROOM; *room *= 2) {
		struct kvm_cpuid2 *table = cpuid_alloc(*room);
		int err;

		if (!table)
			return vm_fail(vm, -ENOMEM, "out of memory");
		if (!ioctl(vm->sys_fd, KVM_GET_SUPPORTED_CPUID, table)) {
			*room += CPUID_EXTRA;
			*out = table;
			return 0;
		}
		err = -errno;
		free(table);
		if (err != -E2BIG)
			return vm_fail(vm, err, "KVM_GET_SUPPORTED_CPUID: %s",
				       strerror(-err));
	}
	return vm_fail(vm, -E2BIG,
		       "KVM_GET_SUPPORTED_CPUID: more than %u leaves",
		       CPUID_MAX_ROOM);
}

/* KVM does not pass the host's name on; nothing but people reads it. */
static void copy_host_brand(struct kvm_cpuid2 *table)
{
	u32 brand[CPUID_BRAND] = { 0 };

	for (unsigned int i = 0; i < CPUID_BRAND; i += 4)
		if (!__get_cpuid(0x80000002 + i / 4, &brand[i], &brand[i + 1],
				 &brand[i + 2], &brand[i + 3]))
			return;
	cpuid_set_brand(table, brand);
}

int cpu_prepare(struct kvm *vm, unsigned int *phys_bits)
{
	struct arch_vm *arch = vm->arch;
	unsigned int room;
	int err;

	err = get_supported_cpuid(vm, &room, &arch->cpuid);
	if (err)
		return err;
	cpuid_set_features(arch->cpuid,
			   vm_extension(vm, KVM_CAP_TSC_DEADLINE_TIMER) > 0);
	copy_host_brand(arch->cpuid);
	*phys_bits = cpuid_phys_bits(arch->cpuid);
	err = cpuid_set_topology(arch->cpuid, room, vm->config->cpus);
	if (err)
		return vm_fail(vm, err, "CPUID topology: %s", strerror(-err));
	return 0;
}

static int set_cpuid(struct vcpu *vcpu)
{
	struct kvm_cpuid2 *table = vcpu->vm->arch->cpuid;

	cpuid_set_apic_id(table, vcpu->index);
	if (ioctl(vcpu->fd, KVM_SET_CPUID2, table) < 0)
		return vm_fail(vcpu->vm, -errno, "CPU %u: KVM_SET_CPUID2: %s",
			       vcpu->index, strerror(errno));
	return 0;
}

static void set_msrs(struct vcpu *vcpu)
{
	static const struct kvm_msr_entry entries[] = {
		{ .index = MSR_MTRR_DEF_TYPE,
		  .data = MTRR_ENABLE | MTRR_WRITE_BACK },
		{ .index = MSR_MISC_ENABLE,
		  .data = MISC_ENABLE_FAST_STRING |
			  MISC_ENABLE_BTS_UNAVAILABLE |
			  MISC_ENABLE_PEBS_UNAVAILABLE },
	};
	_Alignas(struct kvm_msrs)
		u8 buf[sizeof(struct kvm_msrs) + sizeof(entries)];
	struct kvm_msrs *msrs = (struct kvm_msrs *)(void *)buf;
	int set;

	*msrs = (struct kvm_msrs){ .nmsrs = ARRAY_SIZE(entries) };
	memcpy(msrs->entries, entries, sizeof(entries));
	set = ioctl(vcpu->fd, KVM_SET_MSRS, msrs);
	/* A guest gets by without: it would complain, and run. */
	if (set != (int)ARRAY_SIZE(entries))
		log_debug("CPU %u: KVM refuses MSR 0x%x", vcpu->index,
			  entries[set < 0 ? 0 : set].index);
}

static u32 *lapic_register(struct kvm_lapic_state *lapic, u32 offset)
{
	return (u32 *)(void *)(lapic->regs + offset);
}

/* What firmware leaves: the 8259 at LINT0, NMI at LINT1 of the boot CPU. */
static int set_lapic(struct vcpu *vcpu)
{
	struct kvm_lapic_state lapic;

	if (ioctl(vcpu->fd, KVM_GET_LAPIC, &lapic) < 0)
		return vm_fail(vcpu->vm, -errno, "KVM_GET_LAPIC: %s",
			       strerror(errno));
	*lapic_register(&lapic, LAPIC_LVT_LINT0) = LVT_EXTINT;
	*lapic_register(&lapic, LAPIC_LVT_LINT1) = LVT_NMI;
	if (ioctl(vcpu->fd, KVM_SET_LAPIC, &lapic) < 0)
		return vm_fail(vcpu->vm, -errno, "KVM_SET_LAPIC: %s",
			       strerror(errno));
	return 0;
}

int arch_vcpu_init(struct vcpu *vcpu)
{
	int err = set_cpuid(vcpu);

	if (err)
		return err;
	set_msrs(vcpu);
	return vcpu->index == 0 ? set_lapic(vcpu) : 0;
}

void arch_vcpu_release(struct vcpu *vcpu)
{
}

int arch_vcpus_ready(struct kvm *vm)
{
	return 0;
}

int arch_vcpu_start(struct vcpu *vcpu)
{
	return 0;
}

/* The first 4 GiB, one to one, in pages of 2 MiB. */
static int write_page_tables(struct kvm *vm)
{
	u64 *pml4 = guest_ptr(&vm->memory, PAGE_TABLES_GPA, 6 * PAGE);
	u64 *pdpt, *pd;

	if (!pml4)
		return -ENOMEM;
	pdpt = pml4 + 512;
	pd = pdpt + 512;
	pml4[0] = (PAGE_TABLES_GPA + PAGE) | PTE_PRESENT | PTE_WRITE;
	for (u64 i = 0; i < 4; i++)
		pdpt[i] = (PAGE_TABLES_GPA + (2 + i) * PAGE) | PTE_PRESENT |
			  PTE_WRITE;
	for (u64 i = 0; i < 2048; i++)
		pd[i] = i * 2 * MIB | PTE_PRESENT | PTE_WRITE | PTE_LARGE;
	return 0;
}

static int write_gdt(struct kvm *vm)
{
	static const u64 gdt[] = {
		0, 0, 0x00af9b000000ffff, /* BOOT_CS: 64-bit code */
		0x00cf93000000ffff,	  /* BOOT_DS: data */
	};
	u64 *p = guest_ptr(&vm->memory, GDT_GPA, sizeof(gdt));

	if (!p)
		return -ENOMEM;
	memcpy(p, gdt, sizeof(gdt));
	return 0;
}

static int set_registers(struct vcpu *vcpu, struct kvm_sregs *sregs,
			 struct kvm_regs *regs)
{
	if (ioctl(vcpu->fd, KVM_SET_SREGS, sregs) < 0)
		return vm_fail(vcpu->vm, -errno, "KVM_SET_SREGS: %s",
			       strerror(errno));
	if (ioctl(vcpu->fd, KVM_SET_REGS, regs) < 0)
		return vm_fail(vcpu->vm, -errno, "KVM_SET_REGS: %s",
			       strerror(errno));
	return 0;
}

int cpu_enter_long_mode(struct vcpu *vcpu, u64 entry, u64 arg)
{
	const struct kvm_segment code = {
		.limit = 0xffffffff,
		.selector = BOOT_CS,
		.type = 0xb,
		.present = 1,
		.s = 1,
		.l = 1,
		.g = 1,
	};
	const struct kvm_segment data = {
		.limit = 0xffffffff,
		.selector = BOOT_DS,
		.type = 0x3,
		.present = 1,
		.s = 1,
		.db = 1,
		.g = 1,
	};
	struct kvm_regs regs = {
		.rip = entry,
		.rsi = arg,
		.rsp = BOOT_STACK_GPA,
		.rflags = RFLAGS_FIXED,
	};
	struct kvm_sregs sregs;

	if (write_page_tables(vcpu->vm) || write_gdt(vcpu->vm))
		return vm_fail(vcpu->vm, -ENOMEM,
			       "memory: no room for the boot CPU's tables");
	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0)
		return vm_fail(vcpu->vm, -errno, "KVM_GET_SREGS: %s",
			       strerror(errno));
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.gdt.base = GDT_GPA;
	sregs.gdt.limit = 4 * sizeof(u64) - 1;
	sregs.idt.base = 0;
	sregs.idt.limit = 0;
	sregs.cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_PG;
	sregs.cr3 = PAGE_TABLES_GPA;
	sregs.cr4 = CR4_PAE;
	sregs.efer = EFER_LME | EFER_LMA;
	return set_registers(vcpu, &sregs, &regs);
}

int cpu_enter_real_mode(struct vcpu *vcpu, u16 segment)
{
	struct kvm_regs regs = { .rsp = 0x8000, .rflags = RFLAGS_FIXED };
	struct kvm_sregs sregs;
	struct kvm_segment *const segments[] = {
		&sregs.cs, &sregs.ds, &sregs.es,
		&sregs.fs, &sregs.gs, &sregs.ss,
	};

	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0)
		return vm_fail(vcpu->vm, -errno, "KVM_GET_SREGS: %s",
			       strerror(errno));
	for (unsigned int i = 0; i < ARRAY_SIZE(segments); i++) {
		segments[i]->selector = segment;
		segments[i]->base = (u64)segment << 4;
	}
	return set_registers(vcpu, &sregs, &regs);
}
