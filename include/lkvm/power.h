/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Power as the guest sees it. What the machine's description (ACPI tables) must
 * say of it is here.
 */
#ifndef LKVM_POWER_H
#define LKVM_POWER_H

struct kvm;

/* SLP_TYP that turns the machine off: both values of the DSDT's \_S5. */
#define ACPI_S5_SLP_TYP 5

/*
 * Press the machine's power button. -ENOTSUP when it has none, or when the
 * guest does not listen: nothing will happen, so tell the user. Any thread,
 * from devices_create() to devices_destroy().
 */
int vm_power_button(struct kvm *vm);

#endif
