/* SPDX-License-Identifier: GPL-2.0-only */
/* hw/vesa.c: modes that registers name, and rows that pages of the log hold. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "hw/vesa.h"
#include <cmocka.h> /* last: it has a macro named fail */

#define DISPI 0x500
#define VGA_ATTRIBUTE 0x400
#define PAGE 4096
#define ENABLE_LFB 0x41
#define NO_CLEAR 0x80

static int setup(void **state)
{
	static struct vesa vesa;

	memset(&vesa, 0, sizeof(vesa));
	vesa_init(&vesa, 1024, 768);
	vesa.vram = calloc(1, vesa.vram_len);
	assert_non_null(vesa.vram);
	*state = &vesa;
	return 0;
}

static int teardown(void **state)
{
	struct vesa *vesa = *state;

	free(vesa->vram);
	vesa_release(vesa);
	return 0;
}

static u64 read_regs(struct vesa *vesa, u64 offset, u8 size)
{
	struct bus_access acc = { .offset = offset, .size = size };

	vesa_access_regs(vesa, &acc);
	return acc.value;
}

static void write_regs(struct vesa *vesa, u64 offset, u8 size, u64 value)
{
	struct bus_access acc = {
		.offset = offset, .size = size, .value = value, .is_write = true
	};

	vesa_access_regs(vesa, &acc);
}

static void set(struct vesa *vesa, enum vesa_register index, u16 value)
{
	write_regs(vesa, DISPI + 2 * index, 2, value);
}

static u16 get(struct vesa *vesa, enum vesa_register index)
{
	return (u16)read_regs(vesa, DISPI + 2 * index, 2);
}

static void set_mode(struct vesa *vesa, u16 width, u16 height)
{
	set(vesa, VESA_ENABLE, 0);
	set(vesa, VESA_XRES, width);
	set(vesa, VESA_YRES, height);
	set(vesa, VESA_BPP, 32);
	set(vesa, VESA_ENABLE, ENABLE_LFB | NO_CLEAR);
}

static bool frame(struct vesa *vesa, struct display_frame *out)
{
	return vesa_source_ops.frame(vesa, out);
}

static void test_vesa__is_on_from_the_start(void **state)
{
	struct vesa *vesa = *state;
	struct display_frame f;

	assert_true(frame(vesa, &f));
	assert_int_equal(f.width, 1024);
	assert_int_equal(f.height, 768);
	assert_int_equal(f.stride, 4096);
	assert_ptr_equal(f.pixels, vesa->vram);
	assert_int_equal(get(vesa, VESA_ID), 0xb0c5);
	assert_int_equal(get(vesa, VESA_MEMORY), 256);
}

static void test_vesa__mode_changes(void **state)
{
	struct vesa *vesa = *state;
	struct display_frame f;

	set(vesa, VESA_XRES, 640); /* not while it is on */
	assert_int_equal(get(vesa, VESA_XRES), 1024);
	set_mode(vesa, 800, 600);
	assert_true(frame(vesa, &f));
	assert_int_equal(f.width, 800);
	assert_int_equal(f.stride, 3200);
	set(vesa, VESA_VIRT_WIDTH, 1000);
	set(vesa, VESA_X_OFFSET, 10);
	set(vesa, VESA_Y_OFFSET, 20);
	assert_true(frame(vesa, &f));
	assert_int_equal(f.stride, 4000);
	assert_int_equal(f.pixels - vesa->vram, 20 * 4000 + 40);
	set(vesa, VESA_ENABLE, 0);
	assert_false(frame(vesa, &f));
}

static void test_vesa__what_it_can(void **state)
{
	struct vesa *vesa = *state;

	set(vesa, VESA_ENABLE, ENABLE_LFB | 2);
	assert_int_equal(get(vesa, VESA_BPP), 32);
	assert_true(get(vesa, VESA_XRES) >= 4096);
	set(vesa, VESA_ENABLE, ENABLE_LFB);
	assert_int_equal(get(vesa, VESA_XRES), 1024);
	/* Rows there is memory for: 16 MiB of 4096 bytes. */
	assert_int_equal(get(vesa, VESA_VIRT_HEIGHT), 4096);
}

static void test_vesa__clears_unless_told_not_to(void **state)
{
	struct vesa *vesa = *state;

	vesa->vram[0] = 1;
	set_mode(vesa, 640, 480);
	assert_int_equal(vesa->vram[0], 1);
	set(vesa, VESA_ENABLE, 0);
	set(vesa, VESA_ENABLE, ENABLE_LFB);
	assert_int_equal(vesa->vram[0], 0);
}

/* No picture rather than one beyond the memory. */
static void test_vesa__pictures_beyond_the_memory_are_black(void **state)
{
	struct vesa *vesa = *state;
	struct display_frame f;

	set_mode(vesa, 8192, 8192);
	assert_false(frame(vesa, &f));
	set_mode(vesa, 2048, 2048);
	assert_true(frame(vesa, &f));
	set(vesa, VESA_X_OFFSET, 1);
	assert_false(frame(vesa, &f));
	set_mode(vesa, 64, 64);
	set(vesa, VESA_VIRT_WIDTH, 0xffff);
	set(vesa, VESA_Y_OFFSET, 0xffff);
	set(vesa, VESA_X_OFFSET, 0xffff);
	assert_false(frame(vesa, &f));
	set_mode(vesa, 0, 64);
	assert_false(frame(vesa, &f));
	set_mode(vesa, 640, 480);
	set(vesa, VESA_ENABLE, 0);
	set(vesa, VESA_BPP, 16);
	set(vesa, VESA_ENABLE, ENABLE_LFB);
	assert_false(frame(vesa, &f));
}

static void test_vesa__screen_is_switched_off(void **state)
{
	struct vesa *vesa = *state;
	struct display_frame f;

	write_regs(vesa, VGA_ATTRIBUTE, 1, 0);
	assert_false(frame(vesa, &f));
	write_regs(vesa, VGA_ATTRIBUTE, 1, 0x20);
	assert_true(frame(vesa, &f));
}

static void test_vesa__edid(void **state)
{
	struct vesa *vesa = *state;
	u8 sum = 0;

	assert_int_equal(read_regs(vesa, 0, 8), 0x00ffffffffffff00ULL);
	for (u64 i = 0; i < EDID_LEN; i++)
		sum += (u8)read_regs(vesa, i, 1);
	assert_int_equal(sum, 0);
	assert_int_equal(read_regs(vesa, 56, 1), 1024 & 0xff);
	assert_int_equal(read_regs(vesa, 58, 1) >> 4, 1024 >> 8);
	assert_int_equal(read_regs(vesa, EDID_LEN, 8), 0);
}

static void test_vesa__any_access_stays_inside(void **state)
{
	struct vesa *vesa = *state;
	struct bus_access acc = { .size = 8 };

	for (u64 offset = 0; offset < VESA_REGS_LEN - 8; offset++)
		for (u8 size = 1; size <= 8; size *= 2) {
			read_regs(vesa, offset, size);
			write_regs(vesa, offset, size, ~0ULL);
		}
	acc.offset = vesa->vram_len - 8;
	vesa_access_vram(vesa, &acc);
	acc.offset = vesa->vram_len - 4; /* the bus would not */
	acc.is_write = true;
	vesa_access_vram(vesa, &acc);
}

static unsigned int rows_of(struct vesa *vesa, struct display_rows *rows,
			    unsigned int max)
{
	struct display_frame f;

	assert_true(frame(vesa, &f));
	return vesa_rows(vesa, &f, PAGE, rows, max);
}

static void dirty(struct vesa *vesa, u64 page)
{
	vesa->changed[page / 64] |= BIT64(page % 64);
}

static void test_vesa__pages_become_rows(void **state)
{
	struct vesa *vesa = *state;
	struct display_rows rows[4];

	assert_int_equal(rows_of(vesa, rows, 4), 0);
	dirty(vesa, 5);
	dirty(vesa, 6);
	dirty(vesa, 700);
	dirty(vesa, 768); /* behind the picture */
	assert_int_equal(rows_of(vesa, rows, 4), 2);
	assert_int_equal(rows[0].first, 5);
	assert_int_equal(rows[0].nr, 2);
	assert_int_equal(rows[1].first, 700);
	assert_int_equal(rows[1].nr, 1);
	assert_int_equal(rows_of(vesa, rows, 4), 0);
}

static void test_vesa__rows_on_parts_of_pages(void **state)
{
	struct vesa *vesa = *state;
	struct display_rows rows[4];

	set_mode(vesa, 320, 200); /* 3.2 rows a page */
	set(vesa, VESA_Y_OFFSET, 1);
	dirty(vesa, 0);
	assert_int_equal(rows_of(vesa, rows, 4), 1);
	assert_int_equal(rows[0].first, 0);
	assert_int_equal(rows[0].nr, 3);
	dirty(vesa, 1);
	assert_int_equal(rows_of(vesa, rows, 4), 1);
	assert_int_equal(rows[0].first, 2);
	assert_int_equal(rows[0].nr, 4);
	/* The last page: not beyond the last row. */
	dirty(vesa, 62);
	assert_int_equal(rows_of(vesa, rows, 4), 1);
	assert_int_equal(rows[0].first + rows[0].nr, 200);
}

static void test_vesa__too_many_ranges_become_one(void **state)
{
	struct vesa *vesa = *state;
	struct display_rows rows[2];

	for (u64 page = 0; page < 768; page += 2)
		dirty(vesa, page);
	assert_int_equal(rows_of(vesa, rows, 2), 2);
	assert_int_equal(rows[0].first, 0);
	assert_int_equal(rows[0].nr, 1);
	assert_int_equal(rows[1].first, 2);
	assert_int_equal(rows[1].nr, 765);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_vesa__is_on_from_the_start),
		TEST(test_vesa__mode_changes),
		TEST(test_vesa__what_it_can),
		TEST(test_vesa__clears_unless_told_not_to),
		TEST(test_vesa__pictures_beyond_the_memory_are_black),
		TEST(test_vesa__screen_is_switched_off),
		TEST(test_vesa__edid),
		TEST(test_vesa__any_access_stays_inside),
		TEST(test_vesa__pages_become_rows),
		TEST(test_vesa__rows_on_parts_of_pages),
		TEST(test_vesa__too_many_ranges_become_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
