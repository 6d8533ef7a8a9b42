/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any sequence of accesses to a serial port, and input from its other side. Two
 * bytes of the input make one step: what to do, and with which value.
 */
#include "hw/hw_priv.h"

#include <stdlib.h>
#include "lkvm/chardev.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

static void receive(struct serial *s, u8 byte)
{
	if (serial_front_ops.room(s))
		serial_front_ops.receive(s, &byte, 1);
}

static void step(struct serial *s, u8 what, u8 value)
{
	struct bus_access acc = {
		.offset = what & 7,
		.size = (u8)(1 << (what >> 3 & 3)),
		.value = value * 0x0101010101010101ULL,
		.is_write = what & 0x20,
	};

	if (what & 0x40)
		receive(s, value);
	else if (what & 0x80)
		serial_front_ops.writable(s);
	else
		serial_access(s, &acc);
	if (s->rx.count > SERIAL_FIFO_LEN || s->tx.count > SERIAL_FIFO_LEN)
		abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct serial s;

	serial_init(&s, NULL);
	for (size_t i = 0; i + 1 < len; i += 2)
		step(&s, data[i], data[i + 1]);
	serial_release(&s);
	return 0;
}
