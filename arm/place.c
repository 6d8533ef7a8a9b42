/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the machine has its fixed devices and interrupt lines. fdt.c tells the
 * guest what the devices say of themselves.
 */
#include <errno.h>
#include "arm/machine.h"
#include "arm/ports.h"
#include "arm/v2m.h"
#include "lkvm/arch.h"
#include "lkvm/devices.h"
#include "lkvm/kvm.h"

const struct device_class *const arch_device_classes[] = {
	&ports_class,
	&v2m_class,
	NULL,
};

#define NO_SPI NR_SPIS

/* Index n of a kind is n steps behind index 0, and its interrupt n behind. */
static const struct fixed_place {
	enum place_kind kind;
	unsigned int nr;
	u64 gpa, step, len;
	u32 spi;
} fixed_places[] = {
	{ PLACE_SERIAL, 4, UART_GPA, UART_STEP, 8, UART_SPI },
	{ PLACE_RTC, 1, RTC_GPA, 0, 2, RTC_SPI },
	{ PLACE_PL031, 1, PL031_GPA, 0, 0x1000, PL031_SPI },
	{ PLACE_POWER_GPIO, 1, PL061_GPA, 0, 0x1000, PL061_SPI },
	{ PLACE_PVPANIC, 1, PVPANIC_GPA, 0, 2, NO_SPI },
	{ PLACE_FLASH, 1, FLASH_GPA, 0, FLASH_MAX, NO_SPI },
	{ PLACE_VIRTIO_MMIO, VIRTIO_MMIO_SLOTS, VIRTIO_MMIO_GPA,
	  VIRTIO_MMIO_STEP, VIRTIO_MMIO_STEP, VIRTIO_MMIO_FIRST_SPI },
};

int arch_place(struct kvm *vm, enum place_kind kind, unsigned int index,
	       struct device_place *out)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(fixed_places); i++) {
		const struct fixed_place *p = &fixed_places[i];

		if (p->kind != kind || index >= p->nr)
			continue;
		*out = (struct device_place){
			.bus = &vm->mmio,
			.start = p->gpa + index * p->step,
			.len = p->len,
		};
		if (p->spi != NO_SPI)
			out->irq.hub = &vm->arch->spis[p->spi + index];
		return 0;
	}
	return -ENODEV;
}

struct irq_line arch_pci_irq_line(struct kvm *vm, unsigned int slot,
				  unsigned int pin)
{
	return (struct irq_line){
		.hub = &vm->arch->spis[pci_pin_spi(slot, pin)],
	};
}
