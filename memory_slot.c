/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM memory slots (KVM API 4.35): which host memory the guest finds where. A
 * file of its own, so that a test can put a model of KVM in its place.
 */
#include "lkvm/memory.h"

#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

static int set_slot(struct memory *mem, int slot, u64 gpa, u64 len, void *hva,
		    u32 flags)
{
	struct kvm_userspace_memory_region region = {
		.slot = (u32)slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = len,
		.userspace_addr = (uintptr_t)hva,
	};

	if (ioctl(mem->vm_fd, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		return -errno;
	return 0;
}

int memory_slot_add(struct memory *mem, u64 gpa, u64 len, void *hva, u32 flags)
{
	int slot = -ENOSPC;
	int err;

	pthread_mutex_lock(&mem->lock);
	for (int i = 0; i < MEMORY_MAX_SLOTS; i++) {
		if (mem->slot_used[i])
			continue;
		slot = i;
		break;
	}
	if (slot >= 0) {
		err = set_slot(mem, slot, gpa, len, hva, flags);
		if (err)
			slot = err;
		else
			mem->slot_used[slot] = true;
	}
	pthread_mutex_unlock(&mem->lock);
	return slot;
}

void memory_slot_remove(struct memory *mem, int slot)
{
	pthread_mutex_lock(&mem->lock);
	/* Size 0 deletes a slot; the other fields do not count. */
	if (!set_slot(mem, slot, 0, 0, NULL, 0))
		mem->slot_used[slot] = false;
	pthread_mutex_unlock(&mem->lock);
}
