/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The split virtqueue (virtio 1.2, 2.7): the only code that touches rings.
 *
 * The driver may change ring memory at any time, so each field of it is loaded
 * once, into a variable, and checked there. Packed rings (2.8) are not offered.
 */
#include "lkvm/virtio.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "lkvm/memory.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "rings are little endian (1.4), and so is every host we run on");

/* ---- Set-up ---- */

/* Host address of a ring area, or NULL if it is misaligned or not all in RAM. */
static void *virtq_area(const struct virtq *q, u64 gpa, u64 len, u64 align)
{
	if (gpa & (align - 1))
		return NULL;
	return guest_ptr(q->dev->mem, gpa, len);
}

int virtq_enable(struct virtq *q, u64 features)
{
	bool event_idx = features & BIT64(VIRTIO_RING_F_EVENT_IDX);
	/* 2.7: the areas' sizes and alignments; EVENT_IDX adds a field each. */
	u64 event_len = event_idx ? sizeof(u16) : 0;
	u64 avail_len = sizeof(*q->avail) + q->size * sizeof(u16) + event_len;
	u64 used_len = sizeof(*q->used) +
		       q->size * sizeof(struct vring_used_elem) + event_len;

	if (!is_power_of_two(q->size) || q->size > q->max_size)
		return -EINVAL;
	q->desc = virtq_area(q, q->desc_gpa, q->size * sizeof(*q->desc),
			     VRING_DESC_ALIGN_SIZE);
	q->avail =
		virtq_area(q, q->avail_gpa, avail_len, VRING_AVAIL_ALIGN_SIZE);
	q->used = virtq_area(q, q->used_gpa, used_len, VRING_USED_ALIGN_SIZE);
	if (!q->desc || !q->avail || !q->used)
		return -EINVAL;

	q->event_idx = event_idx;
	q->indirect = features & BIT64(VIRTIO_RING_F_INDIRECT_DESC);
	q->last_avail = 0;
	q->used_idx = 0;
	q->signalled_used = 0;
	q->usable = true;
	q->enabled = true;
	return 0;
}

void virtq_disable(struct virtq *q)
{
	q->enabled = false;
	q->usable = false;
	q->desc = NULL;
	q->avail = NULL;
	q->used = NULL;
}

void virtq_break(struct virtq *q, const char *why)
{
	q->usable = false;
	virtio_needs_reset(q->dev, why);
}

/* ---- Where it stands ---- */

/* Others may look at the two indices (virtio/inspect.c): no more than that. */
static void move_index(u16 *index, int step)
{
	__atomic_store_n(index, (u16)(*index + step), __ATOMIC_RELAXED);
}

/* ---- Taking chains ---- */

/*
 * Acquire: pairs with the driver's write barrier between filling in descriptors
 * and moving the index (2.7.13.3.1).
 */
static u16 avail_idx(const struct virtq *q)
{
	return __atomic_load_n(&q->avail->idx, __ATOMIC_ACQUIRE);
}

static struct vring_desc copy_desc(const struct vring_desc *guest)
{
	return (struct vring_desc){
		.addr = __atomic_load_n(&guest->addr, __ATOMIC_RELAXED),
		.len = __atomic_load_n(&guest->len, __ATOMIC_RELAXED),
		.flags = __atomic_load_n(&guest->flags, __ATOMIC_RELAXED),
		.next = __atomic_load_n(&guest->next, __ATOMIC_RELAXED),
	};
}

/* The walkers below return NULL, or what the driver did wrong. */

static const char *add_buffer(const struct virtq *q, struct virtq_chain *chain,
			      const struct vring_desc *desc)
{
	unsigned int nr = chain->nr_out + chain->nr_in;
	void *buffer = guest_ptr(q->dev->mem, desc->addr, desc->len);

	if (!buffer)
		return "a buffer is not in RAM";
	if (nr == chain->max_iov)
		return "a chain has too many buffers";
	chain->iov[nr].iov_base = buffer;
	chain->iov[nr].iov_len = desc->len;

	if (desc->flags & VRING_DESC_F_WRITE) {
		chain->nr_in++;
		chain->in_len += desc->len;
	} else if (chain->nr_in) {
		/* 2.7.4.2: what the device writes comes last. */
		return "a readable buffer follows a writable one";
	} else {
		chain->nr_out++;
		chain->out_len += desc->len;
	}
	if (chain->out_len + chain->in_len > UINT32_MAX)
		return "a chain is longer than 4 GiB";
	return NULL;
}

/*
 * Follow a chain within one table until it ends or meets an indirect
 * descriptor, which goes to *indirect. A chain of more steps than the table has
 * entries is a loop.
 */
static const char *walk_table(const struct virtq *q, struct virtq_chain *chain,
			      const struct vring_desc *table, u32 len,
			      u16 index, struct vring_desc *indirect)
{
	for (u32 steps = 0; steps < len; steps++) {
		struct vring_desc desc;
		const char *why;

		if (index >= len)
			return "a descriptor index is out of range";
		desc = copy_desc(&table[index]);
		if (desc.flags & VRING_DESC_F_INDIRECT) {
			*indirect = desc;
			return NULL;
		}
		why = add_buffer(q, chain, &desc);
		if (why || !(desc.flags & VRING_DESC_F_NEXT))
			return why;
		index = desc.next;
	}
	return "a chain of descriptors is a loop";
}

/*
 * 2.7.5.3. The table may be as long as the largest queue that we offer, not
 * only as the queue is: Linux keeps its request size when it has to make do
 * with a smaller ring.
 */
static const char *walk_indirect(const struct virtq *q,
				 struct virtq_chain *chain,
				 const struct vring_desc *ref)
{
	struct vring_desc nested = { 0 };
	const struct vring_desc *table;
	u32 len = ref->len / sizeof(*table);
	const char *why;

	if (!q->indirect || ref->flags & VRING_DESC_F_NEXT)
		return "an indirect descriptor is not allowed here";
	if (!len || ref->len % sizeof(*table) || len > q->max_size)
		return "an indirect table has a bad length";
	/* Loads of table entries want natural alignment on every host. */
	if (ref->addr % sizeof(u64))
		return "an indirect table is misaligned";
	table = guest_ptr(q->dev->mem, ref->addr, ref->len);
	if (!table)
		return "an indirect table is not in RAM";
	why = walk_table(q, chain, table, len, 0, &nested);
	if (!why && nested.flags)
		return "an indirect table refers to another";
	return why;
}

static const char *walk_chain(const struct virtq *q, struct virtq_chain *chain)
{
	struct vring_desc indirect = { 0 };
	const char *why;

	chain->nr_out = 0;
	chain->nr_in = 0;
	chain->out_len = 0;
	chain->in_len = 0;
	why = walk_table(q, chain, q->desc, q->size, chain->head, &indirect);
	if (!why && indirect.flags)
		return walk_indirect(q, chain, &indirect);
	return why;
}

int virtq_pop(struct virtq *q, struct virtq_chain *chain)
{
	const char *why = "the available index runs ahead of the queue";
	u16 waiting, slot;

	if (!q->usable)
		return q->enabled ? -EPROTO : 0;
	waiting = avail_idx(q) - q->last_avail;
	if (!waiting)
		return 0;
	if (waiting <= q->size) {
		slot = q->last_avail & (q->size - 1);
		move_index(&q->last_avail, 1);
		chain->head = __atomic_load_n(&q->avail->ring[slot],
					      __ATOMIC_RELAXED);
		why = walk_chain(q, chain);
	}
	if (!why) {
		counter_add(&q->stats.bytes_out, chain->out_len);
		return 1;
	}
	virtq_break(q, why);
	return -EPROTO;
}

/* ---- Returning chains ---- */

void virtq_put(struct virtq *q, u16 head, u32 written)
{
	struct vring_used_elem *elem;

	if (!q->usable)
		return;
	elem = &q->used->ring[q->used_idx & (q->size - 1)];
	elem->id = head;
	elem->len = written;
	move_index(&q->used_idx, 1);
	counter_add(&q->stats.requests, 1);
	counter_add(&q->stats.bytes_in, written);
}

void virtq_publish(struct virtq *q)
{
	/* Release: pairs with the driver's read barrier after it saw idx. */
	if (q->usable)
		__atomic_store_n(&q->used->idx, q->used_idx, __ATOMIC_RELEASE);
}

void virtq_push(struct virtq *q, u16 head, u32 written)
{
	virtq_put(q, head, written);
	virtq_publish(q);
}

void virtq_unpop(struct virtq *q, u16 nr)
{
	move_index(&q->last_avail, -nr);
}

/*
 * Does the driver want to hear of the entries since the last decision? (2.7.7)
 *
 * The driver first says when to interrupt, then looks at used->idx once more;
 * we first store used->idx, then look at what it said. One of the two must see
 * the other's store: sequentially consistent, paired with the driver's full
 * barrier. Storing idx a second time is cheaper than a fence of its own.
 */
static bool wants_interrupt(const struct virtq *q)
{
	const u16 *used_event = &q->avail->ring[q->size];

	__atomic_store_n(&q->used->idx, q->used_idx, __ATOMIC_SEQ_CST);
	if (!q->event_idx)
		return !(__atomic_load_n(&q->avail->flags, __ATOMIC_SEQ_CST) &
			 VRING_AVAIL_F_NO_INTERRUPT);
	return vring_need_event(__atomic_load_n(used_event, __ATOMIC_SEQ_CST),
				q->used_idx, q->signalled_used);
}

bool virtq_has_news(const struct virtq *q)
{
	return q->usable && q->used_idx != q->signalled_used;
}

void virtq_notify(struct virtq *q)
{
	bool wanted;

	if (!virtq_has_news(q))
		return;
	wanted = wants_interrupt(q);
	q->signalled_used = q->used_idx;
	if (!wanted || !q->dev->transport)
		return;
	counter_add(&q->stats.interrupts, 1);
	q->dev->transport->ops->queue_irq(q->dev->transport, q);
}

/* ---- Doorbells ---- */

/* avail_event, behind the used ring (2.7.10). */
static u16 *avail_event(const struct virtq *q)
{
	return (u16 *)(void *)&q->used->ring[q->size];
}

void virtq_disable_kicks(struct virtq *q)
{
	/* With EVENT_IDX an avail_event that lies behind is quiet enough. */
	if (q->usable && !q->event_idx)
		__atomic_store_n(&q->used->flags, VRING_USED_F_NO_NOTIFY,
				 __ATOMIC_RELAXED);
}

/*
 * Store the wish, then look for work: the mirror of wants_interrupt(), paired
 * with the driver's full barrier between moving avail->idx and reading the wish
 * (2.7.13.4.1).
 */
bool virtq_enable_kicks(struct virtq *q)
{
	if (!q->usable)
		return false;
	if (q->event_idx)
		__atomic_store_n(avail_event(q), q->last_avail,
				 __ATOMIC_SEQ_CST);
	else
		__atomic_store_n(&q->used->flags, 0, __ATOMIC_SEQ_CST);
	return __atomic_load_n(&q->avail->idx, __ATOMIC_SEQ_CST) !=
	       q->last_avail;
}

void virtq_kick(struct virtq *q)
{
	/* Fails only where 2^64 kicks are pending: then one is, too. */
	(void)!eventfd_write(q->kick_fd, 1);
}

void virtq_take_kick(struct virtq *q)
{
	eventfd_t kicks;

	while (eventfd_read(q->kick_fd, &kicks) < 0 && errno == EINTR)
		;
	virtq_count_wakeup(q);
}

void virtq_count_wakeup(struct virtq *q)
{
	counter_add(&q->stats.wakeups, 1);
}
