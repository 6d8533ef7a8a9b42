/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the balloon's queues of pages mean (virtio 1.2, 5.5.6): lists of page
 * numbers to inflate and deflate with, and free pages that the driver reports.
 *
 * Which pages the balloon has is not recorded: whatever numbers a driver names,
 * however often, it is its own RAM that reads as zero afterwards.
 */
#include "virtio/balloon_priv.h"

#include "lkvm/iov.h"
#include "lkvm/memory.h"

/*
 * Page numbers of one turn: what Linux sends in one request. A list may be 4 GiB
 * long, and a pause does not wait for its end.
 */
#define BALLOON_BATCH 256U

/* Pages that follow one another in the host's memory, to be given back at once. */
struct run {
	u8 *start;
	u64 len;
};

static void run_flush(struct run *run, const struct memory *mem)
{
	if (run->len)
		memory_discard(mem, run->start, run->len);
	run->len = 0;
}

/* Drivers take pages upwards or downwards. */
static void run_add(struct run *run, const struct memory *mem, u8 *page)
{
	if (run->len && page == run->start + run->len) {
		run->len += BALLOON_PAGE;
	} else if (run->len && page + BALLOON_PAGE == run->start) {
		run->start = page;
		run->len += BALLOON_PAGE;
	} else {
		run_flush(run, mem);
		*run = (struct run){ page, BALLOON_PAGE };
	}
}

static bool inflate(struct balloon *balloon, struct balloon_chain *held)
{
	const struct virtq_chain *chain = &held->chain;
	const struct memory *mem = balloon->vdev.mem;
	struct run run = { 0 };
	u32 pfns[BALLOON_BATCH];
	size_t len;

	len = iov_to_buf(chain->iov, chain->nr_out, held->done, pfns,
			 sizeof(pfns));
	for (unsigned int i = 0; i < len / sizeof(pfns[0]); i++) {
		u8 *page = guest_ptr(mem, (u64)pfns[i] * BALLOON_PAGE,
				     BALLOON_PAGE);

		if (page)
			run_add(&run, mem, page);
	}
	run_flush(&run, mem);
	held->done += len;
	return held->done >= chain->out_len;
}

/*
 * 5.5.6.7: each writable buffer is a piece of free memory. A driver that fills
 * free pages with a pattern, and looks whether it is still there, must not find
 * zeroes.
 */
static bool take_report(struct balloon *balloon, struct balloon_chain *held)
{
	const struct virtq_chain *chain = &held->chain;
	u64 len = 0;

	if (virtio_has_feature(&balloon->vdev, VIRTIO_BALLOON_F_PAGE_POISON) &&
	    balloon->poison)
		return true;
	for (unsigned int i = 0; i < chain->nr_in; i++) {
		const struct iovec *piece = &chain->iov[chain->nr_out + i];

		len += memory_discard(balloon->vdev.mem, piece->iov_base,
				      piece->iov_len);
	}
	atomic_fetch_add(&balloon->reports, len);
	return true;
}

bool balloon_work(struct balloon *balloon, unsigned int index)
{
	struct balloon_chain *held = &balloon->chains[index];

	switch (index) {
	case BALLOON_INFLATE_QUEUE:
		return inflate(balloon, held);
	case BALLOON_DEFLATE_QUEUE:
		/* The host gives memory again when the guest touches it. */
		return true;
	default:
		return take_report(balloon, held);
	}
}
