/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VM as a whole: how many address bits it has, its RAM in one piece, and
 * the interrupt controller.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "arm/cpu.h"
#include "arm/gic.h"
#include "arm/layout.h"
#include "arm/machine.h"
#include "lkvm/arch.h"
#include "lkvm/kvm.h"

#define OLD_ADDRESS_BITS 40U /* of a KVM that does not let us choose */

const struct arch_cap arch_required_caps[] = {
	{ KVM_CAP_ONE_REG, "KVM_CAP_ONE_REG" },
	{ KVM_CAP_ARM_PSCI_0_2, "KVM_CAP_ARM_PSCI_0_2" },
	{ KVM_CAP_DEVICE_CTRL, "KVM_CAP_DEVICE_CTRL" },
	{ 0, NULL },
};

const struct arch_cap arch_optional_caps[] = {
	{ KVM_CAP_ARM_EL1_32BIT, "aarch32" },
	{ KVM_CAP_ARM_PMU_V3, "pmu" },
	{ KVM_CAP_ARM_SVE, "sve" },
	{ KVM_CAP_ARM_PTRAUTH_ADDRESS, "pointer-authentication" },
	{ KVM_CAP_ARM_MTE, "mte" },
	{ KVM_CAP_STEAL_TIME, "stolen-time" },
	{ KVM_CAP_ARM_VM_IPA_SIZE, "ipa-size" },
	{ 0, NULL },
};

/* ---- Addresses ---- */

static u64 ram_start(const struct kvm *vm)
{
	return vm->config->ram_base ? vm->config->ram_base : RAM_GPA;
}

static unsigned int max_address_bits(const struct kvm *vm)
{
	int bits =
		ioctl(vm->sys_fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);

	return bits > 0 ? (unsigned int)bits : OLD_ADDRESS_BITS;
}

static struct ram_layout ram_layout(const struct kvm *vm)
{
	return (struct ram_layout){
		.start = ram_start(vm),
		.len = vm->config->ram_len,
		.max_bits = max_address_bits(vm),
		.aarch32 = vm->config->arch->aarch32,
	};
}

int arch_vm_type(struct kvm *vm, unsigned long *type)
{
	struct ram_layout ram = ram_layout(vm);
	int err = ram_layout_check(&ram, vm->failure);

	if (err)
		return err;
	*type = 0;
	if (ioctl(vm->sys_fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE) > 0)
		*type = KVM_VM_TYPE_ARM_IPA_SIZE(ram_layout_bits(&ram));
	return 0;
}

/* ---- Bring-up ---- */

/* Before vCPUs. Tags need pages of a kind that hugetlbfs does not have. */
static int enable_mte(struct kvm *vm)
{
	const struct arch_config *config = vm->config->arch;
	struct kvm_enable_cap cap = { .cap = KVM_CAP_ARM_MTE };

	if (config->disable_mte || config->aarch32 || vm->config->hugetlbfs ||
	    vm_extension(vm, KVM_CAP_ARM_MTE) <= 0)
		return 0;
	if (ioctl(vm->fd, KVM_ENABLE_CAP, &cap) < 0)
		return vm_fail(vm, -errno,
			       "KVM refuses memory tagging: %s: try "
			       "--disable-mte",
			       strerror(errno));
	return 0;
}

/* Else KVM_RUN just fails for accesses that KVM cannot decode. */
static void enable_undecoded_exits(struct kvm *vm)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_ARM_NISV_TO_USER };

	if (vm_extension(vm, KVM_CAP_ARM_NISV_TO_USER) > 0)
		ioctl(vm->fd, KVM_ENABLE_CAP, &cap);
}

static int map_ram(struct kvm *vm)
{
	const struct kvm_config *config = vm->config;
	int err;

	err = memory_alloc(&vm->memory, config->ram_len, config->hugetlbfs,
			   vm->failure);
	if (err)
		return err;
	return memory_map_ram(&vm->memory, ram_start(vm), config->ram_len, 0,
			      vm->failure);
}

int arch_vm_init(struct kvm *vm)
{
	struct arch_vm *arch = calloc(1, sizeof(*arch));
	struct ram_layout ram = ram_layout(vm);
	int err;

	if (!arch)
		return vm_fail(vm, -ENOMEM, "out of memory");
	arch->gic_fd = -1;
	arch->its_fd = -1;
	vm->arch = arch;
	arch->mem64 = ram_layout_mem64(&ram);
	enable_undecoded_exits(vm);
	err = cpu_check(vm);
	if (!err)
		err = enable_mte(vm);
	if (!err)
		err = gic_create(vm);
	if (!err)
		err = map_ram(vm);
	return err ? err : gic_create_routing(vm);
}

int arch_vcpus_ready(struct kvm *vm)
{
	int err = gic_init(vm);

	return err ? err : cpus_complete(vm);
}

void arch_vm_release(struct kvm *vm)
{
	if (!vm->arch)
		return;
	gic_release(vm);
	if (vm->arch->pvtime)
		munmap(vm->arch->pvtime, PVTIME_LEN);
	free(vm->arch);
	vm->arch = NULL;
}

void arch_pci_windows(const struct kvm *vm, struct pci_windows *out)
{
	*out = (struct pci_windows){
		/* Port 0 is where an I/O BAR is that nobody has placed. */
		.io = { 4, PCI_IO_LEN - 4 }, .mem32 = { MEM32_GPA, MEM32_LEN },
		.mem64 = vm->arch->mem64,    .ecam = { ECAM_GPA, ECAM_LEN },
		.io_is_memory = true,	     .io_gpa = PCI_IO_GPA,
	};
}
