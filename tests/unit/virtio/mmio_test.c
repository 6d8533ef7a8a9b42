/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * virtio/mmio*.c behind a bus, driven as a guest does. This file stands for the
 * machine, so that the test runs on those that have no such transport, too.
 */
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_mmio.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include "lkvm/arch.h"
#include "tests/support/fake_virtio.h"
#include <cmocka.h>

#define BASE 0x3000000ULL
#define NR_QUEUES 2
#define SIZE 16
#define ALL_STATUS                                                             \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |                \
	 VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK)

static struct irq_line_hub hub;

const struct device_class *const arch_device_classes[] = { NULL };

int arch_place(struct kvm *vm, enum place_kind kind, unsigned int index,
	       struct device_place *out)
{
	if (kind != PLACE_VIRTIO_MMIO || index > 1)
		return -ENODEV;
	*out = (struct device_place){
		.bus = &vm->mmio,
		.start = BASE + index * 0x200ULL,
		.len = 0x200,
		.irq = { .hub = &hub },
	};
	return 0;
}

struct irq_line arch_pci_irq_line(struct kvm *vm, unsigned int slot,
				  unsigned int pin)
{
	return (struct irq_line){ .hub = NULL };
}

struct fixture {
	struct fake_guest guest;
	struct fake_vm fake;
	struct virtio_device dev;
	u8 config[6];
	unsigned int activated;
};

static struct fixture f;

static void test_config_read(struct virtio_device *dev, unsigned int offset,
			     void *buf, unsigned int len)
{
	memcpy(buf, f.config + offset, len);
}

static int test_activate(struct virtio_device *dev)
{
	f.activated++;
	return 0;
}

static void test_deactivate(struct virtio_device *dev)
{
}

static const struct virtio_dev_ops test_ops = {
	.name = "test",
	.id = VIRTIO_ID_RNG,
	.config_read = test_config_read,
	.activate = test_activate,
	.deactivate = test_deactivate,
};

static int setup_transport(enum virtio_transport_kind kind)
{
	memset(&f, 0, sizeof(f));
	memcpy(f.config, "abcdef", 6);
	fake_guest_init(&f.guest, 64 * KIB);
	fake_vm_init(&f.fake, &f.guest);
	irq_line_hub_init(&hub, -1, 0);
	f.fake.config.virtio_transport = kind;
	if (virtio_device_init(&f.dev, &test_ops, &f.guest.mem, 0,
			       sizeof(f.config), NR_QUEUES, SIZE))
		return -1;
	return virtio_transport_create(&f.fake.vm, &f.dev);
}

static int setup(void **state)
{
	return setup_transport(VIRTIO_TRANSPORT_MMIO);
}

static int setup_legacy(void **state)
{
	return setup_transport(VIRTIO_TRANSPORT_MMIO_LEGACY);
}

static int teardown(void **state)
{
	virtio_transport_destroy(&f.dev);
	virtio_device_release(&f.dev);
	fake_vm_release(&f.fake);
	fake_guest_release(&f.guest);
	return 0;
}

static u64 get_sized(u64 offset, u8 size)
{
	struct bus_access acc = { .size = size };

	assert_int_equal(bus_dispatch(&f.fake.vm.mmio, &f.fake.mmio,
				      BASE + offset, &acc),
			 BUS_HANDLED);
	return acc.value;
}

static void put_sized(u64 offset, u8 size, u64 value)
{
	struct bus_access acc = { .size = size,
				  .value = value,
				  .is_write = true };

	assert_int_equal(bus_dispatch(&f.fake.vm.mmio, &f.fake.mmio,
				      BASE + offset, &acc),
			 BUS_HANDLED);
}

static u32 get(u64 offset)
{
	return (u32)get_sized(offset, 4);
}

static void put(u64 offset, u32 value)
{
	put_sized(offset, 4, value);
}

static void negotiate(void)
{
	put(VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	put(VIRTIO_MMIO_STATUS,
	    VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	put(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	put(VIRTIO_MMIO_DRIVER_FEATURES, 1); /* VERSION_1 */
	put(VIRTIO_MMIO_STATUS,
	    ALL_STATUS & ~(unsigned int)VIRTIO_CONFIG_S_DRIVER_OK);
}

static void enable_queue(u32 index)
{
	u64 gpa = fake_alloc(&f.guest, 4096, 4096);

	put(VIRTIO_MMIO_QUEUE_SEL, index);
	put(VIRTIO_MMIO_QUEUE_NUM, SIZE);
	put(VIRTIO_MMIO_QUEUE_DESC_LOW, (u32)gpa);
	put(VIRTIO_MMIO_QUEUE_DESC_HIGH, (u32)(gpa >> 32));
	put(VIRTIO_MMIO_QUEUE_AVAIL_LOW, (u32)gpa + 1024);
	put(VIRTIO_MMIO_QUEUE_AVAIL_HIGH, (u32)(gpa >> 32));
	put(VIRTIO_MMIO_QUEUE_USED_LOW, (u32)gpa + 2048);
	put(VIRTIO_MMIO_QUEUE_USED_HIGH, (u32)(gpa >> 32));
	put(VIRTIO_MMIO_QUEUE_READY, 1);
}

static bool was_kicked(u32 index)
{
	struct pollfd fd = { .fd = f.dev.queues[index].kick_fd,
			     .events = POLLIN };

	return poll(&fd, 1, 0) == 1;
}

static void test_mmio__says_what_it_is(void **state)
{
	assert_int_equal(get(VIRTIO_MMIO_MAGIC_VALUE), 0x74726976);
	assert_int_equal(get(VIRTIO_MMIO_VERSION), 2);
	assert_int_equal(get(VIRTIO_MMIO_DEVICE_ID), VIRTIO_ID_RNG);
	assert_int_equal(get(VIRTIO_MMIO_VENDOR_ID), 0x4d564b4c);
	assert_int_equal(get(VIRTIO_MMIO_QUEUE_NUM_MAX), SIZE);
	put(VIRTIO_MMIO_QUEUE_SEL, NR_QUEUES);
	assert_int_equal(get(VIRTIO_MMIO_QUEUE_NUM_MAX), 0);
	assert_int_equal(get(VIRTIO_MMIO_SHM_LEN_LOW), UINT32_MAX);
}

static void test_mmio__a_queue_is_set_up_and_rung(void **state)
{
	negotiate();
	enable_queue(1);
	assert_int_equal(get(VIRTIO_MMIO_QUEUE_READY), 1);
	put(VIRTIO_MMIO_STATUS, ALL_STATUS);
	assert_int_equal(get(VIRTIO_MMIO_STATUS), ALL_STATUS);
	assert_int_equal(f.activated, 1);
	assert_false(was_kicked(1));
	put(VIRTIO_MMIO_QUEUE_NOTIFY, 1);
	assert_true(was_kicked(1));
	put(VIRTIO_MMIO_QUEUE_NOTIFY, 77); /* nobody */
}

static void test_mmio__absent_queues_are_left_alone(void **state) /* S10 */
{
	static const u32 absent[] = { NR_QUEUES, 77, 0x10000, UINT32_MAX };

	negotiate();
	for (unsigned int i = 0; i < ARRAY_SIZE(absent); i++) {
		enable_queue(absent[i]);
		assert_int_equal(get(VIRTIO_MMIO_QUEUE_READY), 0);
		assert_int_equal(get(VIRTIO_MMIO_QUEUE_NUM_MAX), 0);
		put(VIRTIO_MMIO_QUEUE_NOTIFY, absent[i]);
	}
	for (u32 i = 0; i < NR_QUEUES; i++) {
		assert_false(f.dev.queues[i].enabled);
		assert_false(was_kicked(i));
	}
	assert_false(get(VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET);
}

static void test_mmio__interrupts_until_acknowledged(void **state)
{
	struct virtio_transport *transport = f.dev.transport;

	transport->ops->queue_irq(transport, &f.dev.queues[0]);
	assert_int_equal(get(VIRTIO_MMIO_INTERRUPT_STATUS), 1);
	assert_int_equal(hub.drivers, 1);
	transport->ops->config_irq(transport);
	assert_int_equal(get(VIRTIO_MMIO_INTERRUPT_STATUS), 3);
	put(VIRTIO_MMIO_INTERRUPT_ACK, 1);
	assert_int_equal(hub.drivers, 1);
	put(VIRTIO_MMIO_INTERRUPT_ACK, 2);
	assert_int_equal(get(VIRTIO_MMIO_INTERRUPT_STATUS), 0);
	assert_int_equal(hub.drivers, 0);
}

static void test_mmio__reset_forgets_all(void **state)
{
	struct virtio_transport *transport = f.dev.transport;

	negotiate();
	enable_queue(0);
	put(VIRTIO_MMIO_STATUS, ALL_STATUS);
	transport->ops->queue_irq(transport, &f.dev.queues[0]);
	put(VIRTIO_MMIO_STATUS, 0);
	assert_int_equal(get(VIRTIO_MMIO_STATUS), 0);
	assert_int_equal(get(VIRTIO_MMIO_QUEUE_READY), 0);
	assert_int_equal(get(VIRTIO_MMIO_INTERRUPT_STATUS), 0);
	assert_int_equal(hub.drivers, 0);
}

static void test_mmio__bad_queues_need_a_reset(void **state)
{
	negotiate();
	put(VIRTIO_MMIO_QUEUE_SEL, 0);
	put(VIRTIO_MMIO_QUEUE_NUM, 0x10000 + SIZE);
	put(VIRTIO_MMIO_QUEUE_DESC_HIGH, UINT32_MAX);
	put(VIRTIO_MMIO_QUEUE_READY, 1);
	assert_int_equal(get(VIRTIO_MMIO_QUEUE_READY), 0);
	assert_true(get(VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET);
}

static void test_mmio__configuration_at_any_width(void **state)
{
	assert_int_equal(get_sized(VIRTIO_MMIO_CONFIG, 1), 'a');
	assert_int_equal(get_sized(VIRTIO_MMIO_CONFIG + 1, 2), 'b' | 'c' << 8);
	assert_int_equal(get_sized(VIRTIO_MMIO_CONFIG + 0xfc, 4), 0);
	put_sized(VIRTIO_MMIO_CONFIG, 8, UINT64_MAX);
}

static void test_mmio__registers_are_words(void **state)
{
	assert_int_equal(get_sized(VIRTIO_MMIO_MAGIC_VALUE, 1), 0);
	assert_int_equal(get_sized(2, 4), 0);
	put_sized(VIRTIO_MMIO_STATUS, 1, 1);
	assert_int_equal(get(VIRTIO_MMIO_STATUS), 0);
}

static void test_mmio__describes_itself(void **state)
{
	struct device_desc desc = { .node = NULL };

	virtio_device_describe(&f.dev.base, &desc);
	assert_string_equal(desc.compatible, "virtio,mmio");
	assert_int_equal(desc.start, BASE);
	assert_int_equal(desc.len, 0x200);
	assert_ptr_equal(desc.irq, &hub);
}

static void test_mmio__one_queue_can_be_reset(void **state)
{
	put(VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	put(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	put(VIRTIO_MMIO_DRIVER_FEATURES, 1 | BIT(VIRTIO_F_RING_RESET - 32));
	put(VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_FEATURES_OK);
	enable_queue(0);
	enable_queue(1);
	put(VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_DRIVER_OK);
	put(0x0c0, 1); /* QueueReset */
	assert_int_equal(get(0x0c0), 0);
	assert_int_equal(get(VIRTIO_MMIO_QUEUE_READY), 0);
	assert_true(f.dev.queues[0].enabled);
	enable_queue(1);
	assert_int_equal(get(VIRTIO_MMIO_QUEUE_READY), 1);
}

/* ---- The legacy interface ---- */

static u32 legacy_queue(u32 index, u32 page_size)
{
	u32 page = (u32)(fake_alloc(&f.guest, 8192, page_size) / page_size);

	put(VIRTIO_MMIO_GUEST_PAGE_SIZE, page_size);
	put(VIRTIO_MMIO_QUEUE_SEL, index);
	put(VIRTIO_MMIO_QUEUE_NUM, 8);
	put(VIRTIO_MMIO_QUEUE_ALIGN, 64);
	put(VIRTIO_MMIO_QUEUE_PFN, page);
	return page;
}

static void test_legacy__says_what_it_is(void **state)
{
	assert_int_equal(get(VIRTIO_MMIO_MAGIC_VALUE), 0x74726976);
	assert_int_equal(get(VIRTIO_MMIO_VERSION), 1);
	put(VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
	assert_int_equal(get(VIRTIO_MMIO_DEVICE_FEATURES), 0);
	/* Those of version 2 alone are not there. */
	assert_int_equal(get(VIRTIO_MMIO_SHM_LEN_LOW), 0);
}

static void test_legacy__a_queue_is_set_up_and_rung(void **state)
{
	u32 page = legacy_queue(1, 4096);
	const struct virtq *q = &f.dev.queues[1];

	assert_int_equal(get(VIRTIO_MMIO_QUEUE_PFN), page);
	assert_int_equal(q->size, 8);
	assert_int_equal(q->desc_gpa, page * 4096ULL);
	assert_int_equal(q->used_gpa, q->desc_gpa + 192);
	put(VIRTIO_MMIO_QUEUE_NOTIFY, 1);
	assert_true(was_kicked(1));
	assert_int_equal(f.activated, 1);
	put(VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_DRIVER_OK);
	assert_int_equal(f.activated, 1);

	put(VIRTIO_MMIO_QUEUE_PFN, 0);
	assert_int_equal(get(VIRTIO_MMIO_QUEUE_PFN), 0);
	assert_false(q->enabled);
}

static void test_legacy__pages_are_as_large_as_the_driver_says(void **state)
{
	u32 page = legacy_queue(0, 16384);

	assert_int_equal(get(VIRTIO_MMIO_QUEUE_PFN), page);
	assert_int_equal(f.dev.queues[0].desc_gpa, page * 16384ULL);
}

static void test_legacy__page_size_and_align_come_first(void **state)
{
	put(VIRTIO_MMIO_QUEUE_SEL, 0);
	/* No power of two, though the queue would lie in RAM. */
	put(VIRTIO_MMIO_GUEST_PAGE_SIZE, 4096 * 3);
	put(VIRTIO_MMIO_QUEUE_ALIGN, 4096);
	put(VIRTIO_MMIO_QUEUE_PFN, FAKE_RAM_START / 4096 / 3 + 1);
	assert_false(f.dev.queues[0].enabled);
	put(VIRTIO_MMIO_GUEST_PAGE_SIZE, 4096);
	put(VIRTIO_MMIO_QUEUE_PFN, FAKE_RAM_START / 4096);
	assert_true(f.dev.queues[0].enabled);
	/* Linux writes the page size once, and then resets the device. */
	put(VIRTIO_MMIO_STATUS, 0);
	put(VIRTIO_MMIO_QUEUE_PFN, FAKE_RAM_START / 4096);
	assert_false(f.dev.queues[0].enabled);
	put(VIRTIO_MMIO_QUEUE_ALIGN, 4096);
	put(VIRTIO_MMIO_QUEUE_PFN, FAKE_RAM_START / 4096);
	assert_true(f.dev.queues[0].enabled);
}

static void test_legacy__absent_queue_is_left_alone(void **state) /* S10 */
{
	put(VIRTIO_MMIO_QUEUE_SEL, NR_QUEUES);
	assert_int_equal(get(VIRTIO_MMIO_QUEUE_NUM_MAX), 0);
	put(VIRTIO_MMIO_QUEUE_NUM, 8);
	put(VIRTIO_MMIO_QUEUE_PFN, 1);
	assert_int_equal(get(VIRTIO_MMIO_QUEUE_PFN), 0);
	put(VIRTIO_MMIO_QUEUE_NOTIFY, UINT32_MAX);
	assert_int_equal(f.activated, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define LEGACY_TEST(name)                                                      \
	cmocka_unit_test_setup_teardown(name, setup_legacy, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_mmio__says_what_it_is),
		TEST(test_mmio__a_queue_is_set_up_and_rung),
		TEST(test_mmio__absent_queues_are_left_alone),
		TEST(test_mmio__interrupts_until_acknowledged),
		TEST(test_mmio__reset_forgets_all),
		TEST(test_mmio__bad_queues_need_a_reset),
		TEST(test_mmio__configuration_at_any_width),
		TEST(test_mmio__registers_are_words),
		TEST(test_mmio__describes_itself),
		TEST(test_mmio__one_queue_can_be_reset),
		LEGACY_TEST(test_legacy__says_what_it_is),
		LEGACY_TEST(test_legacy__a_queue_is_set_up_and_rung),
		LEGACY_TEST(test_legacy__pages_are_as_large_as_the_driver_says),
		LEGACY_TEST(test_legacy__page_size_and_align_come_first),
		LEGACY_TEST(test_legacy__absent_queue_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
