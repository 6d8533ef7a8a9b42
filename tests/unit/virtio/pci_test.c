/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * virtio/pci.c behind the real PCI core, driven as a guest does: through
 * configuration space and BARs.
 */
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_pci.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include "tests/support/fake_virtio.h"
#include <cmocka.h>

#define NR_QUEUES 3
#define NR_VECTORS (NR_QUEUES + 1)
#define SIZE 16
#define NO_VECTOR VIRTIO_MSI_NO_VECTOR
#define ALL_STATUS                                                             \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |                \
	 VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK)

struct area {
	u8 bar;
	u32 offset, len;
	unsigned int cap;
};

struct fixture {
	struct fake_guest guest;
	struct fake_vm fake;
	struct virtio_device dev;
	struct area common, isr, device, port_notify, notify, window;
	u8 config[6];
};

static struct fixture f;

static void test_config_read(struct virtio_device *dev, unsigned int offset,
			     void *buf, unsigned int len)
{
	memcpy(buf, f.config + offset, len);
}

static int test_activate(struct virtio_device *dev)
{
	return 0;
}

static void test_deactivate(struct virtio_device *dev)
{
}

static const struct virtio_dev_ops test_ops = {
	.name = "test",
	.id = VIRTIO_ID_RNG,
	.pci_class = 0xff0000,
	.config_read = test_config_read,
	.activate = test_activate,
	.deactivate = test_deactivate,
};

/* ---- As a driver finds its way ---- */

static struct area read_area(unsigned int cap)
{
	return (struct area){
		.bar = (u8)fake_config_read(&f.fake, cap + 4, 1),
		.offset = fake_config_read(&f.fake, cap + 8, 4),
		.len = fake_config_read(&f.fake, cap + 12, 4),
		.cap = cap,
	};
}

static void take_area(struct area *first, struct area *second,
		      struct area found)
{
	if (!first->cap)
		*first = found;
	else if (second && !second->cap)
		*second = found;
}

static void find_areas(void)
{
	unsigned int cap = fake_config_read(&f.fake, PCI_CAPABILITY_LIST, 1);

	for (; cap; cap = fake_config_read(&f.fake, cap + 1, 1)) {
		if (fake_config_read(&f.fake, cap, 1) != PCI_CAP_ID_VNDR)
			continue;
		switch (fake_config_read(&f.fake, cap + 3, 1)) {
		case VIRTIO_PCI_CAP_COMMON_CFG:
			take_area(&f.common, NULL, read_area(cap));
			break;
		case VIRTIO_PCI_CAP_ISR_CFG:
			take_area(&f.isr, NULL, read_area(cap));
			break;
		case VIRTIO_PCI_CAP_DEVICE_CFG:
			take_area(&f.device, NULL, read_area(cap));
			break;
		case VIRTIO_PCI_CAP_NOTIFY_CFG:
			take_area(&f.port_notify, &f.notify, read_area(cap));
			break;
		case VIRTIO_PCI_CAP_PCI_CFG:
			take_area(&f.window, NULL, read_area(cap));
			break;
		}
	}
}

static int setup(void **state)
{
	memset(&f, 0, sizeof(f));
	memcpy(f.config, "abcdef", 6);
	fake_guest_init(&f.guest, 64 * KIB);
	fake_vm_init(&f.fake, &f.guest);
	if (virtio_device_init(&f.dev, &test_ops, &f.guest.mem, 0,
			       sizeof(f.config), NR_QUEUES, SIZE) ||
	    virtio_pci_create(&f.fake.vm, &f.dev))
		return -1;
	fake_vm_start(&f.fake);
	find_areas();
	return 0;
}

static int teardown(void **state)
{
	virtio_transport_destroy(&f.dev);
	virtio_device_release(&f.dev);
	fake_vm_release(&f.fake);
	fake_guest_release(&f.guest);
	return 0;
}

static u64 common_read(unsigned int offset, u8 size)
{
	return fake_bar_read(&f.fake, f.common.bar, f.common.offset + offset,
			     size);
}

static void common_write(unsigned int offset, u8 size, u64 value)
{
	fake_bar_write(&f.fake, f.common.bar, f.common.offset + offset, size,
		       value);
}

static void negotiate(void)
{
	common_write(VIRTIO_PCI_COMMON_GFSELECT, 4, 1);
	common_write(VIRTIO_PCI_COMMON_GF, 4, 1); /* VERSION_1 */
	common_write(VIRTIO_PCI_COMMON_STATUS, 1,
		     ALL_STATUS & ~VIRTIO_CONFIG_S_DRIVER_OK);
}

static void set_up_queue(u16 index)
{
	u64 desc = fake_alloc(&f.guest, SIZE * 16, 16);
	u64 avail = fake_alloc(&f.guest, 6 + SIZE * 2, 2);
	u64 used = fake_alloc(&f.guest, 6 + SIZE * 8, 4);

	common_write(VIRTIO_PCI_COMMON_Q_SELECT, 2, index);
	common_write(VIRTIO_PCI_COMMON_Q_DESCLO, 4, (u32)desc);
	common_write(VIRTIO_PCI_COMMON_Q_DESCHI, 4, desc >> 32);
	common_write(VIRTIO_PCI_COMMON_Q_AVAILLO, 8, avail);
	common_write(VIRTIO_PCI_COMMON_Q_USEDLO, 4, (u32)used);
	common_write(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
}

static bool take_kick(u16 index)
{
	struct pollfd event = {
		.fd = f.dev.queues[index].kick_fd,
		.events = POLLIN,
	};

	if (poll(&event, 1, 0) != 1)
		return false;
	virtq_take_kick(&f.dev.queues[index]);
	return true;
}

/* ---- Identity and layout ---- */

static void test_virtio_pci__is_a_modern_device(void **state)
{
	assert_int_equal(fake_config_read(&f.fake, PCI_VENDOR_ID, 2), 0x1af4);
	assert_int_equal(fake_config_read(&f.fake, PCI_DEVICE_ID, 2),
			 0x1040 + VIRTIO_ID_RNG);
	assert_int_equal(fake_config_read(&f.fake, PCI_REVISION_ID, 1), 1);
}

static void test_virtio_pci__port_doorbells_are_announced_first(void **state)
{
	u32 bar = fake_config_read(
		&f.fake, PCI_BASE_ADDRESS_0 + 4 * f.port_notify.bar, 4);

	assert_true(bar & PCI_BASE_ADDRESS_SPACE_IO);
	assert_int_equal(f.port_notify.len, 4 * NR_QUEUES);
	assert_int_equal(f.notify.len, 4 * NR_QUEUES);
	assert_int_not_equal(f.notify.bar, f.port_notify.bar);
	assert_int_equal(fake_config_read(&f.fake, f.port_notify.cap + 16, 4),
			 4);
}

/* ---- Common configuration ---- */

static void test_common__reads_give_field_widths(void **state)
{
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_NUMQ, 2), NR_QUEUES);
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_MSIX, 2), NO_VECTOR);
	/* Two fields in one access: nothing of one spills into the other. */
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_MSIX, 4),
			 NR_QUEUES << 16 | NO_VECTOR);
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_Q_SIZE, 2), SIZE);
}

static void test_common__features_come_in_windows(void **state)
{
	common_write(VIRTIO_PCI_COMMON_DFSELECT, 4, 1);
	assert_true(common_read(VIRTIO_PCI_COMMON_DF, 4) & 1);
	common_write(VIRTIO_PCI_COMMON_DFSELECT, 4, 2);
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_DF, 4), 0);
}

static void test_common__wrong_widths_write_nothing(void **state)
{
	common_write(VIRTIO_PCI_COMMON_Q_SELECT, 4, 1 | 8 << 16);
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_Q_SELECT, 2), 0);
	common_write(VIRTIO_PCI_COMMON_Q_SIZE, 1, 8);
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_Q_SIZE, 2), SIZE);
	common_write(VIRTIO_PCI_COMMON_STATUS, 4, 0x0f0f0f0f);
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_STATUS, 1), 0);
	common_write(VIRTIO_PCI_COMMON_Q_DESCLO, 2, 0xffff);
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_Q_DESCLO, 8), 0);
}

static void test_common__queue_size_is_honoured(void **state)
{
	common_write(VIRTIO_PCI_COMMON_Q_SIZE, 2, 4);
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_Q_SIZE, 2), 4);
}

static void test_common__queue_beyond_the_last_is_empty(void **state)
{
	common_write(VIRTIO_PCI_COMMON_Q_SELECT, 2, NR_QUEUES); /* S10 */
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_Q_SIZE, 2), 0);
	common_write(VIRTIO_PCI_COMMON_Q_SELECT, 2, 0xffff);
	common_write(VIRTIO_PCI_COMMON_Q_SIZE, 2, 8);
	common_write(VIRTIO_PCI_COMMON_Q_DESCLO, 4, 0x1000);
	common_write(VIRTIO_PCI_COMMON_Q_MSIX, 2, 0);
	common_write(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_Q_SIZE, 2), 0);
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_Q_MSIX, 2), NO_VECTOR);
}

static void test_common__one_queue_can_be_reset(void **state)
{
	common_write(VIRTIO_PCI_COMMON_GFSELECT, 4, 1);
	common_write(VIRTIO_PCI_COMMON_GF, 4,
		     1 | BIT(VIRTIO_F_RING_RESET - 32));
	common_write(VIRTIO_PCI_COMMON_STATUS, 1,
		     ALL_STATUS & ~VIRTIO_CONFIG_S_DRIVER_OK);
	set_up_queue(0);
	set_up_queue(1);
	common_write(VIRTIO_PCI_COMMON_Q_MSIX, 2, 1);
	common_write(VIRTIO_PCI_COMMON_STATUS, 1, ALL_STATUS);
	common_write(VIRTIO_PCI_COMMON_Q_RESET, 2, 1);
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_Q_RESET, 2), 0);
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_Q_MSIX, 2), NO_VECTOR);
	assert_true(f.dev.queues[0].enabled);
	set_up_queue(1);
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 1);
}

static void test_common__vector_out_of_range_reads_none(void **state) /* S2 */
{
	const u16 vectors[] = { NR_VECTORS, 33, 0xfffe, NO_VECTOR };

	for (unsigned int i = 0; i < ARRAY_SIZE(vectors); i++) {
		common_write(VIRTIO_PCI_COMMON_Q_MSIX, 2, 1);
		common_write(VIRTIO_PCI_COMMON_Q_MSIX, 2, vectors[i]);
		assert_int_equal(common_read(VIRTIO_PCI_COMMON_Q_MSIX, 2),
				 NO_VECTOR);
		common_write(VIRTIO_PCI_COMMON_MSIX, 2, vectors[i]);
		assert_int_equal(common_read(VIRTIO_PCI_COMMON_MSIX, 2),
				 NO_VECTOR);
	}
	common_write(VIRTIO_PCI_COMMON_Q_MSIX, 2, NR_VECTORS - 1);
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_Q_MSIX, 2),
			 NR_VECTORS - 1);
}

static void test_common__sets_up_a_queue(void **state)
{
	negotiate();
	set_up_queue(2);
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 1);
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_Q_NOFF, 2), 2);
	assert_true(f.dev.queues[2].enabled);
	assert_false(f.dev.queues[0].enabled);
}

static void test_common__queue_outside_ram_needs_reset(void **state) /* S6 */
{
	negotiate();
	common_write(VIRTIO_PCI_COMMON_Q_DESCLO, 4, 0xfffff000);
	common_write(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
	assert_true(common_read(VIRTIO_PCI_COMMON_STATUS, 1) &
		    VIRTIO_CONFIG_S_NEEDS_RESET);
}

static void test_common__reset_restores_everything(void **state)
{
	negotiate();
	set_up_queue(1);
	common_write(VIRTIO_PCI_COMMON_Q_MSIX, 2, 1);
	common_write(VIRTIO_PCI_COMMON_MSIX, 2, 0);
	common_write(VIRTIO_PCI_COMMON_STATUS, 1, ALL_STATUS);
	common_write(VIRTIO_PCI_COMMON_STATUS, 1, 0);
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_STATUS, 1), 0);
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_MSIX, 2), NO_VECTOR);
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_Q_SELECT, 2), 0);
	common_write(VIRTIO_PCI_COMMON_Q_SELECT, 2, 1);
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_Q_MSIX, 2), NO_VECTOR);
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_Q_AVAILLO, 8), 0);
	/* And it works a second time. */
	negotiate();
	set_up_queue(1);
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 1);
}

/* ---- The other areas ---- */

static void test_notify__both_areas_ring(void **state)
{
	fake_bar_write(&f.fake, f.port_notify.bar, 4 * 1, 2, 1);
	assert_true(take_kick(1));
	fake_bar_write(&f.fake, f.notify.bar, f.notify.offset + 4 * 2, 2, 2);
	assert_true(take_kick(2));
	assert_false(take_kick(0));
}

static void test_notify__out_of_range_rings_nobody(void **state) /* S10 */
{
	fake_bar_write(&f.fake, f.port_notify.bar, 4 * NR_QUEUES, 2, 0xffff);
	fake_bar_write(&f.fake, f.notify.bar, f.notify.offset + 0xffc, 4,
		       0xffffffff);
	fake_bar_write(&f.fake, f.notify.bar, f.notify.offset + 2, 2, 0);
	for (u16 i = 0; i < NR_QUEUES; i++)
		assert_false(take_kick(i));
}

static void test_isr__read_takes_the_bits(void **state)
{
	f.dev.transport->ops->queue_irq(f.dev.transport, &f.dev.queues[0]);
	f.dev.transport->ops->config_irq(f.dev.transport);
	assert_int_equal(fake_bar_read(&f.fake, f.isr.bar, f.isr.offset, 1), 3);
	assert_int_equal(fake_bar_read(&f.fake, f.isr.bar, f.isr.offset, 1), 0);
}

static void test_device__config_is_bounded(void **state)
{
	assert_int_equal(f.device.len, sizeof(f.config));
	assert_int_equal(fake_bar_read(&f.fake, f.device.bar,
				       f.device.offset + 4, 8),
			 'e' | 'f' << 8);
	assert_int_equal(fake_bar_read(&f.fake, f.device.bar,
				       f.device.offset + 0xff8, 8),
			 0);
	fake_bar_write(&f.fake, f.device.bar, f.device.offset, 8, UINT64_MAX);
	assert_memory_equal(f.config, "abcdef", 6);
}

static void test_msix__table_end_is_safe(void **state) /* S11 */
{
	const u64 last = 0x4000 + NR_VECTORS * 16 - 4;

	fake_bar_write(&f.fake, f.common.bar, last, 8, UINT64_MAX);
	fake_bar_read(&f.fake, f.common.bar, last, 8);
	fake_bar_write(&f.fake, f.common.bar, 0x4000 + NR_VECTORS * 16, 8,
		       UINT64_MAX);
}

/* ---- The window in configuration space ---- */

static void aim_window(u8 bar, u32 offset, u32 len)
{
	unsigned int cap = f.window.cap;

	fake_config_write(&f.fake, cap + VIRTIO_PCI_CAP_BAR, 1, bar);
	fake_config_write(&f.fake, cap + VIRTIO_PCI_CAP_OFFSET, 4, offset);
	fake_config_write(&f.fake, cap + VIRTIO_PCI_CAP_LENGTH, 4, len);
}

static u32 window_read(void)
{
	return fake_config_read(&f.fake, f.window.cap + 16, 4);
}

static void test_window__reads_and_writes(void **state)
{
	aim_window(f.common.bar, VIRTIO_PCI_COMMON_NUMQ, 2);
	assert_int_equal(window_read() & 0xffff, NR_QUEUES);
	aim_window(f.common.bar, VIRTIO_PCI_COMMON_STATUS, 1);
	fake_config_write(&f.fake, f.window.cap + 16, 1, 1);
	assert_int_equal(common_read(VIRTIO_PCI_COMMON_STATUS, 1), 1);
	aim_window(f.port_notify.bar, 4, 2);
	fake_config_write(&f.fake, f.window.cap + 16, 2, 1);
	assert_true(take_kick(1));
}

static void test_window__bad_aims_do_nothing(void **state)
{
	static const struct {
		u8 bar;
		u32 offset, len;
	} aims[] = {
		{ 1, VIRTIO_PCI_COMMON_STATUS, 0 },
		{ 1, VIRTIO_PCI_COMMON_STATUS, 3 },
		{ 1, VIRTIO_PCI_COMMON_STATUS, 8 },
		{ 1, VIRTIO_PCI_COMMON_STATUS + 1, 4 },
		{ 2, VIRTIO_PCI_COMMON_STATUS, 1 },
		{ 0xff, VIRTIO_PCI_COMMON_STATUS, 1 },
		{ 1, 0xfffffffc, 4 },
		{ 0, 0xfffffffc, 4 },
		{ 0, 4 * NR_QUEUES, 4 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(aims); i++) {
		aim_window(aims[i].bar, aims[i].offset, aims[i].len);
		fake_config_write(&f.fake, f.window.cap + 16, 4, 0x01010101);
		/* The data register keeps what was written. */
		assert_int_equal(window_read(), 0x01010101);
		assert_int_equal(common_read(VIRTIO_PCI_COMMON_STATUS, 1), 0);
	}
}

#define PCI_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PCI_TEST(test_virtio_pci__is_a_modern_device),
		PCI_TEST(test_virtio_pci__port_doorbells_are_announced_first),
		PCI_TEST(test_common__reads_give_field_widths),
		PCI_TEST(test_common__features_come_in_windows),
		PCI_TEST(test_common__wrong_widths_write_nothing),
		PCI_TEST(test_common__queue_size_is_honoured),
		PCI_TEST(test_common__queue_beyond_the_last_is_empty),
		PCI_TEST(test_common__one_queue_can_be_reset),
		PCI_TEST(test_common__vector_out_of_range_reads_none),
		PCI_TEST(test_common__sets_up_a_queue),
		PCI_TEST(test_common__queue_outside_ram_needs_reset),
		PCI_TEST(test_common__reset_restores_everything),
		PCI_TEST(test_notify__both_areas_ring),
		PCI_TEST(test_notify__out_of_range_rings_nobody),
		PCI_TEST(test_isr__read_takes_the_bits),
		PCI_TEST(test_device__config_is_bounded),
		PCI_TEST(test_msix__table_end_is_safe),
		PCI_TEST(test_window__reads_and_writes),
		PCI_TEST(test_window__bad_aims_do_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
