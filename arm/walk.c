/* SPDX-License-Identifier: GPL-2.0-only */
#include "arm/walk.h"

#include <string.h>
#include "lkvm/memory.h"

#define SCTLR_M BIT64(0)
#define TCR_T0SZ_SHIFT 0
#define TCR_T1SZ_SHIFT 16
#define TCR_TSZ_MASK 0x3fU
#define TCR_TG0_SHIFT 14
#define TCR_TG1_SHIFT 30
#define TCR_TG_MASK 3U
/* Which of the two tables an address belongs to. */
#define ADDRESS_UPPER BIT64(55)
#define TTBR_TABLE 0x0000ffffffffffc0ULL
#define ENTRY_VALID BIT64(0)
#define ENTRY_TABLE BIT64(1) /* at the last level: a page */
#define ENTRY_ADDRESS 0x0000fffffffff000ULL
#define LAST_LEVEL 3U

/* One half of the address space. */
struct half {
	u64 table;
	unsigned int bits;    /* of addresses */
	unsigned int granule; /* log2; 0: reserved */
};

/* TCR_EL1.TG0 and TG1 code the same sizes differently. */
static const u8 granules[2][4] = { { 12, 16, 14, 0 }, { 0, 14, 12, 16 } };

static struct half half_of(const struct walk_regime *regime, u64 address)
{
	unsigned int upper = address & ADDRESS_UPPER ? 1 : 0;
	unsigned int size = regime->tcr >>
				    (upper ? TCR_T1SZ_SHIFT : TCR_T0SZ_SHIFT) &
			    TCR_TSZ_MASK;
	unsigned int code = regime->tcr >>
				    (upper ? TCR_TG1_SHIFT : TCR_TG0_SHIFT) &
			    TCR_TG_MASK;

	return (struct half){
		.table = regime->ttbr[upper] & TTBR_TABLE,
		.bits = 64 - size,
		.granule = granules[upper][code],
	};
}

/* Tables fill a granule, so each level resolves so many bits. */
static unsigned int stride(const struct half *half)
{
	return half->granule - 3;
}

/* Where the bits that @level resolves begin. */
static unsigned int level_shift(const struct half *half, unsigned int level)
{
	return half->granule + stride(half) * (LAST_LEVEL - level);
}

/* The first level is the one whose table covers all bits. */
static unsigned int first_level(const struct half *half)
{
	unsigned int level = LAST_LEVEL;

	while (level && level_shift(half, level - 1) < half->bits)
		level--;
	return level;
}

static u64 low_bits(u64 value, unsigned int nr)
{
	return nr < 64 ? value & (BIT64(nr) - 1) : value;
}

/* Bits above those translated are all ones or all zeroes, or top-byte tags. */
static bool in_half(const struct half *half, u64 address)
{
	u64 top = low_bits(address, 56) >> half->bits;

	return half->bits >= 56 || !top ||
	       top == low_bits(~0ULL, 56 - half->bits);
}

static const char *read_step(const struct memory *mem, struct walk_step *step)
{
	const void *at =
		guest_ptr(mem, step->table_gpa + 8ULL * step->index, 8);

	if (!at)
		return "the table is not in RAM";
	memcpy(&step->entry, at, sizeof(step->entry));
	return step->entry & ENTRY_VALID ? NULL : "not valid";
}

/* Is @entry, valid at @level, the end of the walk? */
static bool is_leaf(u64 entry, unsigned int level)
{
	return level == LAST_LEVEL || !(entry & ENTRY_TABLE);
}

static const char *walk_half(const struct memory *mem, const struct half *half,
			     u64 address, struct walk *out)
{
	static const char *const names[] = { "level 0", "level 1", "level 2",
					     "level 3" };
	u64 table = half->table;
	unsigned int bits = half->bits;

	for (unsigned int level = first_level(half); level <= LAST_LEVEL;
	     level++) {
		unsigned int shift = level_shift(half, level);
		struct walk_step *step = &out->steps[out->nr_steps++];
		const char *fault;

		*step = (struct walk_step){
			.name = names[level],
			.index = low_bits(address, bits) >> shift,
			.table_gpa = table,
		};
		fault = read_step(mem, step);
		if (fault)
			return fault;
		if (is_leaf(step->entry, level)) {
			if (level == LAST_LEVEL && !(step->entry & ENTRY_TABLE))
				return "reserved";
			out->gpa = (step->entry & ENTRY_ADDRESS &
				    ~(BIT64(shift) - 1)) |
				   low_bits(address, shift);
			return NULL;
		}
		table = step->entry & ENTRY_ADDRESS &
			~(BIT64(half->granule) - 1);
		bits = shift;
	}
	return "no end";
}

void walk_address(const struct memory *mem, const struct walk_regime *regime,
		  u64 address, struct walk *out)
{
	struct half half = half_of(regime, address);

	*out = (struct walk){ .gpa = address };
	if (!(regime->sctlr & SCTLR_M))
		return;
	if (!half.granule || half.bits > 48 || half.bits <= half.granule)
		out->fault = "a size that is not known here";
	else if (!in_half(&half, address))
		out->fault = "outside both halves";
	else
		out->fault = walk_half(mem, &half, address, out);
}
