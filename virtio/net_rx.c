// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets to the guest (virtio 1.2, 5.1.6.3 and 5.1.6.4), read right to where
 * they belong.
 *
 * How long a packet is shows only when it was read. So the driver's buffers are
 * taken in advance, and behind them readv() has a buffer of our own: a packet
 * that is longer than what was taken ends there, and is copied. How much is taken
 * goes by the packets of late, so that small ones cost few buffers and large ones
 * no copy.
 */
#include "virtio/net_priv.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include "lkvm/iov.h"

#define RX_LONGEST (NET_LONG_HEADER + NET_MAX_PACKET)
#define RX_ETH_LEN 14U
/* Packets received before the driver hears of them, but for the first. */
#define RX_BATCH 64U

static struct nic_rx *from_worker(struct virtio_worker *worker)
{
	return container_of(worker, struct nic_rx, worker);
}

/* ---- Buffers ---- */

static struct nic_buffer *first_buffer(struct nic_rx *rx)
{
	return &rx->buffers[rx->first];
}

static struct iovec *first_iov(struct nic_rx *rx)
{
	return &rx->iov[rx->first_iov];
}

/* Make room behind the buffers that are held: they come to the front. */
static void move_to_front(struct nic_rx *rx)
{
	memmove(rx->buffers, first_buffer(rx), rx->nr * sizeof(*rx->buffers));
	memmove(rx->iov, first_iov(rx), rx->nr_iov * sizeof(*rx->iov));
	rx->first = 0;
	rx->first_iov = 0;
}

/* The driver cannot give more, or we have no place for more. */
static bool is_full(const struct nic_rx *rx)
{
	return rx->nr == rx->worker.q->size ||
	       rx->nr_iov > ARRAY_SIZE(rx->iov) / 2;
}

/* One more of the driver's chains. False: there is none, or no place for it. */
static bool take_buffer(struct nic_rx *rx)
{
	struct virtq_chain chain = { 0 };

	if (is_full(rx))
		return false;
	if (rx->first_iov + rx->nr_iov > ARRAY_SIZE(rx->iov) / 2 ||
	    rx->first + rx->nr == ARRAY_SIZE(rx->buffers))
		move_to_front(rx);
	chain.iov = first_iov(rx) + rx->nr_iov;
	/* One entry stays for our own buffer. */
	chain.max_iov = ARRAY_SIZE(rx->iov) - rx->first_iov - rx->nr_iov - 1;
	if (virtq_pop(rx->worker.q, &chain) <= 0)
		return false;
	/* What the driver would have us read is nothing to us. */
	if (chain.nr_out)
		memmove(chain.iov, chain.iov + chain.nr_out,
			chain.nr_in * sizeof(*chain.iov));
	rx->buffers[rx->first + rx->nr++] = (struct nic_buffer){
		.head = chain.head,
		.nr_iov = (u16)chain.nr_in,
		.len = (u32)chain.in_len,
	};
	rx->nr_iov += chain.nr_in;
	rx->len += chain.in_len;
	return true;
}

/* The first buffer goes back to the driver with @written bytes. */
static void give_buffer(struct nic_rx *rx, u32 written)
{
	struct nic_buffer *buffer = first_buffer(rx);

	virtq_put(rx->worker.q, buffer->head, written);
	rx->first++;
	rx->nr--;
	rx->first_iov += buffer->nr_iov;
	rx->nr_iov -= buffer->nr_iov;
	rx->len -= buffer->len;
}

/* Buffers for a packet of @len bytes, header and all; false: not yet. */
static bool gather(struct nic_rx *rx, u64 len)
{
	if (!rx->nic->mergeable)
		return rx->nr || take_buffer(rx);
	while (rx->len < len)
		if (!take_buffer(rx))
			return false;
	return rx->nr;
}

/* ---- Packets ---- */

/* Entries that the next packet may be read to. */
static unsigned int nr_target(struct nic_rx *rx)
{
	return rx->nic->mergeable ? rx->nr_iov : first_buffer(rx)->nr_iov;
}

static u64 target_len(struct nic_rx *rx)
{
	return rx->nic->mergeable ? rx->len : first_buffer(rx)->len;
}

static ssize_t read_packet(struct nic_rx *rx)
{
	unsigned int nr = nr_target(rx);
	struct iovec *spill = first_iov(rx) + nr;
	/* Not the last entry, where several chains are held and one is used. */
	struct iovec kept = *spill;
	ssize_t len;

	*spill = (struct iovec){ rx->spill, RX_LONGEST };
	len = readv(rx->fd, first_iov(rx), (int)nr + 1);
	*spill = kept;
	return len;
}

static bool is_wanted(struct nic_rx *rx)
{
	struct nic *nic = rx->nic;
	u8 head[NIC_FILTER_LEN] = { 0 };
	bool wanted;

	iov_to_buf(first_iov(rx), nr_target(rx), nic->header_len, head,
		   sizeof(head));
	pthread_mutex_lock(&nic->lock);
	wanted = nic_filter_accepts(&nic->filter, head);
	pthread_mutex_unlock(&nic->lock);
	return wanted;
}

/* 5.1.6.4.1: the header says how many buffers a packet has. */
static void set_num_buffers(struct nic_rx *rx, u16 nr)
{
	if (rx->nic->header_len == NET_LONG_HEADER)
		iov_from_buf(first_iov(rx), nr_target(rx),
			     offsetof(struct virtio_net_hdr_mrg_rxbuf,
				      num_buffers),
			     &nr, sizeof(nr));
}

/* The packet of @len bytes lies in the buffers: give them to the driver. */
static void give_packet(struct nic_rx *rx, u64 len)
{
	unsigned int nr = 0;
	u64 covered = 0;

	while (covered < len)
		covered += rx->buffers[rx->first + nr++].len;
	set_num_buffers(rx, (u16)nr);
	while (nr--) {
		u64 room = first_buffer(rx)->len;
		u64 part = len < room ? len : room;

		give_buffer(rx, (u32)part);
		len -= part;
	}
	virtq_publish(rx->worker.q);
}

/*
 * More for the packets to come when one was longer than what we had; less, in
 * steps, when that was many times too much.
 */
static void adapt(struct nic_rx *rx, u64 len, bool was_short)
{
	if (was_short)
		rx->wanted = RX_LONGEST;
	else if (len < rx->wanted / 8 && rx->wanted > NIC_RX_LEAST)
		rx->wanted -= (rx->wanted - NIC_RX_LEAST + 7) / 8;
}

enum rx_result {
	RX_DONE,
	RX_EMPTY,   /* the host has no packet */
	RX_STARVED, /* the driver has no buffers */
	RX_BROKEN,  /* the host's side is gone */
};

/* Buffers for the whole of the packet in hand; its end is copied there. */
static enum rx_result finish_pending(struct nic_rx *rx)
{
	u32 room = rx->pending_room, len = rx->pending;

	if (!gather(rx, len) && !is_full(rx))
		return RX_STARVED;
	rx->pending = 0;
	/* Lost where the whole queue is too small for it. */
	if (rx->len < len)
		return RX_DONE;
	iov_from_buf(first_iov(rx), rx->nr_iov, room, rx->spill, len - room);
	give_packet(rx, len);
	return RX_DONE;
}

/* A packet of @len bytes has come; what did not fit is in the spill. */
static enum rx_result deliver(struct nic_rx *rx, u64 len)
{
	u64 room = target_len(rx);

	if (len < rx->nic->header_len + RX_ETH_LEN)
		return RX_DONE;
	/*
	 * 5.1.6.3.1: without merging a packet fits one buffer or is lost. A
	 * buffer that fits none goes back, for the next one's turn.
	 */
	if (!rx->nic->mergeable && len > room) {
		if (room < rx->nic->header_len + RX_ETH_LEN) {
			give_buffer(rx, 0);
			virtq_publish(rx->worker.q);
		}
		return RX_DONE;
	}
	if (!is_wanted(rx))
		return RX_DONE;
	adapt(rx, len, len > room);
	if (len <= room) {
		give_packet(rx, len);
		return RX_DONE;
	}
	rx->pending = (u32)len;
	rx->pending_room = (u32)room;
	return finish_pending(rx);
}

static enum rx_result receive_one(struct nic_rx *rx)
{
	ssize_t len;

	if (rx->pending)
		return finish_pending(rx);
	gather(rx, rx->wanted);
	if (!rx->nr)
		return RX_STARVED;
	len = read_packet(rx);
	if (len > 0)
		return deliver(rx, (u64)len);
	if (len < 0 && errno == EAGAIN)
		return RX_EMPTY;
	log_guest_error(&rx->gone, "network: nothing comes any more: %s",
			len ? strerror(errno) : "the other side is gone");
	return RX_BROKEN;
}

static enum rx_result receive_all(struct nic_rx *rx)
{
	enum rx_result result = RX_DONE;
	unsigned int got = 0;

	while (result == RX_DONE && virtio_worker_may_run(&rx->worker)) {
		result = receive_one(rx);
		/* The first at once: it may be all there is. */
		if (result == RX_DONE && got++ % RX_BATCH == 0)
			virtq_notify(rx->worker.q);
	}
	return result;
}

/* ---- Serving ---- */

static void rx_serve(struct virtio_worker *worker)
{
	struct nic_rx *rx = from_worker(worker);
	enum rx_result result;

	worker->wait_events = 0;
	/* A driver that knows one pair only has put its control queue here. */
	if (rx->has_control) {
		nic_control_serve(rx->nic);
		return;
	}
	virtq_disable_kicks(worker->q);
	do {
		result = receive_all(rx);
		virtq_notify(worker->q);
	} while (result == RX_STARVED && virtio_worker_may_run(worker) &&
		 virtq_enable_kicks(worker->q));
	if (result == RX_EMPTY)
		worker->wait_events = POLLIN;
}

/* The queue gets back what no packet has used. */
static void rx_drain(struct virtio_worker *worker)
{
	struct nic_rx *rx = from_worker(worker);

	virtq_unpop(worker->q, (u16)rx->nr);
	rx->first = 0;
	rx->nr = 0;
	rx->first_iov = 0;
	rx->nr_iov = 0;
	rx->len = 0;
	rx->pending = 0;
	rx->wanted = NIC_RX_LEAST;
}

const struct virtio_worker_ops nic_rx_ops = {
	.serve = rx_serve,
	.drain = rx_drain,
};
