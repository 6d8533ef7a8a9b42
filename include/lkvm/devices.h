/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every class of device there is. device_classes.c has the order in which the
 * common ones are created; arch_device_classes[] adds those of one machine.
 */
#ifndef LKVM_DEVICES_H
#define LKVM_DEVICES_H

#include "lkvm/device.h"

/* NULL-terminated. */
extern const struct device_class *const device_classes[];

/* hw/ */
extern const struct device_class serial_class;
extern const struct device_class rtc_class;
extern const struct device_class i8042_class;
extern const struct device_class acpi_pm_class;
extern const struct device_class pvpanic_class;
extern const struct device_class pl031_class;
extern const struct device_class pl061_class;
extern const struct device_class cfi_flash_class;
extern const struct device_class vesa_class;

/* virtio/ */
extern const struct device_class virtio_balloon_class;
extern const struct device_class virtio_blk_class;
extern const struct device_class virtio_console_class;
extern const struct device_class virtio_net_class;
extern const struct device_class virtio_rng_class;
extern const struct device_class virtio_input_class;
extern const struct device_class virtio_scsi_class;
extern const struct device_class virtio_vsock_class;
extern const struct device_class virtio_9p_class;

/* vfio/ */
extern const struct device_class vfio_class;

#endif
