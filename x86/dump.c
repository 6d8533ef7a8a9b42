/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of a vCPU as text: what is left to say about one that crashed, and
 * what "lkvm debug" prints. Everything read from the guest's memory is hostile:
 * page tables are followed one level at a time, never further than there are.
 */
#include <inttypes.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include "lkvm/arch.h"
#include "lkvm/kvm.h"
#include "lkvm/log.h"
#include "lkvm/vcpu.h"

#define CODE_BYTES 16U
#define STACK_LINES 8U
#define STACK_LINE_BYTES 32U

/* SDM volume 3, 2.5 and 4.5 */
#define CR0_PG (1ULL << 31)
#define CR4_LA57 (1ULL << 12)
#define EFER_LMA (1ULL << 10)
#define ENTRY_PRESENT (1ULL << 0)
#define ENTRY_LARGE (1ULL << 7)
#define ENTRY_ADDRESS 0x000ffffffffff000ULL
#define TABLE_ENTRIES 512U

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

/* ---- The guest's own page tables ---- */

struct table_step {
	unsigned int level, index;
	u64 table_gpa, entry;
};

struct table_walk {
	unsigned int nr_steps;
	struct table_step steps[5];
	const char *fault; /* why there is no address, or NULL */
	u64 gpa;
};

static bool in_long_mode(const struct kvm_sregs *sregs)
{
	return sregs->cr0 & CR0_PG && sregs->efer & EFER_LMA;
}

static const char *read_entry(const struct memory *mem, struct table_step *step)
{
	const void *at =
		guest_ptr(mem, step->table_gpa + 8ULL * step->index, 8);

	if (!at)
		return "its table is not in RAM";
	memcpy(&step->entry, at, sizeof(step->entry));
	return step->entry & ENTRY_PRESENT ? NULL : "not present";
}

/* SDM volume 3, 4.5: 4-level and 5-level paging. */
static void walk_tables(const struct memory *mem, const struct kvm_sregs *sregs,
			u64 linear, struct table_walk *out)
{
	unsigned int level = sregs->cr4 & CR4_LA57 ? 5 : 4;
	u64 table = sregs->cr3 & ENTRY_ADDRESS;

	*out = (struct table_walk){ .nr_steps = 0 };
	for (;; level--) {
		struct table_step *step = &out->steps[out->nr_steps++];
		unsigned int shift = 12 + 9 * (level - 1);

		*step = (struct table_step){
			.level = level,
			.index = (linear >> shift) & (TABLE_ENTRIES - 1),
			.table_gpa = table,
		};
		out->fault = read_entry(mem, step);
		if (out->fault)
			return;
		table = step->entry & ENTRY_ADDRESS;
		if (level == 1 || (step->entry & ENTRY_LARGE && level <= 3)) {
			u64 offset = (1ULL << shift) - 1;

			out->gpa = (table & ~offset) | (linear & offset);
			return;
		}
	}
}

/*
 * KVM_TRANSLATE asks as the kernel, which SMAP keeps from user pages: in long mode
 * the tables are followed here. NULL: not in RAM.
 */
static const u8 *linear_byte(struct vcpu *vcpu, const struct kvm_sregs *sregs,
			     u64 linear)
{
	struct kvm_translation tr = { .linear_address = linear };
	struct table_walk walk;

	if (in_long_mode(sregs)) {
		walk_tables(&vcpu->vm->memory, sregs, linear, &walk);
		return walk.fault ? NULL
				  : guest_ptr(&vcpu->vm->memory, walk.gpa, 1);
	}
	if (ioctl(vcpu->fd, KVM_TRANSLATE, &tr) < 0 || !tr.valid)
		return NULL;
	return guest_ptr(&vcpu->vm->memory, tr.physical_address, 1);
}

/* Up to @nr bytes at @linear, as " xx xx"; @text has room for them. */
static void bytes_as_text(struct vcpu *vcpu, const struct kvm_sregs *sregs,
			  u64 linear, unsigned int nr, char *text)
{
	text[0] = '\0';
	for (unsigned int i = 0; i < nr; i++) {
		const u8 *byte = linear_byte(vcpu, sregs, linear + i);

		if (!byte)
			break;
		snprintf(text + 3 * i, 4, " %02x", *byte);
	}
}

static void dump_code(struct vcpu *vcpu, const struct text_sink *sink,
		      const struct kvm_sregs *sregs, u64 linear)
{
	char text[3 * CODE_BYTES + 1];

	bytes_as_text(vcpu, sregs, linear, CODE_BYTES, text);
	text_emit(sink, "code at %016" PRIx64 ":%s", linear,
		  text[0] ? text : " not in RAM");
}

static void dump_stack(struct vcpu *vcpu, const struct text_sink *sink,
		       const struct kvm_sregs *sregs, u64 linear)
{
	char text[3 * STACK_LINE_BYTES + 1];

	for (unsigned int i = 0; i < STACK_LINES; i++) {
		bytes_as_text(vcpu, sregs, linear, STACK_LINE_BYTES, text);
		text_emit(sink, "stack at %016" PRIx64 ":%s", linear,
			  text[0] ? text : " not in RAM");
		if (!text[0])
			return;
		linear += STACK_LINE_BYTES;
	}
}

static void dump_page_tables(struct vcpu *vcpu, const struct text_sink *sink,
			     const struct kvm_sregs *sregs, u64 linear)
{
	static const char *const names[] = { "",      "PTE",   "PDE",
					     "PDPTE", "PML4E", "PML5E" };
	struct table_walk walk;

	if (!in_long_mode(sregs)) {
		text_emit(sink, "page tables: not in long mode");
		return;
	}
	walk_tables(&vcpu->vm->memory, sregs, linear, &walk);
	for (unsigned int i = 0; i < walk.nr_steps; i++) {
		const struct table_step *step = &walk.steps[i];

		text_emit(sink, "%-5s %3u: %016" PRIx64 "%s%s",
			  names[step->level], step->index, step->entry,
			  i + 1 == walk.nr_steps && walk.fault ? " " : "",
			  i + 1 == walk.nr_steps && walk.fault ? walk.fault
							       : "");
	}
}

void arch_dump_vcpu(struct vcpu *vcpu, const struct text_sink *sink,
		    bool deeply)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	if (ioctl(vcpu->fd, KVM_GET_REGS, &regs) < 0 ||
	    ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0)
		return;
	text_emit(sink, "vCPU %u registers:", vcpu->index);
	dump_regs(sink, &regs);
	dump_sregs(sink, &sregs);
	dump_code(vcpu, sink, &sregs, sregs.cs.base + regs.rip);
	if (!deeply)
		return;
	dump_stack(vcpu, sink, &sregs, sregs.ss.base + regs.rsp);
	text_emit(sink, "page tables for rip:");
	dump_page_tables(vcpu, sink, &sregs, sregs.cs.base + regs.rip);
}
