/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rings of a hostile driver: the input is feature bits, a queue size and the
 * guest's RAM. Whatever is in it, buffers lie in RAM and the queue ends.
 */
#include <linux/virtio_config.h>
#include <stdlib.h>
#include <string.h>
#include "tests/support/fake_virtio.h"

#define RAM_LEN (4 * KIB)
#define MAX_SIZE 32
#define MAX_CHAINS 256

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

static const struct virtio_dev_ops fuzz_ops = { .name = "fuzz" };

static void check_chain(const struct fake_guest *guest,
			const struct virtq_chain *chain)
{
	const u8 *ram = guest->mem.ram[0].hva;
	u64 total = 0;

	for (unsigned int i = 0; i < chain->nr_out + chain->nr_in; i++) {
		const u8 *start = chain->iov[i].iov_base;

		if (start < ram ||
		    !range_within((u64)(start - ram), chain->iov[i].iov_len,
				  RAM_LEN))
			abort();
		total += chain->iov[i].iov_len;
	}
	if (total != chain->out_len + chain->in_len)
		abort();
}

static void serve(const struct fake_guest *guest, struct virtq *q)
{
	struct iovec iov[MAX_SIZE];
	struct virtq_chain chain = { .iov = iov, .max_iov = MAX_SIZE };

	virtq_disable_kicks(q);
	for (unsigned int i = 0; i < MAX_CHAINS; i++) {
		if (virtq_pop(q, &chain) <= 0 && !virtq_enable_kicks(q))
			break;
		if (!q->usable)
			break;
		check_chain(guest, &chain);
		virtq_push(q, chain.head, (u32)chain.in_len);
	}
	virtq_notify(q);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct fake_guest guest;
	struct fake_transport transport;
	struct virtio_device dev = { 0 };
	struct virtq *q;
	u64 features;

	if (len < 2)
		return 0;
	fake_guest_init(&guest, RAM_LEN);
	if (virtio_device_init(&dev, &fuzz_ops, &guest.mem, 0, 0, 1, MAX_SIZE))
		abort();
	/* It says once what the driver did wrong; here that is no news. */
	atomic_flag_test_and_set(&dev.guest_error.done);
	fake_transport_init(&transport, &dev);
	q = &dev.queues[0];
	features = (u64)(data[0] & 3) << VIRTIO_RING_F_INDIRECT_DESC;
	q->size = 1U << (data[1] % 6);
	/* What the driver writes stands first, so that short inputs matter. */
	q->avail_gpa = FAKE_RAM_START;
	q->desc_gpa = FAKE_RAM_START + 0x50;
	q->used_gpa = FAKE_RAM_START + 0x400;
	data += 2;
	len -= 2;
	memcpy(guest.mem.ram[0].hva, data, len < RAM_LEN ? len : RAM_LEN);
	if (!virtq_enable(q, features))
		serve(&guest, q);
	virtio_device_release(&dev);
	fake_guest_release(&guest);
	return 0;
}
