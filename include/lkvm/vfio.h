/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Host PCI devices as "lkvm run --vfio-pci" and "lkvm vfio" see them.
 */
#ifndef LKVM_VFIO_H
#define LKVM_VFIO_H

#include "lkvm/types.h"

struct failure;

#define VFIO_NAME_LEN 16U /* "0000:00:02.0" */

/* A PCI device, as sysfs shows it. */
struct vfio_host_device {
	char name[VFIO_NAME_LEN];
	u16 vendor, device;
	u32 class_code;
	int group;	 /* -1: behind no IOMMU */
	char driver[32]; /* "": none */
	char cdev[16];	 /* "vfio0", for iommufd; "": none */
};

/*
 * Full name of the device that the user calls @text ("02.0", "00:02.0",
 * "0000:00:02.0"; hexadecimal). False: it is no address.
 */
bool vfio_parse_address(const char *text, char *name);

/* Print all devices behind an IOMMU, and what keeps each. Exit status. */
int vfio_print_list(void);
/* The same for device @name, with the commands that help. Exit status. */
int vfio_print_check(const char *name);

#endif
