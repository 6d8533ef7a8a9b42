/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What sysfs tells of PCI devices and IOMMU groups (the kernel's
 * Documentation/ABI/testing/sysfs-bus-pci, sysfs-kernel-iommu_groups).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "vfio_priv.h"

#define TEXT_LEN 256

static void make_path(char *path, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void make_path(char *path, const char *fmt, ...)
{
	int used = snprintf(path, PATH_MAX, "%s/sys/", vfio_sys_root());
	va_list args;

	va_start(args, fmt);
	vsnprintf(path + used, (size_t)(PATH_MAX - used), fmt, args);
	va_end(args);
}

/* Cut where it does not fit, as no name of the kernel's is. */
static void copy(char *out, size_t len, const char *text)
{
	size_t used = strnlen(text, len - 1);

	memcpy(out, text, used);
	out[used] = '\0';
}

/* The first line of a file, without its end; "" if there is none. */
static void read_line(const char *path, char *text, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? 0 : read(fd, text, len - 1);

	if (fd >= 0)
		close(fd);
	text[got > 0 ? got : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

/* The last part of where a link points to; "" if there is none. */
static void read_link(const char *path, char *text, size_t len)
{
	char target[TEXT_LEN];
	ssize_t got = readlink(path, target, sizeof(target) - 1);
	const char *slash;

	target[got > 0 ? got : 0] = '\0';
	slash = strrchr(target, '/');
	copy(text, len, slash ? slash + 1 : target);
}

static u32 read_hex(const char *name, const char *file)
{
	char path[PATH_MAX], text[TEXT_LEN];

	make_path(path, "bus/pci/devices/%s/%s", name, file);
	read_line(path, text, sizeof(text));
	return (u32)strtoul(text, NULL, 16);
}

/* One field of an address; *@text is moved behind it and @end. */
static bool take_field(const char **text, char end, unsigned long max,
		       unsigned long *out)
{
	size_t len = strspn(*text, "0123456789abcdefABCDEF");

	if (!len || (*text)[len] != end)
		return false;
	*out = strtoul(*text, NULL, 16);
	*text += end ? len + 1 : len;
	return *out <= max;
}

bool vfio_parse_address(const char *text, char *name)
{
	unsigned long domain = 0, bus = 0, slot, function;
	const char *colon = strchr(text, ':');

	if (colon && strchr(colon + 1, ':') &&
	    !take_field(&text, ':', 0xffff, &domain))
		return false;
	if (colon && !take_field(&text, ':', 0xff, &bus))
		return false;
	if (!take_field(&text, '.', 0x1f, &slot) ||
	    !take_field(&text, '\0', 7, &function))
		return false;
	snprintf(name, VFIO_NAME_LEN, "%04lx:%02lx:%02lx.%lx", domain, bus,
		 slot, function);
	return true;
}

/* The name of the device's entry in vfio-dev/, which iommufd goes by. */
static void find_cdev(const char *name, char *out, size_t len)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	out[0] = '\0';
	make_path(path, "bus/pci/devices/%s/vfio-dev", name);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			copy(out, len, entry->d_name);
	if (dir)
		closedir(dir);
}

int vfio_sysfs_device(const char *name, struct vfio_host_device *out)
{
	char path[PATH_MAX], text[TEXT_LEN];

	*out = (struct vfio_host_device){ .group = -1 };
	copy(out->name, sizeof(out->name), name);
	make_path(path, "bus/pci/devices/%s", name);
	if (access(path, F_OK))
		return -ENODEV;
	out->vendor = (u16)read_hex(name, "vendor");
	out->device = (u16)read_hex(name, "device");
	out->class_code = read_hex(name, "class");
	make_path(path, "bus/pci/devices/%s/driver", name);
	read_link(path, out->driver, sizeof(out->driver));
	make_path(path, "bus/pci/devices/%s/iommu_group", name);
	read_link(path, text, sizeof(text));
	if (text[0])
		out->group = (int)strtol(text, NULL, 10);
	find_cdev(name, out->cdev, sizeof(out->cdev));
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct vfio_host_device *left = a, *right = b;

	return strcmp(left->name, right->name);
}

unsigned int vfio_sysfs_group(int group, struct vfio_host_device *out,
			      unsigned int max)
{
	char path[PATH_MAX], name[VFIO_NAME_LEN];
	unsigned int nr = 0;
	struct dirent *entry;
	DIR *dir;

	make_path(path, "kernel/iommu_groups/%d/devices", group);
	dir = opendir(path);
	while (dir && nr < max && (entry = readdir(dir)))
		if (vfio_parse_address(entry->d_name, name) &&
		    !vfio_sysfs_device(name, &out[nr]))
			nr++;
	if (dir)
		closedir(dir);
	qsort(out, nr, sizeof(*out), by_name);
	return nr;
}

bool vfio_has_iommufd(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/dev/iommu", vfio_sys_root());
	return !access(path, R_OK | W_OK);
}

bool vfio_sysfs_has_iommu(void)
{
	char path[PATH_MAX];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	make_path(path, "kernel/iommu_groups");
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir)))
		found = entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return found;
}

bool vfio_sysfs_has_driver(const char *name)
{
	char path[PATH_MAX];

	make_path(path, "bus/pci/drivers/%s", name);
	return !access(path, F_OK);
}

void vfio_sysfs_reset_method(const char *name, char *out, size_t len)
{
	char path[PATH_MAX];

	make_path(path, "bus/pci/devices/%s/reset_method", name);
	read_line(path, out, len);
}

bool vfio_sysfs_reserved(int group, u64 start, u64 len,
			 struct vfio_reserved *out)
{
	char path[PATH_MAX], line[TEXT_LEN], *rest;
	bool found = false;
	FILE *file;

	make_path(path, "kernel/iommu_groups/%d/reserved_regions", group);
	file = fopen(path, "re");
	if (!file)
		return false;
	/* "0x00000000fee00000 0x00000000feefffff msi" */
	while (!found && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		out->start = strtoull(line, &rest, 16);
		out->last = strtoull(rest, &rest, 16);
		copy(out->type, sizeof(out->type), rest + strspn(rest, " "));
		/* What only the firmware wants, a guest does not lack. */
		found = out->start <= out->last && out->start < start + len &&
			out->last >= start &&
			strcmp(out->type, "direct-relaxable") != 0;
	}
	fclose(file);
	return found;
}
