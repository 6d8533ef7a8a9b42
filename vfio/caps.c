/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Answers of VFIO that end in a chain of capabilities (struct
 * vfio_info_cap_header). Lengths and offsets are checked as if they came from
 * a stranger: some drivers behind VFIO are not the kernel's own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "uapi.h"
#include "vfio_priv.h"

/* More of them than any kernel sends, and than memory that anyone asks for. */
#define MAX_CAPS 64
#define MAX_INFO (64 * KIB)

const void *vfio_find_cap(const void *info, u32 len, u32 offset, u16 id,
			  u32 *cap_len)
{
	const u8 *bytes = info;
	struct vfio_info_cap_header header;

	for (unsigned int i = 0; offset && i < MAX_CAPS; i++) {
		/* Kernels align them to 4 bytes at least, newer ones to 8. */
		if (offset & 3 || !range_within(offset, sizeof(header), len))
			return NULL;
		memcpy(&header, bytes + offset, sizeof(header));
		if (header.id == id) {
			*cap_len = len - offset;
			return bytes + offset;
		}
		offset = header.next;
	}
	return NULL;
}

int vfio_get_info(int fd, unsigned long request, u32 index, u32 first_len,
		  void **out, u32 *len)
{
	u32 argsz = first_len;
	int err;

	/* The first answer says how long the whole one is. */
	for (int attempt = 0; attempt < 3; attempt++) {
		/* argsz, flags, index: the same in all of them. */
		u32 *info = calloc(1, argsz);
		u32 wanted;

		if (!info)
			return -ENOMEM;
		info[0] = argsz;
		info[2] = index;
		err = vfio_sys_ioctl(fd, request, info);
		wanted = info[0];
		if (err >= 0 && wanted <= argsz) {
			*out = info;
			*len = argsz;
			return 0;
		}
		free(info);
		if (err < 0)
			return err;
		if (wanted > MAX_INFO)
			return -E2BIG;
		argsz = wanted;
	}
	return -EAGAIN;
}
