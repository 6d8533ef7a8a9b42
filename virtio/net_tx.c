// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets from the guest (virtio 1.2, 5.1.6.2): header and packet go to the host
 * from where they lie, in one writev().
 */
#include "virtio/net_priv.h"

#include <errno.h>
#include <poll.h>
#include "lkvm/clock.h"

/* Packets sent before the driver hears of them: it can refill meanwhile. */
#define TX_BATCH 64U
/*
 * Of fewer it hears so much later, as with cards that moderate their interrupts
 * (ethtool's tx-usecs). Mostly it has found out by then: drivers clean up behind
 * what they sent when they receive what answers it. An interrupt for each packet
 * costs a stream a third of its speed.
 */
#define TX_MODERATION_NS 100000U

static struct nic_tx *from_worker(struct virtio_worker *worker)
{
	return container_of(worker, struct nic_tx, worker);
}

/*
 * False: the host has no room now. What it refuses for another reason is lost,
 * as on a wire: a header that makes no sense, an interface that is down.
 */
static bool send_packet(struct nic_tx *tx, const struct virtq_chain *chain)
{
	u32 header_len = tx->nic->header_len;

	if (chain->out_len <= header_len ||
	    chain->out_len > header_len + NET_MAX_PACKET)
		return true;
	return writev(tx->fd, chain->iov, (int)chain->nr_out) >= 0 ||
	       errno != EAGAIN;
}

/* Send what there is; false: the host has no room. */
static bool send_all(struct nic_tx *tx)
{
	struct virtq *q = tx->worker.q;
	struct virtq_chain chain = {
		.iov = tx->iov,
		.max_iov = ARRAY_SIZE(tx->iov),
	};
	unsigned int sent = 0;

	while (virtio_worker_may_run(&tx->worker) && virtq_pop(q, &chain) > 0) {
		if (!send_packet(tx, &chain)) {
			virtq_unpop(q, 1);
			return false;
		}
		virtq_push(q, chain.head, 0);
		if (++sent % TX_BATCH == 0)
			virtq_notify(q);
	}
	return true;
}

/* Tell the driver what was sent when the first of it was sent long enough ago. */
static void notify_in_time(struct virtio_worker *worker)
{
	u64 now;

	if (!virtq_has_news(worker->q)) {
		worker->wait_until_ns = 0;
		return;
	}
	now = monotonic_ns();
	if (!worker->wait_until_ns) {
		worker->wait_until_ns = now + TX_MODERATION_NS;
	} else if (now >= worker->wait_until_ns) {
		worker->wait_until_ns = 0;
		virtq_notify(worker->q);
	}
}

static void tx_serve(struct virtio_worker *worker)
{
	struct nic_tx *tx = from_worker(worker);
	bool has_room;

	worker->wait_events = 0;
	virtq_disable_kicks(worker->q);
	do {
		has_room = send_all(tx);
		notify_in_time(worker);
	} while (has_room && virtio_worker_may_run(worker) &&
		 virtq_enable_kicks(worker->q));
	if (!has_room)
		worker->wait_events = POLLOUT;
}

/* Nobody comes back for what the driver was not told of yet. */
static void tx_drain(struct virtio_worker *worker)
{
	virtq_notify(worker->q);
}

const struct virtio_worker_ops nic_tx_ops = {
	.serve = tx_serve,
	.drain = tx_drain,
};
