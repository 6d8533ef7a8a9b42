/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of a vCPU as text: what is left to say about one that crashed, and
 * what "lkvm debug" prints.
 */
#include <inttypes.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include "lkvm/arch.h"
#include "lkvm/kvm.h"
#include "lkvm/log.h"
#include "lkvm/vcpu.h"
#include "x86/walk.h"

static void dump_segment(const struct text_sink *sink, const char *name,
			 const struct kvm_segment *s)
{
	text_emit(sink,
		  "%-3s %04x base %016llx limit %08x type %x dpl %u l %u db %u",
		  name, s->selector, (unsigned long long)s->base, s->limit,
		  s->type, s->dpl, s->l, s->db);
}

static void dump_regs(const struct text_sink *sink, const struct kvm_regs *r)
{
	const struct {
		const char *name;
		u64 value;
	} regs[] = {
		{ "rax", r->rax }, { "rbx", r->rbx }, { "rcx", r->rcx },
		{ "rdx", r->rdx }, { "rsi", r->rsi }, { "rdi", r->rdi },
		{ "rbp", r->rbp }, { "rsp", r->rsp }, { "r8 ", r->r8 },
		{ "r9 ", r->r9 },  { "r10", r->r10 }, { "r11", r->r11 },
		{ "r12", r->r12 }, { "r13", r->r13 }, { "r14", r->r14 },
		{ "r15", r->r15 },
	};

	text_emit(sink, "rip %016llx flags %08llx", (unsigned long long)r->rip,
		  (unsigned long long)r->rflags);
	for (unsigned int i = 0; i < ARRAY_SIZE(regs); i += 4)
		text_emit(sink,
			  "%s %016" PRIx64 " %s %016" PRIx64 " %s %016" PRIx64
			  " %s %016" PRIx64,
			  regs[i].name, regs[i].value, regs[i + 1].name,
			  regs[i + 1].value, regs[i + 2].name,
			  regs[i + 2].value, regs[i + 3].name,
			  regs[i + 3].value);
}

static void dump_sregs(const struct text_sink *sink, const struct kvm_sregs *s)
{
	text_emit(sink,
		  "cr0 %08llx cr2 %016llx cr3 %016llx cr4 %08llx efer %llx",
		  (unsigned long long)s->cr0, (unsigned long long)s->cr2,
		  (unsigned long long)s->cr3, (unsigned long long)s->cr4,
		  (unsigned long long)s->efer);
	dump_segment(sink, "cs", &s->cs);
	dump_segment(sink, "ds", &s->ds);
	dump_segment(sink, "ss", &s->ss);
	dump_segment(sink, "tr", &s->tr);
	text_emit(sink, "gdt %016llx limit %04x, idt %016llx limit %04x",
		  (unsigned long long)s->gdt.base, s->gdt.limit,
		  (unsigned long long)s->idt.base, s->idt.limit);
}

void arch_dump_vcpu(struct vcpu *vcpu, const struct text_sink *sink,
		    bool deeply)
{
	const struct memory *mem = &vcpu->vm->memory;
	struct walk_regime regime;
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	u64 rip;

	if (ioctl(vcpu->fd, KVM_GET_REGS, &regs) < 0 ||
	    ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0)
		return;
	regime = (struct walk_regime){
		.cr0 = sregs.cr0,
		.cr3 = sregs.cr3,
		.cr4 = sregs.cr4,
		.efer = sregs.efer,
	};
	rip = sregs.cs.base + regs.rip;
	text_emit(sink, "vCPU %u registers:", vcpu->index);
	dump_regs(sink, &regs);
	dump_sregs(sink, &sregs);
	walk_print_code(mem, &regime, sink, rip);
	if (!deeply)
		return;
	walk_print_stack(mem, &regime, sink, sregs.ss.base + regs.rsp);
	walk_print_tables(mem, &regime, sink, rip);
}
