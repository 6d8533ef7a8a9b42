/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A hostile guest writes configuration registers of a bus with every kind of
 * BAR. After each write an oracle, which knows nothing of fragments, says who
 * must answer at a number of addresses; KVM's ioeventfds must be exactly the
 * doorbells that are reachable, its memory slots the pages that BARs own. Now
 * and then KVM refuses a slot: then nothing must have changed.
 */
#include "lkvm/pci.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>
#include "lkvm/kvm.h"
#include "pci_priv.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

#define NR_DEVICES 5
#define MAX_RINGS 64
#define PAGE 4096ULL
#define MEMORY_BAR 1U

static const struct pci_windows windows = {
	.io = { 0x6000, 0xa000 },
	.mem32 = { 0xc0000000, 512 * MIB },
	.mem64 = { 0x4000000000, 256 * GIB },
	.io_free = { 0x1000, 0xf000 },
	.mem_free = { 0x10000000, 0xd0000000 },
	.ecam = { 0xe0000000, 256 * MIB },
};

struct fuzzed {
	struct pci_function fn;
	u64 stamps[PCI_BARS]; /* the oracle's own idea of who wrote last */
	struct pci_doorbell doorbells[PCI_BARS];
	struct pci_memory memory; /* the first half of BAR 1 */
};

struct model {
	struct kvm vm;
	struct failure why;
	struct bus_reader ports, mmio;
	struct fuzzed devices[NR_DEVICES];
	u64 stamp;
};

/* ---- A model of KVM's ioeventfds ---- */

static struct ioeventfd rings[MAX_RINGS];
static unsigned int nr_rings;

int ioeventfd_add(int vm_fd, const struct ioeventfd *io)
{
	for (unsigned int i = 0; i < nr_rings; i++)
		if (rings[i].addr == io->addr &&
		    rings[i].is_port == io->is_port)
			abort(); /* KVM would say EEXIST: two BARs own it */
	if (nr_rings == MAX_RINGS)
		return -ENOSPC;
	rings[nr_rings++] = *io;
	return 0;
}

void ioeventfd_remove(int vm_fd, const struct ioeventfd *io)
{
	for (unsigned int i = 0; i < nr_rings; i++) {
		if (rings[i].addr != io->addr || rings[i].fd != io->fd)
			continue;
		rings[i] = rings[--nr_rings];
		return;
	}
	abort(); /* removed what was not there */
}

/* ---- A model of KVM's memory slots ---- */

#define MAX_SLOTS 64

static struct slot {
	u64 gpa, len;
	u8 *hva;
} slots[MAX_SLOTS];
static bool refuse_one;	 /* the next slot asked for is refused */
static bool was_refused; /* since the last step */

int memory_slot_add(struct memory *mem, u64 gpa, u64 len, void *hva, u32 flags)
{
	int free_slot = -1;

	if (refuse_one) {
		refuse_one = false;
		was_refused = true;
		return -ENOSPC;
	}
	for (int i = 0; i < MAX_SLOTS; i++) {
		if (!slots[i].len)
			free_slot = i;
		else if (gpa < slots[i].gpa + slots[i].len &&
			 slots[i].gpa < gpa + len)
			abort(); /* KVM would say EEXIST */
	}
	if (free_slot < 0 || !len || (gpa | len) % PAGE)
		abort();
	slots[free_slot] = (struct slot){ gpa, len, hva };
	return free_slot;
}

void memory_slot_remove(struct memory *mem, int slot)
{
	if (!slots[slot].len)
		abort();
	slots[slot].len = 0;
}

static bool any_slot(void)
{
	for (int i = 0; i < MAX_SLOTS; i++)
		if (slots[i].len)
			return true;
	return false;
}

/* Where the guest finds @gpa in host memory; NULL: it traps. */
static u8 *mapped_at(u64 gpa)
{
	for (int i = 0; i < MAX_SLOTS; i++)
		if (gpa - slots[i].gpa < slots[i].len)
			return slots[i].hva + (gpa - slots[i].gpa);
	return NULL;
}

static bool has_ring(u64 addr, int fd)
{
	for (unsigned int i = 0; i < nr_rings; i++)
		if (rings[i].addr == addr && rings[i].fd == fd)
			return true;
	return false;
}

/* ---- Devices: a read gives device and BAR ---- */

static enum bus_result answer(struct pci_function *fn, unsigned int bar,
			      struct bus_access *acc)
{
	if (!range_within(acc->offset, 1, fn->bars[bar].size))
		abort();
	acc->value = (u64)fn->slot << 8 | bar;
	return BUS_HANDLED;
}

static const struct pci_function_ops ops = { .bar_access = answer };
static const struct pci_identity identity = { .vendor = 1, .device = 2 };

static void add_device(struct model *m, unsigned int i)
{
	struct fuzzed *dev = &m->devices[i];

	pci_function_init(&dev->fn, "fuzzed", &ops, &identity);
	pci_bar_init(&dev->fn, 0, PCI_BAR_IO, false, 16ULL << i);
	pci_bar_init(&dev->fn, 1, PCI_BAR_MEM32, false, 4096ULL << (2 * i));
	pci_bar_init(&dev->fn, 2, PCI_BAR_MEM64, true, 8192ULL << (6 * i));
	pci_bar_init(&dev->fn, 4, PCI_BAR_MEM32, false, 16);
	pci_bar_init(&dev->fn, PCI_ROM, PCI_BAR_EXPANSION_ROM, false, 65536);
	dev->memory = (struct pci_memory){
		.len = dev->fn.bars[MEMORY_BAR].size / 2,
		.hva = (u8 *)(0x100000000 * (i + 1)),
	};
	pci_bar_add_memory(&dev->fn, MEMORY_BAR, &dev->memory);
	pci_add_msix(&dev->fn, 4, 0x1000, 0x2000, 3);
	if (pci_add(m->vm.pci, &dev->fn))
		abort();
	for (unsigned int bar = 0; bar < 5; bar += bar == 2 ? 2 : 1) {
		dev->doorbells[bar] = (struct pci_doorbell){
			.offset = dev->fn.bars[bar].size / 2,
			.fd = (int)(100 * i + bar),
		};
		pci_doorbell_add(&dev->fn, bar, &dev->doorbells[bar]);
	}
}

/* ---- The oracle ---- */

static u16 command(const struct fuzzed *dev)
{
	return (u16)pci_get_le(&dev->fn.config[PCI_COMMAND], 2);
}

static u64 address_of(const struct fuzzed *dev, unsigned int bar)
{
	unsigned int reg = bar == PCI_ROM ? PCI_ROM_ADDRESS
					  : PCI_BASE_ADDRESS_0 + 4 * bar;
	u64 address = pci_get_le(&dev->fn.config[reg], 4);

	if (dev->fn.bars[bar].kind == PCI_BAR_MEM64)
		address |= (u64)pci_get_le(&dev->fn.config[reg + 4], 4) << 32;
	return address & ~(dev->fn.bars[bar].size - 1);
}

static bool inside(const struct pci_window *w, u64 start, u64 len)
{
	return start >= w->start && start - w->start < w->len &&
	       len <= w->len - (start - w->start);
}

static bool answers(const struct fuzzed *dev, unsigned int bar, bool port,
		    u64 addr)
{
	const struct pci_bar *b = &dev->fn.bars[bar];
	u64 start = address_of(dev, bar);

	if (b->kind == PCI_BAR_NONE || (b->kind == PCI_BAR_IO) != port)
		return false;
	if (!(command(dev) & (port ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY)))
		return false;
	if (bar == PCI_ROM && !(dev->fn.config[PCI_ROM_ADDRESS] & 1))
		return false;
	/* Its free ranges hold the windows. */
	if (port ? !inside(&windows.io_free, start, b->size)
		 : !inside(&windows.mem_free, start, b->size) &&
			    !inside(&windows.mem64, start, b->size))
		return false;
	return addr - start < b->size;
}

/* What a read at @addr must give. */
static u64 expected(const struct model *m, bool port, u64 addr)
{
	u64 best = 0, value = 0xffffffff;

	for (unsigned int i = 0; i < NR_DEVICES; i++) {
		const struct fuzzed *dev = &m->devices[i];

		for (unsigned int bar = 0; bar < PCI_BARS; bar++) {
			if (!answers(dev, bar, port, addr) ||
			    dev->stamps[bar] < best)
				continue;
			best = dev->stamps[bar];
			value = (u64)dev->fn.slot << 8 | bar;
		}
	}
	return value;
}

static void check_address(struct model *m, bool port, u64 addr)
{
	struct bus_access acc = { .size = 4 };

	if (inside(&windows.ecam, addr, 1))
		return;
	bus_dispatch(port ? &m->vm.ports : &m->vm.mmio,
		     port ? &m->ports : &m->mmio, addr, &acc);
	if (acc.value != expected(m, port, addr))
		abort();
}

/* Does BAR @bar of @dev own all of the page at @addr? */
static bool owns_page(const struct model *m, const struct fuzzed *dev,
		      unsigned int bar, u64 addr)
{
	if (!answers(dev, bar, false, addr))
		return false;
	for (unsigned int i = 0; i < NR_DEVICES; i++) {
		const struct fuzzed *other = &m->devices[i];

		for (unsigned int b = 0; b < PCI_BARS; b++) {
			u64 start = address_of(other, b);

			if (other->stamps[b] > dev->stamps[bar] &&
			    answers(other, b, false, start) &&
			    start < addr + PAGE &&
			    addr < start + other->fn.bars[b].size)
				return false;
		}
	}
	return true;
}

/* Pages of the mapped half are in a slot exactly where the BAR owns them. */
static void check_memory(const struct model *m, const struct fuzzed *dev)
{
	u64 start = address_of(dev, MEMORY_BAR);
	u64 len = dev->memory.len;
	const u64 offsets[] = { 0, PAGE, len / 2, len - PAGE };

	for (unsigned int i = 0; i < ARRAY_SIZE(offsets); i++) {
		u64 offset = offsets[i];
		bool owned;

		/* Less than a page cannot be mapped. */
		if (len < PAGE || offset > len - PAGE)
			continue;
		owned = owns_page(m, dev, MEMORY_BAR, start + offset);
		if (owned !=
		    (mapped_at(start + offset) == dev->memory.hva + offset))
			abort();
	}
}

static void check_bar(struct model *m, struct fuzzed *dev, unsigned int bar)
{
	struct pci_doorbell *db = &dev->doorbells[bar];
	u64 start = address_of(dev, bar);
	u64 size = dev->fn.bars[bar].size;
	bool port = dev->fn.bars[bar].kind == PCI_BAR_IO;
	u64 mine = (u64)dev->fn.slot << 8 | bar;

	check_address(m, port, start);
	check_address(m, port, start + size / 2);
	check_address(m, port, start + size - 1);
	check_address(m, port, start - 1);
	check_address(m, port, start + size);
	if (bar != PCI_ROM &&
	    has_ring(start + db->offset, db->fd) !=
		    (expected(m, port, start + db->offset) == mine))
		abort();
}

static void check_all(struct model *m)
{
	for (unsigned int i = 0; i < NR_DEVICES; i++) {
		for (unsigned int bar = 0; bar < PCI_BARS; bar++)
			if (m->devices[i].fn.bars[bar].kind != PCI_BAR_NONE)
				check_bar(m, &m->devices[i], bar);
		check_memory(m, &m->devices[i]);
	}
}

/* ---- Steps ---- */

static void stamp_written(struct model *m, struct fuzzed *dev,
			  unsigned int offset, u16 turned_on)
{
	for (unsigned int bar = 0; bar < PCI_BARS; bar++) {
		const struct pci_bar *b = &dev->fn.bars[bar];
		unsigned int reg = bar == PCI_ROM
					   ? PCI_ROM_ADDRESS
					   : PCI_BASE_ADDRESS_0 + 4 * bar;
		unsigned int reg_len = b->kind == PCI_BAR_MEM64 ? 8 : 4;
		u16 bit = b->kind == PCI_BAR_IO ? PCI_COMMAND_IO
						: PCI_COMMAND_MEMORY;

		if (b->kind == PCI_BAR_NONE)
			continue;
		if ((turned_on & bit) ||
		    (offset >= reg && offset < reg + reg_len))
			dev->stamps[bar] = ++m->stamp;
	}
}

static void step(struct model *m, const u8 *bytes)
{
	static const u8 sizes[] = { 1, 2, 4, 4 };
	struct fuzzed *dev = &m->devices[bytes[0] % NR_DEVICES];
	unsigned int size = sizes[bytes[0] >> 6];
	/* Mostly the header, now and then the rest. */
	unsigned int offset = bytes[1] & 0x3f;
	u32 value = pci_get_le(&bytes[2], 4);
	u8 config[PCI_CONFIG_LEN];
	u16 before;

	if (bytes[1] & 0x40)
		offset = (unsigned int)(bytes[1] << 4) & (PCI_CONFIG_LEN - 1);
	offset &= ~(size - 1);
	/* Addresses that matter come up more often. */
	if (bytes[1] & 0x80)
		value = (value & 0x00fff00f) | (offset & 8 ? 0xc0000000 : 0);
	before = command(dev);
	memcpy(config, dev->fn.config, sizeof(config));
	refuse_one = bytes[0] & 0x20;
	was_refused = false;
	pci_config_write(m->vm.pci, (u32)dev->fn.slot << 3, offset, size,
			 value);
	refuse_one = false;
	/* What the host refused has not happened. */
	if (!was_refused)
		stamp_written(m, dev, offset, command(dev) & ~before);
	else if (memcmp(config, dev->fn.config, sizeof(config)))
		abort();
	check_all(m);
}

static void start(struct model *m)
{
	nr_rings = 0;
	log_set_level(LOG_LEVEL_ERROR);
	*m = (struct model){ .why = FAILURE_INIT };
	m->vm.failure = &m->why;
	m->vm.fd = -1;
	bus_init(&m->vm.ports, "port", &m->why);
	bus_init(&m->vm.mmio, "memory", &m->why);
	bus_attach(&m->vm.ports, &m->ports);
	bus_attach(&m->vm.mmio, &m->mmio);
	if (pci_create(&m->vm, &windows))
		abort();
	for (unsigned int i = 0; i < NR_DEVICES; i++)
		add_device(m, i);
}

static void stop(struct model *m)
{
	for (unsigned int i = 0; i < NR_DEVICES; i++) {
		struct fuzzed *dev = &m->devices[i];

		for (unsigned int bar = 0; bar < PCI_ROM; bar++)
			pci_doorbell_remove(&dev->fn, bar,
					    &dev->doorbells[bar]);
		pci_remove(&dev->fn);
	}
	if (nr_rings || any_slot())
		abort();
	pci_destroy(&m->vm);
	bus_detach(&m->vm.mmio, &m->mmio);
	bus_detach(&m->vm.ports, &m->ports);
	bus_release(&m->vm.mmio);
	bus_release(&m->vm.ports);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	static struct model m;

	start(&m);
	for (size_t i = 0; i + 6 <= len && i < 6 * 64; i += 6)
		step(&m, &data[i]);
	stop(&m);
	return 0;
}
