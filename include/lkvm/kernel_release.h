/* SPDX-License-Identifier: GPL-2.0-only */
/* Which Linux a kernel image is: "6.1.0-28-amd64", as "uname -r" says it. */
#ifndef LKVM_KERNEL_RELEASE_H
#define LKVM_KERNEL_RELEASE_H

#include "lkvm/types.h"

struct image;

#define KERNEL_RELEASE_LEN 65 /* as in struct utsname */

/*
 * From what the image says of itself: bzImage's header, or the banner of one that
 * is not compressed; else from the name of its file, "vmlinuz-RELEASE" and the
 * like. False: it cannot be told, or is no Linux.
 */
bool kernel_release(const struct image *kernel,
		    char release[KERNEL_RELEASE_LEN]);

#endif
