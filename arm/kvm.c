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
#include "arm/machine.h"
#include "lkvm/arch.h"
#include "lkvm/kvm.h"

#define MIN_ADDRESS_BITS 32U
#define OLD_ADDRESS_BITS 40U /* of a KVM that does not let us choose */
#define RAM_ALIGN (2 * MIB)

const struct arch_required_cap arch_required_caps[] = {
	{ KVM_CAP_ONE_REG, "KVM_CAP_ONE_REG" },
	{ KVM_CAP_ARM_PSCI_0_2, "KVM_CAP_ARM_PSCI_0_2" },
	{ KVM_CAP_DEVICE_CTRL, "KVM_CAP_DEVICE_CTRL" },
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

/* Bits that it takes to reach what lies below @end. */
static unsigned int bits_below(u64 end)
{
	unsigned int bits = MIN_ADDRESS_BITS;

	while (bits < 63 && end > BIT64(bits))
		bits++;
	return bits;
}

/* Out of RAM's way; len 0 if this host has not enough bits. */
static struct pci_window find_mem64(const struct kvm *vm)
{
	struct pci_window window = { MEM64_GPA, MEM64_LEN };
	u64 start = ram_start(vm);
	u64 end = start + vm->config->ram_len;

	if (start < window.start + window.len && end > window.start)
		window.start = align_up(end, MEM64_LEN);
	if (bits_below(window.start + window.len) > max_address_bits(vm))
		return (struct pci_window){ 0, 0 };
	return window;
}

static int check_ram(struct kvm *vm)
{
	u64 start = ram_start(vm), len = vm->config->ram_len;
	unsigned int max = max_address_bits(vm);
	u64 end;

	if (start < RAM_GPA)
		return vm_fail(vm, -EINVAL,
			       "memory: 0x%llx: devices are there: RAM may "
			       "begin at 2048M (2 GiB) or above",
			       (unsigned long long)start);
	if (start % RAM_ALIGN)
		return vm_fail(vm, -EINVAL,
			       "memory: 0x%llx: RAM begins at a multiple of 2 "
			       "MiB",
			       (unsigned long long)start);
	if (__builtin_add_overflow(start, len, &end) || bits_below(end) > max)
		return vm_fail(vm, -EINVAL,
			       "memory: %llu MiB from 0x%llx: this host's "
			       "guests have %u address bits: give less",
			       (unsigned long long)(len / MIB),
			       (unsigned long long)start, max);
	if (vm->config->arch->aarch32 && end > 4 * GIB)
		return vm_fail(vm, -EINVAL,
			       "memory: %llu MiB from 0x%llx: a 32-bit guest "
			       "reaches 4 GiB: give at most %lluM",
			       (unsigned long long)(len / MIB),
			       (unsigned long long)start,
			       (unsigned long long)((4 * GIB - RAM_GPA) / MIB));
	return 0;
}

int arch_vm_type(struct kvm *vm, unsigned long *type)
{
	struct pci_window mem64;
	unsigned int bits;
	int err = check_ram(vm);

	if (err)
		return err;
	mem64 = find_mem64(vm);
	bits = bits_below(ram_start(vm) + vm->config->ram_len);
	if (mem64.len && bits_below(mem64.start + mem64.len) > bits)
		bits = bits_below(mem64.start + mem64.len);
	*type = 0;
	if (ioctl(vm->sys_fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE) > 0)
		*type = KVM_VM_TYPE_ARM_IPA_SIZE(bits);
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
	int err;

	if (!arch)
		return vm_fail(vm, -ENOMEM, "out of memory");
	arch->gic_fd = -1;
	arch->its_fd = -1;
	vm->arch = arch;
	arch->mem64 = find_mem64(vm);
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
