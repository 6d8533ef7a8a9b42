/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/mman.h>
/* cmocka takes the name. */
#undef fail
#include "lkvm/failure.h"
#include "lkvm/memory.h"

#define RAM_LEN (4 * MIB)
#define RAM_GPA (16 * MIB)

/* RAM that no VM sees, all of it written to. */
static void make_ram(struct memory *mem)
{
	struct failure why = FAILURE_INIT;

	memory_init(mem, -1);
	assert_int_equal(memory_alloc(mem, RAM_LEN, NULL, &why), 0);
	mem->ram[0] = (struct ram_range){ RAM_GPA, RAM_LEN, mem->hva };
	mem->nr_ram = 1;
	memset(mem->hva, 0xaa, RAM_LEN);
}

static void assert_cleared(bool is_hugetlb, u64 offset, u64 len)
{
	struct memory mem;

	make_ram(&mem);
	mem.is_hugetlb = is_hugetlb;
	memory_clear(&mem, RAM_GPA + offset, len);
	for (u64 i = 0; i < RAM_LEN; i++)
		assert_int_equal(mem.hva[i],
				 i >= offset && i < offset + len ? 0 : 0xaa);
	memory_release(&mem);
}

static void test_memory__clears_what_it_is_told(void **state)
{
	static const u64 ranges[][2] = {
		{ 0, RAM_LEN },	   { 1, 0 },	       { 5, 7 },
		{ 4095, 2 },	   { 4096, 4096 },     { 4095, 4098 },
		{ 100, 3 * 4096 }, { RAM_LEN - 1, 1 }, { RAM_LEN - 5000, 5000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		assert_cleared(false, ranges[i][0], ranges[i][1]);
		assert_cleared(true, ranges[i][0], ranges[i][1]);
	}
}

static void test_memory__clearing_gives_pages_back(void **state)
{
	struct memory mem;
	u8 resident[RAM_LEN / 4096];

	make_ram(&mem);
	memory_clear(&mem, RAM_GPA + 4097, RAM_LEN - 4097);
	assert_int_equal(mincore(mem.hva, RAM_LEN, resident), 0);
	assert_int_equal(resident[1] & 1, 1);
	for (size_t i = 2; i < ARRAY_SIZE(resident); i++)
		assert_int_equal(resident[i] & 1, 0);
	memory_release(&mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory__clears_what_it_is_told),
		cmocka_unit_test(test_memory__clearing_gives_pages_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
