/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BARs of a passed-through device. What VFIO lets us map, the guest reaches
 * without an exit, except the pages that hold the MSI-X table or its pending
 * bits: those belong to the core, and other registers there are read and written
 * for the guest. So are I/O BARs, and those smaller than a page of the host.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lkvm/failure.h"
#include "lkvm/kvm.h"
#include "vfio_priv.h"

#define MAX_BAR (1ULL << 52) /* what processors address */
#define MAX_IO_BAR (64 * KIB)

/* Bytes [start, end) of a BAR. */
struct area {
	u64 start, end;
};

struct areas {
	struct area list[VFIO_MAX_PIECES];
	unsigned int nr;
};

static u32 raw32(const struct vfio_device *dev, unsigned int reg)
{
	u32 value;

	memcpy(&value, &dev->raw[reg], sizeof(value));
	return value;
}

static void add_area(struct areas *areas, u64 start, u64 end)
{
	if (start < end && areas->nr < VFIO_MAX_PIECES)
		areas->list[areas->nr++] = (struct area){ start, end };
}

/* Parts that the kernel lets us map: what it lists, or all. */
static void find_mappable(const struct vfio_region *region, const void *info,
			  u32 len, struct areas *out)
{
	const struct vfio_region_info *answer = info;
	const struct vfio_region_info_cap_sparse_mmap *sparse = NULL;
	u32 cap_len = 0;

	out->nr = 0;
	if (answer->flags & VFIO_REGION_INFO_FLAG_CAPS)
		sparse = vfio_find_cap(info, len, answer->cap_offset,
				       VFIO_REGION_INFO_CAP_SPARSE_MMAP,
				       &cap_len);
	if (!sparse) {
		add_area(out, 0, region->size);
		return;
	}
	if (cap_len < sizeof(*sparse) ||
	    sparse->nr_areas >
		    (cap_len - sizeof(*sparse)) / sizeof(sparse->areas[0]))
		return;
	for (u32 i = 0; i < sparse->nr_areas; i++) {
		struct vfio_region_sparse_mmap_area area;

		/* It may not be aligned. */
		memcpy(&area,
		       (const u8 *)sparse + sizeof(*sparse) + i * sizeof(area),
		       sizeof(area));
		if (range_within(area.offset, area.size, region->size))
			add_area(out, area.offset, area.offset + area.size);
	}
}

/* Take the pages of [@start, @start + @len) out. */
static void carve(struct areas *areas, u64 start, u64 len)
{
	u64 page = (u64)sysconf(_SC_PAGESIZE);
	struct areas old = *areas;
	u64 end = align_up(start + len, page);

	start = align_down(start, page);
	areas->nr = 0;
	for (unsigned int i = 0; i < old.nr; i++) {
		const struct area *a = &old.list[i];

		add_area(areas, a->start, a->end < start ? a->end : start);
		add_area(areas, a->start > end ? a->start : end, a->end);
	}
}

/* The table and the pending bits, if they are in BAR @bar. */
static void carve_msix(const struct vfio_device *dev, unsigned int bar,
		       struct areas *areas)
{
	unsigned int cap = vfio_config_find(dev->raw, PCI_CAP_ID_MSIX);
	u32 vectors, table, pba;

	if (!cap || !range_within(cap, PCI_CAP_MSIX_SIZEOF, PCI_CFG_SPACE_SIZE))
		return;
	vectors = (raw32(dev, cap) >> 16 & PCI_MSIX_FLAGS_QSIZE) + 1;
	table = raw32(dev, cap + PCI_MSIX_TABLE);
	pba = raw32(dev, cap + PCI_MSIX_PBA);
	if ((table & PCI_MSIX_TABLE_BIR) == bar)
		carve(areas, table & PCI_MSIX_TABLE_OFFSET,
		      (u64)vectors * PCI_MSIX_ENTRY_SIZE);
	if ((pba & PCI_MSIX_PBA_BIR) == bar)
		carve(areas, pba & PCI_MSIX_PBA_OFFSET,
		      (vectors + 63) / 64 * 8);
}

static void map_area(struct vfio_device *dev, unsigned int bar,
		     const struct area *area)
{
	struct vfio_region *region = &dev->bars[bar];
	struct pci_memory *piece = &region->pieces[region->nr_pieces];
	u64 page = (u64)sysconf(_SC_PAGESIZE);
	u64 start = align_up(area->start, page);
	u64 end = align_down(area->end, page);

	if (start >= end)
		return;
	piece->hva = vfio_sys_mmap(dev->fd, end - start, region->can_write,
				   region->offset + start);
	if (!piece->hva) {
		log_warning("%s: BAR %u: the host does not map 0x%llx-0x%llx: "
			    "accesses there will be slow",
			    dev->host.name, bar, (unsigned long long)start,
			    (unsigned long long)(end - 1));
		return;
	}
	piece->offset = start;
	piece->len = end - start;
	region->nr_pieces++;
	pci_bar_add_memory(&dev->fn, bar, piece);
}

static void map_bar(struct vfio_device *dev, unsigned int bar, const void *info,
		    u32 info_len)
{
	struct vfio_region *region = &dev->bars[bar];
	struct areas areas;

	if (!region->can_mmap || region->size < (u64)sysconf(_SC_PAGESIZE)) {
		log_debug("%s: BAR %u (%llu bytes) cannot be mapped: its "
			  "accesses are slow",
			  dev->host.name, bar,
			  (unsigned long long)region->size);
		return;
	}
	find_mappable(region, info, info_len, &areas);
	carve_msix(dev, bar, &areas);
	for (unsigned int i = 0; i < areas.nr; i++)
		map_area(dev, bar, &areas.list[i]);
}

/* What the register says; a 64-bit BAR takes the next one too. */
static enum pci_bar_kind kind_of(u32 reg, unsigned int bar)
{
	if (reg & PCI_BASE_ADDRESS_SPACE_IO)
		return PCI_BAR_IO;
	if ((reg & PCI_BASE_ADDRESS_MEM_TYPE_MASK) ==
		    PCI_BASE_ADDRESS_MEM_TYPE_64 &&
	    bar + 1 < VFIO_BARS)
		return PCI_BAR_MEM64;
	return PCI_BAR_MEM32;
}

static int init_bar(struct vfio_device *dev, unsigned int bar,
		    enum pci_bar_kind *kind)
{
	struct vfio_region *region = &dev->bars[bar];
	u32 reg = raw32(dev, PCI_BASE_ADDRESS_0 + 4 * bar);
	void *info;
	u32 info_len;
	int err;

	*kind = PCI_BAR_NONE;
	err = vfio_device_region(dev, bar, region, &info, &info_len);
	if (err)
		return err;
	if (region->size) {
		*kind = kind_of(reg, bar);
		if (region->size > (*kind == PCI_BAR_IO ? MAX_IO_BAR : MAX_BAR))
			err = vm_fail(dev->base.vm, -EINVAL,
				      "%s: BAR %u of 0x%llx bytes makes no "
				      "sense",
				      dev->host.name, bar,
				      (unsigned long long)region->size);
	}
	if (*kind != PCI_BAR_NONE && !err) {
		pci_bar_init(&dev->fn, bar, *kind,
			     *kind != PCI_BAR_IO &&
				     (reg & PCI_BASE_ADDRESS_MEM_PREFETCH),
			     region->size);
		if (*kind != PCI_BAR_IO)
			map_bar(dev, bar, info, info_len);
	}
	free(info);
	return err;
}

int vfio_bars_init(struct vfio_device *dev)
{
	enum pci_bar_kind kind;
	int err = 0;

	for (unsigned int bar = 0; bar < VFIO_BARS && !err; bar++) {
		err = init_bar(dev, bar, &kind);
		bar += kind == PCI_BAR_MEM64;
	}
	return err;
}

void vfio_bars_release(struct vfio_device *dev)
{
	for (unsigned int bar = 0; bar < VFIO_BARS; bar++) {
		struct vfio_region *region = &dev->bars[bar];

		while (region->nr_pieces) {
			struct pci_memory *piece =
				&region->pieces[--region->nr_pieces];

			vfio_sys_munmap(piece->hva, piece->len);
		}
	}
}

enum bus_result vfio_bar_access(struct pci_function *fn, unsigned int bar,
				struct bus_access *acc)
{
	struct vfio_device *dev = container_of(fn, struct vfio_device, fn);
	const struct vfio_region *region;
	ssize_t done;

	if (bar == PCI_ROM)
		return vfio_rom_access(dev, acc);
	region = &dev->bars[bar];
	if (!range_within(acc->offset, acc->size, region->size))
		return BUS_UNHANDLED;
	if (acc->is_write) {
		done = vfio_sys_pwrite(dev->fd, &acc->value, acc->size,
				       region->offset + acc->offset);
	} else {
		acc->value = 0;
		done = vfio_sys_pread(dev->fd, &acc->value, acc->size,
				      region->offset + acc->offset);
	}
	return done == acc->size ? BUS_HANDLED : BUS_ERROR;
}
