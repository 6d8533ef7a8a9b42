// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptor chains that never end, or are not chains: the device asks for a
 * reset, or fails the request, and works after one.
 *
 * guest-args: --disk DISK,ro
 */
#include "virtio.h"

#define INDIRECT_FEATURE (1U << 28)
#define TABLE (DMA_AREA + 0x8000)

static struct blk blk;

/* After each attack the driver starts over, and all is well. */
static void recover(const char *attack)
{
	queue_is_refused(&blk.dev, &blk.queue);
	if (blk_open(&blk) &&
	    blk_request(&blk, BLK_READ, 1, BLK_BUFFER, 512) == BLK_OK)
		return;
	print("fail: no recovery from ");
	print(attack);
	print("\n");
}

static void attack_self_loop(void)
{
	blk_prepare(&blk, BLK_READ, 0, BLK_BUFFER, 512);
	queue_desc(&blk.queue, 1, BLK_BUFFER, 512, DESC_NEXT | DESC_WRITE, 1);
	queue_submit(&blk.queue, 0);
	recover("a descriptor that is its own next");
}

static void attack_long_loop(void)
{
	blk_prepare(&blk, BLK_READ, 0, BLK_BUFFER, 512);
	queue_desc(&blk.queue, 2, BLK_BUFFER, 1, DESC_NEXT | DESC_WRITE, 0);
	queue_submit(&blk.queue, 0);
	recover("a loop of three");
}

static void attack_next_out_of_range(void)
{
	blk_prepare(&blk, BLK_READ, 0, BLK_BUFFER, 512);
	queue_desc(&blk.queue, 1, BLK_BUFFER, 512, DESC_NEXT | DESC_WRITE,
		   QUEUE_SIZE);
	queue_submit(&blk.queue, 0);
	recover("next behind the table");
	blk_prepare(&blk, BLK_READ, 0, BLK_BUFFER, 512);
	queue_desc(&blk.queue, 1, BLK_BUFFER, 512, DESC_NEXT | DESC_WRITE,
		   0xffff);
	queue_submit(&blk.queue, 0);
	recover("next far behind the table");
}

static void attack_readable_after_writable(void)
{
	blk_prepare(&blk, BLK_READ, 0, BLK_BUFFER, 512);
	queue_desc(&blk.queue, 2, BLK_BUFFER, 1, 0, 0);
	queue_submit(&blk.queue, 0);
	recover("readable after writable");
}

static void attack_no_header(void)
{
	queue_desc(&blk.queue, 0, BLK_BUFFER, 1, DESC_WRITE, 0);
	queue_submit(&blk.queue, 0);
	recover("a request without a header");
	queue_desc(&blk.queue, 0, BLK_BUFFER, 0, 0, 0);
	queue_submit(&blk.queue, 0);
	recover("an empty descriptor");
	queue_desc(&blk.queue, 0, BLK_BUFFER, 15, 0, 0);
	queue_submit(&blk.queue, 0);
	recover("a short header and no status");
}

/* Start with INDIRECT, and give one table of @len bytes at @table. */
static void attack_indirect(u64 table, u32 len, u16 flags, u16 entry_flags)
{
	volatile struct desc *entry = (void *)TABLE;

	virtio_start(&blk.dev, INDIRECT_FEATURE);
	queue_setup(&blk.dev, &blk.queue, 0, DMA_AREA, NO_VECTOR);
	virtio_ready(&blk.dev);
	entry->addr = BLK_BUFFER;
	entry->len = 512;
	entry->flags = entry_flags;
	entry->next = 0;
	queue_desc(&blk.queue, 0, table, len, flags, 1);
	queue_submit(&blk.queue, 0);
	recover("an indirect table");
}

void guest_main(void)
{
	check(blk_open(&blk));
	attack_self_loop();
	attack_long_loop();
	attack_next_out_of_range();
	attack_readable_after_writable();
	attack_no_header();
	attack_indirect(TABLE, 16, DESC_INDIRECT, DESC_NEXT);	  /* loop */
	attack_indirect(TABLE, 16, DESC_INDIRECT, DESC_INDIRECT); /* nested */
	attack_indirect(TABLE, 17, DESC_INDIRECT, 0);
	attack_indirect(TABLE, 0, DESC_INDIRECT, 0);
	attack_indirect(TABLE, 0xfffffff0, DESC_INDIRECT, DESC_NEXT);
	attack_indirect(TABLE, 16, DESC_INDIRECT | DESC_NEXT, 0);
	attack_indirect(RAM_END - 8, 16, DESC_INDIRECT, 0);
	attack_indirect(~0ULL - 7, 16, DESC_INDIRECT, 0);
	end();
}
