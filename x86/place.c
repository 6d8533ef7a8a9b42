/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a PC has its fixed devices and interrupt lines. dsdt.asl tells the
 * guest the same.
 */
#include "lkvm/arch.h"

#include <errno.h>
#include "lkvm/devices.h"
#include "lkvm/kvm.h"
#include "x86/machine.h"
#include "x86/pci_ports.h"

const struct device_class *const arch_device_classes[] = {
	&pci_ports_class,
	&i8042_class,
	&acpi_pm_class,
	NULL,
};

#define NO_IRQ NR_GSIS

static const struct fixed_place {
	enum place_kind kind;
	unsigned int index;
	u16 port, len;
	u32 gsi;
} fixed_places[] = {
	{ PLACE_SERIAL, 0, 0x3f8, 8, 4 },
	{ PLACE_SERIAL, 1, 0x2f8, 8, 3 },
	{ PLACE_SERIAL, 2, 0x3e8, 8, 4 },
	{ PLACE_SERIAL, 3, 0x2e8, 8, 3 },
	{ PLACE_RTC, 0, 0x70, 2, 8 },
	{ PLACE_PVPANIC, 0, PVPANIC_PORT, 1, NO_IRQ },
	{ PLACE_KEYBOARD, 0, 0x60, 1, 1 },
	{ PLACE_KEYBOARD, 1, 0x64, 1, 12 },
	{ PLACE_PM_EVENT, 0, PM_EVENT_PORT, 4, SCI_GSI },
	{ PLACE_PM_CONTROL, 0, PM_CONTROL_PORT, 2, NO_IRQ },
};

int arch_place(struct kvm *vm, enum place_kind kind, unsigned int index,
	       struct device_place *out)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(fixed_places); i++) {
		const struct fixed_place *p = &fixed_places[i];

		if (p->kind != kind || p->index != index)
			continue;
		*out = (struct device_place){
			.bus = &vm->ports,
			.start = p->port,
			.len = p->len,
		};
		if (p->gsi != NO_IRQ)
			out->irq.hub = &vm->arch->gsis[p->gsi];
		return 0;
	}
	return -ENODEV;
}

struct irq_line arch_pci_irq_line(struct kvm *vm, unsigned int slot,
				  unsigned int pin)
{
	return (struct irq_line){
		.hub = &vm->arch->gsis[pci_pin_gsi(slot, pin)],
	};
}
