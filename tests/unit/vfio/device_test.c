/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Passed-through devices over a model of VFIO: what the guest sees of a device,
 * and what the host is told, for the layouts that real devices have.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "lkvm/arch.h"
#include "lkvm/devices.h"
#include "lkvm/kvm.h"
#include "tests/support/fake_vfio.h"
#include "tests/support/fake_virtio.h"
#include "vfio/uapi.h"
#include "vfio/vfio_priv.h"
#include <cmocka.h> /* last: it has a macro named fail */

#define MEM_BASE 0xc0000000
#define ALL_ONES 0xffffffffU
#define MSIX_BIT PCI_MSIX_ENTRY_CTRL_MASKBIT

/* ---- A model of KVM's slots, routes and irqfds ---- */

#define MAX_SLOTS 16

static struct slot {
	u64 gpa, len;
	u8 *hva;
	u32 flags;
} slots[MAX_SLOTS];

int memory_slot_add(struct memory *mem, u64 gpa, u64 len, void *hva, u32 flags)
{
	for (int i = 0; i < MAX_SLOTS; i++) {
		if (slots[i].len)
			continue;
		slots[i] = (struct slot){ gpa, len, hva, flags };
		return i;
	}
	return -ENOSPC;
}

void memory_slot_remove(struct memory *mem, int slot)
{
	slots[slot].len = 0;
}

static const struct slot *slot_at(u64 gpa)
{
	for (int i = 0; i < MAX_SLOTS; i++)
		if (gpa - slots[i].gpa < slots[i].len)
			return &slots[i];
	return NULL;
}

static int attached[64]; /* fd by GSI; 0: none */
static int resample_fd;
static struct msi_message routes[64];
static unsigned int nr_routes;

int irq_route_alloc(struct irq_router *irq, const struct msi_message *msg)
{
	routes[32 + nr_routes] = *msg;
	return (int)(32 + nr_routes++);
}

int irq_route_update(struct irq_router *irq, u32 gsi,
		     const struct msi_message *msg)
{
	routes[gsi] = *msg;
	return 0;
}

void irq_route_free(struct irq_router *irq, u32 gsi)
{
	nr_routes--;
}

int irqfd_attach(struct irq_router *irq, u32 gsi, int fd, int resample)
{
	assert_int_equal(attached[gsi], 0);
	attached[gsi] = fd;
	if (resample >= 0)
		resample_fd = resample;
	return 0;
}

void irqfd_detach(struct irq_router *irq, u32 gsi, int fd)
{
	assert_int_equal(attached[gsi], fd);
	attached[gsi] = 0;
}

#define INTX_GSI 17

static struct irq_line_hub hub = { .vm_fd = -1, .gsi = INTX_GSI };

struct irq_line arch_pci_irq_line(struct kvm *vm, unsigned int slot,
				  unsigned int pin)
{
	return (struct irq_line){ .hub = &hub };
}

/* ---- A machine with the device ---- */

void device_register(struct kvm *vm, struct device *dev,
		     const struct device_ops *ops)
{
	dev->ops = ops;
	dev->vm = vm;
	dev->next = vm->devices;
	vm->devices = dev;
}

static void stop_devices(struct kvm *vm)
{
	for (struct device *dev = vm->devices; dev; dev = dev->next)
		if (dev->ops->stop)
			dev->ops->stop(dev);
}

static void destroy_devices(struct kvm *vm)
{
	struct device *dev;

	while ((dev = vm->devices)) {
		vm->devices = dev->next;
		dev->ops->destroy(dev);
	}
}

struct fixture {
	struct fake_guest guest;
	struct fake_vm fake;
};

static int setup(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	memset(slots, 0, sizeof(slots));
	memset(attached, 0, sizeof(attached));
	resample_fd = -1;
	nr_routes = 0;
	fake_vfio_init();
	fake_guest_init(&f->guest, 64 * KIB);
	fake_vm_init(&f->fake, &f->guest);
	memcpy(f->fake.config.vfio[0].name, FAKE_VFIO_NAME,
	       sizeof(FAKE_VFIO_NAME));
	f->fake.config.nr_vfio = 1;
	*state = f;
	return 0;
}

/* The end of a VM, after which nothing of the device is in use. */
static int teardown(void **state)
{
	struct fixture *f = *state;

	stop_devices(&f->fake.vm);
	destroy_devices(&f->fake.vm);
	assert_int_equal(fake_vfio.nr_open, 0);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(fake_vfio.nr_enabled[i], 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(attached); i++)
		assert_int_equal(attached[i], 0);
	for (unsigned int i = 0; i < MAX_SLOTS; i++)
		assert_int_equal(slots[i].len, 0);
	fake_vm_release(&f->fake);
	fake_guest_release(&f->guest);
	fake_vfio_release();
	test_free(f);
	return 0;
}

static struct fake_vm *start(void **state)
{
	struct fixture *f = *state;

	if (vfio_class.create(&f->fake.vm, &f->fake.config))
		fail_msg("%s", f->fake.why.text);
	fake_vm_start(&f->fake);
	return &f->fake;
}

static void expect_refusal(void **state, const char *text)
{
	struct fixture *f = *state;

	assert_true(vfio_class.create(&f->fake.vm, &f->fake.config) < 0);
	if (!strstr(f->fake.why.text, text))
		fail_msg("%s", f->fake.why.text);
}

static u64 bar_address(struct fake_vm *fake, unsigned int bar)
{
	return fake_config_read(fake, PCI_BASE_ADDRESS_0 + 4 * bar, 4) & ~0xfU;
}

/* ---- Configuration space ---- */

static void test_config__header_is_the_devices(void **state)
{
	struct fake_vm *fake = start(state);

	assert_int_equal(fake_config_read(fake, PCI_VENDOR_ID, 4), 0x12348086);
	assert_int_equal(fake_config_read(fake, PCI_CLASS_REVISION, 4),
			 0x02000003);
	/* One function, and pin A whatever the host has. */
	assert_int_equal(fake_config_read(fake, PCI_HEADER_TYPE, 1), 0);
	assert_int_equal(fake_config_read(fake, PCI_INTERRUPT_PIN, 1), 1);
	/* No extended space. */
	assert_int_equal(fake_config_read(fake, 0x100, 4), 0);
}

static void test_config__capabilities_keep_place_and_order(void **state)
{
	struct fake_vm *fake;

	fake_vfio_add_cap(0x50, PCI_CAP_ID_PM);
	fake_vfio_add_cap(0x90, PCI_CAP_ID_EA);
	fake_vfio_add_cap(0x60, PCI_CAP_ID_VNDR);
	fake_vfio_put(0x60 + 4, 4, 0xcafe);
	fake = start(state);
	assert_int_equal(fake_config_read(fake, PCI_CAPABILITY_LIST, 1), 0x50);
	assert_int_equal(fake_config_read(fake, 0x51, 1), 0x60);
	assert_int_equal(fake_config_read(fake, 0x60, 2), PCI_CAP_ID_VNDR);
	assert_int_equal(fake_config_read(fake, 0x64, 4), 0xcafe);
	/* What the device changes is seen at once. */
	fake_vfio_put(0x64, 4, 0xbabe);
	assert_int_equal(fake_config_read(fake, 0x64, 4), 0xbabe);
}

static void test_config__chain_that_bites_its_tail_ends(void **state)
{
	struct fake_vm *fake;

	fake_vfio_add_cap(0x50, PCI_CAP_ID_PM);
	fake_vfio_add_cap(0x60, PCI_CAP_ID_VNDR);
	fake_vfio_put(0x61, 1, 0x50);
	fake = start(state);
	assert_int_equal(fake_config_read(fake, 0x51, 1), 0x60);
	assert_int_equal(fake_config_read(fake, 0x61, 1), 0);
}

static void test_config__writes_reach_the_device_once(void **state)
{
	struct fake_vm *fake;
	unsigned int before;

	fake_vfio_add_cap(0x60, PCI_CAP_ID_EXP);
	fake = start(state);
	before = fake_vfio.nr_config_writes;
	fake_config_write(fake, 0x68, 2, 0x2810);
	assert_int_equal(fake_vfio.nr_config_writes, before + 1);
	assert_int_equal(fake_vfio.last_config_offset, 0x68);
	assert_int_equal(fake_vfio.last_config_len, 2);
	assert_int_equal(fake_vfio_get(0x68, 2), 0x2810);
	/* Of these four bytes two are the list's, which nobody changes. */
	fake_config_write(fake, 0x60, 4, 0x12345678);
	assert_int_equal(fake_vfio_get(0x60, 4), 0x12340010);
	/* BARs, interrupt line and the list are the core's alone. */
	before = fake_vfio.nr_config_writes;
	fake_config_write(fake, PCI_BASE_ADDRESS_0, 4, ALL_ONES);
	fake_config_write(fake, PCI_INTERRUPT_LINE, 1, 5);
	fake_config_write(fake, PCI_CAPABILITY_LIST, 1, 0xff);
	assert_int_equal(fake_vfio.nr_config_writes, before);
}

static void test_config__device_decodes_whatever_the_guest_does(void **state)
{
	struct fake_vm *fake = start(state);

	fake_config_write(fake, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	assert_int_equal(fake_config_read(fake, PCI_COMMAND, 2),
			 PCI_COMMAND_MASTER);
	assert_int_equal(fake_vfio_get(PCI_COMMAND, 2),
			 PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY |
				 PCI_COMMAND_IO);
	fake_config_write(fake, PCI_COMMAND, 2, PCI_COMMAND_INTX_DISABLE);
	assert_int_equal(fake_vfio_get(PCI_COMMAND, 2),
			 PCI_COMMAND_INTX_DISABLE | PCI_COMMAND_MEMORY |
				 PCI_COMMAND_IO);
}

static void test_config__status_is_mixed(void **state)
{
	struct fake_vm *fake;

	fake_vfio_add_cap(0x90, PCI_CAP_ID_EA);
	fake = start(state);
	/* The only capability is hidden, and so is the list. */
	fake_vfio_put(PCI_STATUS, 2, 0x2018);
	assert_int_equal(fake_config_read(fake, PCI_STATUS, 2), 0x2008);
	assert_int_equal(fake_config_read(fake, PCI_CAPABILITY_LIST, 1), 0);
}

static void test_config__sleep_is_pretended(void **state)
{
	struct fake_vm *fake;

	fake_vfio_add_cap(0x50, PCI_CAP_ID_PM);
	fake_vfio_put(0x52, 2, 0xc803);
	fake = start(state);
	fake_config_write(fake, 0x54, 2, 0x8103);
	assert_int_equal(fake_config_read(fake, 0x54, 2),
			 PCI_PM_CTRL_NO_SOFT_RESET | 3);
	assert_int_equal(fake_config_read(fake, 0x52, 2), 3);
	assert_int_equal(fake_vfio_get(0x54, 2), 0);
}

static void test_config__extended_capabilities_are_chosen(void **state)
{
	struct fake_vm *fake;

	fake_vfio.config_len = 4096;
	fake_vfio_put(0x100, 4, 0x15010000 | PCI_EXT_CAP_ID_SRIOV);
	fake_vfio_put(0x150, 4, 0x20010000 | PCI_EXT_CAP_ID_DSN);
	fake_vfio_put(0x154, 4, 0x11223344);
	fake_vfio_put(0x200, 4, 0x30010000 | PCI_EXT_CAP_ID_REBAR);
	fake_vfio_put(0x300, 4, 0x10020000 | PCI_EXT_CAP_ID_ERR);
	fake = start(state);
	assert_int_equal(fake_config_read(fake, 0x100, 4), 0x15000000);
	assert_int_equal(fake_config_read(fake, 0x150, 4),
			 0x30010000 | PCI_EXT_CAP_ID_DSN);
	assert_int_equal(fake_config_read(fake, 0x154, 4), 0x11223344);
	assert_int_equal(fake_config_read(fake, 0x200, 4), 0);
	/* It pointed back to the first. */
	assert_int_equal(fake_config_read(fake, 0x300, 4),
			 0x00020000 | PCI_EXT_CAP_ID_ERR);
}

static void test_config__bridge_is_refused(void **state)
{
	fake_vfio_put(PCI_HEADER_TYPE, 1, PCI_HEADER_TYPE_BRIDGE);
	expect_refusal(state, "a bridge cannot be passed through");
}

/* ---- BARs ---- */

static void test_bar__64_bit_bar_at_an_odd_index(void **state)
{
	struct fake_vm *fake;

	fake_vfio_add_bar(0, 0, 4096);
	fake_vfio_add_bar(
		1, PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH,
		64 * KIB);
	fake_vfio_add_bar(3, PCI_BASE_ADDRESS_SPACE_IO, 64);
	fake = start(state);
	assert_int_equal(fake_config_read(fake, PCI_BASE_ADDRESS_1, 4) & 0xf,
			 0xc);
	assert_int_equal(fake_config_read(fake, PCI_BASE_ADDRESS_3, 4) & 3, 1);
	fake_config_write(fake, PCI_BASE_ADDRESS_2, 4, ALL_ONES);
	assert_int_equal(fake_config_read(fake, PCI_BASE_ADDRESS_2, 4),
			 ALL_ONES);
	fake_config_write(fake, PCI_BASE_ADDRESS_2, 4, 0);
	assert_ptr_equal(slot_at(bar_address(fake, 1))->hva,
			 fake_vfio.regions[1].bytes);
	fake_bar_write(fake, 3, 8, 4, 0x1234);
	assert_int_equal(fake_bar_read(fake, 3, 8, 2), 0x1234);
}

/* As in an NVMe controller: registers, table and pending bits in one BAR. */
static void test_bar__table_shares_pages_with_registers(void **state)
{
	struct fake_vm *fake;
	u64 base;

	fake_vfio_add_bar(0, PCI_BASE_ADDRESS_MEM_TYPE_64, 16 * KIB);
	fake_vfio_add_msix(0x70, 8, 0x2200, 0x2800);
	fake = start(state);
	base = bar_address(fake, 0);
	assert_int_equal(slot_at(base)->len, 0x2000);
	assert_null(slot_at(base + 0x2000));
	assert_ptr_equal(slot_at(base + 0x3000)->hva,
			 fake_vfio.regions[0].bytes + 0x3000);
	/* Beside the table, and between it and the pending bits. */
	fake_bar_write(fake, 0, 0x21fc, 4, 0xa5a5a5a5);
	assert_int_equal(fake_vfio.regions[0].bytes[0x21ff], 0xa5);
	fake_bar_write(fake, 0, 0x2280, 8, 0x1122334455667788);
	assert_int_equal(fake_vfio.regions[0].bytes[0x2287], 0x11);
	assert_int_equal(fake_bar_read(fake, 0, 0x2280, 8), 0x1122334455667788);
	/* The table is the core's: masked, and not the device's. */
	assert_int_equal(fake_bar_read(fake, 0, 0x220c, 4), MSIX_BIT);
	fake_vfio.regions[0].bytes[0x2200] = 0x77;
	assert_int_equal(fake_bar_read(fake, 0, 0x2200, 4), 0);
	assert_int_equal(fake_bar_read(fake, 0, 0x2800, 8), 0);
}

static void test_bar__smaller_than_a_page_traps(void **state)
{
	struct fake_vm *fake;

	fake_vfio_add_bar(0, 0, 256);
	fake = start(state);
	assert_null(slot_at(bar_address(fake, 0)));
	fake_bar_write(fake, 0, 0xfc, 4, 0x01020304);
	assert_int_equal(fake_bar_read(fake, 0, 0xfe, 1), 2);
	assert_int_equal(fake_vfio.regions[0].bytes[0xff], 1);
}

static void test_bar__at_an_unaligned_address_traps(void **state)
{
	struct fake_vm *fake;

	fake_vfio_add_bar(0, 0, 4096);
	fake = start(state);
	assert_non_null(slot_at(bar_address(fake, 0)));
	fake_config_write(fake, PCI_BASE_ADDRESS_0, 4, MEM_BASE + 0x5000);
	assert_non_null(slot_at(MEM_BASE + 0x5000));
	fake_config_write(fake, PCI_COMMAND, 2, 0);
	assert_null(slot_at(MEM_BASE + 0x5000));
}

static void test_bar__sparse_mmap_is_honoured(void **state)
{
	struct fake_vfio_region *region = &fake_vfio.regions[2];
	struct fake_vm *fake;
	u64 base;

	fake_vfio_add_bar(2, 0, 64 * KIB);
	region->nr_sparse = 3;
	region->sparse[0].size = 0x1000;
	region->sparse[1].offset = 0x4000;
	region->sparse[1].size = 0x2000;
	/* Beyond the end: not the kernel's usual answer. */
	region->sparse[2].offset = 0xf000;
	region->sparse[2].size = 0x2000;
	fake = start(state);
	base = bar_address(fake, 2);
	assert_int_equal(slot_at(base)->len, 0x1000);
	assert_null(slot_at(base + 0x1000));
	assert_int_equal(slot_at(base + 0x4000)->len, 0x2000);
	assert_null(slot_at(base + 0xf000));
}

static void test_bar__bad_capabilities_are_none(void **state)
{
	fake_vfio_add_bar(2, 0, 64 * KIB);
	fake_vfio.regions[2].bad_caps = true;
	start(state);
}

static void test_bar__that_makes_no_sense_is_refused(void **state)
{
	fake_vfio_add_bar(0, PCI_BASE_ADDRESS_MEM_TYPE_64, 1ULL << 63);
	expect_refusal(state, "makes no sense");
}

/* ---- The expansion ROM ---- */

static void make_rom(u64 size)
{
	struct fake_vfio_region *rom =
		&fake_vfio.regions[VFIO_PCI_ROM_REGION_INDEX];

	rom->size = size;
	rom->bytes = aligned_alloc(4096, size);
	for (u64 i = 0; i < size; i++)
		rom->bytes[i] = (u8)(i * 7);
	rom->bytes[0] = 0x55;
	rom->bytes[1] = 0xaa;
}

/* The ROM's enable bit is off in the device, as after each reset. */
static void test_rom__is_the_devices_copy(void **state)
{
	const u8 *bytes;
	struct fake_vm *fake;

	make_rom(8192);
	fake_vfio_put(PCI_ROM_ADDRESS, 4, 0xfe000000);
	fake = start(state);
	assert_null(slot_at(MEM_BASE));
	fake_config_write(fake, PCI_ROM_ADDRESS, 4,
			  MEM_BASE | PCI_ROM_ADDRESS_ENABLE);
	fake_config_write(fake, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	bytes = slot_at(MEM_BASE)->hva;
	assert_int_equal(slot_at(MEM_BASE)->flags, KVM_MEM_READONLY);
	assert_memory_equal(bytes,
			    fake_vfio.regions[VFIO_PCI_ROM_REGION_INDEX].bytes,
			    8192);
	/* It is no target of DMA. */
	assert_int_equal(fake_vfio.nr_maps, 1);
}

static void test_rom__off(void **state)
{
	struct fixture *f = *state;
	struct fake_vm *fake;

	make_rom(8192);
	f->fake.config.vfio[0].rom_off = true;
	fake = start(state);
	fake_config_write(fake, PCI_ROM_ADDRESS, 4, ALL_ONES);
	assert_int_equal(fake_config_read(fake, PCI_ROM_ADDRESS, 4), 0);
}

static void test_rom__from_a_file(void **state)
{
	struct fixture *f = *state;
	struct fake_vm *fake;
	char path[128];

	fake_vfio_file("/rom", "ROM of mine");
	snprintf(path, sizeof(path), "%s/rom", fake_vfio.root);
	f->fake.config.vfio[0].romfile = path;
	fake = start(state);
	fake_config_write(fake, PCI_ROM_ADDRESS, 4,
			  MEM_BASE | PCI_ROM_ADDRESS_ENABLE);
	fake_config_write(fake, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_memory_equal(slot_at(MEM_BASE)->hva, "ROM of mine\xff", 12);
	/* The path is this function's. */
	stop_devices(&f->fake.vm);
	destroy_devices(&f->fake.vm);
}

static void test_rom__without_a_signature_is_none(void **state)
{
	struct fake_vm *fake;

	make_rom(8192);
	fake_vfio.regions[VFIO_PCI_ROM_REGION_INDEX].bytes[0] = 0xff;
	fake = start(state);
	fake_config_write(fake, PCI_ROM_ADDRESS, 4, ALL_ONES);
	assert_int_equal(fake_config_read(fake, PCI_ROM_ADDRESS, 4), 0);
}

/* ---- Interrupts ---- */

static void test_irq__intx_goes_through_eventfds(void **state)
{
	start(state);
	assert_int_equal(fake_vfio.nr_enabled[VFIO_PCI_INTX_IRQ_INDEX], 1);
	assert_int_equal(attached[INTX_GSI],
			 fake_vfio.irq_fds[VFIO_PCI_INTX_IRQ_INDEX][0]);
	assert_int_equal(fake_vfio.unmask_fd, resample_fd);
	assert_true(resample_fd >= 0);
}

static void test_irq__device_without_a_pin(void **state)
{
	struct fake_vm *fake;

	fake_vfio.nr_irqs[VFIO_PCI_INTX_IRQ_INDEX] = 0;
	fake = start(state);
	assert_int_equal(fake_config_read(fake, PCI_INTERRUPT_PIN, 1), 0);
	assert_int_equal(attached[INTX_GSI], 0);
}

static void test_irq__msi_only_with_several_messages(void **state)
{
	struct fake_vm *fake;

	fake_vfio_add_cap(0x50, PCI_CAP_ID_MSI);
	fake_vfio_put(0x52, 2, 3 << 1 | PCI_MSI_FLAGS_64BIT);
	fake_vfio.nr_irqs[VFIO_PCI_MSI_IRQ_INDEX] = 8;
	fake = start(state);
	fake_config_write(fake, 0x54, 4, 0xfee01000);
	fake_config_write(fake, 0x5c, 2, 0x4040);
	fake_config_write(fake, 0x52, 2, PCI_MSI_FLAGS_ENABLE | 2 << 4);
	/* INTx went, in the host and in KVM, before MSI came. */
	assert_int_equal(attached[INTX_GSI], 0);
	assert_int_equal(fake_vfio.nr_enabled[VFIO_PCI_MSI_IRQ_INDEX], 4);
	assert_int_equal(nr_routes, 4);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(routes[32 + i].data, 0x4040 + i);
		assert_int_equal(attached[32 + i],
				 fake_vfio.irq_fds[VFIO_PCI_MSI_IRQ_INDEX][i]);
	}
	/* The device's own capability was left alone. */
	assert_int_equal(fake_vfio_get(0x54, 4), 0);
	fake_config_write(fake, 0x52, 2, 0);
	assert_int_equal(nr_routes, 0);
	assert_int_equal(fake_vfio.nr_enabled[VFIO_PCI_INTX_IRQ_INDEX], 1);
	assert_true(attached[INTX_GSI] > 0);
	/* And again, with one. */
	fake_config_write(fake, 0x52, 2, PCI_MSI_FLAGS_ENABLE);
	assert_int_equal(fake_vfio.nr_enabled[VFIO_PCI_MSI_IRQ_INDEX], 1);
}

static struct fake_vm *start_msix(void **state)
{
	struct fake_vm *fake;

	fake_vfio_add_bar(3, 0, 16 * KIB);
	fake_vfio_add_msix(0xa0, 257, 3, 0x2003);
	fake = start(state);
	return fake;
}

static void unmask(struct fake_vm *fake, unsigned int vector)
{
	u64 entry = vector * PCI_MSIX_ENTRY_SIZE;

	fake_bar_write(fake, 3, entry, 4, 0xfee02000);
	fake_bar_write(fake, 3, entry + 8, 4, 0x4100 + vector);
	fake_bar_write(fake, 3, entry + 12, 4, 0);
}

static unsigned int nr_fds(void)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < 257; i++)
		nr += fake_vfio.irq_fds[VFIO_PCI_MSIX_IRQ_INDEX][i] >= 0;
	return nr;
}

static void test_irq__257_vectors_come_as_they_are_unmasked(void **state)
{
	struct fake_vm *fake = start_msix(state);
	const int *fds = fake_vfio.irq_fds[VFIO_PCI_MSIX_IRQ_INDEX];
	eventfd_t count;

	fake_config_write(fake, 0xa2, 2, PCI_MSIX_FLAGS_ENABLE);
	/* The device knows, and the host has spent one interrupt. */
	assert_int_equal(fake_vfio.nr_enabled[VFIO_PCI_MSIX_IRQ_INDEX], 1);
	assert_int_equal(nr_fds(), 0);
	assert_int_equal(attached[INTX_GSI], 0);
	unmask(fake, 0);
	assert_int_equal(nr_fds(), 1);
	assert_int_equal(attached[32], fds[0]);
	assert_int_equal(routes[32].data, 0x4100);
	assert_int_equal(fake_vfio.nr_enables[VFIO_PCI_MSIX_IRQ_INDEX], 1);
	unmask(fake, 256);
	assert_int_equal(fake_vfio.nr_enabled[VFIO_PCI_MSIX_IRQ_INDEX], 257);
	assert_int_equal(nr_fds(), 2);
	assert_int_equal(attached[33], fds[256]);
	/* All were off for a moment: what may be lost is made up for. */
	assert_int_equal(fake_vfio.nr_enables[VFIO_PCI_MSIX_IRQ_INDEX], 2);
	assert_int_equal(eventfd_read(fds[0], &count), 0);
	assert_int_not_equal(eventfd_read(fds[256], &count), 0);
	/* Below that, one comes without a pause. */
	unmask(fake, 100);
	assert_int_equal(fake_vfio.nr_enables[VFIO_PCI_MSIX_IRQ_INDEX], 2);
	assert_int_equal(nr_fds(), 3);
	/* Masked, it stays the host's: its signals are pending bits. */
	fake_bar_write(fake, 3, 100 * 16 + 12, 4, MSIX_BIT);
	assert_int_equal(attached[34], 0);
	eventfd_write(fds[100], 1);
	assert_int_equal(fake_bar_read(fake, 3, 0x2000 + 8, 8) >> 36, 1);
	fake_config_write(fake, 0xa2, 2, 0);
	assert_int_equal(nr_fds(), 0);
	assert_int_equal(nr_routes, 0);
	assert_true(attached[INTX_GSI] > 0);
}

static void test_irq__kernel_that_adds_vectors_needs_no_pause(void **state)
{
	struct fake_vm *fake;

	fake_vfio.can_grow = true;
	fake = start_msix(state);
	fake_config_write(fake, 0xa2, 2, PCI_MSIX_FLAGS_ENABLE);
	unmask(fake, 0);
	unmask(fake, 200);
	assert_int_equal(fake_vfio.nr_enables[VFIO_PCI_MSIX_IRQ_INDEX], 1);
	assert_int_equal(nr_fds(), 2);
}

static void test_irq__function_mask_holds_vectors_back(void **state)
{
	struct fake_vm *fake = start_msix(state);

	fake_config_write(fake, 0xa2, 2,
			  PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	unmask(fake, 2);
	assert_int_equal(nr_fds(), 0);
	fake_config_write(fake, 0xa2, 2, PCI_MSIX_FLAGS_ENABLE);
	assert_int_equal(nr_fds(), 1);
	assert_true(attached[32] > 0);
}

static void test_irq__host_without_interrupts_left(void **state)
{
	struct fake_vm *fake = start_msix(state);

	fake_vfio.failing = VFIO_DEVICE_SET_IRQS;
	fake_vfio.failure = -ENOSPC;
	fake_config_write(fake, 0xa2, 2, PCI_MSIX_FLAGS_ENABLE);
	unmask(fake, 0);
	fake_vfio.failing = 0;
	fake_config_write(fake, 0xa2, 2, 0);
}

/* ---- DMA ---- */

static void test_iommu__ram_is_mapped_and_bars_follow(void **state)
{
	struct fake_vm *fake;

	fake_vfio_add_bar(0, 0, 8192);
	fake = start(state);
	assert_true(fake->vm.memory.is_pinned);
	assert_int_equal(fake_vfio.nr_maps, 2);
	assert_int_equal(fake_vfio.maps[0].iova, FAKE_RAM_START);
	assert_int_equal(fake_vfio.maps[0].len, 64 * KIB);
	assert_true(fake_vfio.maps[0].is_writable);
	assert_int_equal(fake_vfio.maps[1].iova, bar_address(fake, 0));
	fake_config_write(fake, PCI_BASE_ADDRESS_0, 4, MEM_BASE + 0x10000);
	assert_int_equal(fake_vfio.nr_maps, 2);
	assert_int_equal(fake_vfio.maps[1].iova, MEM_BASE + 0x10000);
	fake_config_write(fake, PCI_COMMAND, 2, 0);
	assert_int_equal(fake_vfio.nr_maps, 1);
}

static void test_iommu__peers_that_cannot_be_mapped_are_no_failure(void **state)
{
	struct fake_vm *fake;

	fake_vfio_add_bar(0, 0, 8192);
	fake = start(state);
	fake_config_write(fake, PCI_COMMAND, 2, 0);
	fake_vfio.failing = VFIO_IOMMU_MAP_DMA;
	fake_vfio.failure = -EINVAL;
	fake_config_write(fake, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_non_null(slot_at(bar_address(fake, 0)));
}

static void test_iommu__reserved_range_is_named(void **state)
{
	fake_vfio.nr_ranges = 2;
	fake_vfio.ranges[0].start = 0;
	fake_vfio.ranges[0].end = 0x107fff;
	fake_vfio.ranges[1].start = 0x109000;
	fake_vfio.ranges[1].end = UINT64_MAX;
	expect_refusal(state, "reserves 0x108000-0x108fff");
}

static void test_iommu__too_little_locked_memory(void **state)
{
	fake_vfio.failing = VFIO_IOMMU_MAP_DMA;
	fake_vfio.failure = -ENOMEM;
	expect_refusal(state, "ulimit -l");
}

static void test_iommu__no_interrupt_remapping(void **state)
{
	fake_vfio.failing = VFIO_SET_IOMMU;
	fake_vfio.failure = -EPERM;
	expect_refusal(state, "allow_unsafe_interrupts");
}

static void add_iommufd(void)
{
	fake_vfio_file("/dev/iommu", "");
	fake_vfio_file("/dev/vfio/devices/vfio0", "");
	fake_vfio_file("/sys/bus/pci/devices/" FAKE_VFIO_NAME
		       "/vfio-dev/vfio0/dev",
		       "");
}

static void test_iommu__iommufd_where_it_is(void **state)
{
	struct fake_vm *fake;

	add_iommufd();
	fake_vfio_add_bar(0, 0, 8192);
	/* Containers would be refused. */
	fake_vfio.failing = VFIO_SET_IOMMU;
	fake_vfio.failure = -EIO;
	fake = start(state);
	assert_int_equal(fake_vfio.nr_maps, 2);
	fake_config_write(fake, PCI_COMMAND, 2, 0);
	assert_int_equal(fake_vfio.nr_maps, 1);
}

static void test_iommu__iommufd_names_reserved_ranges(void **state)
{
	add_iommufd();
	fake_vfio.nr_ranges = 1;
	fake_vfio.ranges[0].end = 0x10ffff - 0x1000;
	expect_refusal(state, "reserves 0x10f000-");
}

static void test_iommu__iommufd_off(void **state)
{
	struct fixture *f = *state;

	add_iommufd();
	f->fake.config.iommufd = IOMMUFD_OFF;
	fake_vfio.failing = IOMMUFD_UAPI_IOAS_ALLOC;
	fake_vfio.failure = -EIO;
	start(state);
}

static void test_iommu__iommufd_on_and_not_there(void **state)
{
	struct fixture *f = *state;

	f->fake.config.iommufd = IOMMUFD_ON;
	expect_refusal(state, "--iommufd=on: /dev/iommu is not there");
}

/* ---- Life ---- */

static void test_device__is_reset_before_and_after(void **state)
{
	struct fake_vm *fake = start(state);

	assert_int_equal(fake_vfio.nr_resets, 1);
	fake_config_write(fake, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	stop_devices(&fake->vm);
	assert_int_equal(fake_vfio.nr_resets, 2);
	assert_int_equal(fake_vfio_get(PCI_COMMAND, 2) & PCI_COMMAND_MASTER, 0);
}

static void test_device__that_answers_no_more(void **state)
{
	fake_vfio.config_len = 0;
	expect_refusal(state, "configuration space");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_config__header_is_the_devices),
		TEST(test_config__capabilities_keep_place_and_order),
		TEST(test_config__chain_that_bites_its_tail_ends),
		TEST(test_config__writes_reach_the_device_once),
		TEST(test_config__device_decodes_whatever_the_guest_does),
		TEST(test_config__status_is_mixed),
		TEST(test_config__sleep_is_pretended),
		TEST(test_config__extended_capabilities_are_chosen),
		TEST(test_config__bridge_is_refused),
		TEST(test_bar__64_bit_bar_at_an_odd_index),
		TEST(test_bar__table_shares_pages_with_registers),
		TEST(test_bar__smaller_than_a_page_traps),
		TEST(test_bar__at_an_unaligned_address_traps),
		TEST(test_bar__sparse_mmap_is_honoured),
		TEST(test_bar__bad_capabilities_are_none),
		TEST(test_bar__that_makes_no_sense_is_refused),
		TEST(test_rom__is_the_devices_copy),
		TEST(test_rom__off),
		TEST(test_rom__from_a_file),
		TEST(test_rom__without_a_signature_is_none),
		TEST(test_irq__intx_goes_through_eventfds),
		TEST(test_irq__device_without_a_pin),
		TEST(test_irq__msi_only_with_several_messages),
		TEST(test_irq__257_vectors_come_as_they_are_unmasked),
		TEST(test_irq__kernel_that_adds_vectors_needs_no_pause),
		TEST(test_irq__function_mask_holds_vectors_back),
		TEST(test_irq__host_without_interrupts_left),
		TEST(test_iommu__ram_is_mapped_and_bars_follow),
		TEST(test_iommu__peers_that_cannot_be_mapped_are_no_failure),
		TEST(test_iommu__reserved_range_is_named),
		TEST(test_iommu__too_little_locked_memory),
		TEST(test_iommu__no_interrupt_remapping),
		TEST(test_iommu__iommufd_where_it_is),
		TEST(test_iommu__iommufd_names_reserved_ranges),
		TEST(test_iommu__iommufd_off),
		TEST(test_iommu__iommufd_on_and_not_there),
		TEST(test_device__is_reset_before_and_after),
		TEST(test_device__that_answers_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
