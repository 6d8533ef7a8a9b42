/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any sequence of accesses to the keyboard controller. Two bytes of the input
 * make one step: which port and direction, or what the user does, and a value.
 */
#include "hw/hw_priv.h"

#include <linux/input-event-codes.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

static void ignore_end(struct kvm *vm, enum vm_end end)
{
}

static void user(struct input_hub *hub, u8 what, u8 value)
{
	switch (what & 3) {
	case 0:
		input_key(hub, value, what & 4);
		break;
	case 1:
		input_key(hub, (u16)(BTN_MOUSE + (value & 7)), what & 4);
		break;
	case 2:
		input_move_to(hub, value * 7U, value * 3U, 1024, 768);
		break;
	default:
		input_wheel(hub, (int)value - 128);
		break;
	}
}

static void step(struct i8042 *kbc, struct input_hub *hub, u8 what, u8 value)
{
	struct bus_access acc = {
		.size = (u8)(1 << (what >> 2 & 3)),
		.value = value,
		.is_write = what & 2,
	};

	if (what & 0x80)
		user(hub, what, value);
	else if (what & 1)
		i8042_access_command(kbc, &acc);
	else
		i8042_access_data(kbc, &acc);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct input_hub hub;
	struct i8042 kbc;

	input_init(&hub);
	i8042_init(&kbc, true);
	input_attach(&hub, &kbc.keyboard_input);
	input_attach(&hub, &kbc.mouse_input);
	kbc.end = ignore_end;
	for (size_t i = 0; i + 1 < len; i += 2)
		step(&kbc, &hub, data[i], data[i + 1]);
	i8042_release(&kbc);
	input_release(&hub);
	return 0;
}
