/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What CPUID tells the guest: what KVM supports, with the topology of this
 * machine: one socket, as many cores as there are vCPUs, one thread each, and
 * the vCPU's index as APIC id.
 */
#ifndef LKVM_X86_CPUID_H
#define LKVM_X86_CPUID_H

#include <linux/kvm.h>
#include "lkvm/types.h"

/* Entries that cpuid_set_topology() may add to a table. */
#define CPUID_EXTRA 8U

/* NULL where @table has no such leaf. */
struct kvm_cpuid_entry2 *cpuid_find(struct kvm_cpuid2 *table, u32 function,
				    u32 index);

/*
 * @table holds what KVM supports and has room for @room entries, at least
 * CPUID_EXTRA more than it uses. -ENOSPC without that.
 */
int cpuid_set_topology(struct kvm_cpuid2 *table, unsigned int room,
		       unsigned int cpus);

/* Features that KVM does not list as supported, and some that it should not. */
void cpuid_set_features(struct kvm_cpuid2 *table, bool tsc_deadline);

/* Words of the processor's name, in leaves 0x80000002 to 0x80000004. */
#define CPUID_BRAND 12

/* Name the processor where KVM leaves the name empty. */
void cpuid_set_brand(struct kvm_cpuid2 *table, const u32 brand[CPUID_BRAND]);

/* Make it the table of vCPU @id. */
void cpuid_set_apic_id(struct kvm_cpuid2 *table, u32 id);

/* Bits of a guest physical address. */
unsigned int cpuid_phys_bits(struct kvm_cpuid2 *table);

#endif
