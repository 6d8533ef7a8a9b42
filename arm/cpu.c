/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Features and first registers of vCPUs. KVM's own reset state is right for all
 * that is not set here: EL1 with interrupts masked, secondary CPUs off until
 * PSCI turns them on.
 */
#include "arm/cpu.h"

#include <errno.h>
#include <linux/kvm.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "arm/gic.h"
#include "arm/machine.h"
#include "arm/pmu.h"
#include "lkvm/arch.h"
#include "lkvm/kvm.h"
#include "lkvm/vcpu.h"

#define CORE_REG(member)                                                       \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE |                 \
	 KVM_REG_ARM_CORE_REG(member))

#define MPIDR_EL1 ARM64_SYS_REG(3, 0, 0, 0, 5)
#define MPIDR_AFFINITY 0xff00ffffffULL
#define CLIDR_EL1 ARM64_SYS_REG(3, 1, 0, 0, 1)

#define SVE_QUADWORD_BITS 128U
#define PVTIME_STEP 64U /* bytes for each CPU */

/* ---- Registers ---- */

int cpu_get_reg(struct vcpu *vcpu, u64 id, u64 *value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)value };

	return ioctl(vcpu->fd, KVM_GET_ONE_REG, &reg) < 0 ? -errno : 0;
}

static int set_reg(struct vcpu *vcpu, u64 id, const void *value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)value };

	return ioctl(vcpu->fd, KVM_SET_ONE_REG, &reg) < 0 ? -errno : 0;
}

int cpu_set_reg(struct vcpu *vcpu, u64 id, u64 value)
{
	return set_reg(vcpu, id, &value);
}

int cpu_get_mpidr(struct vcpu *vcpu, u64 *mpidr)
{
	int err = cpu_get_reg(vcpu, MPIDR_EL1, mpidr);

	if (err)
		return vm_fail(vcpu->vm, err, "CPU %u: MPIDR_EL1: %s",
			       vcpu->index, strerror(-err));
	*mpidr &= MPIDR_AFFINITY;
	return 0;
}

u64 cpu_get_clidr(struct vcpu *vcpu)
{
	u64 clidr;

	return cpu_get_reg(vcpu, CLIDR_EL1, &clidr) ? 0 : clidr;
}

int cpu_set_entry(struct vcpu *vcpu, u64 entry, u64 fdt)
{
	/* The 32-bit protocol: r0 0, r1 all ones (no machine type), r2. */
	const u64 zero = 0, no_machine = UINT32_MAX;
	bool aarch32 = vcpu->vm->config->arch->aarch32;
	const struct {
		u64 id;
		const u64 *value;
	} regs[] = {
		{ CORE_REG(regs.pc), &entry },
		{ CORE_REG(regs.regs[0]), aarch32 ? &zero : &fdt },
		{ CORE_REG(regs.regs[1]), aarch32 ? &no_machine : &zero },
		{ CORE_REG(regs.regs[2]), aarch32 ? &fdt : &zero },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(regs); i++) {
		int err = set_reg(vcpu, regs[i].id, regs[i].value);

		if (err)
			return vm_fail(vcpu->vm, err,
				       "CPU %u: first registers: %s",
				       vcpu->index, strerror(-err));
	}
	return 0;
}

/* ---- Features ---- */

int cpu_check(struct kvm *vm)
{
	const struct arch_config *config = vm->config->arch;

	if (config->aarch32 && vm_extension(vm, KVM_CAP_ARM_EL1_32BIT) <= 0)
		return vm_fail_host(vm, -ENOTSUP,
				    "--aarch32: 32bit guests are not "
				    "supported: this host's CPUs have no "
				    "32-bit EL1");
	if (config->pmu && vm_extension(vm, KVM_CAP_ARM_PMU_V3) <= 0)
		return vm_fail_host(vm, -ENOTSUP,
				    "--pmu: KVM on this host emulates no "
				    "performance counters");
	if (config->sve_max_vl && vm_extension(vm, KVM_CAP_ARM_SVE) <= 0)
		return vm_fail_host(vm, -ENOTSUP,
				    "--sve-max-vl: this host has no SVE");
	return 0;
}

static void add_feature(struct kvm_vcpu_init *init, unsigned int feature)
{
	init->features[feature / 32] |= BIT(feature % 32);
}

static void choose_features(const struct vcpu *vcpu, struct kvm_vcpu_init *init)
{
	const struct kvm *vm = vcpu->vm;
	const struct arch_config *config = vm->config->arch;

	add_feature(init, KVM_ARM_VCPU_PSCI_0_2);
	if (vcpu->index)
		add_feature(init, KVM_ARM_VCPU_POWER_OFF);
	if (config->pmu)
		add_feature(init, KVM_ARM_VCPU_PMU_V3);
	if (config->aarch32) {
		add_feature(init, KVM_ARM_VCPU_EL1_32BIT);
		return;
	}
	if (vm_extension(vm, KVM_CAP_ARM_SVE) > 0)
		add_feature(init, KVM_ARM_VCPU_SVE);
	/* KVM takes both or none. */
	if (vm_extension(vm, KVM_CAP_ARM_PTRAUTH_ADDRESS) > 0 &&
	    vm_extension(vm, KVM_CAP_ARM_PTRAUTH_GENERIC) > 0) {
		add_feature(init, KVM_ARM_VCPU_PTRAUTH_ADDRESS);
		add_feature(init, KVM_ARM_VCPU_PTRAUTH_GENERIC);
	}
}

/* Bit n of the lengths stands for n + 1 quadwords. */
static int limit_sve(struct vcpu *vcpu)
{
	u32 bits = vcpu->vm->config->arch->sve_max_vl;
	unsigned int quadwords = bits / SVE_QUADWORD_BITS;
	u64 lengths[KVM_ARM64_SVE_VLS_WORDS];
	struct kvm_one_reg reg = { .id = KVM_REG_ARM64_SVE_VLS,
				   .addr = (uintptr_t)lengths };
	int err;

	if (!bits)
		return 0;
	if (ioctl(vcpu->fd, KVM_GET_ONE_REG, &reg) < 0)
		return vm_fail(vcpu->vm, -errno, "SVE vector lengths: %s",
			       strerror(errno));
	if (!(lengths[(quadwords - 1) / 64] & BIT64((quadwords - 1) % 64)))
		return vm_fail_host(vcpu->vm, -ENOTSUP,
				    "--sve-max-vl %u: this host has no vectors "
				    "of that length",
				    bits);
	for (unsigned int i = quadwords; i < 64 * ARRAY_SIZE(lengths); i++)
		lengths[i / 64] &= ~BIT64(i % 64);
	err = set_reg(vcpu, KVM_REG_ARM64_SVE_VLS, lengths);
	if (err)
		return vm_fail(vcpu->vm, err, "--sve-max-vl %u: %s", bits,
			       strerror(-err));
	return 0;
}

static int finalize_sve(struct vcpu *vcpu)
{
	int feature = KVM_ARM_VCPU_SVE;
	int err = limit_sve(vcpu);

	if (err)
		return err;
	if (ioctl(vcpu->fd, KVM_ARM_VCPU_FINALIZE, &feature) < 0)
		return vm_fail(vcpu->vm, -errno, "CPU %u: SVE: %s", vcpu->index,
			       strerror(errno));
	return 0;
}

int arch_vcpu_init(struct vcpu *vcpu)
{
	struct kvm *vm = vcpu->vm;
	struct kvm_vcpu_init init;

	memset(&init, 0, sizeof(init));
	if (ioctl(vm->fd, KVM_ARM_PREFERRED_TARGET, &init) < 0)
		return vm_fail_host(vm, -errno,
				    "KVM does not know this host's CPU: %s",
				    strerror(errno));
	choose_features(vcpu, &init);
	if (ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init) < 0)
		return vm_fail(vm, -errno, "CPU %u: KVM_ARM_VCPU_INIT: %s",
			       vcpu->index, strerror(errno));
	if (init.features[0] & BIT(KVM_ARM_VCPU_SVE))
		return finalize_sve(vcpu);
	return 0;
}

void arch_vcpu_release(struct vcpu *vcpu)
{
}

/* ---- Stolen time (Arm DEN0057) ---- */

static int map_pvtime(struct kvm *vm)
{
	void *map = mmap(NULL, PVTIME_LEN, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int slot;

	if (map == MAP_FAILED)
		return vm_fail(vm, -ENOMEM, "stolen time: out of memory");
	vm->arch->pvtime = map;
	slot = memory_slot_add(&vm->memory, PVTIME_GPA, PVTIME_LEN, map, 0);
	if (slot < 0)
		return vm_fail(vm, slot, "stolen time: KVM refuses memory: %s",
			       strerror(-slot));
	return 0;
}

static int complete_pvtime(struct kvm *vm)
{
	const struct arch_config *config = vm->config->arch;
	int err;

	if (config->no_pvtime || config->aarch32 ||
	    vm_extension(vm, KVM_CAP_STEAL_TIME) <= 0 ||
	    vm->nr_vcpus > PVTIME_LEN / PVTIME_STEP)
		return 0;
	err = map_pvtime(vm);
	for (unsigned int i = 0; i < vm->nr_vcpus && !err; i++) {
		u64 gpa = PVTIME_GPA + i * PVTIME_STEP;

		err = kvm_device_set(vm->vcpus[i].fd, KVM_ARM_VCPU_PVTIME_CTRL,
				     KVM_ARM_VCPU_PVTIME_IPA, &gpa);
		if (err)
			vm_fail(vm, err,
				"CPU %u: stolen time: %s: try --no-pvtime", i,
				strerror(-err));
	}
	return err;
}

int cpus_complete(struct kvm *vm)
{
	int err = vm->config->arch->pmu ? pmu_init(vm) : 0;

	return err ? err : complete_pvtime(vm);
}

int arch_vcpu_start(struct vcpu *vcpu)
{
	const struct arch_config *config = vcpu->vm->config->arch;

	if (!config->has_affinity)
		return 0;
	if (sched_setaffinity(0, sizeof(config->affinity), &config->affinity) <
	    0)
		return vm_fail(vcpu->vm, -errno,
			       "--vcpu-affinity: CPU %u cannot run there: %s",
			       vcpu->index, strerror(errno));
	return 0;
}
