/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "lkvm vfio list" and "lkvm vfio check": sysfs in a form to read, and the
 * commands that help.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lkvm/failure.h"
#include "vfio_priv.h"

#define MAX_GROUPS 4096U

static int by_number(const void *a, const void *b)
{
	const int *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* Numbers of all IOMMU groups, in order; how many. */
static unsigned int list_groups(int *out, unsigned int max)
{
	char path[PATH_MAX];
	unsigned int nr = 0;
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/sys/kernel/iommu_groups",
		 vfio_sys_root());
	dir = opendir(path);
	while (dir && nr < max && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			out[nr++] = (int)strtol(entry->d_name, NULL, 10);
	if (dir)
		closedir(dir);
	qsort(out, nr, sizeof(*out), by_number);
	return nr;
}

static const char *describe(const struct vfio_host_device *host)
{
	if (strstr(host->driver, "vfio"))
		return "ready";
	if (host->class_code >> 16 == 0x06)
		return "a bridge: stays with the host, and is in nobody's way";
	return vfio_is_in_the_way(host) ? "used by the host"
					: "not bound to vfio-pci";
}

static void print_device(const struct vfio_host_device *host)
{
	printf("  %s %04x:%04x class %06x  %-16s %s\n", host->name,
	       host->vendor, host->device, host->class_code,
	       host->driver[0] ? host->driver : "(no driver)", describe(host));
}

static void print_group(int group)
{
	struct vfio_host_device devices[VFIO_GROUP_MAX_DEVICES];
	unsigned int nr =
		vfio_sysfs_group(group, devices, VFIO_GROUP_MAX_DEVICES);

	printf("IOMMU group %d\n", group);
	for (unsigned int i = 0; i < nr; i++)
		print_device(&devices[i]);
}

int vfio_print_list(void)
{
	int *groups = calloc(MAX_GROUPS, sizeof(*groups));
	unsigned int nr;

	if (!groups)
		return -ENOMEM;
	nr = list_groups(groups, MAX_GROUPS);
	for (unsigned int i = 0; i < nr; i++)
		print_group(groups[i]);
	free(groups);
	if (nr)
		return 0;
	log_error("this host uses no IOMMU: switch it on in the firmware "
		  "(VT-d, AMD-Vi, SMMU) and, with Intel, boot the host with "
		  "intel_iommu=on");
	return -ENODEV;
}

/* What binds the device, and the others of its group that are in the way. */
static void print_commands(const struct vfio_host_device *host)
{
	struct vfio_host_device devices[VFIO_GROUP_MAX_DEVICES];
	unsigned int nr =
		vfio_sysfs_group(host->group, devices, VFIO_GROUP_MAX_DEVICES);
	char commands[256];

	/* Not in a group yet. */
	if (!nr)
		devices[nr++] = *host;
	for (unsigned int i = 0; i < nr; i++) {
		bool is_it = !strcmp(devices[i].name, host->name);

		if (is_it ? strstr(devices[i].driver, "vfio") != NULL
			  : !vfio_is_in_the_way(&devices[i]))
			continue;
		vfio_bind_commands(&devices[i], commands, sizeof(commands));
		printf("  %s\n", commands);
	}
}

static void print_reserved(const struct vfio_host_device *host)
{
	struct vfio_reserved range = { .last = 0 };
	u64 start = 0;

	while (vfio_sysfs_reserved(host->group, start, UINT64_MAX - start,
				   &range)) {
		printf("No RAM of a guest may be at 0x%llx-0x%llx (%s)\n",
		       (unsigned long long)range.start,
		       (unsigned long long)range.last, range.type);
		if (range.last == UINT64_MAX)
			break;
		start = range.last + 1;
	}
}

int vfio_print_check(const char *name)
{
	struct failure why = FAILURE_INIT;
	struct vfio_host_device host;
	char method[64];
	int err;

	err = vfio_sysfs_device(name, &host);
	if (err) {
		log_error("this host has no PCI device %s; \"lkvm vfio list\" "
			  "shows those behind an IOMMU",
			  name);
		return err;
	}
	if (host.group >= 0) {
		print_group(host.group);
		print_reserved(&host);
	}
	vfio_sysfs_reset_method(name, method, sizeof(method));
	printf("Reset: %s\n", method[0] ? method : "none that the host knows");
	err = vfio_check(&host, 0, vfio_has_iommufd() && host.cdev[0], &why);
	if (!err) {
		printf("Ready: lkvm run --vfio-pci %s\n", name);
		return 0;
	}
	log_error("%s", why.text);
	if (host.group >= 0 || vfio_sysfs_has_iommu()) {
		puts("As root:");
		print_commands(&host);
	}
	return err;
}
