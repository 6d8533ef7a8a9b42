/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device of tests/guest/host/pci_testdev.c: every four bytes of its BARs say
 * which device, which BAR and which offset they are. There are two of them.
 */
#ifndef GUEST_TESTDEV_H
#define GUEST_TESTDEV_H

#include "pci.h"

#define TESTDEV_VENDOR 0x1af4
#define TESTDEV_DEVICE 0x10f0

#define MAPPED_BAR 0 /* 64-bit; the first half is memory, without exits */
#define MAPPED_LEN 0x4000
#define MEM_BAR 2
#define IO_BAR 3
#define MEM64_BAR 4
#define MEM_LEN 0x1000
#define IO_LEN 0x40
#define ROM_BAR 6
#define ROM_LEN 0x1000
#define ROM_ENABLE 1

#define NOTHING 0xffffffff

struct testdev {
	u32 slot;
	u32 number; /* 1 or 2 */
};

/* False: this is lkvm without them. */
bool testdev_find(struct testdev devices[2]);
u32 testdev_word(const struct testdev *dev, u32 bar, u32 offset);
/* Where the registers say that @bar is. */
u64 testdev_place(const struct testdev *dev, u32 bar);
/* Write the registers; the ROM's with its enable bit. */
void testdev_move(const struct testdev *dev, u32 bar, u64 to);

/* An address within the 64-bit window of a machine with little RAM. */
u64 far_window(void);
/*
 * Where the 2 MiB that guest physical address @gpa lies in are mapped from now
 * on, uncached: one piece above 4 GiB at a time. Before other processors run.
 */
volatile u32 *far_map(u64 gpa);

#endif
