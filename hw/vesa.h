/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The display device, open for its tests.
 */
#ifndef LKVM_HW_VESA_H
#define LKVM_HW_VESA_H

#include <pthread.h>
#include "hw/edid.h"
#include "lkvm/device.h"
#include "lkvm/display.h"
#include "lkvm/pci.h"

#define VESA_VRAM_BAR 0U
#define VESA_REGS_BAR 2U
#define VESA_REGS_LEN 4096U
#define VESA_MIN_VRAM (16 * MIB)
#define VESA_MAX_VRAM (64 * MIB)

enum vesa_register {
	VESA_ID,
	VESA_XRES,
	VESA_YRES,
	VESA_BPP,
	VESA_ENABLE,
	VESA_BANK,
	VESA_VIRT_WIDTH,
	VESA_VIRT_HEIGHT,
	VESA_X_OFFSET,
	VESA_Y_OFFSET,
	VESA_MEMORY, /* in 64 KiB */
	VESA_REGISTERS
};

struct vesa {
	struct device dev;
	struct pci_function fn;
	struct pci_memory memory;
	struct display *display; /* or NULL; borrowed */
	bool attached;
	u8 *vram; /* vram_len bytes, mapped */
	u64 vram_len;
	u8 edid[EDID_LEN]; /* const */

	pthread_mutex_t lock; /* guards all below */
	u16 regs[VESA_REGISTERS];
	bool is_blank;	  /* the driver has switched the screen off */
	bool all_changed; /* whatever the log says */
	/* Pages that have changed; display's thread only, without the lock. */
	u64 changed[PCI_MEMORY_MAX_DIRTY / 64];
};

/* As firmware leaves it: @width by @height, switched on. */
void vesa_init(struct vesa *vesa, u32 width, u32 height);
void vesa_release(struct vesa *vesa);

/* Offsets of the register BAR and of the memory BAR. */
void vesa_access_regs(struct vesa *vesa, struct bus_access *acc);
void vesa_access_vram(struct vesa *vesa, struct bus_access *acc);

/* display_source_ops, on a struct vesa. */
extern const struct display_source_ops vesa_source_ops;
/* The ranges of rows of @frame on pages in vesa->changed, which it clears. */
unsigned int vesa_rows(struct vesa *vesa, const struct display_frame *frame,
		       u64 page_len, struct display_rows *rows,
		       unsigned int max);

#endif
