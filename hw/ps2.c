/* SPDX-License-Identifier: GPL-2.0-only */
#include "hw/ps2.h"

void ps2_clear(struct ps2_queue *queue)
{
	queue->first = 0;
	queue->count = 0;
}

void ps2_put(struct ps2_queue *queue, u8 byte)
{
	if (queue->count == PS2_QUEUE_LEN)
		return;
	queue->bytes[(queue->first + queue->count) % PS2_QUEUE_LEN] = byte;
	queue->count++;
}

bool ps2_put_all(struct ps2_queue *queue, const u8 *bytes, unsigned int nr)
{
	if (PS2_QUEUE_LEN - queue->count < nr)
		return false;
	for (unsigned int i = 0; i < nr; i++)
		ps2_put(queue, bytes[i]);
	return true;
}

u8 ps2_take(struct ps2_queue *queue)
{
	u8 byte = queue->bytes[queue->first];

	queue->first = (queue->first + 1) % PS2_QUEUE_LEN;
	queue->count--;
	return byte;
}
