/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exits that only arm64 has, and what is left to say about a vCPU that crashed.
 */
#include <errno.h>
#include <linux/kvm.h>
#include "arm/cpu.h"
#include "lkvm/arch.h"
#include "lkvm/kvm.h"
#include "lkvm/log.h"
#include "lkvm/vcpu.h"

#define CORE_REG(member)                                                       \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE |                 \
	 KVM_REG_ARM_CORE_REG(member))
/* Registers of 64 bits are two of the words that number them. */
#define CORE_REG_X(n) (CORE_REG(regs.regs[0]) + 2 * (n))

/* S3_0_Cn_Cm_op2 */
#define SYS_REG(crn, crm, op2) ARM64_SYS_REG(3, 0, crn, crm, op2)

static int handle_undecoded(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;

	log_error("vCPU %u: the guest accessed device memory at 0x%llx with an "
		  "instruction that hardware does not decode for a hypervisor "
		  "(a pair, a vector, one that writes back): the guest's "
		  "driver must use single loads and stores",
		  vcpu->index, (unsigned long long)run->arm_nisv.fault_ipa);
	arch_dump_vcpu(vcpu, &log_info_sink, false);
	return -EFAULT;
}

int arch_handle_exit(struct vcpu *vcpu)
{
	if (vcpu->run->exit_reason == KVM_EXIT_ARM_NISV)
		return handle_undecoded(vcpu);
	return 1;
}

static u64 get(struct vcpu *vcpu, u64 id)
{
	u64 value = 0;

	/* A register that cannot be read shows as 0: there is no better. */
	if (cpu_get_reg(vcpu, id, &value))
		return 0;
	return value;
}

/*
 * EL1's system registers. KVM on arm64 translates no addresses for us, so code
 * and stack are not shown.
 */
static void dump_translation(struct vcpu *vcpu, const struct text_sink *sink)
{
	text_emit(sink,
		  "sctlr_el1 %016llx tcr_el1 %016llx ttbr0_el1 %016llx "
		  "ttbr1_el1 %016llx",
		  (unsigned long long)get(vcpu, SYS_REG(1, 0, 0)),
		  (unsigned long long)get(vcpu, SYS_REG(2, 0, 2)),
		  (unsigned long long)get(vcpu, SYS_REG(2, 0, 0)),
		  (unsigned long long)get(vcpu, SYS_REG(2, 0, 1)));
	text_emit(sink,
		  "esr_el1 %016llx far_el1 %016llx vbar_el1 %016llx "
		  "elr_el1 %016llx",
		  (unsigned long long)get(vcpu, SYS_REG(5, 2, 0)),
		  (unsigned long long)get(vcpu, SYS_REG(6, 0, 0)),
		  (unsigned long long)get(vcpu, SYS_REG(12, 0, 0)),
		  (unsigned long long)get(vcpu, CORE_REG(elr_el1)));
}

void arch_dump_vcpu(struct vcpu *vcpu, const struct text_sink *sink,
		    bool deeply)
{
	text_emit(sink, "vCPU %u registers:", vcpu->index);
	text_emit(sink, "pc %016llx sp %016llx sp_el1 %016llx pstate %08llx",
		  (unsigned long long)get(vcpu, CORE_REG(regs.pc)),
		  (unsigned long long)get(vcpu, CORE_REG(regs.sp)),
		  (unsigned long long)get(vcpu, CORE_REG(sp_el1)),
		  (unsigned long long)get(vcpu, CORE_REG(regs.pstate)));
	for (unsigned int i = 0; i < 30; i += 3)
		text_emit(sink, "x%-2u %016llx x%-2u %016llx x%-2u %016llx", i,
			  (unsigned long long)get(vcpu, CORE_REG_X(i)), i + 1,
			  (unsigned long long)get(vcpu, CORE_REG_X(i + 1)),
			  i + 2,
			  (unsigned long long)get(vcpu, CORE_REG_X(i + 2)));
	text_emit(sink, "x30 %016llx",
		  (unsigned long long)get(vcpu, CORE_REG_X(30)));
	if (deeply)
		dump_translation(vcpu, sink);
}
