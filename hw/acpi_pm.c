/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ACPI fixed hardware, after ACPI 6.5, 4.8.3: the PM1a event block with the
 * power button, and the PM1a control block with S5. There is no SMI command port, so ACPI mode is on from the start. Not here: the
 * PM timer, sleep states other than S5.
 */
#include "hw/hw_priv.h"

#include <errno.h>
#include <stdlib.h>
#include "lkvm/arch.h"
#include "lkvm/devices.h"
#include "lkvm/power.h"

/* PM1 status and enable registers: table 4.14, 4.15 */
#define PM1_TIMER BIT(0)
#define PM1_GLOBAL_LOCK BIT(5)
#define PM1_POWER_BUTTON BIT(8)
#define PM1_SLEEP_BUTTON BIT(9)
#define PM1_RTC BIT(10)
#define PM1_ENABLE_BITS                                                        \
	(PM1_TIMER | PM1_GLOBAL_LOCK | PM1_POWER_BUTTON | PM1_SLEEP_BUTTON |   \
	 PM1_RTC)

/* PM1 control register: table 4.16 */
#define PM1_SCI_EN BIT(0)
#define PM1_BM_RLD BIT(1)
#define PM1_SLP_TYP_SHIFT 10
#define PM1_SLP_TYP (7U << PM1_SLP_TYP_SHIFT)
#define PM1_SLP_EN BIT(13)
#define PM1_CONTROL_BITS (PM1_BM_RLD | PM1_SLP_TYP)

#define EVENT_BLOCK_LEN 4
#define CONTROL_BLOCK_LEN 2

static void update_sci(struct acpi_pm *pm)
{
	irq_line_set(&pm->sci, pm->status & pm->enable);
}

/* The byte that holds bits @shift and up of *@reg becomes @value. */
static void put_byte(u16 *reg, unsigned int shift, u8 value)
{
	*reg = (u16)((*reg & ~(0xffU << shift)) | (unsigned int)value << shift);
}

static u8 read_event(void *chip, u64 offset)
{
	const struct acpi_pm *pm = chip;
	u16 reg = offset < 2 ? pm->status : pm->enable;

	return (u8)(reg >> 8 * (offset % 2));
}

static void write_event(void *chip, u64 offset, u8 value)
{
	struct acpi_pm *pm = chip;
	unsigned int shift = 8 * (offset % 2);

	if (offset < 2) {
		pm->status &= (u16) ~((unsigned int)value << shift);
	} else {
		put_byte(&pm->enable, shift, value);
		pm->enable &= PM1_ENABLE_BITS;
	}
}

enum bus_result acpi_pm_access_event(void *opaque, struct bus_access *acc)
{
	struct acpi_pm *pm = opaque;
	enum bus_result result;

	pthread_mutex_lock(&pm->lock);
	result = hw_access_bytes(acc, EVENT_BLOCK_LEN, read_event, write_event,
				 pm);
	update_sci(pm);
	pthread_mutex_unlock(&pm->lock);
	return result;
}

static u8 read_control(void *chip, u64 offset)
{
	const struct acpi_pm *pm = chip;

	return (u8)(pm->control >> 8 * offset);
}

static void write_control(void *chip, u64 offset, u8 value)
{
	struct acpi_pm *pm = chip;
	u16 written = pm->control;

	put_byte(&written, 8 * (unsigned int)offset, value);
	pm->control = (written & PM1_CONTROL_BITS) | PM1_SCI_EN;
	/* SLP_EN is write-only; sleep states that \_Sx does not name do nothing. */
	if ((written & PM1_SLP_EN) &&
	    (written & PM1_SLP_TYP) == ACPI_S5_SLP_TYP << PM1_SLP_TYP_SHIFT)
		pm->end(pm->dev.vm, VM_END_POWEROFF);
}

enum bus_result acpi_pm_access_control(void *opaque, struct bus_access *acc)
{
	struct acpi_pm *pm = opaque;
	enum bus_result result;

	pthread_mutex_lock(&pm->lock);
	result = hw_access_bytes(acc, CONTROL_BLOCK_LEN, read_control,
				 write_control, pm);
	pthread_mutex_unlock(&pm->lock);
	return result;
}

int acpi_pm_press(struct acpi_pm *pm)
{
	int err = -ENOTSUP;

	pthread_mutex_lock(&pm->lock);
	if (pm->enable & PM1_POWER_BUTTON) {
		pm->status |= PM1_POWER_BUTTON;
		update_sci(pm);
		err = 0;
	}
	pthread_mutex_unlock(&pm->lock);
	return err;
}

/* ---- In a VM ---- */

void acpi_pm_init(struct acpi_pm *pm)
{
	*pm = (struct acpi_pm){
		.end = vm_end,
		.control = PM1_SCI_EN,
		.event_region = {
			.name = "ACPI PM1a event block",
			.access = acpi_pm_access_event,
			.opaque = pm,
		},
		.control_region = {
			.name = "ACPI PM1a control block",
			.access = acpi_pm_access_control,
			.opaque = pm,
		},
	};
	pthread_mutex_init(&pm->lock, NULL);
}

void acpi_pm_release(struct acpi_pm *pm)
{
	pthread_mutex_destroy(&pm->lock);
}

static void acpi_pm_destroy(struct device *dev)
{
	struct acpi_pm *pm = container_of(dev, struct acpi_pm, dev);

	if (pm->event_bus)
		bus_remove(pm->event_bus, &pm->event_region);
	if (pm->control_bus)
		bus_remove(pm->control_bus, &pm->control_region);
	acpi_pm_release(pm);
	free(pm);
}

static int press_power(struct device *dev)
{
	return acpi_pm_press(container_of(dev, struct acpi_pm, dev));
}

static const struct device_ops acpi_pm_ops = {
	.name = "ACPI PM",
	.press_power = press_power,
	.destroy = acpi_pm_destroy,
};

/* Adds @region where the machine has a place of @kind, if it has one. */
static int add_block(struct kvm *vm, enum place_kind kind,
		     struct device_place *place, struct bus **bus,
		     struct bus_region *region)
{
	int err = arch_place(vm, kind, 0, place);

	if (err)
		return err == -ENODEV ? 0 : err;
	*bus = place->bus;
	return hw_add_region(vm, place, region);
}

static int acpi_pm_create(struct kvm *vm, const struct kvm_config *config)
{
	struct device_place place;
	struct acpi_pm *pm;
	int err;

	err = arch_place(vm, PLACE_PM_EVENT, 0, &place);
	if (err)
		return err == -ENODEV ? 0 : err;
	pm = malloc(sizeof(*pm));
	if (!pm)
		return vm_fail(vm, -ENOMEM, "ACPI PM: out of memory");
	acpi_pm_init(pm);
	pm->sci = place.irq;
	device_register(vm, &pm->dev, &acpi_pm_ops);

	err = add_block(vm, PLACE_PM_EVENT, &place, &pm->event_bus,
			&pm->event_region);
	if (!err)
		err = add_block(vm, PLACE_PM_CONTROL, &place, &pm->control_bus,
				&pm->control_region);
	return err;
}

const struct device_class acpi_pm_class = {
	.name = "ACPI PM",
	.create = acpi_pm_create,
};
