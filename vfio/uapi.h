/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What <linux/vfio.h> of Linux 6.6 and <linux/iommufd.h> of 6.2 have and the
 * headers of older distributions lack: numbers and layouts of the kernel's
 * interface, under names of our own where the headers may have theirs.
 */
#ifndef LKVM_VFIO_UAPI_H
#define LKVM_VFIO_UAPI_H

#include <linux/vfio.h>
#include <sys/ioctl.h>
#include "lkvm/types.h"

/* ---- VFIO character devices ---- */

struct vfio_uapi_bind {
	u32 argsz, flags;
	int iommufd;
	u32 out_devid;
};

struct vfio_uapi_attach {
	u32 argsz, flags;
	u32 pt_id;
};

#define VFIO_UAPI_BIND_IOMMUFD _IO(VFIO_TYPE, VFIO_BASE + 18)
#define VFIO_UAPI_ATTACH_IOMMUFD_PT _IO(VFIO_TYPE, VFIO_BASE + 19)

/* ---- iommufd: numbers follow those of VFIO, under the same type ---- */

#define IOMMUFD_UAPI(nr) _IO(VFIO_TYPE, 0x80 + (nr))
#define IOMMUFD_UAPI_IOAS_ALLOC IOMMUFD_UAPI(1)
#define IOMMUFD_UAPI_IOVA_RANGES IOMMUFD_UAPI(4)
#define IOMMUFD_UAPI_IOAS_MAP IOMMUFD_UAPI(5)
#define IOMMUFD_UAPI_IOAS_UNMAP IOMMUFD_UAPI(6)

struct iommufd_uapi_ioas_alloc {
	u32 size, flags;
	u32 out_ioas_id;
};

struct iommufd_uapi_range {
	u64 start, last;
};

struct iommufd_uapi_ranges {
	u32 size, ioas_id;
	u32 num_iovas, reserved;
	u64 allowed_iovas; /* address of struct iommufd_uapi_range[] */
	u64 out_iova_alignment;
};

#define IOMMUFD_UAPI_FIXED_IOVA BIT(0)
#define IOMMUFD_UAPI_WRITEABLE BIT(1)
#define IOMMUFD_UAPI_READABLE BIT(2)

struct iommufd_uapi_map {
	u32 size, flags;
	u32 ioas_id, reserved;
	u64 user_va, length, iova;
};

struct iommufd_uapi_unmap {
	u32 size, ioas_id;
	u64 iova, length;
};

#endif
