/* SPDX-License-Identifier: GPL-2.0-only */
/* x86/walk.c on tables laid out by hand, and walk.c's text of what is found. */
#include "x86/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "lkvm/log.h"
#include "tests/support/fake_virtio.h"
#include <cmocka.h> /* last: it has a macro named fail */

#define PG (1ULL << 31)
#define PSE (1ULL << 4)
#define PAE (1ULL << 5)
#define LA57 (1ULL << 12)
#define SMAP (1ULL << 21)
#define LMA (1ULL << 10)
#define TABLE 0x67U /* present, writable, the user's, accessed, dirty */
#define LARGE 0xe7U
#define NX (1ULL << 63)

struct fixture {
	struct fake_guest guest;
	struct walk_regime regime;
	struct walk walk;
	char text[1024];
};

static struct fixture f;

static int setup(void **state)
{
	memset(&f, 0, sizeof(f));
	fake_guest_init(&f.guest, MIB);
	f.regime = (struct walk_regime){ PG, 0, PAE | SMAP, LMA };
	return 0;
}

static int teardown(void **state)
{
	fake_guest_release(&f.guest);
	return 0;
}

static u64 new_table(void)
{
	return fake_alloc(&f.guest, 4096, 4096);
}

static void set(u64 table, unsigned int index, u64 entry)
{
	memcpy(fake_ptr(&f.guest, table + 8ULL * index, 8), &entry, 8);
}

static void set32(u64 table, unsigned int index, u32 entry)
{
	memcpy(fake_ptr(&f.guest, table + 4ULL * index, 4), &entry, 4);
}

static void assert_gpa(u64 address, u64 want)
{
	walk_address(&f.guest.mem, &f.regime, address, &f.walk);
	assert_null(f.walk.fault);
	assert_int_equal(f.walk.gpa, want);
}

static void assert_fault(u64 address, const char *why)
{
	walk_address(&f.guest.mem, &f.regime, address, &f.walk);
	assert_non_null(f.walk.fault);
	assert_string_equal(f.walk.fault, why);
}

static void test_walk__without_paging(void **state)
{
	f.regime = (struct walk_regime){ 0, 0, 0, 0 };
	assert_gpa(0x12345, 0x12345);
	assert_int_equal(f.walk.nr_steps, 0);
}

static void test_walk__four_levels(void **state)
{
	u64 pml4 = new_table(), pdpt = new_table(), pd = new_table();
	u64 pt = new_table();

	f.regime.cr3 = pml4 | 0x18 | 5; /* cache bits, PCID */
	set(pml4, 511, pdpt | TABLE);
	set(pdpt, 1, pd | TABLE);
	set(pd, 2, pt | TABLE);
	set(pt, 3, 0x123456000ULL | TABLE | NX);
	assert_gpa(0xffffff8040403abcULL, 0x123456abc);
	assert_int_equal(f.walk.nr_steps, 4);
	assert_string_equal(f.walk.steps[0].name, "PML4E");
	assert_int_equal(f.walk.steps[0].index, 511);
	assert_int_equal(f.walk.steps[3].table_gpa, pt);
	assert_fault(0xffffff8040404000ULL, "not present");
	assert_fault(0x0000ff8040403abcULL, "not canonical");
}

static void test_walk__large_pages(void **state)
{
	u64 pml4 = new_table(), pdpt = new_table(), pd = new_table();

	f.regime.cr3 = pml4;
	set(pml4, 0, pdpt | TABLE);
	set(pdpt, 0, pd | TABLE);
	/* Bit 12 is no address there. */
	set(pd, 1, 0x40000000ULL | 0x1000 | LARGE);
	set(pdpt, 1, 0x80000000ULL | 0x1000 | LARGE);
	assert_gpa(0x2abcde, 0x400abcde);
	assert_gpa(0x40000000ULL + 0x12345678, 0x80000000ULL + 0x12345678);
	assert_int_equal(f.walk.nr_steps, 2);
}

static void test_walk__five_levels(void **state)
{
	u64 pml5 = new_table(), pml4 = new_table(), pdpt = new_table();

	f.regime.cr3 = pml5;
	f.regime.cr4 |= LA57;
	set(pml5, 1, pml4 | TABLE);
	set(pml4, 0, pdpt | TABLE);
	set(pdpt, 0, LARGE);
	assert_gpa(1ULL << 48 | 0x123, 0x123);
	assert_string_equal(f.walk.steps[0].name, "PML5E");
}

static void test_walk__pae(void **state)
{
	u64 pdpt = new_table() + 32, pd = new_table();

	f.regime = (struct walk_regime){ PG, pdpt, PAE, 0 };
	set(pdpt, 3, pd | 1);
	set(pd, 0, 0x200000 | LARGE);
	assert_gpa(0xc0001234, 0x201234);
	assert_int_equal(f.walk.steps[0].index, 3);
}

static void test_walk__32_bit(void **state)
{
	u64 pd = new_table(), pt = new_table();

	f.regime = (struct walk_regime){ PG, pd, PSE, 0 };
	set32(pd, 768, (u32)pt | TABLE);
	set32(pd, 769, 0x00800000 | LARGE);
	set32(pt, 1, 0x00345000 | TABLE);
	assert_gpa(0xc0001234, 0x345234);
	assert_gpa(0xc0412345, 0x812345);
}

static void test_walk__tables_outside_of_ram(void **state)
{
	u64 pml4 = new_table();

	f.regime.cr3 = ~0ULL;
	assert_fault(0, "the table is not in RAM");
	f.regime.cr3 = pml4;
	set(pml4, 0, ~0ULL);
	assert_fault(0, "the table is not in RAM");
	assert_int_equal(f.walk.nr_steps, 2);
}

/* A chain of entries that are tables of themselves ends. */
static void test_walk__a_table_in_itself(void **state)
{
	u64 pml4 = new_table();

	f.regime.cr3 = pml4;
	set(pml4, 0, pml4 | TABLE);
	assert_gpa(0x123, pml4 | 0x123);
	assert_int_equal(f.walk.nr_steps, 4);
}

static void add_line(void *opaque, const char *line)
{
	size_t len = strlen(f.text);

	snprintf(f.text + len, sizeof(f.text) - len, "%s\n", line);
}

/* Up to the end of RAM, and no further. */
static void test_walk__text(void **state)
{
	const struct text_sink sink = { .line = add_line };
	u64 end = FAKE_RAM_START + MIB;

	f.regime = (struct walk_regime){ 0, 0, 0, 0 };
	memcpy(fake_ptr(&f.guest, end - 2, 2), "\x90\xf4", 2);
	walk_print_code(&f.guest.mem, &f.regime, &sink, end - 2);
	walk_print_stack(&f.guest.mem, &f.regime, &sink, end);
	walk_print_tables(&f.guest.mem, &f.regime, &sink, end);
	assert_string_equal(f.text, "code at 00000000001ffffe: 90 f4\n"
				    "stack at 0000000000200000: not in RAM\n"
				    "page tables for 0000000000200000:\n"
				    "physical 000000200000\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_walk__without_paging),
		TEST(test_walk__four_levels),
		TEST(test_walk__large_pages),
		TEST(test_walk__five_levels),
		TEST(test_walk__pae),
		TEST(test_walk__32_bit),
		TEST(test_walk__tables_outside_of_ram),
		TEST(test_walk__a_table_in_itself),
		TEST(test_walk__text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
