/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The expansion ROM: the device's own, a file instead of it, or none. It is
 * copied at start: the guest reads the copy, without an exit.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lkvm/failure.h"
#include "lkvm/kvm.h"
#include "vfio_priv.h"

/* BARs of ROMs have 32 bits; no ROM is near that. */
#define MAX_ROM (64 * MIB)
#define MIN_ROM 2048U

/* Memory for a ROM of @len bytes; what is behind them reads as a ROM's end. */
static int allocate(struct vfio_device *dev, u64 len)
{
	u64 size = (u64)sysconf(_SC_PAGESIZE);
	void *hva;

	while (size < len)
		size <<= 1;
	hva = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (hva == MAP_FAILED)
		return vm_fail(dev->base.vm, -ENOMEM, "%s: no memory for a ROM",
			       dev->host.name);
	memset(hva, 0xff, size);
	dev->rom = hva;
	dev->rom_len = size;
	return 0;
}

static int read_file(struct vfio_device *dev, const char *path)
{
	struct kvm *vm = dev->base.vm;
	struct stat st;
	ssize_t got = -1;
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		err = vm_fail(vm, -errno, "%s: romfile %s: %s", dev->host.name,
			      path, strerror(errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode) || !st.st_size ||
	    st.st_size > (off_t)MAX_ROM) {
		err = vm_fail(vm, -EINVAL,
			      "%s: romfile %s: not a file of 1 byte to 64 MiB",
			      dev->host.name, path);
		goto out;
	}
	err = allocate(dev, (u64)st.st_size);
	if (!err)
		got = read(fd, dev->rom, (size_t)st.st_size);
	if (!err && got != st.st_size)
		err = vm_fail(vm, -EIO, "%s: romfile %s: cannot read it",
			      dev->host.name, path);
out:
	if (fd >= 0)
		close(fd);
	return err;
}

/* A device without a readable ROM has none. */
static int read_device(struct vfio_device *dev)
{
	struct vfio_region region;
	void *info;
	u64 done = 0;
	u32 len;
	int err;

	if (vfio_device_region(dev, VFIO_PCI_ROM_REGION_INDEX, &region, &info,
			       &len))
		return 0;
	free(info);
	if (!region.size || region.size > MAX_ROM || !region.can_read)
		return 0;
	err = allocate(dev, region.size);
	while (!err && done < region.size) {
		ssize_t got = vfio_sys_pread(dev->fd, dev->rom + done,
					     region.size - done,
					     region.offset + done);

		if (got <= 0)
			break;
		done += (u64)got;
	}
	if (!err &&
	    (done < MIN_ROM || dev->rom[0] != 0x55 || dev->rom[1] != 0xaa)) {
		log_debug("%s: its ROM cannot be read: none is shown",
			  dev->host.name);
		vfio_rom_release(dev);
	}
	return err;
}

int vfio_rom_init(struct vfio_device *dev)
{
	int err;

	if (dev->config->rom_off)
		return 0;
	err = dev->config->romfile ? read_file(dev, dev->config->romfile)
				   : read_device(dev);
	if (err || !dev->rom)
		return err;
	dev->rom_piece = (struct pci_memory){
		.len = dev->rom_len,
		.hva = dev->rom,
		.flags = KVM_MEM_READONLY,
	};
	pci_bar_init(&dev->fn, PCI_ROM, PCI_BAR_EXPANSION_ROM, false,
		     dev->rom_len);
	pci_bar_add_memory(&dev->fn, PCI_ROM, &dev->rom_piece);
	return 0;
}

void vfio_rom_release(struct vfio_device *dev)
{
	if (dev->rom)
		munmap(dev->rom, dev->rom_len);
	dev->rom = NULL;
}

/* Writes, and reads where a page of the guest is shared with something else. */
enum bus_result vfio_rom_access(struct vfio_device *dev, struct bus_access *acc)
{
	if (!acc->is_write)
		bus_read_bytes(acc, dev->rom, dev->rom_len);
	return BUS_HANDLED;
}
