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
#include "x86/unpack.h"

#define START (16 * MIB)
#define ROOM 0x4000U
#define RELOCS_AT 0x2900U

/* Link addresses, as relocations name them. */
#define TEXT 0x81000000U
#define DATA 0x81001000U
#define DATA_LEN 0x800U

#define DELTA 0x3600000U

/* A kernel of two segments, two section headers, and relocations. */
struct file {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[2];
	u8 headers[0x1000 - sizeof(Elf64_Ehdr) - 2 * sizeof(Elf64_Phdr)];
	u8 text[0x1000];
	u8 data[DATA_LEN];
	Elf64_Shdr sh[4];
	u32 relocs[32];
	u64 len; /* of what is before */
};

static struct file good_file(void)
{
	struct file file = {
		.eh = {
			.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3,
				     ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_entry = START + 0x10,
			.e_phoff = offsetof(struct file, ph),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 2,
			.e_shoff = offsetof(struct file, sh),
			.e_shentsize = sizeof(Elf64_Shdr),
			.e_shnum = 4,
		},
		.ph = {
			{ .p_type = PT_LOAD, .p_paddr = START,
			  .p_offset = offsetof(struct file, text),
			  .p_filesz = 0x1000, .p_memsz = 0x1000 },
			{ .p_type = PT_LOAD, .p_paddr = START + 0x1000,
			  .p_offset = offsetof(struct file, data),
			  .p_filesz = DATA_LEN, .p_memsz = 0x2000 },
		},
		.len = RELOCS_AT,
	};

	memset(file.text, 0x11, sizeof(file.text));
	memset(file.data, 0x22, sizeof(file.data));
	return file;
}

static struct file file_with(const u32 *relocs, size_t nr)
{
	struct file file = good_file();

	memcpy(file.relocs, relocs, nr * sizeof(*relocs));
	file.len += nr * sizeof(*relocs);
	return file;
}

static int parse(const struct file *file, struct vmlinux *vmlinux)
{
	const char *why = NULL;
	int err = unpack_parse((const u8 *)file, file->len, START, ROOM,
			       vmlinux, &why);

	assert_true((err != 0) == (why != NULL));
	return err;
}

static u64 get(const u8 *at, size_t len)
{
	u64 value = 0;

	memcpy(&value, at, len);
	return value;
}

/* ---- The payload ---- */

static struct bzimage image_with(u32 offset, u32 len)
{
	return (struct bzimage){
		.hdr = { .payload_offset = offset, .payload_length = len },
		.payload_offset = 0x5000,
		.payload_len = 0x100000,
	};
}

static void test_unpack__finds_the_payload(void **state)
{
	struct bzimage image = image_with(0x2cc, 0x1000);
	struct payload payload;

	assert_int_equal(unpack_find(&image, &payload), 0);
	assert_int_equal(payload.offset, 0x52cc);
	assert_int_equal(payload.len, 0x1000);
}

static void test_unpack__payloads_lie_in_the_file(void **state)
{
	static const u32 bad[][2] = {
		{ 0, 0 },
		{ 0x2cc, 4 },
		{ 0xff001, 0x1000 },
		{ 0x100001, 5 },
		{ UINT32_MAX, UINT32_MAX },
	};
	struct payload payload;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct bzimage image = image_with(bad[i][0], bad[i][1]);

		assert_int_equal(unpack_find(&image, &payload), -EINVAL);
	}
}

/* ---- The kernel in it ---- */

static void test_unpack__settles_segments_in_place(void **state)
{
	struct file file = good_file();
	struct vmlinux vmlinux;
	u8 *to = (u8 *)&file;

	assert_int_equal(offsetof(struct file, relocs), RELOCS_AT);
	assert_int_equal(parse(&file, &vmlinux), 0);
	assert_false(vmlinux.has_relocs);
	assert_int_equal(vmlinux.elf.entry, START + 0x10);

	unpack_settle(&vmlinux, to, to);
	assert_int_equal(to[0], 0x11);
	assert_int_equal(to[0xfff], 0x11);
	assert_int_equal(to[0x1000], 0x22);
	assert_int_equal(to[0x1000 + DATA_LEN - 1], 0x22);
}

static void test_unpack__accepts_files_without_sections(void **state)
{
	struct file file = good_file();
	struct vmlinux vmlinux;

	file.eh.e_shnum = 0;
	file.len = offsetof(struct file, sh);
	assert_int_equal(parse(&file, &vmlinux), 0);
	assert_false(vmlinux.has_relocs);
}

static void test_unpack__refuses_other_files(void **state)
{
	struct vmlinux vmlinux;
	struct file file = good_file();

	file.eh.e_ident[0] = 0;
	assert_int_equal(parse(&file, &vmlinux), -EINVAL);
	file = good_file();
	file.len = 10;
	assert_int_equal(parse(&file, &vmlinux), -EINVAL);
	file = good_file(); /* the file is cut */
	file.len = offsetof(struct file, sh) + 1;
	assert_int_equal(parse(&file, &vmlinux), -EINVAL);
	file = good_file(); /* linked elsewhere */
	file.ph[0].p_paddr = START + 0x800;
	assert_int_equal(parse(&file, &vmlinux), -EINVAL);
	file = good_file(); /* more memory than it said */
	file.ph[1].p_memsz = ROOM;
	assert_int_equal(parse(&file, &vmlinux), -EINVAL);
	file = good_file(); /* the section headers lie in the kernel */
	file.eh.e_shoff = offsetof(struct file, data);
	assert_int_equal(parse(&file, &vmlinux), -EINVAL);
	file = good_file(); /* ... nowhere */
	file.eh.e_shoff = UINT64_MAX - 16;
	assert_int_equal(parse(&file, &vmlinux), -EINVAL);
	file = good_file(); /* what comes after is not of words */
	file.len += 3;
	assert_int_equal(parse(&file, &vmlinux), -EINVAL);
}

/* Any of these would overwrite what is still to be moved. */
static void test_unpack__refuses_unordered_segments(void **state)
{
	struct vmlinux vmlinux;
	struct file file = good_file();

	file.ph[1].p_paddr = START + 0xfff;
	assert_int_equal(parse(&file, &vmlinux), -EINVAL);
	file = good_file();
	file.ph[1].p_offset -= 1;
	assert_int_equal(parse(&file, &vmlinux), -EINVAL);
	file = good_file(); /* upwards */
	file.ph[1].p_paddr = START + 0x2001;
	file.ph[1].p_memsz = DATA_LEN;
	assert_int_equal(parse(&file, &vmlinux), -EINVAL);
	file = good_file();
	file.ph[0] = file.ph[1];
	file.ph[1] = good_file().ph[0];
	assert_int_equal(parse(&file, &vmlinux), -EINVAL);
}

/* ---- Its relocations ---- */

static void test_unpack__applies_relocations(void **state)
{
	static const u32 relocs[] = {
		0, TEXT + 8,			     /* 64 bits */
		0, DATA,			     /* inverse */
		0, TEXT + 0x100, DATA + DATA_LEN - 4 /* 32 bits */
	};
	struct file file = file_with(relocs, ARRAY_SIZE(relocs));
	struct vmlinux vmlinux;
	u8 *to = (u8 *)&file;

	assert_int_equal(parse(&file, &vmlinux), 0);
	assert_true(vmlinux.has_relocs);
	unpack_settle(&vmlinux, to, to);
	assert_int_equal(unpack_relocate(&vmlinux, to, DELTA), 0);
	assert_int_equal(get(to + 8, 8), 0x1111111111111111 + DELTA);
	assert_int_equal(get(to + 16, 8), 0x1111111111111111);
	assert_int_equal(get(to + 0x1000, 4), 0x22222222 - DELTA);
	assert_int_equal(get(to + 0x1004, 4), 0x22222222);
	assert_int_equal(get(to + 0x100, 4), 0x11111111 + DELTA);
	assert_int_equal(get(to + 0x104, 4), 0x11111111);
	assert_int_equal(get(to + 0x1000 + DATA_LEN - 4, 4),
			 0x22222222 + DELTA);
}

static void test_unpack__newer_kernels_have_two_lists(void **state)
{
	static const u32 relocs[] = { 0, TEXT + 8, TEXT + 16, 0, TEXT };
	struct file file = file_with(relocs, ARRAY_SIZE(relocs));
	struct vmlinux vmlinux;

	assert_int_equal(parse(&file, &vmlinux), 0);
	assert_int_equal(vmlinux.relocs[RELOC_64].nr, 2);
	assert_int_equal(vmlinux.relocs[RELOC_INVERSE_32].nr, 0);
	assert_int_equal(vmlinux.relocs[RELOC_32].nr, 1);
}

static void test_unpack__lists_may_be_empty(void **state)
{
	static const u32 relocs[] = { 0, 0, 0 };
	struct file file = file_with(relocs, ARRAY_SIZE(relocs));
	struct vmlinux vmlinux;

	assert_int_equal(parse(&file, &vmlinux), 0);
	assert_true(vmlinux.has_relocs);
	assert_int_equal(unpack_relocate(&vmlinux, (u8 *)&file, DELTA), 0);
}

static void test_unpack__refuses_unknown_tables(void **state)
{
	static const u32 one[] = { 0, TEXT };
	static const u32 four[] = { 0, TEXT, 0, TEXT, 0, TEXT, 0, TEXT };
	static const u32 headless[] = { TEXT, 0, TEXT, 0, TEXT, 0, TEXT };
	struct vmlinux vmlinux;
	struct file file;

	file = file_with(one, ARRAY_SIZE(one));
	assert_int_equal(parse(&file, &vmlinux), -EINVAL);
	file = file_with(four, ARRAY_SIZE(four));
	assert_int_equal(parse(&file, &vmlinux), -EINVAL);
	file = file_with(headless, ARRAY_SIZE(headless));
	assert_int_equal(parse(&file, &vmlinux), -EINVAL);
}

static int relocate_one(enum reloc_kind kind, u32 address)
{
	u32 relocs[] = { 0, TEXT, 0, TEXT, 0, TEXT };
	struct vmlinux vmlinux;
	struct file file;

	relocs[2 * kind + 1] = address;
	file = file_with(relocs, ARRAY_SIZE(relocs));
	assert_int_equal(parse(&file, &vmlinux), 0);
	unpack_settle(&vmlinux, (u8 *)&file, (u8 *)&file);
	return unpack_relocate(&vmlinux, (u8 *)&file, DELTA);
}

static void test_unpack__refuses_relocations_out_of_range(void **state)
{
	for (int kind = 0; kind < RELOC_KINDS; kind++) {
		u32 len = kind == RELOC_64 ? 8 : 4;

		assert_int_equal(relocate_one(kind, TEXT - 1), -EINVAL);
		assert_int_equal(relocate_one(kind, 1), -EINVAL);
		assert_int_equal(relocate_one(kind, 0x1000000), -EINVAL);
		assert_int_equal(relocate_one(kind, 0x7fffffff), -EINVAL);
		assert_int_equal(relocate_one(kind, UINT32_MAX), -EINVAL);
		/* Zeroed memory behind the data is nobody's to relocate. */
		assert_int_equal(relocate_one(kind, DATA + DATA_LEN - len + 1),
				 -EINVAL);
		assert_int_equal(relocate_one(kind, DATA + DATA_LEN - len), 0);
		/* Not across two segments either. */
		assert_int_equal(relocate_one(kind, DATA - len + 1), -EINVAL);
		assert_int_equal(relocate_one(kind, DATA - len), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unpack__finds_the_payload),
		cmocka_unit_test(test_unpack__payloads_lie_in_the_file),
		cmocka_unit_test(test_unpack__settles_segments_in_place),
		cmocka_unit_test(test_unpack__accepts_files_without_sections),
		cmocka_unit_test(test_unpack__refuses_other_files),
		cmocka_unit_test(test_unpack__refuses_unordered_segments),
		cmocka_unit_test(test_unpack__applies_relocations),
		cmocka_unit_test(test_unpack__newer_kernels_have_two_lists),
		cmocka_unit_test(test_unpack__lists_may_be_empty),
		cmocka_unit_test(test_unpack__refuses_unknown_tables),
		cmocka_unit_test(test_unpack__refuses_relocations_out_of_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
