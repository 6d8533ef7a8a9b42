/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Statistics of the guest's memory (virtio 1.2, 5.5.6.3). The driver puts a
 * buffer of them into the queue and we keep it; giving it back is the question,
 * and the next buffer the answer.
 */
#include "virtio/balloon_priv.h"

#include <errno.h>
#include <sys/epoll.h>
#include "lkvm/iov.h"
#include "lkvm/kvm.h"

/* Entries of a buffer that are looked at: there are no 64 tags. */
#define MAX_ENTRIES 64U
/* Buffers of one turn on the event loop. A driver has one. */
#define MAX_BUFFERS 16U

const char *const balloon_stat_names[VIRTIO_BALLOON_S_NR] =
	VIRTIO_BALLOON_S_NAMES;

static struct virtq *stats_queue(struct balloon *balloon)
{
	return &balloon->vdev.queues[BALLOON_STATS_QUEUE];
}

static void give_back_locked(struct balloon *balloon)
{
	struct balloon_chain *held = &balloon->asking.held;

	if (!held->is_held)
		return;
	virtq_push(held->q, held->chain.head, 0);
	virtq_notify(held->q);
	held->is_held = false;
}

/* ---- Answers; event loop ---- */

static void parse(const struct virtq_chain *chain, struct balloon_stats *stats)
{
	struct virtio_balloon_stat entries[MAX_ENTRIES];
	size_t len = iov_to_buf(chain->iov, chain->nr_out, 0, entries,
				sizeof(entries));

	*stats = (struct balloon_stats){ 0 };
	for (size_t i = 0; i < len / sizeof(entries[0]); i++) {
		u16 tag = entries[i].tag;

		if (tag >= VIRTIO_BALLOON_S_NR)
			continue;
		stats->present[tag] = true;
		stats->value[tag] = entries[i].val;
	}
}

/* Whoever is called back may ask again at once, or cancel another's ask. */
static void answer_all(struct balloon *balloon, int err,
		       const struct balloon_stats *stats)
{
	struct balloon_asking *asking = &balloon->asking;

	asking->due = asking->asks;
	asking->asks = NULL;
	event_timer_set(&asking->deadline, 0);
	while (asking->due) {
		struct balloon_ask *ask = asking->due;

		asking->due = ask->next;
		ask->answer(ask, err, stats);
	}
}

/* Keep the latest buffer. True: there was one. */
static bool take_buffers(struct balloon *balloon, struct balloon_stats *stats)
{
	struct balloon_chain *held = &balloon->asking.held;
	struct virtq_chain *chain = &held->chain;
	bool taken = false;

	for (unsigned int i = 0; i < MAX_BUFFERS; i++) {
		/* One buffer is enough: what was held is not needed. */
		struct virtq_chain next = { .iov = chain->iov,
					    .max_iov = chain->max_iov };

		if (virtq_pop(held->q, &next) <= 0) {
			if (virtq_enable_kicks(held->q))
				continue;
			return taken;
		}
		give_back_locked(balloon);
		*chain = next;
		held->is_held = true;
		taken = true;
		parse(chain, stats);
	}
	virtq_kick(held->q); /* after the others' turn */
	return taken;
}

static void stats_kicked(struct event_source *source, u32 events)
{
	struct balloon *balloon =
		container_of(source, struct balloon, asking.kick);
	struct balloon_stats stats;
	bool taken = false;

	virtq_take_kick(stats_queue(balloon));
	pthread_mutex_lock(&balloon->asking.lock);
	if (balloon->asking.serving)
		taken = take_buffers(balloon, &stats);
	pthread_mutex_unlock(&balloon->asking.lock);
	if (taken)
		answer_all(balloon, 0, &stats);
}

static void deadline_expired(struct event_timer *timer)
{
	answer_all(container_of(timer, struct balloon, asking.deadline),
		   -ETIMEDOUT, NULL);
}

/* ---- Questions; event loop ---- */

int balloon_ask_stats(struct kvm *vm, struct balloon_ask *ask, u64 timeout_ns)
{
	struct balloon *balloon = vm->balloon;
	bool can_answer;

	if (!balloon)
		return -ENODEV;
	pthread_mutex_lock(&balloon->asking.lock);
	can_answer =
		balloon->asking.serving &&
		virtio_has_feature(&balloon->vdev, VIRTIO_BALLOON_F_STATS_VQ);
	if (can_answer)
		give_back_locked(balloon);
	pthread_mutex_unlock(&balloon->asking.lock);
	if (!can_answer)
		return -ENOTCONN;
	if (!balloon->asking.asks)
		event_timer_set(&balloon->asking.deadline, timeout_ns);
	ask->next = balloon->asking.asks;
	balloon->asking.asks = ask;
	return 0;
}

static void drop_ask(struct balloon_ask **at, const struct balloon_ask *ask)
{
	while (*at && *at != ask)
		at = &(*at)->next;
	if (*at)
		*at = ask->next;
}

void balloon_cancel(struct kvm *vm, struct balloon_ask *ask)
{
	if (!vm->balloon)
		return;
	drop_ask(&vm->balloon->asking.asks, ask);
	drop_ask(&vm->balloon->asking.due, ask);
}

/* ---- Life ---- */

int balloon_asking_init(struct balloon *balloon)
{
	struct balloon_asking *asking = &balloon->asking;
	struct virtq *q = stats_queue(balloon);

	pthread_mutex_init(&asking->lock, NULL);
	asking->kick.fd = q->kick_fd;
	asking->kick.ready = stats_kicked;
	asking->held.q = q;
	asking->held.chain.iov = asking->held.iov;
	asking->held.chain.max_iov = ARRAY_SIZE(asking->held.iov);
	asking->deadline.expired = deadline_expired;
	return event_timer_init(&balloon->vm->loop, &asking->deadline);
}

void balloon_asking_release(struct balloon *balloon)
{
	if (!balloon->asking.held.q)
		return;
	event_timer_release(&balloon->vm->loop, &balloon->asking.deadline);
	pthread_mutex_destroy(&balloon->asking.lock);
}

static void set_serving(struct balloon *balloon, bool serving)
{
	pthread_mutex_lock(&balloon->asking.lock);
	balloon->asking.serving = serving;
	pthread_mutex_unlock(&balloon->asking.lock);
}

int balloon_asking_start(struct balloon *balloon)
{
	int err = event_add(&balloon->vm->loop, &balloon->asking.kick, EPOLLIN);

	if (err)
		return err;
	set_serving(balloon, true);
	virtq_kick(stats_queue(balloon));
	return 0;
}

void balloon_asking_stop(struct balloon *balloon)
{
	set_serving(balloon, false);
	event_remove(&balloon->vm->loop, &balloon->asking.kick);
}

/* Who has asked waits for the deadline: the driver may come back. */
void balloon_asking_reset(struct balloon *balloon)
{
	pthread_mutex_lock(&balloon->asking.lock);
	balloon->asking.held.is_held = false;
	pthread_mutex_unlock(&balloon->asking.lock);
}
