/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exits that only x86 has, and what is left to say about a vCPU that crashed.
 */
#include "lkvm/arch.h"

#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include "lkvm/kvm.h"
#include "lkvm/vcpu.h"

#define CODE_BYTES 16U

int arch_handle_exit(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	switch (run->exit_reason) {
	case KVM_EXIT_X86_RDMSR:
	case KVM_EXIT_X86_WRMSR:
		run->msr.error = 1; /* the guest gets #GP */
		return 0;
	case KVM_EXIT_HYPERCALL:
		run->hypercall.ret = (u64)-1000; /* KVM_ENOSYS */
		return 0;
	default:
		return 1;
	}
}

static void dump_segment(const char *name, const struct kvm_segment *s)
{
	log_info("%-3s %04x base %016llx limit %08x type %x dpl %u l %u db %u",
		 name, s->selector, (unsigned long long)s->base, s->limit,
		 s->type, s->dpl, s->l, s->db);
}

static void dump_regs(const struct kvm_regs *r)
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

	log_info("rip %016llx flags %08llx", (unsigned long long)r->rip,
		 (unsigned long long)r->rflags);
	for (unsigned int i = 0; i < ARRAY_SIZE(regs); i += 4)
		log_info("%s %016llx %s %016llx %s %016llx %s %016llx",
			 regs[i].name, (unsigned long long)regs[i].value,
			 regs[i + 1].name,
			 (unsigned long long)regs[i + 1].value,
			 regs[i + 2].name,
			 (unsigned long long)regs[i + 2].value,
			 regs[i + 3].name,
			 (unsigned long long)regs[i + 3].value);
}

static void dump_sregs(const struct kvm_sregs *s)
{
	log_info("cr0 %08llx cr2 %016llx cr3 %016llx cr4 %08llx efer %llx",
		 (unsigned long long)s->cr0, (unsigned long long)s->cr2,
		 (unsigned long long)s->cr3, (unsigned long long)s->cr4,
		 (unsigned long long)s->efer);
	dump_segment("cs", &s->cs);
	dump_segment("ds", &s->ds);
	dump_segment("ss", &s->ss);
	dump_segment("tr", &s->tr);
	log_info("gdt %016llx limit %04x, idt %016llx limit %04x",
		 (unsigned long long)s->gdt.base, s->gdt.limit,
		 (unsigned long long)s->idt.base, s->idt.limit);
}

/* The guest's own page tables say where the code is. */
static void dump_code(struct vcpu *vcpu, u64 linear)
{
	char text[3 * CODE_BYTES + 1] = "";

	for (unsigned int i = 0; i < CODE_BYTES; i++) {
		struct kvm_translation tr = { .linear_address = linear + i };
		const u8 *byte;

		if (ioctl(vcpu->fd, KVM_TRANSLATE, &tr) < 0 || !tr.valid)
			break;
		byte = guest_ptr(&vcpu->vm->memory, tr.physical_address, 1);
		if (!byte)
			break;
		snprintf(text + 3 * i, 4, " %02x", *byte);
	}
	log_info("code at %016llx:%s", (unsigned long long)linear,
		 text[0] ? text : " not in RAM");
}

void arch_dump_vcpu(struct vcpu *vcpu)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	if (ioctl(vcpu->fd, KVM_GET_REGS, &regs) < 0 ||
	    ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0)
		return;
	log_info("vCPU %u registers:", vcpu->index);
	dump_regs(&regs);
	dump_sregs(&sregs);
	dump_code(vcpu, sregs.cs.base + regs.rip);
}
