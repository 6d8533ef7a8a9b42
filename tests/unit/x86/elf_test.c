/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <elf.h>
#include <errno.h>
#include <string.h>
#include "lkvm/types.h"
#include "x86/elf.h"

#define FILE_LEN (4 * MIB)
#define RAM_END (64 * MIB)

struct file {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[20];
};

static struct file good_file(void)
{
	return (struct file){
		.eh = {
			.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3,
				     ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_entry = 16 * MIB,
			.e_phoff = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 2,
		},
		.ph = {
			{ .p_type = PT_LOAD, .p_offset = 0x200000,
			  .p_vaddr = 0xffffffff81000000, .p_paddr = 16 * MIB,
			  .p_filesz = MIB, .p_memsz = MIB },
			{ .p_type = PT_LOAD, .p_offset = 0x300000,
			  .p_paddr = 18 * MIB, .p_filesz = MIB,
			  .p_memsz = 2 * MIB },
		},
	};
}

static int parse(const struct file *file, struct elf_kernel *elf)
{
	const char *why = NULL;
	int err = elf_parse((const u8 *)file, sizeof(*file), FILE_LEN, RAM_END,
			    elf, &why);

	assert_true((err == -EINVAL) == (why != NULL));
	return err;
}

static void test_elf__reads_segments(void **state)
{
	struct file file = good_file();
	struct elf_kernel elf;

	assert_int_equal(parse(&file, &elf), 0);
	assert_int_equal(elf.entry, 16 * MIB);
	assert_int_equal(elf.nr, 2);
	assert_int_equal(elf.start, 16 * MIB);
	assert_int_equal(elf.end, 20 * MIB);
	assert_int_equal(elf.segments[1].offset, 0x300000);
	assert_int_equal(elf.segments[1].mem_len, 2 * MIB);
}

static void test_elf__other_files_are_not_executable(void **state)
{
	struct file file = good_file();
	struct elf_kernel elf;
	const char *why;

	assert_int_equal(elf_parse((const u8 *)&file, 20, 20, RAM_END, &elf,
				   &why),
			 -ENOEXEC);
	file.eh.e_ident[0] = 'M';
	assert_int_equal(parse(&file, &elf), -ENOEXEC);
}

static void test_elf__other_machines_are_refused(void **state)
{
	struct file file = good_file();
	struct elf_kernel elf;

	file.eh.e_machine = EM_AARCH64;
	assert_int_equal(parse(&file, &elf), -EINVAL);
	file = good_file();
	file.eh.e_ident[EI_CLASS] = ELFCLASS32;
	assert_int_equal(parse(&file, &elf), -EINVAL);
	file = good_file();
	file.eh.e_type = ET_REL;
	assert_int_equal(parse(&file, &elf), -EINVAL);
}

static void test_elf__program_headers_outside_the_file(void **state)
{
	struct file file = good_file();
	struct elf_kernel elf;

	file.eh.e_phoff = UINT64_MAX - 8;
	assert_int_equal(parse(&file, &elf), -EINVAL);
	file = good_file();
	file.eh.e_phnum = 0xffff;
	assert_int_equal(parse(&file, &elf), -EINVAL);
	file = good_file();
	file.eh.e_phentsize = 8;
	assert_int_equal(parse(&file, &elf), -EINVAL);
	file = good_file();
	file.eh.e_phnum = 0;
	assert_int_equal(parse(&file, &elf), -EINVAL);
}

static void test_elf__segments_outside_file_or_ram(void **state)
{
	static const struct {
		u64 offset, paddr, filesz, memsz;
	} bad[] = {
		{ FILE_LEN, 16 * MIB, 1, 1 },
		{ UINT64_MAX, 16 * MIB, 2, 2 },
		{ 0, 16 * MIB, UINT64_MAX, UINT64_MAX },
		{ 0, 16 * MIB, 2, 1 },
		{ 0, 0x7000, 1, 1 },
		{ 0, RAM_END, 1, 1 },
		{ 0, RAM_END - 1, 1, 2 },
		{ 0, UINT64_MAX, 1, 1 },
		{ 0, 16 * MIB, 1, UINT64_MAX },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		struct file file = good_file();
		struct elf_kernel elf;

		file.ph[0].p_offset = bad[i].offset;
		file.ph[0].p_paddr = bad[i].paddr;
		file.ph[0].p_filesz = bad[i].filesz;
		file.ph[0].p_memsz = bad[i].memsz;
		assert_int_equal(parse(&file, &elf), -EINVAL);
	}
}

static void test_elf__too_many_segments(void **state)
{
	struct file file = good_file();
	struct elf_kernel elf;

	for (unsigned int i = 1; i < 20; i++)
		file.ph[i] = file.ph[0];
	file.eh.e_phnum = 16;
	assert_int_equal(parse(&file, &elf), 0);
	file.eh.e_phnum = 17;
	assert_int_equal(parse(&file, &elf), -EINVAL);
}

static void test_elf__entry_outside_the_segments(void **state)
{
	struct file file = good_file();
	struct elf_kernel elf;

	file.eh.e_entry = 0xffffffff81000000;
	assert_int_equal(parse(&file, &elf), -EINVAL);
	file = good_file();
	file.ph[0].p_type = file.ph[1].p_type = PT_NOTE;
	assert_int_equal(parse(&file, &elf), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elf__reads_segments),
		cmocka_unit_test(test_elf__other_files_are_not_executable),
		cmocka_unit_test(test_elf__other_machines_are_refused),
		cmocka_unit_test(test_elf__program_headers_outside_the_file),
		cmocka_unit_test(test_elf__segments_outside_file_or_ram),
		cmocka_unit_test(test_elf__too_many_segments),
		cmocka_unit_test(test_elf__entry_outside_the_segments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
