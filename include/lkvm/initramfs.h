/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes an initramfs: a cpio archive of the "newc" form
 * (Documentation/driver-api/early-userspace/buffer-format.rst) in an anonymous
 * file, with the parts that a guest needs to find its root file system.
 */
#ifndef LKVM_INITRAMFS_H
#define LKVM_INITRAMFS_H

#include <stdio.h>
#include "lkvm/types.h"

struct failure;
struct image;

struct initramfs {
	FILE *file; /* owned */
	u32 entries;
	u64 len;
};

/* On failure nothing is left to close. */
int initramfs_open(struct initramfs *fs, struct failure *why);
/*
 * Add one entry; its folder comes first. Write errors are told by
 * initramfs_finish().
 */
void initramfs_add_folder(struct initramfs *fs, const char *name);
/* A character device. */
void initramfs_add_device(struct initramfs *fs, const char *name,
			  unsigned int major, unsigned int minor);
void initramfs_add_file(struct initramfs *fs, const char *name,
			unsigned int mode, const void *bytes, size_t len);
/* The end of the archive, which becomes @out. @fs is closed in any case. */
int initramfs_finish(struct initramfs *fs, struct image *out,
		     struct failure *why);
/* Without a result. */
void initramfs_close(struct initramfs *fs);

#endif
