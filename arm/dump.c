/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of a vCPU as text: what is left to say about one that crashed, and
 * what "lkvm debug" prints.
 */
#include <inttypes.h>
#include <linux/kvm.h>
#include "arm/cpu.h"
#include "arm/walk.h"
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

/* PSTATE.M: EL1 with a stack pointer of its own; all else uses SP_EL0. */
#define PSTATE_MODE 0xfU
#define PSTATE_EL1H 0x5U

static u64 get(struct vcpu *vcpu, u64 id)
{
	u64 value = 0;

	/* A register that cannot be read shows as 0: there is no better. */
	if (cpu_get_reg(vcpu, id, &value))
		return 0;
	return value;
}

static void dump_registers(struct vcpu *vcpu, const struct text_sink *sink)
{
	text_emit(sink, "vCPU %u registers:", vcpu->index);
	text_emit(sink,
		  "pc %016" PRIx64 " sp %016" PRIx64 " sp_el1 %016" PRIx64
		  " pstate %08" PRIx64,
		  get(vcpu, CORE_REG(regs.pc)), get(vcpu, CORE_REG(regs.sp)),
		  get(vcpu, CORE_REG(sp_el1)),
		  get(vcpu, CORE_REG(regs.pstate)));
	for (unsigned int i = 0; i < 30; i += 3)
		text_emit(sink,
			  "x%-2u %016" PRIx64 " x%-2u %016" PRIx64
			  " x%-2u %016" PRIx64,
			  i, get(vcpu, CORE_REG_X(i)), i + 1,
			  get(vcpu, CORE_REG_X(i + 1)), i + 2,
			  get(vcpu, CORE_REG_X(i + 2)));
	text_emit(sink, "x30 %016" PRIx64, get(vcpu, CORE_REG_X(30)));
}

static void dump_system_registers(struct vcpu *vcpu,
				  const struct text_sink *sink,
				  const struct walk_regime *regime)
{
	text_emit(sink,
		  "sctlr_el1 %016" PRIx64 " tcr_el1 %016" PRIx64
		  " ttbr0_el1 %016" PRIx64 " ttbr1_el1 %016" PRIx64,
		  regime->sctlr, regime->tcr, regime->ttbr[0], regime->ttbr[1]);
	text_emit(sink,
		  "esr_el1 %016" PRIx64 " far_el1 %016" PRIx64
		  " vbar_el1 %016" PRIx64 " elr_el1 %016" PRIx64,
		  get(vcpu, SYS_REG(5, 2, 0)), get(vcpu, SYS_REG(6, 0, 0)),
		  get(vcpu, SYS_REG(12, 0, 0)), get(vcpu, CORE_REG(elr_el1)));
}

void arch_dump_vcpu(struct vcpu *vcpu, const struct text_sink *sink,
		    bool deeply)
{
	const struct memory *mem = &vcpu->vm->memory;
	u64 pc = get(vcpu, CORE_REG(regs.pc));
	u64 mode = get(vcpu, CORE_REG(regs.pstate)) & PSTATE_MODE;
	u64 sp = mode == PSTATE_EL1H ? get(vcpu, CORE_REG(sp_el1))
				     : get(vcpu, CORE_REG(regs.sp));
	const struct walk_regime regime = {
		.sctlr = get(vcpu, SYS_REG(1, 0, 0)),
		.tcr = get(vcpu, SYS_REG(2, 0, 2)),
		.ttbr = { get(vcpu, SYS_REG(2, 0, 0)),
			  get(vcpu, SYS_REG(2, 0, 1)) },
	};

	dump_registers(vcpu, sink);
	walk_print_code(mem, &regime, sink, pc);
	if (!deeply)
		return;
	dump_system_registers(vcpu, sink, &regime);
	walk_print_stack(mem, &regime, sink, sp);
	walk_print_tables(mem, &regime, sink, pc);
}
