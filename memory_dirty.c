/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM's log of the pages that the guest writes (KVM API 4.8). A file of its own
 * for the same reason as memory_slot.c.
 */
#include "lkvm/memory.h"

#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

int memory_slot_dirty(struct memory *mem, int slot, u64 *bitmap)
{
	struct kvm_dirty_log log = {
		.slot = (u32)slot,
		.dirty_bitmap = bitmap,
	};

	return ioctl(mem->vm_fd, KVM_GET_DIRTY_LOG, &log) < 0 ? -errno : 0;
}
