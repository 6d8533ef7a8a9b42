/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PCI core with many threads and without KVM: four write configuration
 * space, four access BARs, one plugs and unplugs a device, for three seconds. A
 * neighbour that nobody touches answers each access; a model of KVM sees to it
 * that no doorbell and no memory slot is in the way of another.
 */
#include "lkvm/pci.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include "lkvm/arch.h"
#include "lkvm/kvm.h"
#include "pci_priv.h"
#include <cmocka.h> /* last: it has a macro named fail */

#define DURATION_SECONDS 3
#define NR_WRITERS 4
#define NR_ACCESSORS 4

#define IO_BASE 0x6000U
#define MEM_BASE 0xc0000000U
#define ECAM_BASE 0xe0000000U

/* BARs of a device, and where each is at home. */
#define MEM_BAR 0
#define IO_BAR 1
#define MSIX_BAR 2
#define MEM_LEN 0x10000U
#define IO_LEN 0x20U
#define MEM_HOME(id) (MEM_BASE + (id)*0x100000U)
#define IO_HOME(id) (IO_BASE + (id)*0x100U)
#define MSIX_HOME(id) (MEM_BASE + 0x10000000U + (id)*0x1000U)
#define BELL 0x40 /* in the memory BAR; behind it lies memory */
#define MAPPED 0x8000U

/* Devices are in the slots of these numbers. */
enum {
	NEIGHBOUR = 1,
	MOVER,
	OTHER_MOVER,
	COMING, /* and going */
	NR_IDS
};

struct probe {
	struct pci_function fn;
	u32 id;
	struct pci_doorbell memory_bell, port_bell;
	struct pci_memory memory;
};

static struct kvm vm;
static struct failure why;
static struct probe probes[NR_IDS];
static _Alignas(65536) u8 shown[NR_IDS][MEM_LEN];
static atomic_bool stop;
static atomic_uint wrong, reads, writes, plugs;

/* Asserts jump, which only the main thread can do. */
static void expect(bool condition)
{
	if (!condition)
		atomic_fetch_add(&wrong, 1);
}

/* ---- A model of KVM that refuses what KVM refuses ---- */

#define MAX_THINGS 32

static pthread_mutex_t kvm_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	u64 gpa, len;
} slots[MAX_THINGS];
static struct {
	u64 addr;
	bool is_port, used;
} bells[MAX_THINGS];

int memory_slot_add(struct memory *mem, u64 gpa, u64 len, void *hva, u32 flags)
{
	int slot = -ENOSPC;

	pthread_mutex_lock(&kvm_lock);
	for (int i = 0; i < MAX_THINGS; i++) {
		expect(!slots[i].len || gpa >= slots[i].gpa + slots[i].len ||
		       slots[i].gpa >= gpa + len);
		if (!slots[i].len)
			slot = i;
	}
	if (slot >= 0) {
		slots[slot].gpa = gpa;
		slots[slot].len = len;
	}
	pthread_mutex_unlock(&kvm_lock);
	return slot;
}

void memory_slot_remove(struct memory *mem, int slot)
{
	pthread_mutex_lock(&kvm_lock);
	expect(slots[slot].len);
	slots[slot].len = 0;
	pthread_mutex_unlock(&kvm_lock);
}

static int find_bell_locked(u64 addr, bool is_port)
{
	for (int i = 0; i < MAX_THINGS; i++)
		if (bells[i].used && bells[i].addr == addr &&
		    bells[i].is_port == is_port)
			return i;
	return -1;
}

int ioeventfd_add(int vm_fd, const struct ioeventfd *io)
{
	int err = -ENOSPC;

	pthread_mutex_lock(&kvm_lock);
	expect(find_bell_locked(io->addr, io->is_port) < 0);
	for (int i = 0; i < MAX_THINGS && err; i++) {
		if (bells[i].used)
			continue;
		bells[i].used = true;
		bells[i].addr = io->addr;
		bells[i].is_port = io->is_port;
		err = 0;
	}
	pthread_mutex_unlock(&kvm_lock);
	return err;
}

void ioeventfd_remove(int vm_fd, const struct ioeventfd *io)
{
	int i;

	pthread_mutex_lock(&kvm_lock);
	i = find_bell_locked(io->addr, io->is_port);
	expect(i >= 0);
	if (i >= 0)
		bells[i].used = false;
	pthread_mutex_unlock(&kvm_lock);
}

static bool has_bell(u64 addr, bool is_port)
{
	bool found;

	pthread_mutex_lock(&kvm_lock);
	found = find_bell_locked(addr, is_port) >= 0;
	pthread_mutex_unlock(&kvm_lock);
	return found;
}

int irq_signal_msi(struct irq_router *irq, const struct msi_message *msg)
{
	return 0;
}

struct irq_line arch_pci_irq_line(struct kvm *of, unsigned int slot,
				  unsigned int pin)
{
	return (struct irq_line){ .hub = NULL };
}

void irq_line_set(struct irq_line *line, bool level)
{
}

/* ---- Devices ---- */

static enum bus_result probe_access(struct pci_function *fn, unsigned int bar,
				    struct bus_access *acc)
{
	struct probe *probe = container_of(fn, struct probe, fn);

	/* Long enough to be inside while the region goes. */
	if (acc->offset % 0x100 == 0)
		sched_yield();
	if (!acc->is_write)
		acc->value = probe->id;
	return BUS_HANDLED;
}

/* As virtio does in its window of configuration space. */
static void probe_config_written(struct pci_function *fn, unsigned int offset,
				 unsigned int len, u32 value)
{
	if (offset == PCI_INTERRUPT_LINE)
		pci_set_intx(fn, pci_config_get(fn, offset, 1) & 1);
}

static void probe_config_read(struct pci_function *fn, unsigned int offset,
			      unsigned int len)
{
	if (offset == PCI_INTERRUPT_LINE)
		sched_yield();
}

static const struct pci_function_ops probe_ops = {
	.bar_access = probe_access,
	.config_written = probe_config_written,
	.config_read = probe_config_read,
};
static const struct pci_identity probe_identity = { .vendor = 0x1234,
						    .device = 0x5678,
						    .class_code = 0xff0000 };

static void write_config(u32 id, unsigned int reg, unsigned int size, u32 value)
{
	pci_config_write(vm.pci, id << 3, reg, size, value);
}

static void decode(u32 id, bool on)
{
	write_config(id, PCI_COMMAND, 2,
		     on ? PCI_COMMAND_IO | PCI_COMMAND_MEMORY : 0);
}

static void go_home(u32 id)
{
	write_config(id, PCI_BASE_ADDRESS_0 + 4 * MEM_BAR, 4, MEM_HOME(id));
	write_config(id, PCI_BASE_ADDRESS_0 + 4 * IO_BAR, 4, IO_HOME(id));
	write_config(id, PCI_BASE_ADDRESS_0 + 4 * MSIX_BAR, 4, MSIX_HOME(id));
	decode(id, true);
}

static void plug(struct probe *probe, u32 id)
{
	struct pci_function *fn = &probe->fn;

	pci_function_init(fn, "probe", &probe_ops, &probe_identity);
	probe->id = id;
	pci_bar_init(fn, MEM_BAR, PCI_BAR_MEM32, false, MEM_LEN);
	pci_bar_init(fn, IO_BAR, PCI_BAR_IO, false, IO_LEN);
	pci_bar_init(fn, MSIX_BAR, PCI_BAR_MEM32, false, 4096);
	probe->memory = (struct pci_memory){ .offset = MAPPED,
					     .len = MEM_LEN - MAPPED,
					     .hva = shown[id] + MAPPED };
	pci_bar_add_memory(fn, MEM_BAR, &probe->memory);
	pci_use_intx(fn);
	expect(!pci_add_msix(fn, MSIX_BAR, 0, 0x800, 3));
	expect(!pci_add(vm.pci, fn));
	expect(fn->slot == id);
	probe->memory_bell = (struct pci_doorbell){ .offset = BELL, .fd = 1 };
	probe->port_bell = (struct pci_doorbell){ .fd = 1, .len = 2 };
	pci_doorbell_add(fn, MEM_BAR, &probe->memory_bell);
	pci_doorbell_add(fn, IO_BAR, &probe->port_bell);
	go_home(id);
}

static void unplug(struct probe *probe)
{
	pci_doorbell_remove(&probe->fn, MEM_BAR, &probe->memory_bell);
	pci_doorbell_remove(&probe->fn, IO_BAR, &probe->port_bell);
	pci_remove(&probe->fn);
}

/* ---- Threads ---- */

static u32 next_random(u32 *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* One write of the kinds that guests do: moves, sizing, decode, MSI-X. */
static void write_something(u32 *seed)
{
	u32 id = MOVER + next_random(seed) % (NR_IDS - MOVER);
	u32 on = MOVER + next_random(seed) % (NR_IDS - MOVER);
	unsigned int reg = PCI_BASE_ADDRESS_0;

	switch (next_random(seed) % 8) {
	case 0:
		write_config(id, reg + 4 * MEM_BAR, 4, MEM_HOME(on));
		break;
	case 1:
		write_config(id, reg + 4 * IO_BAR, 4, IO_HOME(on));
		break;
	case 2: /* inside another's, so that it comes in pieces */
		write_config(id, reg + 4 * MSIX_BAR, 4, MEM_HOME(on) + 0x4000);
		break;
	case 3:
		write_config(id, reg + 4 * (next_random(seed) % 3), 4, ~0U);
		break;
	case 4:
		write_config(id, reg + 4 * (next_random(seed) % 3), 1, 0);
		break;
	case 5:
		decode(id, next_random(seed) % 2);
		break;
	case 6:
		write_config(id, PCI_STD_HEADER_SIZEOF + PCI_MSIX_FLAGS, 2,
			     next_random(seed));
		write_config(id, PCI_INTERRUPT_LINE, 1, next_random(seed));
		pci_config_read(vm.pci, id << 3, PCI_INTERRUPT_LINE, 1);
		break;
	default:
		go_home(id);
	}
	atomic_fetch_add(&writes, 1);
}

static void *writer(void *arg)
{
	u32 seed = (u32)(uintptr_t)arg;

	while (!stop)
		write_something(&seed);
	return NULL;
}

struct accessor {
	pthread_t thread;
	u32 seed;
	struct bus_reader ports, mmio;
};

static u32 read_at(struct bus *bus, struct bus_reader *reader, u64 addr)
{
	struct bus_access acc = { .size = 4 };

	bus_dispatch(bus, reader, addr, &acc);
	return (u32)acc.value;
}

static void write_at(struct bus *bus, struct bus_reader *reader, u64 addr)
{
	struct bus_access acc = { .size = 4, .is_write = true };

	bus_dispatch(bus, reader, addr, &acc);
}

/* Any device that moves, or nobody, or the entries of an MSI-X table. */
static bool is_plausible(u32 value)
{
	return value == ~0U || (value >= MOVER && value < NR_IDS);
}

static void access_something(struct accessor *a)
{
	u32 id = MOVER + next_random(&a->seed) % (NR_IDS - MOVER);
	u32 far = next_random(&a->seed) % 0x20 * 0x100;

	expect(read_at(&vm.mmio, &a->mmio, MEM_HOME(NEIGHBOUR) + far) ==
	       NEIGHBOUR);
	expect(read_at(&vm.ports, &a->ports, IO_HOME(NEIGHBOUR)) == NEIGHBOUR);
	expect(is_plausible(
		read_at(&vm.mmio, &a->mmio, MEM_HOME(id) + far % 0x4000)));
	expect(is_plausible(read_at(&vm.ports, &a->ports, IO_HOME(id))));
	write_at(&vm.mmio, &a->mmio, MSIX_HOME(id));
	write_at(&vm.mmio, &a->mmio, MEM_HOME(id) + 0x4000);
	/* ECAM, from within an access to the bus. */
	read_at(&vm.mmio, &a->mmio, ECAM_BASE + (id << 15));
	atomic_fetch_add(&reads, 1);
}

static void *accessor_main(void *arg)
{
	struct accessor *a = arg;

	bus_attach(&vm.ports, &a->ports);
	bus_attach(&vm.mmio, &a->mmio);
	while (!stop)
		access_something(a);
	bus_detach(&vm.mmio, &a->mmio);
	bus_detach(&vm.ports, &a->ports);
	return NULL;
}

static void *plugger(void *arg)
{
	while (!stop) {
		struct probe *probe = calloc(1, sizeof(*probe));

		if (!probe)
			continue;
		plug(probe, COMING);
		sched_yield();
		unplug(probe);
		free(probe);
		atomic_fetch_add(&plugs, 1);
	}
	return NULL;
}

/* ---- The test ---- */

static int setup(void **state)
{
	static const struct pci_windows windows = {
		.io = { IO_BASE, 0xa000 },
		.mem32 = { MEM_BASE, 512 * MIB },
		.ecam = { ECAM_BASE, 256 * MIB },
	};

	why = (struct failure)FAILURE_INIT;
	vm.failure = &why;
	vm.fd = -1;
	bus_init(&vm.ports, "port", &why);
	bus_init(&vm.mmio, "memory", &why);
	assert_int_equal(pci_create(&vm, &windows), 0);
	for (u32 id = NEIGHBOUR; id < COMING; id++)
		plug(&probes[id], id);
	return 0;
}

static int teardown(void **state)
{
	for (u32 id = NEIGHBOUR; id < COMING; id++)
		unplug(&probes[id]);
	pci_destroy(&vm);
	bus_release(&vm.mmio);
	bus_release(&vm.ports);
	for (int i = 0; i < MAX_THINGS; i++) {
		assert_int_equal(slots[i].len, 0);
		assert_false(bells[i].used);
	}
	return 0;
}

static void run_for_a_while(void)
{
	struct timespec duration = { .tv_sec = DURATION_SECONDS };
	struct accessor accessors[NR_ACCESSORS];
	pthread_t writers[NR_WRITERS], plugging;

	for (unsigned int i = 0; i < NR_ACCESSORS; i++) {
		accessors[i] = (struct accessor){ .seed = 100 + i };
		assert_int_equal(pthread_create(&accessors[i].thread, NULL,
						accessor_main, &accessors[i]),
				 0);
	}
	for (unsigned int i = 0; i < NR_WRITERS; i++)
		assert_int_equal(pthread_create(&writers[i], NULL, writer,
						(void *)(uintptr_t)(i + 1)),
				 0);
	assert_int_equal(pthread_create(&plugging, NULL, plugger, NULL), 0);
	nanosleep(&duration, NULL);
	stop = true;
	pthread_join(plugging, NULL);
	for (unsigned int i = 0; i < NR_WRITERS; i++)
		pthread_join(writers[i], NULL);
	for (unsigned int i = 0; i < NR_ACCESSORS; i++)
		pthread_join(accessors[i].thread, NULL);
}

static void test_pci__moves_race_with_accesses(void **state)
{
	struct bus_reader ports, mmio;

	run_for_a_while();
	print_message("%u writes, %u rounds of accesses, %u plugs\n", writes,
		      reads, plugs);
	assert_int_equal(wrong, 0);
	assert_true(writes && reads && plugs);

	/* And all is well afterwards. */
	bus_attach(&vm.ports, &ports);
	bus_attach(&vm.mmio, &mmio);
	for (u32 id = NEIGHBOUR; id < COMING; id++)
		go_home(id);
	for (u32 id = NEIGHBOUR; id < COMING; id++) {
		assert_int_equal(read_at(&vm.mmio, &mmio, MEM_HOME(id)), id);
		assert_int_equal(read_at(&vm.ports, &ports, IO_HOME(id)), id);
		assert_true(has_bell(MEM_HOME(id) + BELL, false));
		assert_true(has_bell(IO_HOME(id), true));
	}
	assert_int_equal(read_at(&vm.mmio, &mmio, MEM_HOME(COMING)), ~0U);
	bus_detach(&vm.mmio, &mmio);
	bus_detach(&vm.ports, &ports);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_pci__moves_race_with_accesses, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
