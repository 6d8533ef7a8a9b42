/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Register accesses of a hostile driver to a virtio device on MMIO, modern or
 * legacy as the first byte says. Each access is a byte that says what it is, two
 * of the offset and, for writes, the value.
 */
#include <errno.h>
#include <string.h>
#include "lkvm/arch.h"
#include "tests/support/fuzz_device.h"

#define BASE 0x3000000ULL
#define LEN 0x200U

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

/* ---- This file is the machine, so that it has the transport ---- */

static struct irq_line_hub hub;

const struct device_class *const arch_device_classes[] = { NULL };

int arch_place(struct kvm *vm, enum place_kind kind, unsigned int index,
	       struct device_place *out)
{
	if (kind != PLACE_VIRTIO_MMIO)
		return -ENODEV;
	*out = (struct device_place){
		.bus = &vm->mmio,
		.start = BASE,
		.len = LEN,
		.irq = { .hub = &hub },
	};
	return 0;
}

struct irq_line arch_pci_irq_line(struct kvm *vm, unsigned int slot,
				  unsigned int pin)
{
	return (struct irq_line){ .hub = NULL };
}

/* First byte: bits 0 and 1 the width, bit 2 a write. */
static size_t one_access(struct fake_vm *fake, const u8 *data, size_t len)
{
	u64 offset = (data[1] | (u64)data[2] << 8) % LEN;
	struct bus_access acc = {
		.size = (u8)(1U << (data[0] & 3)),
		.is_write = data[0] & 4,
	};

	/* Beyond the region's end there is nobody to fuzz. */
	if (offset + acc.size > LEN)
		offset = LEN - acc.size;
	if (acc.is_write && len >= 3U + acc.size)
		memcpy(&acc.value, data + 3, acc.size);
	bus_dispatch(&fake->vm.mmio, &fake->mmio, BASE + offset, &acc);
	return 3U + (acc.is_write ? acc.size : 0);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct fuzz_device fuzz;

	if (!len)
		return 0;
	irq_line_hub_init(&hub, -1, 0);
	fuzz_device_init(&fuzz, data[0] & 1 ? VIRTIO_TRANSPORT_MMIO_LEGACY
					    : VIRTIO_TRANSPORT_MMIO);
	for (data++, len--; len >= 3;) {
		size_t used = one_access(&fuzz.fake, data, len);

		if (used > len)
			break;
		data += used;
		len -= used;
	}
	fuzz_device_release(&fuzz);
	return 0;
}
