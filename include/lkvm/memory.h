/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest memory: KVM memory slots, and the only translation from guest physical
 * to host virtual addresses.
 */
#ifndef LKVM_MEMORY_H
#define LKVM_MEMORY_H

#include <pthread.h>
#include "lkvm/types.h"

struct failure;

/* One contiguous piece of guest RAM. */
struct ram_range {
	u64 gpa; /* guest physical address of its first byte */
	u64 len; /* bytes */
	u8 *hva; /* where the host has it mapped */
};

#define MEMORY_MAX_RAM_RANGES 4
#define MEMORY_MAX_SLOTS 512

/* The memory of one VM. Embedded in struct kvm. */
struct memory {
	int vm_fd;
	/* One host mapping that all RAM ranges lie in; NULL before alloc. */
	u8 *hva;
	u64 len;	/* bytes of RAM */
	u64 mapped_len; /* bytes mapped: len rounded up to the page size */
	bool is_hugetlb;
	u64 page_len; /* the least that memory_discard() can give back */
	/*
	 * Devices of the host know where its pages are: none may be given back
	 * to the host any more. Set before vCPUs run.
	 */
	bool is_pinned;
	/* Set before vCPUs start, then const: read without a lock. */
	struct ram_range ram[MEMORY_MAX_RAM_RANGES];
	unsigned int nr_ram;
	pthread_mutex_t lock; /* guards slot_used */
	bool slot_used[MEMORY_MAX_SLOTS];
};

void memory_init(struct memory *mem, int vm_fd);
void memory_release(struct memory *mem);

/*
 * Reserve @len bytes of host memory for guest RAM, page aligned, all zero,
 * committed only when touched. Aligned so that the kernel can back it with
 * huge pages. @hugetlbfs: path of a hugetlbfs mount to take the pages from, or
 * NULL. Called once, before memory_map_ram().
 */
int memory_alloc(struct memory *mem, u64 len, const char *hugetlbfs,
		 struct failure *why);

/*
 * Show [@offset, @offset + @len) of the allocated RAM to the guest at @gpa.
 * Before vCPUs run.
 */
int memory_map_ram(struct memory *mem, u64 gpa, u64 len, u64 offset,
		   struct failure *why);

/*
 * Show device memory (a framebuffer, a passed-through BAR) to the guest.
 * @flags: KVM_MEM_*. Returns the slot number, or a negative errno. Any thread;
 * not covered by guest_ptr(). Slots are recycled.
 */
int memory_slot_add(struct memory *mem, u64 gpa, u64 len, void *hva, u32 flags);
void memory_slot_remove(struct memory *mem, int slot);
/*
 * The pages of a slot with KVM_MEM_LOG_DIRTY_PAGES that the guest has written
 * since the last call: @bitmap has a bit for each, in whole 64-bit words.
 */
int memory_slot_dirty(struct memory *mem, int slot, u64 *bitmap);

/*
 * Host address of guest RAM [@gpa, @gpa + @len), or NULL unless every byte of
 * it lies in one range. @len 0 is answered as if it were 1. Valid until
 * memory_release(). The guest writes there at any time: read each field once.
 */
void *guest_ptr(const struct memory *mem, u64 gpa, u64 len);

/*
 * Make guest RAM [@gpa, @gpa + @len), which lies in one range, what it was
 * after memory_alloc(): zero, and no host memory. Before vCPUs run.
 */
void memory_clear(const struct memory *mem, u64 gpa, u64 len);

/*
 * Give the host memory behind [@hva, @hva + @len), which guest_ptr() has
 * answered, back to the host; the guest finds zeroes there. Only whole pages of
 * page_len can go, and none that are pinned. Returns the bytes given back. Any
 * thread. Pages of hugetlbfs return to its pool, where others may take them
 * before the guest wants them again: then the VM dies.
 */
u64 memory_discard(const struct memory *mem, void *hva, u64 len);

/* First address behind the last byte of RAM. */
u64 memory_end(const struct memory *mem);

#endif
