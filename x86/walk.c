// SPDX-License-Identifier: GPL-2.0-only
#include "x86/walk.h"

#include <string.h>
#include "lkvm/memory.h"

#define CR0_PG BIT64(31)
#define CR4_PSE BIT64(4)
#define CR4_PAE BIT64(5)
#define CR4_LA57 BIT64(12)
#define EFER_LMA BIT64(10)
#define ENTRY_PRESENT BIT64(0)
#define ENTRY_LARGE BIT64(7)
#define PAGE_SHIFT 12U

/* SDM volume 3, 4.1.1. */
struct mode {
	unsigned int levels;
	unsigned int bits;	/* of the address that a level resolves, ... */
	unsigned int top_bits;	/* but for the first */
	unsigned int entry_len; /* bytes */
	unsigned int large;	/* the highest level with pages */
	u64 first_table, address; /* bits of CR3 and of entries */
};

static const struct mode mode_32bit = {
	.levels = 2,
	.bits = 10,
	.top_bits = 10,
	.entry_len = 4,
	.large = 2,
	.first_table = 0xfffff000,
	.address = 0xfffff000,
};

static const struct mode mode_pae = {
	.levels = 3,
	.bits = 9,
	.top_bits = 2,
	.entry_len = 8,
	.large = 2,
	.first_table = 0xffffffe0,
	.address = 0x000ffffffffff000,
};

static const struct mode mode_long = {
	.levels = 4,
	.bits = 9,
	.top_bits = 9,
	.entry_len = 8,
	.large = 3,
	.first_table = 0x000ffffffffff000,
	.address = 0x000ffffffffff000,
};

static struct mode mode_of(const struct walk_regime *regime)
{
	struct mode mode = mode_long;

	if (regime->efer & EFER_LMA) {
		mode.levels += !!(regime->cr4 & CR4_LA57);
		return mode;
	}
	if (regime->cr4 & CR4_PAE)
		return mode_pae;
	mode = mode_32bit;
	if (!(regime->cr4 & CR4_PSE))
		mode.large = 1;
	return mode;
}

static const char *read_entry(const struct memory *mem, unsigned int len,
			      struct walk_step *step)
{
	const void *at =
		guest_ptr(mem, step->table_gpa + (u64)len * step->index, len);

	if (!at)
		return "the table is not in RAM";
	memcpy(&step->entry, at, len);
	return step->entry & ENTRY_PRESENT ? NULL : "not present";
}

static bool is_page(const struct mode *mode, unsigned int level, u64 entry)
{
	return level == 1 || (level <= mode->large && entry & ENTRY_LARGE);
}

static const char *follow(const struct memory *mem, const struct mode *mode,
			  u64 table, u64 address, struct walk *out)
{
	static const char *const names[] = { "PTE", "PDE", "PDPTE", "PML4E",
					     "PML5E" };

	for (unsigned int level = mode->levels; level; level--) {
		unsigned int shift = PAGE_SHIFT + mode->bits * (level - 1);
		unsigned int bits = level == mode->levels ? mode->top_bits
							  : mode->bits;
		struct walk_step *step = &out->steps[out->nr_steps++];
		const char *fault;

		*step = (struct walk_step){
			.name = names[level - 1],
			.index = address >> shift & (BIT64(bits) - 1),
			.table_gpa = table,
		};
		fault = read_entry(mem, mode->entry_len, step);
		if (fault)
			return fault;
		table = step->entry & mode->address;
		if (is_page(mode, level, step->entry)) {
			u64 offset = BIT64(shift) - 1;

			out->gpa = (table & ~offset) | (address & offset);
			return NULL;
		}
	}
	return "no end";
}

/* 3.3.7.1: the bits that are not translated repeat the highest that is. */
static bool is_canonical(const struct mode *mode, u64 address)
{
	unsigned int bits = PAGE_SHIFT + mode->bits * mode->levels;
	u64 top = address >> (bits - 1);

	return !top || top == ~0ULL >> (bits - 1);
}

void walk_address(const struct memory *mem, const struct walk_regime *regime,
		  u64 address, struct walk *out)
{
	struct mode mode = mode_of(regime);

	*out = (struct walk){ .gpa = address };
	if (!(regime->efer & EFER_LMA))
		address &= 0xffffffff;
	else if (!is_canonical(&mode, address)) {
		out->fault = "not canonical";
		return;
	}
	if (regime->cr0 & CR0_PG)
		out->fault = follow(mem, &mode, regime->cr3 & mode.first_table,
				    address, out);
	else
		out->gpa = address;
}
