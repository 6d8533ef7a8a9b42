/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any sequence of accesses to the keyboard controller. Two bytes of the input
 * make one step: which port and direction, and a value.
 */
#include "hw/hw_priv.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

static void ignore_end(struct kvm *vm, enum vm_end end)
{
}

static void step(struct i8042 *kbc, u8 what, u8 value)
{
	struct bus_access acc = {
		.size = (u8)(1 << (what >> 2 & 3)),
		.value = value,
		.is_write = what & 2,
	};

	if (what & 1)
		i8042_access_command(kbc, &acc);
	else
		i8042_access_data(kbc, &acc);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct i8042 kbc;

	i8042_init(&kbc);
	kbc.end = ignore_end;
	for (size_t i = 0; i + 1 < len; i += 2)
		step(&kbc, data[i], data[i + 1]);
	i8042_release(&kbc);
	return 0;
}
