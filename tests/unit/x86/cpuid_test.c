/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lkvm/types.h"
#include "x86/cpuid.h"

#define ROOM 64U

/* A table as KVM on a host with 32 threads might give it. */
static struct kvm_cpuid2 *new_table(const char *vendor)
{
	const struct kvm_cpuid_entry2 host[] = {
		{ .function = 0, .eax = 0x1f },
		{ .function = 1, .ebx = 0x1f200800, .edx = BIT(28) },
		{ .function = 4, .index = 0, .eax = 0xfc004121 },
		{ .function = 4, .index = 3, .eax = 0xfc07c163 },
		{ .function = 6, .ecx = BIT(3) },
		{ .function = 0xb, .index = 0, .eax = 1, .ebx = 2, .edx = 31 },
		{ .function = 0xb, .index = 1, .eax = 5, .ebx = 32, .edx = 31 },
		{ .function = 0x80000001, .ecx = 0 },
		{ .function = 0x80000002 },
		{ .function = 0x80000003, .ecx = 99 },
		{ .function = 0x80000004 },
		{ .function = 0x80000008, .eax = 0x3030, .ecx = 0x501f },
		{ .function = 0x8000001d, .index = 0, .eax = 0x4121 },
		{ .function = 0x8000001d, .index = 3, .eax = 0x3c163 },
		{ .function = 0x8000001e, .eax = 31, .ebx = 0x10f, .ecx = 3 },
	};
	struct kvm_cpuid2 *table =
		calloc(1, sizeof(*table) + ROOM * sizeof(host[0]));

	assert_non_null(table);
	memcpy(table->entries, host, sizeof(host));
	memcpy(&table->entries[0].ebx, vendor, 4);
	table->nent = ARRAY_SIZE(host);
	return table;
}

static struct kvm_cpuid_entry2 *leaf(struct kvm_cpuid2 *table, u32 function,
				     u32 index)
{
	struct kvm_cpuid_entry2 *e = cpuid_find(table, function, index);

	assert_non_null(e);
	return e;
}

static void test_cpuid__one_cpu_is_alone(void **state)
{
	struct kvm_cpuid2 *table = new_table("Auth");

	assert_int_equal(cpuid_set_topology(table, ROOM, 1), 0);
	cpuid_set_apic_id(table, 0);

	assert_int_equal(leaf(table, 1, 0)->ebx, 0x00010800);
	assert_int_equal(leaf(table, 1, 0)->edx & BIT(28), 0);
	assert_int_equal(leaf(table, 0xb, 1)->eax, 0);
	assert_int_equal(leaf(table, 0xb, 1)->ebx, 1);
	assert_int_equal(leaf(table, 0x80000008, 0)->ecx, 0);
	assert_int_equal(leaf(table, 0x80000001, 0)->ecx & BIT(1), 0);
	free(table);
}

static void test_cpuid__cores_of_one_socket(void **state)
{
	struct kvm_cpuid2 *table = new_table("Auth");

	assert_int_equal(cpuid_set_topology(table, ROOM, 6), 0);
	cpuid_set_apic_id(table, 5);

	assert_int_equal(leaf(table, 1, 0)->ebx, 0x05080800);
	assert_int_equal(leaf(table, 1, 0)->edx & BIT(28), BIT(28));
	assert_int_equal(leaf(table, 0xb, 0)->eax, 0);
	assert_int_equal(leaf(table, 0xb, 0)->ebx, 1);
	assert_int_equal(leaf(table, 0xb, 0)->ecx, 0x100);
	assert_int_equal(leaf(table, 0xb, 1)->eax, 3);
	assert_int_equal(leaf(table, 0xb, 1)->ebx, 6);
	assert_int_equal(leaf(table, 0xb, 1)->ecx, 0x201);
	assert_int_equal(leaf(table, 0xb, 2)->ecx, 2);
	for (u32 i = 0; i < 3; i++) {
		assert_int_equal(leaf(table, 0xb, i)->edx, 5);
		assert_int_equal(leaf(table, 0x1f, i)->edx, 5);
	}
	assert_int_equal(leaf(table, 0x80000008, 0)->ecx, 0x3005);
	assert_int_equal(leaf(table, 0x8000001e, 0)->eax, 5);
	assert_int_equal(leaf(table, 0x8000001e, 0)->ebx, 5);
	assert_int_equal(leaf(table, 0x8000001e, 0)->ecx, 0);
	assert_int_equal(leaf(table, 0x8000001d, 0)->eax, 0x121);
	assert_int_equal(leaf(table, 0x8000001d, 3)->eax, 0x14163);
	free(table);
}

static void test_cpuid__intel_caches_are_shared_by_level(void **state)
{
	struct kvm_cpuid2 *table = new_table("Genu");

	assert_int_equal(cpuid_set_topology(table, ROOM, 4), 0);

	/* Four cores; L1 for each, L3 for all. */
	assert_int_equal(leaf(table, 4, 0)->eax, 0x0c000121);
	assert_int_equal(leaf(table, 4, 3)->eax, 0x0c00c163);
	/* Reserved on Intel. */
	assert_int_equal(leaf(table, 0x80000008, 0)->ecx, 0x501f);
	free(table);
}

static void test_cpuid__ids_beyond_8_bits(void **state)
{
	struct kvm_cpuid2 *table = new_table("Genu");

	assert_int_equal(cpuid_set_topology(table, ROOM, 1024), 0);
	cpuid_set_apic_id(table, 0x234);

	assert_int_equal(leaf(table, 1, 0)->ebx, 0x34ff0800);
	assert_int_equal(leaf(table, 0xb, 1)->eax, 10);
	assert_int_equal(leaf(table, 0xb, 1)->edx, 0x234);
	free(table);
}

static void test_cpuid__features_are_those_of_this_machine(void **state)
{
	struct kvm_cpuid2 *table = new_table("Genu");

	cpuid_set_features(table, true);
	assert_int_equal(leaf(table, 1, 0)->ecx, BIT(31) | BIT(24));
	assert_int_equal(leaf(table, 6, 0)->ecx, 0);

	cpuid_set_features(table, false);
	assert_int_equal(leaf(table, 1, 0)->ecx, BIT(31));
	free(table);
}

static void test_cpuid__brand_fills_empty_leaves_only(void **state)
{
	static const u32 brand[CPUID_BRAND] = { 1, 2, 3, 4,  5,	 6,
						7, 8, 9, 10, 11, 12 };
	struct kvm_cpuid2 *table = new_table("Auth");

	cpuid_set_brand(table, brand);
	assert_int_equal(leaf(table, 0x80000002, 0)->edx, 4);
	assert_int_equal(leaf(table, 0x80000003, 0)->eax, 0);
	assert_int_equal(leaf(table, 0x80000003, 0)->ecx, 99);
	assert_int_equal(leaf(table, 0x80000004, 0)->eax, 9);
	free(table);
}

static void test_cpuid__a_full_table_is_refused(void **state)
{
	struct kvm_cpuid2 *table = new_table("Genu");

	assert_int_equal(cpuid_set_topology(table, table->nent, 2), -ENOSPC);
	free(table);
}

static void test_cpuid__phys_bits(void **state)
{
	struct kvm_cpuid2 *table = new_table("Genu");

	assert_int_equal(cpuid_phys_bits(table), 48);
	leaf(table, 0x80000008, 0)->eax = 46 << 16 | 52;
	assert_int_equal(cpuid_phys_bits(table), 46);
	leaf(table, 0x80000008, 0)->eax = 0;
	assert_int_equal(cpuid_phys_bits(table), 36);
	table->nent = 1;
	assert_int_equal(cpuid_phys_bits(table), 36);
	free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpuid__one_cpu_is_alone),
		cmocka_unit_test(test_cpuid__cores_of_one_socket),
		cmocka_unit_test(test_cpuid__intel_caches_are_shared_by_level),
		cmocka_unit_test(test_cpuid__ids_beyond_8_bits),
		cmocka_unit_test(
			test_cpuid__features_are_those_of_this_machine),
		cmocka_unit_test(test_cpuid__brand_fills_empty_leaves_only),
		cmocka_unit_test(test_cpuid__a_full_table_is_refused),
		cmocka_unit_test(test_cpuid__phys_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
