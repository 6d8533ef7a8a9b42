/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A host with one PCI device bound to vfio-pci, in place of vfio/sys.c: sysfs as
 * files in a temporary folder, and the kernel's answers. There is one of it, as
 * there is one kernel.
 */
#ifndef LKVM_TESTS_FAKE_VFIO_H
#define LKVM_TESTS_FAKE_VFIO_H

#include <linux/vfio.h>
#include "lkvm/types.h"

#define FAKE_VFIO_NAME "0000:01:00.0"
#define FAKE_VFIO_MAX_MAPS 32
#define FAKE_VFIO_REGIONS 9

struct fake_vfio_region {
	u64 size; /* 0: there is none */
	bool no_mmap;
	u8 *bytes; /* what is behind it; made on demand */
	/* Of the capability; 0: it has none. */
	unsigned int nr_sparse;
	struct vfio_region_sparse_mmap_area sparse[8];
	bool bad_caps; /* the chain of capabilities bites its tail */
};

struct fake_vfio_map {
	u64 iova, len;
	bool is_writable;
};

struct fake_vfio {
	char root[64]; /* the temporary folder */
	u8 config[4096];
	unsigned int config_len; /* 256 or 4096 */
	struct fake_vfio_region regions[FAKE_VFIO_REGIONS];
	u32 nr_irqs[3]; /* INTx, MSI, MSI-X */
	bool can_grow;	/* vectors can be added to enabled ones */
	bool can_reset, has_iommufd;
	/* A request that fails, with what; 0: none. */
	unsigned long failing;
	int failure;		/* negative errno */
	unsigned int nr_ranges; /* IOVA ranges; 0: the kernel does not say */
	struct {
		u64 start, end;
	} ranges[4];

	/* What happened. */
	int irq_fds[3][2048]; /* eventfds that the host signals; -1 */
	u32 nr_enabled[3];    /* vectors; 0: off */
	unsigned int nr_enables[3];
	int unmask_fd;
	unsigned int nr_resets, nr_open;
	struct fake_vfio_map maps[FAKE_VFIO_MAX_MAPS];
	unsigned int nr_maps;
	unsigned int nr_config_writes;
	u64 last_config_offset;
	unsigned int last_config_len;
};

extern struct fake_vfio fake_vfio;

/* A device of vendor 0x8086 that is ready, with nothing but a header. */
void fake_vfio_init(void);
void fake_vfio_release(void);
/* Registers of its configuration space. */
void fake_vfio_put(unsigned int offset, unsigned int len, u32 value);
u32 fake_vfio_get(unsigned int offset, unsigned int len);
/* Append a capability at @offset to the list. */
void fake_vfio_add_cap(unsigned int offset, u8 id);
/* BAR @bar with its register's type bits @flags. */
void fake_vfio_add_bar(unsigned int bar, u32 flags, u64 size);
/* MSI-X with table and PBA registers as they are in the capability. */
void fake_vfio_add_msix(unsigned int offset, unsigned int vectors, u32 table,
			u32 pba);
/* A file of the host, below root: @path and its text. */
void fake_vfio_file(const char *path, const char *text);
void fake_vfio_link(const char *path, const char *target);
/* A file or a folder goes, with all that is in it. */
void fake_vfio_remove(const char *path);
/* Add a device to the host, in the same group; @driver NULL: none. */
void fake_vfio_add_sibling(const char *name, const char *class_code,
			   const char *driver);

#endif
