/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One number for each file of a share, which may span several file systems of the
 * host: 9P knows files by 64 bits (qid.path), the host by device and inode.
 *
 * The lower 48 bits are the inode's. The upper 16 say which device, and which
 * upper bits of the inode: numbered as they are met, the root's own first, so
 * that files of an ordinary share have their inode's number.
 */
#include "backend/share_priv.h"

#include <stdlib.h>

#define LOW_BITS 48
#define MAX_RANGES (1ULL << (64 - LOW_BITS))

/* Files whose numbers agree in device and upper bits. */
struct share_range {
	RB_ENTRY(share_range) entry;
	dev_t dev;
	u64 high;
	u64 index;
};

static int range_compare(const struct share_range *a,
			 const struct share_range *b)
{
	if (a->dev != b->dev)
		return a->dev < b->dev ? -1 : 1;
	if (a->high != b->high)
		return a->high < b->high ? -1 : 1;
	return 0;
}

RB_GENERATE_INTERNAL(share_ranges, share_range, entry, range_compare,
		     __attribute__((unused)) static)

static int index_locked(struct share *share, dev_t dev, u64 high, u64 *index)
{
	struct share_range key = { .dev = dev, .high = high };
	struct share_range *range = RB_FIND(share_ranges, &share->ranges, &key);

	if (!range) {
		/* 0 is the root's. */
		if (share->nr_ranges + 1 == MAX_RANGES)
			return -ENFILE;
		range = malloc(sizeof(*range));
		if (!range)
			return -ENOMEM;
		*range = key;
		range->index = ++share->nr_ranges;
		RB_INSERT(share_ranges, &share->ranges, range);
	}
	*index = range->index;
	return 0;
}

int share_id(struct share *share, dev_t dev, u64 ino, u64 *id)
{
	u64 high = ino >> LOW_BITS;
	u64 index = 0;
	int err = 0;

	if (dev != share->root->dev || high != share->root->ino >> LOW_BITS) {
		pthread_mutex_lock(&share->lock);
		err = index_locked(share, dev, high, &index);
		pthread_mutex_unlock(&share->lock);
	}
	*id = index << LOW_BITS | (ino & ((1ULL << LOW_BITS) - 1));
	return err;
}

void share_forget_ids(struct share *share)
{
	struct share_range *range;

	while ((range = RB_MIN(share_ranges, &share->ranges))) {
		RB_REMOVE(share_ranges, &share->ranges, range);
		free(range);
	}
}
