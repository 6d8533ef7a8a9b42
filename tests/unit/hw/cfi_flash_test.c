/* SPDX-License-Identifier: GPL-2.0-only */
/* hw/cfi_flash.c: the commands that firmware gives, and what abuses them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "hw/hw_priv.h"
#include <cmocka.h> /* last: it has a macro named fail */

#define LEN MIB
#define READY 0x00800080U

static u8 data[LEN + CFI_FLASH_BLOCK]; /* a block more than the chip has */
static struct cfi_flash flash;
static unsigned int shows;
static bool visible;

static void note_show(struct cfi_flash *chip, bool now)
{
	shows++;
	visible = now;
}

static int set_up(void **state)
{
	memset(data, 0xff, sizeof(data));
	shows = 0;
	visible = true;
	if (cfi_flash_init(&flash, data, LEN))
		return -1;
	flash.show = note_show;
	return 0;
}

static int tear_down(void **state)
{
	cfi_flash_release(&flash);
	return 0;
}

static u32 get(u64 offset)
{
	struct bus_access acc = { .offset = offset, .size = 4 };

	assert_int_equal(cfi_flash_access(&flash, &acc), BUS_HANDLED);
	return (u32)acc.value;
}

static void put(u64 offset, u32 value)
{
	struct bus_access acc = {
		.offset = offset, .size = 4, .value = value, .is_write = true
	};

	assert_int_equal(cfi_flash_access(&flash, &acc), BUS_HANDLED);
}

/* To both chips. */
static void command(u64 offset, u8 value)
{
	put(offset, value | (u32)value << 16);
}

static void test_flash__begins_as_an_array(void **state)
{
	data[5] = 0x12;
	assert_int_equal(get(4), 0xffff12ff);
	assert_int_equal(shows, 0);
}

static void test_flash__cfi_describes_one_of_two_chips(void **state)
{
	command(0x55 * 4, 0x98);
	assert_false(visible);
	assert_int_equal(get(0x10 * 4), 0x00510051);
	assert_int_equal(get(0x11 * 4), 0x00520052);
	assert_int_equal(get(0x12 * 4), 0x00590059);
	assert_int_equal(get(0x13 * 4), 0x00010001);
	assert_int_equal(get(0x27 * 4), 0x00130013); /* 512 KiB */
	assert_int_equal(get(0x2a * 4), 0x00060006); /* 64 bytes */
	assert_int_equal(get(0x2c * 4), 0x00010001);
	assert_int_equal(get(0x2d * 4), 0x000f000f); /* 16 blocks ... */
	assert_int_equal(get(0x2f * 4), 0x00800080); /* ... of 32 KiB */
	assert_int_equal(get(0x30 * 4), 0);
	assert_int_equal(get(0x31 * 4), 0x00500050); /* PRI */
	command(0, 0xff);
	assert_true(visible);
	assert_int_equal(get(0), 0xffffffff);
}

static void test_flash__id_and_lock_bits(void **state)
{
	u64 block = 3 * CFI_FLASH_BLOCK;

	command(0, 0x90);
	assert_int_equal(get(0), 0x00890089);
	assert_int_equal(get(block + 8), 0);
	command(block, 0x60);
	command(block, 0x01);
	command(0, 0x90);
	assert_int_equal(get(block + 8), 0x00010001);
	assert_int_equal(get(8), 0);
	command(block, 0x60);
	command(block, 0xd0);
	command(0, 0x90);
	assert_int_equal(get(block + 8), 0);
}

static void test_flash__programming_only_clears_bits(void **state)
{
	command(8, 0x40);
	put(8, 0x12345678);
	assert_int_equal(get(0), READY);
	command(8, 0x10);
	put(8, 0xffff0000);
	command(0, 0xff);
	assert_int_equal(get(8), 0x12340000);
	assert_int_equal(get(12), 0xffffffff);
}

static void test_flash__erase_fills_one_block(void **state)
{
	memset(data, 0, sizeof(data));
	command(CFI_FLASH_BLOCK + 0x100, 0x20);
	command(CFI_FLASH_BLOCK + 0x100, 0xd0);
	assert_int_equal(get(0), READY);
	command(0, 0xff);
	assert_int_equal(get(CFI_FLASH_BLOCK - 4), 0);
	assert_int_equal(get(CFI_FLASH_BLOCK), 0xffffffff);
	assert_int_equal(get(2 * CFI_FLASH_BLOCK - 4), 0xffffffff);
	assert_int_equal(get(2 * CFI_FLASH_BLOCK), 0);
}

static void test_flash__locked_blocks_stay(void **state)
{
	data[0] = 0x55;
	command(0, 0x60);
	command(0, 0x01);
	command(0, 0x20);
	command(0, 0xd0);
	assert_int_equal(get(0), READY | 0x00220022);
	command(0, 0x50);
	command(0, 0x70);
	assert_int_equal(get(0), READY);
	command(0, 0x40);
	put(0, 0);
	assert_int_equal(get(0), READY | 0x00120012);
	assert_int_equal(data[0], 0x55);
}

static void test_flash__buffer_of_32_words(void **state)
{
	u64 at = 2 * CFI_FLASH_BLOCK + 0x80;

	command(at, 0xe8);
	assert_int_equal(get(at), READY);
	command(at, 31);
	for (u32 i = 0; i < 32; i++)
		put(at + 4ULL * i, i);
	assert_int_equal(data[at + 4], 0xff); /* not before it is confirmed */
	command(at, 0xd0);
	assert_int_equal(get(at), READY);
	command(0, 0xff);
	for (u32 i = 0; i < 32; i++)
		assert_int_equal(get(at + 4ULL * i), i);
}

/* What begins in the last block, and would end behind it (S12). */
static void test_flash__nothing_behind_the_end(void **state)
{
	u64 last = LEN - CFI_FLASH_BLOCK;

	memset(data, 0x11, sizeof(data));
	command(LEN - 4, 0x20);
	command(LEN - 4, 0xd0); /* erases the block that it is in */
	command(0, 0xff);
	assert_int_equal(get(last - 4), 0x11111111);
	assert_int_equal(get(last), 0xffffffff);
	assert_int_equal(get(LEN - 4), 0xffffffff);

	command(LEN - 4, 0xe8);
	command(LEN - 4, 31); /* 32 words, of which one has a place */
	put(LEN - 4, 0);
	for (unsigned int i = 0; i < 31; i++)
		put(last, i);
	command(LEN - 4, 0xd0);
	command(0, 0xff);
	for (u64 at = LEN; at < sizeof(data); at++)
		assert_int_equal(data[at], 0x11);
}

static void test_flash__bad_sequences_set_both_errors(void **state)
{
	command(0, 0x20);
	command(0, 0x00);
	assert_int_equal(get(0), READY | 0x00300030);
	command(0, 0x50);
	command(0, 0xe8);
	command(0, 32); /* 33 words */
	assert_int_equal(get(0), READY | 0x00300030);
	command(0, 0x50);
	command(0, 0xe8);
	command(0, 1);
	put(0, 0);
	put(CFI_FLASH_BLOCK, 0); /* leaves the block */
	assert_int_equal(get(0), READY | 0x00300030);
	command(0, 0x50);
	command(0, 0xe8);
	command(0, 0);
	put(0, 0);
	command(0, 0xff); /* no confirmation */
	assert_int_equal(get(0), READY | 0x00300030);
	assert_int_equal(data[0], 0xff);
}

static void test_flash__narrow_and_wide_accesses(void **state)
{
	struct bus_access acc = { .offset = 2, .size = 1 };

	command(0, 0x70);
	cfi_flash_access(&flash, &acc);
	assert_int_equal(acc.value & 0xff, 0x80);
	command(0, 0x40);
	acc = (struct bus_access){ .offset = LEN - 1,
				   .size = 8,
				   .is_write = true };
	cfi_flash_access(&flash, &acc);
	assert_int_equal(data[LEN - 1], 0);
	acc = (struct bus_access){ .offset = LEN, .size = 4 };
	assert_int_equal(cfi_flash_access(&flash, &acc), BUS_UNHANDLED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_flash__begins_as_an_array),
		TEST(test_flash__cfi_describes_one_of_two_chips),
		TEST(test_flash__id_and_lock_bits),
		TEST(test_flash__programming_only_clears_bits),
		TEST(test_flash__erase_fills_one_block),
		TEST(test_flash__locked_blocks_stay),
		TEST(test_flash__buffer_of_32_words),
		TEST(test_flash__nothing_behind_the_end),
		TEST(test_flash__bad_sequences_set_both_errors),
		TEST(test_flash__narrow_and_wide_accesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
