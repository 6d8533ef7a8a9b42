/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes to KVM's table of supported CPUID leaves. Pure functions. Leaves as
 * in the Intel SDM, volume 2A (CPUID), and the AMD APM, volume 3, appendix E.
 */
#include "x86/cpuid.h"

#include <errno.h>
#include <string.h>

#define LEAF_EXT_TOPOLOGY 0xbU
#define LEAF_EXT_TOPOLOGY_V2 0x1fU
#define LEAF_BRAND 0x80000002U
#define LEVEL_INVALID 0U
#define LEVEL_THREAD 1U
#define LEVEL_CORE 2U

static unsigned int bits_for(unsigned int count)
{
	unsigned int bits = 0;

	while ((1ULL << bits) < count)
		bits++;
	return bits;
}

static u32 min_u32(u32 a, u32 b)
{
	return a < b ? a : b;
}

/* Replace @len bits of @value from @shift on by @field, at most its maximum. */
static u32 with_field(u32 value, unsigned int shift, unsigned int len,
		      u32 field)
{
	u32 mask = (1U << len) - 1;

	return (value & ~(mask << shift)) | (min_u32(field, mask) << shift);
}

struct kvm_cpuid_entry2 *cpuid_find(struct kvm_cpuid2 *table, u32 function,
				    u32 index)
{
	for (u32 i = 0; i < table->nent; i++) {
		struct kvm_cpuid_entry2 *e = &table->entries[i];

		if (e->function == function && e->index == index)
			return e;
	}
	return NULL;
}

static void cpuid_remove(struct kvm_cpuid2 *table, u32 function)
{
	u32 kept = 0;

	for (u32 i = 0; i < table->nent; i++)
		if (table->entries[i].function != function)
			table->entries[kept++] = table->entries[i];
	table->nent = kept;
}

static bool is_amd(struct kvm_cpuid2 *table)
{
	const struct kvm_cpuid_entry2 *e = cpuid_find(table, 0, 0);

	return e &&
	       (!memcmp(&e->ebx, "Auth", 4) || !memcmp(&e->ebx, "Hygo", 4));
}

static u32 max_leaf(struct kvm_cpuid2 *table, u32 base)
{
	const struct kvm_cpuid_entry2 *e = cpuid_find(table, base, 0);

	return e ? e->eax : base;
}

/* Extended topology: threads, then cores, then the end of the list. */
static void add_topology_leaf(struct kvm_cpuid2 *table, u32 function,
			      unsigned int cpus)
{
	const struct kvm_cpuid_entry2 levels[] = {
		{ .eax = 0, .ebx = 1, .ecx = LEVEL_THREAD << 8 },
		{ .eax = bits_for(cpus), .ebx = cpus, .ecx = LEVEL_CORE << 8 },
		{ .eax = 0, .ebx = 0, .ecx = LEVEL_INVALID << 8 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(levels); i++) {
		struct kvm_cpuid_entry2 *e = &table->entries[table->nent++];

		*e = levels[i];
		e->function = function;
		e->index = i;
		e->flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
		e->ecx |= i;
	}
}

static void set_leaf_1(struct kvm_cpuid_entry2 *e, unsigned int cpus)
{
	e->ebx = with_field(e->ebx, 16, 8, 1U << min_u32(bits_for(cpus), 8));
	e->edx &= ~BIT(28); /* HTT: more than one logical processor */
	if (cpus > 1)
		e->edx |= BIT(28);
}

/* Who shares a cache: every core its own L1 and L2, all of them the L3. */
static u32 cache_sharers(u32 eax, unsigned int cpus)
{
	return ((eax >> 5) & 7) >= 3 ? cpus : 1;
}

static void set_leaf_4(struct kvm_cpuid_entry2 *e, unsigned int cpus)
{
	u32 slots = 1U << bits_for(cpus);

	if (!(e->eax & 0x1f))
		return; /* no more caches */
	e->eax = with_field(e->eax, 26, 6, slots - 1);
	e->eax = with_field(e->eax, 14, 12, cache_sharers(e->eax, slots) - 1);
}

static void set_amd_leaf(struct kvm_cpuid_entry2 *e, unsigned int cpus)
{
	switch (e->function) {
	case 0x80000001: /* CmpLegacy: the logical processors are cores */
		e->ecx &= ~BIT(1);
		if (cpus > 1)
			e->ecx |= BIT(1);
		break;
	case 0x80000008:
		e->ecx = with_field(e->ecx, 0, 8, cpus - 1);
		e->ecx = with_field(e->ecx, 12, 4, bits_for(cpus));
		break;
	case 0x8000001d:
		if (e->eax & 0x1f)
			e->eax = with_field(e->eax, 14, 12,
					    cache_sharers(e->eax, cpus) - 1);
		break;
	case 0x8000001e:
		e->ebx = with_field(e->ebx, 8, 8, 0);  /* threads - 1 */
		e->ecx = with_field(e->ecx, 0, 11, 0); /* one node */
		break;
	}
}

int cpuid_set_topology(struct kvm_cpuid2 *table, unsigned int room,
		       unsigned int cpus)
{
	u32 max = max_leaf(table, 0);
	bool amd = is_amd(table);

	cpuid_remove(table, LEAF_EXT_TOPOLOGY);
	cpuid_remove(table, LEAF_EXT_TOPOLOGY_V2);
	if (table->nent + 6 > room)
		return -ENOSPC;
	for (u32 i = 0; i < table->nent; i++) {
		struct kvm_cpuid_entry2 *e = &table->entries[i];

		if (e->function == 1)
			set_leaf_1(e, cpus);
		else if (e->function == 4)
			set_leaf_4(e, cpus);
		else if (amd)
			set_amd_leaf(e, cpus);
	}
	if (max >= LEAF_EXT_TOPOLOGY)
		add_topology_leaf(table, LEAF_EXT_TOPOLOGY, cpus);
	if (max >= LEAF_EXT_TOPOLOGY_V2)
		add_topology_leaf(table, LEAF_EXT_TOPOLOGY_V2, cpus);
	return 0;
}

void cpuid_set_features(struct kvm_cpuid2 *table, bool tsc_deadline)
{
	struct kvm_cpuid_entry2 *e = cpuid_find(table, 1, 0);

	if (e) {
		e->ecx |= BIT(31); /* a hypervisor is there */
		e->ecx &= ~BIT(24);
		if (tsc_deadline)
			e->ecx |= BIT(24);
	}
	e = cpuid_find(table, 6, 0);
	if (e)
		e->ecx &= ~BIT(3); /* no energy bias that a guest could set */
}

void cpuid_set_brand(struct kvm_cpuid2 *table, const u32 brand[CPUID_BRAND])
{
	for (u32 i = 0; i < CPUID_BRAND / 4; i++) {
		struct kvm_cpuid_entry2 *e =
			cpuid_find(table, LEAF_BRAND + i, 0);

		if (!e || e->eax || e->ebx || e->ecx || e->edx)
			continue;
		e->eax = brand[4 * i];
		e->ebx = brand[4 * i + 1];
		e->ecx = brand[4 * i + 2];
		e->edx = brand[4 * i + 3];
	}
}

void cpuid_set_apic_id(struct kvm_cpuid2 *table, u32 id)
{
	for (u32 i = 0; i < table->nent; i++) {
		struct kvm_cpuid_entry2 *e = &table->entries[i];

		switch (e->function) {
		case 1:
			e->ebx = (e->ebx & 0x00ffffff) | (id << 24);
			break;
		case LEAF_EXT_TOPOLOGY:
		case LEAF_EXT_TOPOLOGY_V2:
			e->edx = id;
			break;
		case 0x8000001e:
			e->eax = id;
			e->ebx = (e->ebx & ~0xffU) | (id & 0xff);
			break;
		}
	}
}

unsigned int cpuid_phys_bits(struct kvm_cpuid2 *table)
{
	const struct kvm_cpuid_entry2 *e = cpuid_find(table, 0x80000008, 0);
	unsigned int bits = e ? e->eax & 0xff : 0;
	unsigned int guest_bits = e ? (e->eax >> 16) & 0xff : 0;

	/* What nested paging can map may be less than what the CPU has. */
	if (guest_bits && guest_bits < bits)
		bits = guest_bits;
	if (bits < 36 || bits > 52)
		bits = 36;
	return bits;
}
