/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernels and initrds: files that are read into guest memory at every start of
 * the VM. What can be read only once (a pipe) is kept in an anonymous file.
 */
#ifndef LKVM_IMAGE_H
#define LKVM_IMAGE_H

#include "lkvm/types.h"

struct failure;

struct image {
	int fd;		  /* owned; -1: no image */
	u64 len;	  /* bytes */
	const char *path; /* borrowed, for messages */
};

#define IMAGE_NONE                                                             \
	{                                                                      \
		.fd = -1                                                       \
	}

/*
 * Open @path, which is a @what ("kernel", "initrd"). A pipe is read until its
 * end. On failure @img is IMAGE_NONE and @why says why.
 */
int image_open(struct image *img, const char *path, const char *what,
	       struct failure *why);

/*
 * Read exactly [@offset, @offset + @len) into @buf, which may be guest memory.
 * -EINVAL when the image is shorter, as it is when a file shrinks under us.
 */
int image_read(const struct image *img, u64 offset, void *buf, u64 len);

/* Accepts IMAGE_NONE and an image that image_open() failed for. */
void image_release(struct image *img);

#endif
