/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/support/fake_virtio.h"

#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include "lkvm/pci.h"

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

#define SLOT_1 (1U << 3)
/* More than any machine's struct arch_vm. */
#define ARCH_LEN (64 * KIB)

void fake_vm_init(struct fake_vm *fake, struct fake_guest *guest)
{
	static const struct pci_windows windows = {
		.io = { 0x6000, 0xa000 },
		.mem32 = { 0xc0000000, 512 * MIB },
		.ecam = { 0xe0000000, 256 * MIB },
	};

	*fake = (struct fake_vm){ .guest = guest, .why = FAILURE_INIT };
	fake->vm.config = &fake->config;
	fake->vm.consoles = &fake->consoles;
	fake->vm.failure = &fake->why;
	fake->vm.fd = -1;
	fake->vm.memory = guest->mem;
	fake->vm.irq.vm_fd = -1;
	/* Opaque here: zeroes, so its interrupt lines lead nowhere. */
	fake->vm.arch = calloc(1, ARCH_LEN);
	if (!fake->vm.arch)
		abort();
	bus_init(&fake->vm.ports, "port", &fake->why);
	bus_init(&fake->vm.mmio, "memory", &fake->why);
	bus_attach(&fake->vm.ports, &fake->ports);
	bus_attach(&fake->vm.mmio, &fake->mmio);
	if (event_loop_init(&fake->vm.loop, &fake->why) ||
	    event_loop_start(&fake->vm.loop) || pci_create(&fake->vm, &windows))
		abort();
}

void fake_vm_start(struct fake_vm *fake)
{
	if (pci_assign_bars(fake->vm.pci))
		abort();
	fake_config_write(fake, PCI_COMMAND, 2,
			  PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
				  PCI_COMMAND_MASTER);
}

void fake_vm_release(struct fake_vm *fake)
{
	while (fake->vm.devices) {
		struct device *dev = fake->vm.devices;

		fake->vm.devices = dev->next;
		dev->ops->destroy(dev);
	}
	event_loop_stop(&fake->vm.loop);
	pci_destroy(&fake->vm);
	event_loop_release(&fake->vm.loop);
	bus_detach(&fake->vm.mmio, &fake->mmio);
	bus_detach(&fake->vm.ports, &fake->ports);
	bus_release(&fake->vm.mmio);
	bus_release(&fake->vm.ports);
	free(fake->vm.arch);
}

u32 fake_config_read(struct fake_vm *fake, unsigned int offset,
		     unsigned int size)
{
	return pci_config_read(fake->vm.pci, SLOT_1, offset, size);
}

void fake_config_write(struct fake_vm *fake, unsigned int offset,
		       unsigned int size, u32 value)
{
	pci_config_write(fake->vm.pci, SLOT_1, offset, size, value);
}

static void bar_access(struct fake_vm *fake, unsigned int bar, u64 offset,
		       struct bus_access *acc)
{
	u32 reg = fake_config_read(fake, PCI_BASE_ADDRESS_0 + 4 * bar, 4);

	if (reg & PCI_BASE_ADDRESS_SPACE_IO)
		bus_dispatch(&fake->vm.ports, &fake->ports,
			     (reg & ~3U) + offset, acc);
	else
		bus_dispatch(&fake->vm.mmio, &fake->mmio, (reg & ~15U) + offset,
			     acc);
}

u64 fake_bar_read(struct fake_vm *fake, unsigned int bar, u64 offset, u8 size)
{
	struct bus_access acc = { .size = size };

	bar_access(fake, bar, offset, &acc);
	return acc.value;
}

void fake_bar_write(struct fake_vm *fake, unsigned int bar, u64 offset, u8 size,
		    u64 value)
{
	struct bus_access acc = {
		.size = size,
		.value = value,
		.is_write = true,
	};

	bar_access(fake, bar, offset, &acc);
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
