/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/support/fake_virtio.h"

#include <linux/virtio_config.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define HOST_PAGE 4096U

/* RAM ends where the inaccessible page begins. */
void fake_guest_init(struct fake_guest *guest, u64 ram_len)
{
	u64 len = align_up(ram_len, HOST_PAGE);
	u8 *host;

	*guest = (struct fake_guest){ .next = FAKE_RAM_START };
	memory_init(&guest->mem, -1);
	guest->host_len = len + HOST_PAGE;
	host = mmap(NULL, guest->host_len, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (host == MAP_FAILED ||
	    mprotect(host + len, HOST_PAGE, PROT_NONE) < 0)
		abort();
	guest->mem.ram[0] = (struct ram_range){
		.gpa = FAKE_RAM_START,
		.len = ram_len,
		.hva = host + (len - ram_len),
	};
	guest->mem.nr_ram = 1;
}

void fake_guest_release(struct fake_guest *guest)
{
	u64 len = align_up(guest->mem.ram[0].len, HOST_PAGE);

	munmap(guest->mem.ram[0].hva - (len - guest->mem.ram[0].len),
	       guest->host_len);
	memory_release(&guest->mem);
}

u64 fake_alloc(struct fake_guest *guest, u64 len, u64 align)
{
	u64 gpa = align_up(guest->next, align);

	guest->next = gpa + len;
	fake_ptr(guest, gpa, len);
	return gpa;
}

void *fake_ptr(struct fake_guest *guest, u64 gpa, u64 len)
{
	void *host = guest_ptr(&guest->mem, gpa, len);

	if (!host)
		abort();
	return host;
}

static void count_queue_irq(struct virtio_transport *base, struct virtq *q)
{
	container_of(base, struct fake_transport, base)->queue_irqs++;
}

static void count_config_irq(struct virtio_transport *base)
{
	container_of(base, struct fake_transport, base)->config_irqs++;
}

static const struct virtio_transport_ops fake_transport_ops = {
	.queue_irq = count_queue_irq,
	.config_irq = count_config_irq,
};

void fake_transport_init(struct fake_transport *transport,
			 struct virtio_device *dev)
{
	*transport = (struct fake_transport){ 0 };
	transport->base.ops = &fake_transport_ops;
	dev->transport = &transport->base;
}

void fake_ring_init(struct fake_ring *ring, struct fake_guest *guest,
		    struct virtq *q, u16 size)
{
	u64 avail_len = sizeof(*ring->avail) + (size + 1) * sizeof(u16);
	u64 used_len = sizeof(*ring->used) +
		       size * sizeof(struct vring_used_elem) + sizeof(u16);

	*ring = (struct fake_ring){ .guest = guest, .q = q, .size = size };
	q->size = size;
	q->desc_gpa = fake_alloc(guest, size * sizeof(*ring->desc), 16);
	q->avail_gpa = fake_alloc(guest, avail_len, 2);
	q->used_gpa = fake_alloc(guest, used_len, 4);
	ring->desc = fake_ptr(guest, q->desc_gpa, size * sizeof(*ring->desc));
	ring->avail = fake_ptr(guest, q->avail_gpa, avail_len);
	ring->used = fake_ptr(guest, q->used_gpa, used_len);
}

void fake_desc(struct fake_ring *ring, u16 index, u64 addr, u32 len, u16 flags,
	       u16 next)
{
	ring->desc[index] = (struct vring_desc){
		.addr = addr,
		.len = len,
		.flags = flags,
		.next = next,
	};
}

void fake_post(struct fake_ring *ring, u16 head)
{
	u16 idx = ring->avail->idx;

	ring->avail->ring[idx % ring->size] = head;
	/* Pairs with the acquire in virtq_pop(). */
	__atomic_store_n(&ring->avail->idx, idx + 1, __ATOMIC_SEQ_CST);
}

bool fake_used(struct fake_ring *ring, struct vring_used_elem *elem)
{
	/* Pairs with the release in virtq_push(). */
	if (__atomic_load_n(&ring->used->idx, __ATOMIC_ACQUIRE) ==
	    ring->seen_used)
		return false;
	*elem = ring->used->ring[ring->seen_used++ % ring->size];
	return true;
}

bool fake_wait_used(struct fake_ring *ring, struct vring_used_elem *elem)
{
	const struct timespec pause = { .tv_nsec = 100000 };

	for (unsigned int tries = 0; tries < 100000; tries++) {
		if (fake_used(ring, elem))
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

void fake_negotiate(struct virtio_device *dev, u64 features)
{
	u8 status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;

	virtio_set_status(dev, status);
	virtio_set_driver_features(dev, 0, (u32)features);
	virtio_set_driver_features(dev, 1, features >> 32);
	virtio_set_status(dev, status | VIRTIO_CONFIG_S_FEATURES_OK);
}

void fake_driver_ok(struct virtio_device *dev)
{
	virtio_set_status(dev,
			  virtio_get_status(dev) | VIRTIO_CONFIG_S_DRIVER_OK);
}
