/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory balloon as the rest of lkvm sees it (virtio/balloon.c): how much
 * RAM the guest is asked to give back, how much it has given, and what it says
 * of its memory. All numbers that come from the guest are hearsay.
 */
#ifndef LKVM_BALLOON_H
#define LKVM_BALLOON_H

#include <linux/virtio_balloon.h>
#include "lkvm/types.h"

struct kvm;

/* The unit of the balloon, whatever pages host and guest have. */
#define BALLOON_PAGE 4096U

struct balloon_info {
	u64 target;  /* bytes that the guest is asked to give */
	u64 actual;  /* bytes that it says it has given; never above its RAM */
	u64 reports; /* bytes that free page reporting has given back so far */
	bool has_driver;
	/* Memory is kept all the same: a passed-through device may use it. */
	bool is_pinned;
};

/* What the guest says of itself (virtio 1.2, 5.5.6.4). */
struct balloon_stats {
	bool present[VIRTIO_BALLOON_S_NR];
	u64 value[VIRTIO_BALLOON_S_NR]; /* by VIRTIO_BALLOON_S_* */
};

/* For people and for JSON, by VIRTIO_BALLOON_S_*: "free-memory". */
extern const char *const balloon_stat_names[VIRTIO_BALLOON_S_NR];

/* All below: -ENODEV where the VM has no balloon. */

/*
 * Ask the guest to give @bytes (rounded down to whole pages) in all, 0: none.
 * Returns at once; the guest gives what it can spare, and takes back when it
 * runs out of memory. -EINVAL: more than its RAM. Any thread.
 */
int balloon_set_target(struct kvm *vm, u64 bytes);

/* Any thread. */
int balloon_query(struct kvm *vm, struct balloon_info *out);

/* A question for the guest's statistics. The asker's storage. */
struct balloon_ask {
	/*
	 * Once, on the event loop, and the storage is the asker's again. @stats
	 * lives as long as the call. @err: -ETIMEDOUT; @stats is NULL then.
	 */
	void (*answer)(struct balloon_ask *ask, int err,
		       const struct balloon_stats *stats);
	struct balloon_ask *next; /* private */
};

/*
 * Ask for fresh statistics, to be answered within @timeout_ns; who asks while a
 * question is under way gets that one's answer. -ENOTCONN: the guest's driver
 * is not up, or gives no statistics; there will be no answer() then. Only on
 * the event loop, or while it does not run.
 */
int balloon_ask_stats(struct kvm *vm, struct balloon_ask *ask, u64 timeout_ns);
/*
 * The asker goes: answer() will not be called. Accepts one that has been
 * answered. Same threads; before the VM's devices are destroyed.
 */
void balloon_cancel(struct kvm *vm, struct balloon_ask *ask);

#endif
