/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PCI core without KVM: registers through configuration accesses, and who
 * answers on the buses afterwards.
 */
#include "lkvm/pci.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "lkvm/arch.h"
#include "lkvm/kvm.h"
#include "pci_priv.h"
#include <cmocka.h> /* last: it has a macro named fail */

#define IO_BASE 0x6000
#define MEM_BASE 0xc0000000
#define FREE_BASE 0x80000000U /* the end of RAM */
#define MEM64_BASE 0x4000000000
#define ECAM_BASE 0xe0000000

#define ALL_ONES 0xffffffffU

/* A device whose BARs read as their number and the offset accessed. */
struct probe {
	struct pci_function fn;
	u32 id;
	unsigned int last_bar;
	u64 last_offset;
	u64 last_value;
};

/* ---- A model of KVM's memory slots and ioeventfds ---- */

#define MAX_SLOTS 8

static struct slot {
	u64 gpa, len;
	void *hva;
	u64 written; /* pages: the log that KVM keeps */
} slots[MAX_SLOTS];
static bool refuse_slots;
static u64 rung_at; /* address of the only doorbell, or 0 */

int memory_slot_add(struct memory *mem, u64 gpa, u64 len, void *hva, u32 flags)
{
	for (int i = 0; i < MAX_SLOTS && !refuse_slots; i++) {
		if (slots[i].len)
			continue;
		slots[i] = (struct slot){ .gpa = gpa, .len = len, .hva = hva };
		return i;
	}
	return -ENOSPC;
}

void memory_slot_remove(struct memory *mem, int slot)
{
	assert_true(slots[slot].len);
	slots[slot].len = 0;
}

int memory_slot_dirty(struct memory *mem, int slot, u64 *bitmap)
{
	*bitmap = slots[slot].written;
	slots[slot].written = 0;
	return 0;
}

static struct slot *slot_at(u64 gpa)
{
	for (int i = 0; i < MAX_SLOTS; i++)
		if (gpa - slots[i].gpa < slots[i].len)
			return &slots[i];
	return NULL;
}

int ioeventfd_add(int vm_fd, const struct ioeventfd *io)
{
	assert_int_equal(rung_at, 0);
	rung_at = io->addr;
	return 0;
}

void ioeventfd_remove(int vm_fd, const struct ioeventfd *io)
{
	assert_int_equal(rung_at, io->addr);
	rung_at = 0;
}

static struct msi_message last_msi;
static unsigned int nr_msis;

int irq_signal_msi(struct irq_router *irq, const struct msi_message *msg)
{
	last_msi = *msg;
	nr_msis++;
	return 0;
}

/* ---- A model of KVM's routes and irqfds ---- */

static unsigned int nr_routes;
static struct msi_message route; /* of the last one taken or changed */
static int attached_fd = -1;
static bool refuse_routes;

int irq_route_alloc(struct irq_router *irq, const struct msi_message *msg)
{
	if (refuse_routes)
		return -ENOSPC;
	route = *msg;
	return (int)(100 + nr_routes++);
}

int irq_route_update(struct irq_router *irq, u32 gsi,
		     const struct msi_message *msg)
{
	route = *msg;
	return 0;
}

void irq_route_free(struct irq_router *irq, u32 gsi)
{
	assert_true(nr_routes--);
	assert_int_equal(attached_fd, -1);
}

int irqfd_attach(struct irq_router *irq, u32 gsi, int fd, int resample_fd)
{
	assert_int_equal(attached_fd, -1);
	attached_fd = fd;
	return 0;
}

void irqfd_detach(struct irq_router *irq, u32 gsi, int fd)
{
	assert_int_equal(attached_fd, fd);
	attached_fd = -1;
}

/* ---- A machine with one interrupt line ---- */

static struct irq_line_hub hub;

struct irq_line arch_pci_irq_line(struct kvm *vm, unsigned int slot,
				  unsigned int pin)
{
	return (struct irq_line){ .hub = &hub };
}

static bool line_level;

void irq_line_set(struct irq_line *line, bool level)
{
	line_level = level;
}

struct fixture {
	struct kvm vm;
	struct failure why;
	struct bus_reader ports, mmio;
	struct probe probes[PCI_SLOTS];
};

static enum bus_result probe_access(struct pci_function *fn, unsigned int bar,
				    struct bus_access *acc)
{
	struct probe *probe = container_of(fn, struct probe, fn);

	probe->last_bar = bar;
	probe->last_offset = acc->offset;
	if (acc->is_write)
		probe->last_value = acc->value;
	else
		acc->value = probe->id << 8 | bar;
	return BUS_HANDLED;
}

static const struct pci_function_ops probe_ops = { .bar_access = probe_access };
static const struct pci_identity probe_identity = { .vendor = 0x1234,
						    .device = 0x5678,
						    .class_code = 0xff0000 };

static int setup(void **state)
{
	static const struct pci_windows windows = {
		.io = { IO_BASE, 0xa000 },
		.mem32 = { MEM_BASE, 512 * MIB },
		.mem64 = { MEM64_BASE, 256 * GIB },
		.io_free = { 0x1000, 0xf000 },
		.mem_free = { FREE_BASE, ECAM_BASE - FREE_BASE },
		.ecam = { ECAM_BASE, 256 * MIB },
	};
	struct fixture *f = test_calloc(1, sizeof(*f));

	f->why = (struct failure)FAILURE_INIT;
	f->vm.failure = &f->why;
	f->vm.fd = -1;
	bus_init(&f->vm.ports, "port", &f->why);
	bus_init(&f->vm.mmio, "memory", &f->why);
	bus_attach(&f->vm.ports, &f->ports);
	bus_attach(&f->vm.mmio, &f->mmio);
	refuse_slots = false;
	nr_msis = 0;
	assert_int_equal(pci_create(&f->vm, &windows), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < PCI_SLOTS; i++)
		if (f->probes[i].fn.bus)
			pci_remove(&f->probes[i].fn);
	pci_destroy(&f->vm);
	bus_detach(&f->vm.mmio, &f->mmio);
	bus_detach(&f->vm.ports, &f->ports);
	bus_release(&f->vm.mmio);
	bus_release(&f->vm.ports);
	test_free(f);
	for (int i = 0; i < MAX_SLOTS; i++)
		assert_int_equal(slots[i].len, 0);
	return 0;
}

/* Slot 0 is the host bridge, so the first probe is in slot 1. */
static struct probe *new_probe(struct fixture *f, u32 id)
{
	struct probe *probe = &f->probes[id];

	pci_function_init(&probe->fn, "probe", &probe_ops, &probe_identity);
	probe->id = id;
	return probe;
}

static void plug(struct fixture *f, struct probe *probe)
{
	assert_int_equal(pci_add(f->vm.pci, &probe->fn), 0);
}

static struct probe *plug_mem32(struct fixture *f, u32 id, u64 size)
{
	struct probe *probe = new_probe(f, id);

	pci_bar_init(&probe->fn, 0, PCI_BAR_MEM32, false, size);
	plug(f, probe);
	return probe;
}

static u32 bdf_of(const struct probe *probe)
{
	return (u32)probe->fn.slot << 3;
}

static u32 cfg_read(struct fixture *f, const struct probe *p, unsigned int reg,
		    unsigned int size)
{
	return pci_config_read(f->vm.pci, bdf_of(p), reg, size);
}

static void cfg_write(struct fixture *f, const struct probe *p,
		      unsigned int reg, unsigned int size, u32 value)
{
	pci_config_write(f->vm.pci, bdf_of(p), reg, size, value);
}

static u64 mem_read(struct fixture *f, u64 addr)
{
	struct bus_access acc = { .size = 4 };

	bus_dispatch(&f->vm.mmio, &f->mmio, addr, &acc);
	return acc.value;
}

static u64 port_read(struct fixture *f, u64 addr)
{
	struct bus_access acc = { .size = 4 };

	bus_dispatch(&f->vm.ports, &f->ports, addr, &acc);
	return acc.value;
}

static void test_pci__sizing_by_any_pattern(void **state)
{
	static const u32 patterns[] = { 0xffffffff, 0xfffffff0, 0xfffffffe,
					0xfffff800 };
	struct fixture *f = *state;
	struct probe *p = plug_mem32(f, 1, 4096);

	for (u16 command = 0; command <= PCI_COMMAND_MEMORY;
	     command += PCI_COMMAND_MEMORY) {
		cfg_write(f, p, PCI_COMMAND, 2, command);
		for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
			cfg_write(f, p, PCI_BASE_ADDRESS_0, 4, patterns[i]);
			assert_int_equal(cfg_read(f, p, PCI_BASE_ADDRESS_0, 4),
					 0xfffff000);
		}
		cfg_write(f, p, PCI_BASE_ADDRESS_0, 4, MEM_BASE + 0x10000);
		assert_int_equal(cfg_read(f, p, PCI_BASE_ADDRESS_0, 4),
				 MEM_BASE + 0x10000);
	}
	assert_int_equal(mem_read(f, MEM_BASE + 0x10004), 0x100);
}

static void test_pci__sizing_each_half_of_a_64_bit_bar(void **state)
{
	struct fixture *f = *state;
	struct probe *p = new_probe(f, 1);

	pci_bar_init(&p->fn, 1, PCI_BAR_MEM64, true, 8 * GIB);
	plug(f, p);
	cfg_write(f, p, PCI_BASE_ADDRESS_1, 4, ALL_ONES);
	assert_int_equal(cfg_read(f, p, PCI_BASE_ADDRESS_1, 4), 0xc);
	cfg_write(f, p, PCI_BASE_ADDRESS_2, 4, ALL_ONES);
	assert_int_equal(cfg_read(f, p, PCI_BASE_ADDRESS_2, 4), 0xfffffffe);
	cfg_write(f, p, PCI_BASE_ADDRESS_1, 4, 0);
	cfg_write(f, p, PCI_BASE_ADDRESS_2, 4, MEM64_BASE >> 32);
	cfg_write(f, p, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(mem_read(f, MEM64_BASE + 4 * GIB), 0x101);
	assert_int_equal(p->last_offset, 4 * GIB);
}

static void test_pci__narrow_writes_change_only_their_bytes(void **state)
{
	struct fixture *f = *state;
	struct probe *p = plug_mem32(f, 1, 4096);

	cfg_write(f, p, PCI_BASE_ADDRESS_0, 4, 0xc1234000);
	cfg_write(f, p, PCI_BASE_ADDRESS_0 + 2, 1, 0x56);
	assert_int_equal(cfg_read(f, p, PCI_BASE_ADDRESS_0, 4), 0xc1564000);
	cfg_write(f, p, PCI_BASE_ADDRESS_0 + 2, 2, 0xc200);
	assert_int_equal(cfg_read(f, p, PCI_BASE_ADDRESS_0, 4), 0xc2004000);
	cfg_write(f, p, PCI_COMMAND, 2, 0x407);
	cfg_write(f, p, PCI_COMMAND, 1, 0x06);
	assert_int_equal(cfg_read(f, p, PCI_COMMAND, 2), 0x406);
}

static void test_pci__read_only_and_absent_registers(void **state)
{
	struct fixture *f = *state;
	struct probe *p = plug_mem32(f, 1, 4096);

	cfg_write(f, p, PCI_VENDOR_ID, 4, 0);
	assert_int_equal(cfg_read(f, p, PCI_VENDOR_ID, 4), 0x56781234);
	cfg_write(f, p, PCI_BASE_ADDRESS_3, 4, 0xc0001000);
	assert_int_equal(cfg_read(f, p, PCI_BASE_ADDRESS_3, 4), 0);
	cfg_write(f, p, PCI_ROM_ADDRESS, 4, 0xfffff800);
	assert_int_equal(cfg_read(f, p, PCI_ROM_ADDRESS, 4), 0);
	cfg_write(f, p, 0xf00, 4, ALL_ONES);
	assert_int_equal(cfg_read(f, p, 0xf00, 4), 0);
	assert_int_equal(pci_config_read(f->vm.pci, 0x99, 0, 4), ALL_ONES);
	assert_int_equal(pci_config_read(f->vm.pci, 0x100, 0, 2), 0xffff);
	assert_int_equal(pci_config_read(f->vm.pci, bdf_of(p) + 1, 0, 1), 0xff);
}

static void test_pci__status_errors_clear_by_writing_one(void **state)
{
	struct fixture *f = *state;
	struct probe *p = plug_mem32(f, 1, 4096);

	pci_config_set(&p->fn, PCI_STATUS, 2,
		       PCI_STATUS_REC_MASTER_ABORT | PCI_STATUS_CAP_LIST);
	cfg_write(f, p, PCI_STATUS, 2, ALL_ONES);
	assert_int_equal(cfg_read(f, p, PCI_STATUS, 2), PCI_STATUS_CAP_LIST);
}

static void test_pci__decode_bits_act_apart(void **state)
{
	struct fixture *f = *state;
	struct probe *p = new_probe(f, 1);

	pci_bar_init(&p->fn, 0, PCI_BAR_IO, false, 64);
	pci_bar_init(&p->fn, 1, PCI_BAR_MEM32, false, 4096);
	plug(f, p);
	assert_int_equal(pci_assign_bars(f->vm.pci), 0);
	assert_int_equal(port_read(f, IO_BASE), 0x100);
	assert_int_equal(mem_read(f, MEM_BASE), 0x101);
	cfg_write(f, p, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(port_read(f, IO_BASE), ALL_ONES);
	assert_int_equal(mem_read(f, MEM_BASE), 0x101);
	cfg_write(f, p, PCI_COMMAND, 2, PCI_COMMAND_IO);
	assert_int_equal(port_read(f, IO_BASE), 0x100);
	assert_int_equal(mem_read(f, MEM_BASE), ALL_ONES);
}

static void test_pci__bar_moves_with_decode_on(void **state)
{
	struct fixture *f = *state;
	struct probe *p = plug_mem32(f, 1, 4096);

	assert_int_equal(pci_assign_bars(f->vm.pci), 0);
	cfg_write(f, p, PCI_BASE_ADDRESS_0, 4, MEM_BASE + 0x5000);
	assert_int_equal(mem_read(f, MEM_BASE), ALL_ONES);
	assert_int_equal(mem_read(f, MEM_BASE + 0x5ffc), 0x100);
	assert_int_equal(p->last_offset, 0xffc);
}

static void test_pci__outside_every_window_nobody_answers(void **state)
{
	static const u32 places[] = { 0,	 0x1000,     FREE_BASE - 4096,
				      ECAM_BASE, 0xfec00000, 0xfee00000 };
	struct fixture *f = *state;
	struct probe *p = plug_mem32(f, 1, 4096);

	cfg_write(f, p, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		cfg_write(f, p, PCI_BASE_ADDRESS_0, 4, places[i]);
		assert_int_not_equal(mem_read(f, places[i]), 0x100);
		assert_int_equal(cfg_read(f, p, PCI_BASE_ADDRESS_0, 4),
				 places[i]);
	}
	/* The configuration space behind the attempt still works. */
	assert_int_equal(mem_read(f, ECAM_BASE + ((u64)bdf_of(p) << 12)),
			 0x56781234);
}

/* Where Linux puts BARs that believes no firmware: pci=nocrs, acpi=off. */
static void test_pci__answers_beside_its_windows(void **state)
{
	struct fixture *f = *state;
	struct probe *p = new_probe(f, 1);

	pci_bar_init(&p->fn, 0, PCI_BAR_IO, false, 64);
	pci_bar_init(&p->fn, 1, PCI_BAR_MEM32, false, 4096);
	plug(f, p);
	cfg_write(f, p, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	cfg_write(f, p, PCI_BASE_ADDRESS_0, 4, 0x1000);
	cfg_write(f, p, PCI_BASE_ADDRESS_1, 4, FREE_BASE);
	assert_int_equal(port_read(f, 0x1000), 0x100);
	assert_int_equal(mem_read(f, FREE_BASE), 0x101);
	/* Fixed ports, and RAM. */
	cfg_write(f, p, PCI_BASE_ADDRESS_0, 4, 0xfc0);
	cfg_write(f, p, PCI_BASE_ADDRESS_1, 4, FREE_BASE - 4096);
	assert_int_not_equal(port_read(f, 0xfc0), 0x100);
	assert_int_not_equal(mem_read(f, FREE_BASE - 4096), 0x101);
}

static void test_pci__last_writer_owns_an_overlap(void **state)
{
	struct fixture *f = *state;
	struct probe *a = plug_mem32(f, 1, 4096);
	struct probe *b = plug_mem32(f, 2, 4096);

	assert_int_equal(pci_assign_bars(f->vm.pci), 0);
	cfg_write(f, b, PCI_BASE_ADDRESS_0, 4, MEM_BASE);
	assert_int_equal(mem_read(f, MEM_BASE), 0x200);
	cfg_write(f, a, PCI_BASE_ADDRESS_0, 4, MEM_BASE);
	assert_int_equal(mem_read(f, MEM_BASE), 0x100);
	cfg_write(f, a, PCI_BASE_ADDRESS_0, 4, MEM_BASE + 0x8000);
	assert_int_equal(mem_read(f, MEM_BASE), 0x200);
	assert_int_equal(mem_read(f, MEM_BASE + 0x8000), 0x100);
}

static void test_pci__covered_bar_comes_back_when_decode_goes_off(void **state)
{
	struct fixture *f = *state;
	struct probe *a = plug_mem32(f, 1, 4096);
	struct probe *b = plug_mem32(f, 2, 4096);

	assert_int_equal(pci_assign_bars(f->vm.pci), 0);
	cfg_write(f, b, PCI_BASE_ADDRESS_0, 4, MEM_BASE);
	assert_int_equal(mem_read(f, MEM_BASE), 0x200);
	cfg_write(f, b, PCI_COMMAND, 2, 0);
	assert_int_equal(mem_read(f, MEM_BASE), 0x100);
	cfg_write(f, a, PCI_COMMAND, 2, 0);
	assert_int_equal(mem_read(f, MEM_BASE), ALL_ONES);
}

static void test_pci__small_bar_inside_a_large_one(void **state)
{
	struct fixture *f = *state;
	struct probe *large = plug_mem32(f, 1, 0x10000);
	struct probe *small = plug_mem32(f, 2, 0x1000);

	assert_int_equal(pci_assign_bars(f->vm.pci), 0);
	cfg_write(f, large, PCI_BASE_ADDRESS_0, 4, MEM_BASE + 0x100000);
	cfg_write(f, small, PCI_BASE_ADDRESS_0, 4, MEM_BASE + 0x104000);
	assert_int_equal(mem_read(f, MEM_BASE + 0x103ffc), 0x100);
	assert_int_equal(mem_read(f, MEM_BASE + 0x104000), 0x200);
	assert_int_equal(mem_read(f, MEM_BASE + 0x105000), 0x100);
	assert_int_equal(large->last_offset, 0x5000);
	/* Written last, the large one covers the small one wholly. */
	cfg_write(f, large, PCI_BASE_ADDRESS_0, 4, MEM_BASE + 0x100000);
	assert_int_equal(mem_read(f, MEM_BASE + 0x104000), 0x100);
	cfg_write(f, large, PCI_COMMAND, 2, 0);
	assert_int_equal(mem_read(f, MEM_BASE + 0x104000), 0x200);
	assert_int_equal(mem_read(f, MEM_BASE + 0x105000), ALL_ONES);
}

static void test_pci__swap_with_decode_off(void **state)
{
	struct fixture *f = *state;
	struct probe *a = plug_mem32(f, 1, 4096);
	struct probe *b = plug_mem32(f, 2, 4096);
	u32 at_a, at_b;

	assert_int_equal(pci_assign_bars(f->vm.pci), 0);
	at_a = cfg_read(f, a, PCI_BASE_ADDRESS_0, 4);
	at_b = cfg_read(f, b, PCI_BASE_ADDRESS_0, 4);
	cfg_write(f, a, PCI_COMMAND, 2, 0);
	cfg_write(f, b, PCI_COMMAND, 2, 0);
	cfg_write(f, a, PCI_BASE_ADDRESS_0, 4, at_b);
	cfg_write(f, b, PCI_BASE_ADDRESS_0, 4, at_a);
	cfg_write(f, a, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	cfg_write(f, b, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(mem_read(f, at_a), 0x200);
	assert_int_equal(mem_read(f, at_b), 0x100);
}

static void test_pci__rom_answers_only_while_enabled(void **state)
{
	struct fixture *f = *state;
	struct probe *p = new_probe(f, 1);

	pci_bar_init(&p->fn, PCI_ROM, PCI_BAR_EXPANSION_ROM, false, 64 * KIB);
	plug(f, p);
	assert_int_equal(pci_assign_bars(f->vm.pci), 0);
	cfg_write(f, p, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	cfg_write(f, p, PCI_ROM_ADDRESS, 4, 0xfffff800);
	assert_int_equal(cfg_read(f, p, PCI_ROM_ADDRESS, 4), 0xffff0000);
	cfg_write(f, p, PCI_ROM_ADDRESS, 4, MEM_BASE + 0x20000);
	assert_int_equal(mem_read(f, MEM_BASE + 0x20000), ALL_ONES);
	cfg_write(f, p, PCI_ROM_ADDRESS, 4, MEM_BASE + 0x20001);
	assert_int_equal(mem_read(f, MEM_BASE + 0x20000), 0x106);
}

static void test_pci__ecam_splits_wide_and_crossing_accesses(void **state)
{
	struct fixture *f = *state;
	struct probe *p = plug_mem32(f, 1, 4096);
	u64 ecam = ECAM_BASE + ((u64)bdf_of(p) << 12);
	struct bus_access wide = { .size = 8, .is_write = true };

	/* 8 bytes over BAR 0 and the unimplemented BAR 1. */
	wide.value = 0xffffffffc0003000;
	bus_dispatch(&f->vm.mmio, &f->mmio, ecam + PCI_BASE_ADDRESS_0, &wide);
	assert_int_equal(cfg_read(f, p, PCI_BASE_ADDRESS_0, 4), 0xc0003000);
	assert_int_equal(cfg_read(f, p, PCI_BASE_ADDRESS_1, 4), 0);
	/* 4 bytes from the middle of one dword to that of the next. */
	assert_int_equal(mem_read(f, ecam + PCI_DEVICE_ID),
			 0x5678 | (u64)cfg_read(f, p, PCI_COMMAND, 2) << 16);
	/* Extended space exists, and is empty. */
	assert_int_equal(mem_read(f, ecam + 0x100), 0);
	assert_int_equal(mem_read(f, ecam + 0xffc), 0);
}

static void test_pci__thirty_third_device_is_refused(void **state)
{
	struct fixture *f = *state;
	struct probe extra;

	for (u32 i = 1; i < PCI_SLOTS; i++)
		plug_mem32(f, i, 4096);
	pci_function_init(&extra.fn, "extra", &probe_ops, &probe_identity);
	assert_int_equal(pci_add(f->vm.pci, &extra.fn), -ENOSPC);
	assert_non_null(strstr(f->why.text, "no PCI slot is left"));
}

static void test_pci__largest_bars_are_placed_first(void **state)
{
	struct fixture *f = *state;
	struct probe *small = plug_mem32(f, 1, 4096);
	struct probe *large = plug_mem32(f, 2, 64 * MIB);
	struct probe *huge = new_probe(f, 3);

	pci_bar_init(&huge->fn, 0, PCI_BAR_MEM64, true, GIB);
	plug(f, huge);
	assert_int_equal(pci_assign_bars(f->vm.pci), 0);
	assert_int_equal(cfg_read(f, large, PCI_BASE_ADDRESS_0, 4), MEM_BASE);
	assert_int_equal(cfg_read(f, small, PCI_BASE_ADDRESS_0, 4),
			 MEM_BASE + 64 * MIB);
	/* Too large for the window below 4 GiB. */
	assert_int_equal(cfg_read(f, huge, PCI_BASE_ADDRESS_1, 4),
			 MEM64_BASE >> 32);
}

static void test_pci__what_does_not_fit_is_refused(void **state)
{
	struct fixture *f = *state;

	plug_mem32(f, 1, 256 * MIB);
	plug_mem32(f, 2, 256 * MIB);
	plug_mem32(f, 3, 4096);
	assert_int_equal(pci_assign_bars(f->vm.pci), -ENOSPC);
	assert_non_null(strstr(f->why.text, "does not fit"));
}

static void test_pci__removed_function_is_gone(void **state)
{
	struct fixture *f = *state;
	struct probe *p = plug_mem32(f, 1, 4096);

	assert_int_equal(pci_assign_bars(f->vm.pci), 0);
	pci_remove(&p->fn);
	assert_int_equal(mem_read(f, MEM_BASE), ALL_ONES);
	assert_int_equal(pci_config_read(f->vm.pci, 1 << 3, 0, 4), ALL_ONES);
	plug_mem32(f, 2, 4096);
	assert_int_equal(f->probes[2].fn.slot, 1);
}

/* ---- Capabilities, functions, INTx, MSI ---- */

static void test_pci__intx_disable_gates_the_line(void **state)
{
	struct fixture *f = *state;
	struct probe *p = plug_mem32(f, 1, 4096);

	pci_set_intx(&p->fn, true);
	assert_true(line_level);
	cfg_write(f, p, PCI_COMMAND, 2, PCI_COMMAND_INTX_DISABLE);
	assert_false(line_level);
	/* The status bit shows what the device wants all the same. */
	assert_int_equal(cfg_read(f, p, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT,
			 PCI_STATUS_INTERRUPT);
	cfg_write(f, p, PCI_COMMAND, 2, 0);
	assert_true(line_level);
	pci_set_intx(&p->fn, false);
	assert_false(line_level);
}

static void test_pci__functions_of_one_slot(void **state)
{
	struct fixture *f = *state;
	struct probe *first = plug_mem32(f, 1, 4096);
	struct probe *second = new_probe(f, 2);
	u32 bdf = bdf_of(first) + 5;

	assert_int_equal(cfg_read(f, first, PCI_HEADER_TYPE, 1), 0);
	pci_bar_init(&second->fn, 0, PCI_BAR_MEM32, false, 4096);
	assert_int_equal(pci_add_function(&first->fn, 5, &second->fn), 0);
	assert_int_equal(pci_add_function(&first->fn, 5, &second->fn), -EBUSY);
	assert_int_equal(cfg_read(f, first, PCI_HEADER_TYPE, 1), 0x80);
	assert_int_equal(pci_config_read(f->vm.pci, bdf, 0, 4), 0x56781234);
	assert_int_equal(pci_config_read(f->vm.pci, bdf - 1, 0, 4), ALL_ONES);
	assert_int_equal(pci_assign_bars(f->vm.pci), 0);
	assert_int_equal(mem_read(f, MEM_BASE + 4096), 0x200);
	/* A slot is free only without any of its functions. */
	pci_remove(&first->fn);
	assert_int_equal(plug_mem32(f, 3, 4096)->fn.slot, 2);
}

static void test_pci__extended_capabilities_are_a_list(void **state)
{
	static const u32 body = 0x11223344;
	struct fixture *f = *state;
	struct probe *p = new_probe(f, 1);

	assert_int_equal(pci_add_extended_capability(&p->fn, 3, 1, &body, 8),
			 0x100);
	assert_int_equal(pci_add_extended_capability(&p->fn, 11, 2, NULL, 12),
			 0x108);
	assert_int_equal(pci_add_extended_capability(&p->fn, 12, 1, NULL, 4),
			 0x114);
	plug(f, p);
	assert_int_equal(cfg_read(f, p, 0x100, 4), 0x10810003);
	assert_int_equal(cfg_read(f, p, 0x104, 4), body);
	assert_int_equal(cfg_read(f, p, 0x108, 4), 0x1142000b);
	assert_int_equal(cfg_read(f, p, 0x114, 4), 0x0001000c);
}

static struct probe *plug_msi(struct fixture *f)
{
	struct probe *p = new_probe(f, 1);

	assert_int_equal(pci_add_msi(&p->fn, 4), 0);
	plug(f, p);
	cfg_write(f, p, p->fn.msi_cap + PCI_MSI_ADDRESS_LO, 4, 0xfee01000);
	cfg_write(f, p, p->fn.msi_cap + PCI_MSI_DATA_64, 2, 0x4047);
	return p;
}

/* Enabled with 1 << @log2 vectors. */
static void enable_msi(struct fixture *f, struct probe *p, unsigned int log2)
{
	cfg_write(f, p, p->fn.msi_cap + PCI_MSI_FLAGS, 2,
		  PCI_MSI_FLAGS_ENABLE | log2 << 4);
}

static void test_msi__vector_stands_in_the_low_bits(void **state)
{
	struct fixture *f = *state;
	struct probe *p = plug_msi(f);

	pci_msi_signal(&p->fn, 0);
	assert_int_equal(nr_msis, 0);
	enable_msi(f, p, 2);
	pci_msi_signal(&p->fn, 2);
	assert_int_equal(last_msi.address, 0xfee01000);
	assert_int_equal(last_msi.data, 0x4046);
	assert_int_equal(last_msi.devid, bdf_of(p));
	/* With two vectors enabled the third event shares the first. */
	enable_msi(f, p, 1);
	pci_msi_signal(&p->fn, 2);
	assert_int_equal(last_msi.data, 0x4046);
	pci_msi_signal(&p->fn, 3);
	assert_int_equal(last_msi.data, 0x4047);
	/* More than the function has is cut. */
	enable_msi(f, p, 7);
	pci_msi_signal(&p->fn, 9);
	assert_int_equal(last_msi.data, 0x4045);
}

static void test_msi__enabled_lowers_the_line(void **state)
{
	struct fixture *f = *state;
	struct probe *p = plug_msi(f);

	pci_set_intx(&p->fn, true);
	assert_true(line_level);
	enable_msi(f, p, 0);
	assert_false(line_level);
	cfg_write(f, p, p->fn.msi_cap + PCI_MSI_FLAGS, 2, 0);
	assert_true(line_level);
}

static void test_msi__masked_vector_becomes_pending_until_unmasked(void **state)
{
	struct fixture *f = *state;
	struct probe *p = plug_msi(f);
	unsigned int pending = p->fn.msi_cap + PCI_MSI_PENDING_64;
	unsigned int mask = p->fn.msi_cap + PCI_MSI_MASK_64;

	enable_msi(f, p, 2);
	cfg_write(f, p, mask, 4, 0x2);
	pci_msi_signal(&p->fn, 1);
	assert_int_equal(nr_msis, 0);
	assert_int_equal(cfg_read(f, p, pending, 4), 2);
	cfg_write(f, p, pending, 4, 0);
	assert_int_equal(cfg_read(f, p, pending, 4), 2);
	cfg_write(f, p, mask, 4, 0);
	assert_int_equal(nr_msis, 1);
	assert_int_equal(last_msi.data, 0x4045);
	assert_int_equal(cfg_read(f, p, pending, 4), 0);
}

/* Control, where the data are, and where the mask is (0: nowhere). */
static const struct msi_layout {
	u16 control;
	unsigned int data, mask, len;
} msi_layouts[] = {
	{ 0, 8, 0, 10 },
	{ PCI_MSI_FLAGS_64BIT, 12, 0, 14 },
	{ PCI_MSI_FLAGS_MASKBIT, 8, 12, 20 },
	{ PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT, 12, 16, 24 },
};

static struct probe *adopt_msi(struct fixture *f, u32 id,
			       const struct msi_layout *layout)
{
	struct probe *p = new_probe(f, id);

	p->fn.config[0x60] = PCI_CAP_ID_MSI;
	/* What an earlier driver left: enabled, and an address. */
	pci_put_le(&p->fn.config[0x62], 2,
		   layout->control | 2 << 1 | PCI_MSI_FLAGS_ENABLE);
	pci_put_le(&p->fn.config[0x64], 4, 0xdeadbeec);
	assert_int_equal(pci_adopt_msi(&p->fn, 0x60), 0);
	plug(f, p);
	return p;
}

static void test_msi__adopted_capability_keeps_its_layout(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < ARRAY_SIZE(msi_layouts); i++) {
		const struct msi_layout *layout = &msi_layouts[i];
		struct probe *p = adopt_msi(f, i + 1, layout);

		assert_false(pci_msi_enabled(&p->fn));
		assert_int_equal(cfg_read(f, p, 0x64, 4), 0);
		cfg_write(f, p, 0x64, 4, 0xfee02003);
		cfg_write(f, p, 0x60 + layout->data, 2, 0x4030);
		/* Nothing behind the capability is anybody's to write. */
		cfg_write(f, p, 0x60 + (unsigned int)align_up(layout->len, 4),
			  4, ALL_ONES);
		assert_int_equal(
			cfg_read(f, p,
				 0x60 + (unsigned int)align_up(layout->len, 4),
				 4),
			0);
		cfg_write(f, p, 0x62, 2, PCI_MSI_FLAGS_ENABLE | 2 << 4);
		assert_int_equal(pci_msi_enabled_vectors(&p->fn), 4);
		pci_msi_signal(&p->fn, 3);
		assert_int_equal(last_msi.address, 0xfee02000);
		assert_int_equal(last_msi.data, 0x4033);
		if (!layout->mask)
			continue;
		nr_msis = 0;
		cfg_write(f, p, 0x60 + layout->mask, 4, 1);
		pci_msi_signal(&p->fn, 0);
		assert_int_equal(nr_msis, 0);
		assert_int_equal(cfg_read(f, p, 0x64 + layout->mask, 4), 1);
	}
}

static void test_msi__eventfd_is_tied_while_enabled_and_unmasked(void **state)
{
	struct fixture *f = *state;
	struct probe *p = adopt_msi(f, 1, &msi_layouts[3]);
	int fd = eventfd(0, EFD_NONBLOCK);

	assert_int_equal(pci_msi_connect(&p->fn, 4, fd), -EINVAL);
	assert_int_equal(pci_msi_connect(&p->fn, 1, fd), 0);
	assert_int_equal(nr_routes, 0);
	cfg_write(f, p, 0x64, 4, 0xfee02000);
	cfg_write(f, p, 0x6c, 2, 0x4030);
	cfg_write(f, p, 0x62, 2, PCI_MSI_FLAGS_ENABLE | 1 << 4);
	assert_int_equal(attached_fd, fd);
	assert_int_equal(route.address, 0xfee02000);
	assert_int_equal(route.data, 0x4031);
	/* Masked, its counter is what is pending. */
	cfg_write(f, p, 0x70, 4, 2);
	assert_int_equal(attached_fd, -1);
	assert_int_equal(cfg_read(f, p, 0x74, 4), 0);
	eventfd_write(fd, 1);
	assert_int_equal(cfg_read(f, p, 0x74, 4), 2);
	assert_int_equal(cfg_read(f, p, 0x74, 1), 2);
	cfg_write(f, p, 0x70, 4, 0);
	assert_int_equal(attached_fd, fd);
	/* With one vector enabled there is no second one. */
	cfg_write(f, p, 0x62, 2, PCI_MSI_FLAGS_ENABLE);
	assert_int_equal(attached_fd, -1);
	assert_int_equal(nr_routes, 0);
	pci_msi_connect(&p->fn, 1, -1);
	close(fd);
}

/* ---- What follows a BAR ---- */

static u64 watched_gpa, watched_len;

static void watch_mapped(struct pci_memory_watch *watch, u64 gpa, u64 len,
			 void *hva, u32 flags)
{
	assert_non_null(slot_at(gpa));
	watched_gpa = gpa;
	watched_len = len;
}

static void watch_unmapped(struct pci_memory_watch *watch, u64 gpa, u64 len,
			   u32 flags)
{
	/* Before it goes. */
	assert_non_null(slot_at(gpa));
	assert_int_equal(gpa, watched_gpa);
	assert_int_equal(len, watched_len);
	watched_gpa = 0;
}

static struct probe *plug_mapped(struct fixture *f, struct pci_memory *mem);

static void test_pci__memory_is_watched(void **state)
{
	struct pci_memory_watch watch = { watch_mapped, watch_unmapped };
	struct fixture *f = *state;
	struct pci_memory mem;
	struct probe *p;

	pci_watch_memory(f->vm.pci, &watch);
	p = plug_mapped(f, &mem);
	assert_int_equal(watched_gpa, MEM_BASE + 0x1000);
	assert_int_equal(watched_len, 0x2000);
	cfg_write(f, p, PCI_BASE_ADDRESS_0, 4, MEM_BASE + 0x50000);
	assert_int_equal(watched_gpa, MEM_BASE + 0x51000);
	cfg_write(f, p, PCI_COMMAND, 2, 0);
	assert_int_equal(watched_gpa, 0);
	pci_watch_memory(f->vm.pci, NULL);
}

static void test_pci__doorbell_follows_its_bar(void **state)
{
	struct fixture *f = *state;
	struct probe *a = plug_mem32(f, 1, 4096);
	struct probe *b = plug_mem32(f, 2, 4096);
	struct pci_doorbell db = { .offset = 0x40 };

	assert_int_equal(pci_assign_bars(f->vm.pci), 0);
	pci_doorbell_add(&a->fn, 0, &db);
	assert_int_equal(rung_at, MEM_BASE + 0x40);
	cfg_write(f, a, PCI_BASE_ADDRESS_0, 4, MEM_BASE + 0x6000);
	assert_int_equal(rung_at, MEM_BASE + 0x6040);
	/* Covered by another BAR, it is silent until that one leaves. */
	cfg_write(f, b, PCI_BASE_ADDRESS_0, 4, MEM_BASE + 0x6000);
	assert_int_equal(rung_at, 0);
	cfg_write(f, b, PCI_COMMAND, 2, 0);
	assert_int_equal(rung_at, MEM_BASE + 0x6040);
	pci_doorbell_remove(&a->fn, 0, &db);
	assert_int_equal(rung_at, 0);
}

/* 64 KiB, of which the second and third page are host memory. */
static struct probe *plug_mapped(struct fixture *f, struct pci_memory *mem)
{
	struct probe *p = new_probe(f, 1);

	*mem = (struct pci_memory){ .offset = 0x1000,
				    .len = 0x2000,
				    .hva = (u8 *)0x10000000 };
	pci_bar_init(&p->fn, 0, PCI_BAR_MEM32, false, 64 * KIB);
	pci_bar_add_memory(&p->fn, 0, mem);
	plug(f, p);
	assert_int_equal(pci_assign_bars(f->vm.pci), 0);
	return p;
}

static void test_pci__memory_follows_its_bar(void **state)
{
	struct fixture *f = *state;
	struct pci_memory mem;
	struct probe *p = plug_mapped(f, &mem);

	assert_null(slot_at(MEM_BASE + 0xfff));
	assert_ptr_equal(slot_at(MEM_BASE + 0x1000)->hva, mem.hva);
	assert_null(slot_at(MEM_BASE + 0x3000));
	cfg_write(f, p, PCI_BASE_ADDRESS_0, 4, MEM_BASE + 0x50000);
	assert_null(slot_at(MEM_BASE + 0x1000));
	assert_ptr_equal(slot_at(MEM_BASE + 0x51000)->hva, mem.hva);
	cfg_write(f, p, PCI_COMMAND, 2, 0);
	assert_null(slot_at(MEM_BASE + 0x51000));
}

static void test_pci__memory_gives_way_to_a_bar_on_top(void **state)
{
	struct fixture *f = *state;
	struct pci_memory mem;
	struct probe *p = plug_mapped(f, &mem);
	struct probe *small = plug_mem32(f, 2, 4096);
	u32 base = cfg_read(f, p, PCI_BASE_ADDRESS_0, 4);

	cfg_write(f, small, PCI_BASE_ADDRESS_0, 4, base + 0x2000);
	cfg_write(f, small, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_non_null(slot_at(base + 0x1000));
	assert_null(slot_at(base + 0x2000));
	assert_int_equal(mem_read(f, base + 0x2000), 0x200);
	cfg_write(f, small, PCI_COMMAND, 2, 0);
	assert_non_null(slot_at(base + 0x2000));
}

static u64 take_dirty(struct probe *p, const struct pci_memory *mem)
{
	u64 bitmap = 0;

	assert_int_equal(pci_memory_dirty(&p->fn, 0, mem, &bitmap), 0);
	return bitmap;
}

static void test_pci__written_pages_are_known_wherever_they_are(void **state)
{
	struct fixture *f = *state;
	struct pci_memory mem;
	struct probe *p = plug_mapped(f, &mem);
	struct probe *small = plug_mem32(f, 2, 4096);
	u32 base = cfg_read(f, p, PCI_BASE_ADDRESS_0, 4);

	assert_int_equal(take_dirty(p, &mem), 3); /* two pages, both new */
	assert_int_equal(take_dirty(p, &mem), 0);
	slot_at(base + 0x1000)->written = 2;
	assert_int_equal(take_dirty(p, &mem), 2);
	assert_int_equal(take_dirty(p, &mem), 0);
	/* What was written just before a move must not be lost. */
	cfg_write(f, p, PCI_BASE_ADDRESS_0, 4, MEM_BASE + 0x50000);
	assert_int_equal(take_dirty(p, &mem), 3);
	/* One page covered: the other is at its own bit. */
	cfg_write(f, small, PCI_BASE_ADDRESS_0, 4, MEM_BASE + 0x51000);
	cfg_write(f, small, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(take_dirty(p, &mem), 2);
	slot_at(MEM_BASE + 0x52000)->written = 1;
	assert_int_equal(take_dirty(p, &mem), 2);
	cfg_write(f, p, PCI_COMMAND, 2, 0);
	assert_int_equal(take_dirty(p, &mem), 0);
}

static void test_pci__refused_move_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct pci_memory mem;
	struct probe *p = plug_mapped(f, &mem);

	/* One slot that is in use cannot be had again at a new place. */
	refuse_slots = true;
	cfg_write(f, p, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_non_null(slot_at(MEM_BASE + 0x1000));
	cfg_write(f, p, PCI_COMMAND, 2, 0);
	assert_null(slot_at(MEM_BASE + 0x1000));
	cfg_write(f, p, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(cfg_read(f, p, PCI_COMMAND, 2), 0);
	assert_int_equal(mem_read(f, MEM_BASE), ALL_ONES);
	refuse_slots = false;
	cfg_write(f, p, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_non_null(slot_at(MEM_BASE + 0x1000));
	assert_int_equal(mem_read(f, MEM_BASE), 0x100);
}

/* ---- MSI-X: BAR 0, table at 0, PBA at 0x800, three vectors ---- */

static struct probe *plug_msix(struct fixture *f)
{
	struct probe *p = new_probe(f, 1);

	pci_bar_init(&p->fn, 0, PCI_BAR_MEM32, false, 4096);
	assert_int_equal(pci_add_msix(&p->fn, 0, 0, 0x800, 3), 0);
	plug(f, p);
	assert_int_equal(pci_assign_bars(f->vm.pci), 0);
	return p;
}

static void mem_write(struct fixture *f, u64 addr, unsigned int size, u64 value)
{
	struct bus_access acc = { .size = (u8)size,
				  .value = value,
				  .is_write = true };

	bus_dispatch(&f->vm.mmio, &f->mmio, addr, &acc);
}

static void set_msix_control(struct fixture *f, struct probe *p, u16 control)
{
	cfg_write(f, p, PCI_STD_HEADER_SIZEOF + PCI_MSIX_FLAGS, 2, control);
}

static void
test_msix__masked_vector_becomes_pending_until_unmasked(void **state)
{
	struct fixture *f = *state;
	struct probe *p = plug_msix(f);

	pci_msix_signal(&p->fn, 1);
	assert_int_equal(mem_read(f, MEM_BASE + 0x800), 0);
	set_msix_control(f, p, PCI_MSIX_FLAGS_ENABLE);
	mem_write(f, MEM_BASE + 0x10, 8, 0x1fee02000);
	mem_write(f, MEM_BASE + 0x18, 4, 0x55);
	pci_msix_signal(&p->fn, 1);
	assert_int_equal(mem_read(f, MEM_BASE + 0x800), 2);
	assert_int_equal(nr_msis, 0);
	mem_write(f, MEM_BASE + 0x1c, 4, 0);
	assert_int_equal(mem_read(f, MEM_BASE + 0x800), 0);
	assert_int_equal(nr_msis, 1);
	assert_int_equal(last_msi.address, 0x1fee02000);
	assert_int_equal(last_msi.data, 0x55);
}

static void test_msix__enabled_lowers_the_line(void **state)
{
	struct fixture *f = *state;
	struct probe *p = plug_msix(f);

	pci_set_intx(&p->fn, true);
	assert_true(line_level);
	set_msix_control(f, p, PCI_MSIX_FLAGS_ENABLE);
	assert_false(line_level);
	pci_set_intx(&p->fn, false);
	pci_set_intx(&p->fn, true);
	assert_false(line_level);
	set_msix_control(f, p, 0);
	assert_true(line_level);
}

static void test_msix__function_mask_holds_all_back(void **state)
{
	struct fixture *f = *state;
	struct probe *p = plug_msix(f);

	mem_write(f, MEM_BASE + 0x0c, 4, 0);
	mem_write(f, MEM_BASE + 0x2c, 4, 0);
	set_msix_control(f, p, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	pci_msix_signal(&p->fn, 0);
	pci_msix_signal(&p->fn, 2);
	assert_int_equal(mem_read(f, MEM_BASE + 0x800), 5);
	set_msix_control(f, p, PCI_MSIX_FLAGS_ENABLE);
	assert_int_equal(mem_read(f, MEM_BASE + 0x800), 0);
}

static void test_msix__hostile_accesses_stay_inside(void **state)
{
	struct fixture *f = *state;
	struct probe *p = plug_msix(f);

	set_msix_control(f, p, PCI_MSIX_FLAGS_ENABLE);
	pci_msix_signal(&p->fn, 3);
	pci_msix_signal(&p->fn, 0xfffe);
	/* Eight bytes at the last four of the table. */
	mem_write(f, MEM_BASE + 3 * 16 - 4, 8, ~0ULL);
	assert_int_equal(mem_read(f, MEM_BASE + 3 * 16 - 4), 1);
	/* The pending bits are not the guest's to write. */
	mem_write(f, MEM_BASE + 0x800, 8, ~0ULL);
	assert_int_equal(mem_read(f, MEM_BASE + 0x800), 0);
	/* What is neither table nor PBA belongs to the device. */
	assert_int_equal(mem_read(f, MEM_BASE + 3 * 16), 0x100);
}

/* Vector 1 is signalled by an eventfd. */
static int connect_vector(struct probe *p)
{
	int fd = eventfd(0, EFD_NONBLOCK);

	assert_true(fd >= 0);
	assert_int_equal(pci_msix_connect(&p->fn, 1, fd), 0);
	return fd;
}

static void test_msix__route_is_taken_when_enabled_and_freed(void **state)
{
	struct fixture *f = *state;
	struct probe *p = plug_msix(f);
	int fd = connect_vector(p);

	set_msix_control(f, p, PCI_MSIX_FLAGS_ENABLE);
	assert_int_equal(nr_routes, 0);
	mem_write(f, MEM_BASE + 0x10, 8, 0xfee03000);
	mem_write(f, MEM_BASE + 0x18, 4, 0x66);
	mem_write(f, MEM_BASE + 0x1c, 4, 0);
	assert_int_equal(nr_routes, 1);
	assert_int_equal(attached_fd, fd);
	assert_int_equal(route.address, 0xfee03000);
	assert_int_equal(route.data, 0x66);
	/* The route follows the table, however often it is written. */
	for (u32 data = 0; data < 1000; data++)
		mem_write(f, MEM_BASE + 0x18, 4, data);
	assert_int_equal(nr_routes, 1);
	assert_int_equal(route.data, 999);
	set_msix_control(f, p, 0);
	assert_int_equal(nr_routes, 0);
	assert_int_equal(attached_fd, -1);
	close(fd);
}

static void test_msix__masked_eventfd_is_pending(void **state)
{
	struct fixture *f = *state;
	struct probe *p = plug_msix(f);
	int fd = connect_vector(p);
	eventfd_t count;

	set_msix_control(f, p, PCI_MSIX_FLAGS_ENABLE);
	mem_write(f, MEM_BASE + 0x1c, 4, 0);
	mem_write(f, MEM_BASE + 0x1c, 4, 1);
	assert_int_equal(attached_fd, -1);
	assert_int_equal(mem_read(f, MEM_BASE + 0x800), 0);
	eventfd_write(fd, 1);
	assert_int_equal(mem_read(f, MEM_BASE + 0x800), 2);
	/* KVM finds the signal when the eventfd is tied to it again. */
	mem_write(f, MEM_BASE + 0x1c, 4, 0);
	assert_int_equal(attached_fd, fd);
	assert_int_equal(eventfd_read(fd, &count), 0);
	/* Function mask, then disabled: what is pending is forgotten. */
	set_msix_control(f, p, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	eventfd_write(fd, 1);
	assert_int_equal(mem_read(f, MEM_BASE + 0x800), 2);
	set_msix_control(f, p, 0);
	assert_int_equal(mem_read(f, MEM_BASE + 0x800), 0);
	assert_int_equal(eventfd_read(fd, &count), -1);
	assert_int_equal(pci_msix_connect(&p->fn, 1, -1), 0);
	close(fd);
	assert_int_equal(pci_msix_connect(&p->fn, 3, 0), -EINVAL);
}

static void test_msix__without_routes_it_stays_pending(void **state)
{
	struct fixture *f = *state;
	struct probe *p = plug_msix(f);
	int fd = connect_vector(p);

	refuse_routes = true;
	set_msix_control(f, p, PCI_MSIX_FLAGS_ENABLE);
	mem_write(f, MEM_BASE + 0x1c, 4, 0);
	eventfd_write(fd, 1);
	assert_int_equal(mem_read(f, MEM_BASE + 0x800), 2);
	refuse_routes = false;
	mem_write(f, MEM_BASE + 0x18, 4, 1);
	assert_int_equal(attached_fd, fd);
	pci_remove(&p->fn);
	assert_int_equal(nr_routes, 0);
	assert_int_equal(attached_fd, -1);
	close(fd);
}

/* ---- The dump ---- */

static void append(void *opaque, const char *text)
{
	char *all = opaque;
	size_t len = strlen(all);

	snprintf(all + len, 4096 - len, "%s\n", text);
}

static unsigned int written_first, written_nr;

static void msix_written(struct pci_function *fn, unsigned int first,
			 unsigned int nr)
{
	written_first = first;
	written_nr = nr;
}

static void test_msix__adopted_with_table_and_pba_in_two_bars(void **state)
{
	static const struct pci_function_ops ops = {
		.bar_access = probe_access,
		.msix_written = msix_written,
	};
	struct fixture *f = *state;
	struct probe *p = new_probe(f, 1);

	p->fn.ops = &ops;
	pci_bar_init(&p->fn, 0, PCI_BAR_MEM32, false, 0x4000);
	pci_bar_init(&p->fn, 3, PCI_BAR_MEM64, false, 0x4000);
	pci_put_le(&p->fn.config[0xa2], 2, 4 | PCI_MSIX_FLAGS_ENABLE);
	pci_put_le(&p->fn.config[0xa4], 4, 0x3fc0 | 3);
	pci_put_le(&p->fn.config[0xa8], 4, 0x1008);
	/* The fifth vector would be behind the BAR's end. */
	assert_int_equal(pci_adopt_msix(&p->fn, 0xa0), -EINVAL);
	pci_put_le(&p->fn.config[0xa2], 2, 3 | PCI_MSIX_FLAGS_ENABLE);
	assert_int_equal(pci_adopt_msix(&p->fn, 0xa0), 0);
	plug(f, p);
	assert_int_equal(pci_assign_bars(f->vm.pci), 0);
	assert_false(pci_msix_enabled(&p->fn));
	assert_int_equal(pci_msix_vectors(&p->fn), 4);
	/* Largest first, and of the same size in the order of their numbers. */
	assert_int_equal(mem_read(f, MEM_BASE + 0x7fcc), 1);
	assert_int_equal(mem_read(f, MEM_BASE + 0x1008), 0);
	assert_int_equal(mem_read(f, MEM_BASE + 0x1010), 0x100);
	assert_int_equal(mem_read(f, MEM_BASE + 0x3fc0), 0x100);
	assert_int_equal(mem_read(f, MEM_BASE + 0x5008), 0x103);
	mem_write(f, MEM_BASE + 0x7ffc, 4, 0);
	assert_int_equal(written_first, 3);
	assert_int_equal(written_nr, 1);
	assert_false(pci_msix_is_on(&p->fn, 3));
	cfg_write(f, p, 0xa2, 2, PCI_MSIX_FLAGS_ENABLE);
	assert_true(pci_msix_is_on(&p->fn, 3));
	assert_false(pci_msix_is_on(&p->fn, 2));
	assert_false(pci_msix_is_on(&p->fn, 4));
	cfg_write(f, p, 0xa2, 2,
		  PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	assert_false(pci_msix_is_on(&p->fn, 3));
	/* A write of 8 bytes that begins in one vector and ends in the next. */
	mem_write(f, MEM_BASE + 0x7fcc, 8, 0);
	assert_int_equal(written_first, 0);
	assert_int_equal(written_nr, 2);
}

static void test_pci__dump_shows_registers_and_mappings(void **state)
{
	char all[4096] = "";
	const struct text_sink sink = { append, all };
	struct fixture *f = *state;
	struct probe *p = plug_msix(f);
	struct pci_doorbell db = { .offset = 0x900 };

	pci_doorbell_add(&p->fn, 0, &db);
	mem_write(f, MEM_BASE, 8, 0xfee00000);
	set_msix_control(f, p, PCI_MSIX_FLAGS_ENABLE);
	pci_dump(f->vm.pci, &sink);
	assert_non_null(strstr(all, "00:00.0 1b36:0008 class 060000"));
	assert_non_null(strstr(all, "00:01.0 1234:5678 class ff0000 probe: "
				    "I/O- memory+ master-\n"));
	assert_non_null(strstr(all, "answers at 0xc0000000-0xc0000fff"));
	assert_non_null(strstr(all, "doorbell +0x900: eventfd"));
	assert_non_null(strstr(all, "MSI-X: 3 vectors, enabled"));
	assert_non_null(strstr(all, "0: address 0xfee00000, data 0x0, masked"));
	cfg_write(f, p, PCI_COMMAND, 2, 0);
	all[0] = '\0';
	pci_dump(f->vm.pci, &sink);
	assert_non_null(strstr(all, "at 0xc0000000: answers nowhere"));
	assert_non_null(strstr(all, "doorbell +0x900: traps"));
	pci_doorbell_remove(&p->fn, 0, &db);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pci__sizing_by_any_pattern),
		TEST(test_pci__sizing_each_half_of_a_64_bit_bar),
		TEST(test_pci__narrow_writes_change_only_their_bytes),
		TEST(test_pci__read_only_and_absent_registers),
		TEST(test_pci__status_errors_clear_by_writing_one),
		TEST(test_pci__decode_bits_act_apart),
		TEST(test_pci__bar_moves_with_decode_on),
		TEST(test_pci__outside_every_window_nobody_answers),
		TEST(test_pci__answers_beside_its_windows),
		TEST(test_pci__last_writer_owns_an_overlap),
		TEST(test_pci__covered_bar_comes_back_when_decode_goes_off),
		TEST(test_pci__small_bar_inside_a_large_one),
		TEST(test_pci__swap_with_decode_off),
		TEST(test_pci__rom_answers_only_while_enabled),
		TEST(test_pci__ecam_splits_wide_and_crossing_accesses),
		TEST(test_pci__thirty_third_device_is_refused),
		TEST(test_pci__largest_bars_are_placed_first),
		TEST(test_pci__what_does_not_fit_is_refused),
		TEST(test_pci__removed_function_is_gone),
		TEST(test_pci__intx_disable_gates_the_line),
		TEST(test_pci__functions_of_one_slot),
		TEST(test_pci__extended_capabilities_are_a_list),
		TEST(test_msi__vector_stands_in_the_low_bits),
		TEST(test_msi__enabled_lowers_the_line),
		TEST(test_msi__masked_vector_becomes_pending_until_unmasked),
		TEST(test_msi__adopted_capability_keeps_its_layout),
		TEST(test_msi__eventfd_is_tied_while_enabled_and_unmasked),
		TEST(test_pci__memory_is_watched),
		TEST(test_pci__doorbell_follows_its_bar),
		TEST(test_pci__memory_follows_its_bar),
		TEST(test_pci__memory_gives_way_to_a_bar_on_top),
		TEST(test_pci__written_pages_are_known_wherever_they_are),
		TEST(test_pci__refused_move_changes_nothing),
		TEST(test_msix__masked_vector_becomes_pending_until_unmasked),
		TEST(test_msix__enabled_lowers_the_line),
		TEST(test_msix__function_mask_holds_all_back),
		TEST(test_msix__hostile_accesses_stay_inside),
		TEST(test_msix__route_is_taken_when_enabled_and_freed),
		TEST(test_msix__masked_eventfd_is_pending),
		TEST(test_msix__without_routes_it_stays_pending),
		TEST(test_msix__adopted_with_table_and_pba_in_two_bars),
		TEST(test_pci__dump_shows_registers_and_mappings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
