/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The devices of lkvm-testdev: what a bare guest needs to tell how it went, and
 * two devices with every kind of BAR.
 */
#include "lkvm/devices.h"

#include <stddef.h>

extern const struct device_class pci_testdev_class;

const struct device_class *const device_classes[] = {
	&serial_class,
	&rtc_class,
	&pci_testdev_class,
	NULL,
};
