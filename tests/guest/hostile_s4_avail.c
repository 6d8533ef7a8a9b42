// SPDX-License-Identifier: GPL-2.0-only
/*
 * Available ring entries and indices beyond the queue: the device asks for a
 * reset and works after one.
 *
 * guest-args: --disk DISK,ro
 */
#include "virtio.h"

static struct blk blk;

static void attack(u16 head, u16 added_to_idx)
{
	blk_prepare(&blk, BLK_READ, 0, BLK_BUFFER, 512);
	blk.queue.avail->idx += added_to_idx;
	queue_submit(&blk.queue, head);
	check(queue_is_refused(&blk.dev, &blk.queue));
	check(blk_open(&blk));
	check_equal("read after a reset",
		    blk_request(&blk, BLK_READ, 2, BLK_BUFFER, 512), BLK_OK);
}

void guest_main(void)
{
	check(blk_open(&blk));
	attack(QUEUE_SIZE, 0);
	attack(0xffff, 0);
	attack(0, QUEUE_SIZE);
	attack(0, 0x8000);
	end();
}
