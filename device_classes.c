/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The devices of every machine.
 */
#include "lkvm/devices.h"

#include <stddef.h>

/*
 * Common classes, in the order in which their instances are created: this is
 * also the order on the PCI bus. Disks come first, so that /dev/vda stays the
 * first disk whatever else a VM has.
 */
const struct device_class *const device_classes[] = {
	&serial_class,	     &rtc_class,
	&pl031_class,	     &pl061_class,
	&pvpanic_class,	     &cfi_flash_class,
	&virtio_blk_class,   &virtio_net_class,
	&virtio_scsi_class,  &virtio_console_class,
	&virtio_rng_class,   &virtio_vsock_class,
	&virtio_9p_class,    &virtio_balloon_class,
	&virtio_input_class, &vesa_class,
	&vfio_class,	     NULL,
};
