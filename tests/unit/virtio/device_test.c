/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * virtio/device.c: status, features, queues' set-up and configuration space.
 */
#include "lkvm/virtio.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include "tests/support/fake_virtio.h"
#include <cmocka.h>

#define SIZE 16
#define CONFIG_LEN 10
#define VERSION_1 BIT64(VIRTIO_F_VERSION_1)
#define OWN_FEATURE BIT64(3)

struct fixture {
	struct fake_guest guest;
	struct fake_transport transport;
	struct virtio_device dev;
	unsigned int activated, deactivated, resets;
	int activate_result;
	u8 config[CONFIG_LEN];
};

static struct fixture f;

static void test_config_read(struct virtio_device *dev, unsigned int offset,
			     void *buf, unsigned int len)
{
	memcpy(buf, f.config + offset, len);
}

static void test_config_write(struct virtio_device *dev, unsigned int offset,
			      const void *buf, unsigned int len)
{
	memcpy(f.config + offset, buf, len);
}

static int test_activate(struct virtio_device *dev)
{
	f.activated++;
	return f.activate_result;
}

static void test_deactivate(struct virtio_device *dev)
{
	f.deactivated++;
}

static void test_reset(struct virtio_device *dev)
{
	f.resets++;
}

static const struct virtio_dev_ops test_ops = {
	.name = "test",
	.config_read = test_config_read,
	.config_write = test_config_write,
	.activate = test_activate,
	.deactivate = test_deactivate,
	.reset = test_reset,
};

static int setup(void **state)
{
	f = (struct fixture){ .config = "0123456789" };
	fake_guest_init(&f.guest, 64 * KIB);
	if (virtio_device_init(&f.dev, &test_ops, &f.guest.mem, OWN_FEATURE,
			       CONFIG_LEN, 2, SIZE))
		return -1;
	fake_transport_init(&f.transport, &f.dev);
	return 0;
}

static int teardown(void **state)
{
	virtio_device_release(&f.dev);
	fake_guest_release(&f.guest);
	return 0;
}

static bool has_status(u8 bits)
{
	return (virtio_get_status(&f.dev) & bits) == bits;
}

static void test_status__offered_features_are_accepted(void **state)
{
	fake_negotiate(&f.dev, VERSION_1 | OWN_FEATURE);
	assert_true(has_status(VIRTIO_CONFIG_S_FEATURES_OK));
}

static void test_status__unoffered_feature_is_refused(void **state)
{
	fake_negotiate(&f.dev, VERSION_1 | BIT64(4));
	assert_false(has_status(VIRTIO_CONFIG_S_FEATURES_OK));
}

static void test_status__driver_without_version_1_is_refused(void **state)
{
	fake_negotiate(&f.dev, OWN_FEATURE);
	assert_false(has_status(VIRTIO_CONFIG_S_FEATURES_OK));
}

static void test_status__driver_ok_needs_features_ok(void **state)
{
	fake_driver_ok(&f.dev);
	assert_false(has_status(VIRTIO_CONFIG_S_DRIVER_OK));
	assert_int_equal(f.activated, 0);
}

static void test_status__driver_ok_activates_once(void **state)
{
	fake_negotiate(&f.dev, VERSION_1);
	fake_driver_ok(&f.dev);
	fake_driver_ok(&f.dev);
	assert_int_equal(f.activated, 1);
}

static void test_status__bits_cannot_be_cleared(void **state)
{
	fake_negotiate(&f.dev, VERSION_1);
	virtio_set_status(&f.dev, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	assert_true(has_status(VIRTIO_CONFIG_S_FEATURES_OK));
}

static void test_status__driver_cannot_set_needs_reset(void **state)
{
	virtio_set_status(&f.dev, VIRTIO_CONFIG_S_NEEDS_RESET);
	assert_false(has_status(VIRTIO_CONFIG_S_NEEDS_RESET));
}

static void test_status__reset_forgets_the_driver(void **state)
{
	struct virtq *q = &f.dev.queues[0];
	struct fake_ring ring;

	fake_negotiate(&f.dev, VERSION_1 | OWN_FEATURE);
	fake_ring_init(&ring, &f.guest, q, 8);
	assert_int_equal(virtio_queue_enable(&f.dev, q), 0);
	fake_driver_ok(&f.dev);

	virtio_set_status(&f.dev, 0);
	assert_int_equal(virtio_get_status(&f.dev), 0);
	assert_int_equal(virtio_get_driver_features(&f.dev, 0), 0);
	assert_int_equal(virtio_get_driver_features(&f.dev, 1), 0);
	assert_false(q->enabled);
	assert_int_equal(q->size, SIZE);
	assert_int_equal(q->desc_gpa, 0);
	assert_int_equal(f.deactivated, 1);
	assert_int_equal(f.resets, 1);
}

static void test_status__failed_activation_needs_reset(void **state)
{
	f.activate_result = -EIO;
	fake_negotiate(&f.dev, VERSION_1);
	fake_driver_ok(&f.dev);
	assert_true(has_status(VIRTIO_CONFIG_S_NEEDS_RESET));
	virtio_set_status(&f.dev, 0);
	assert_int_equal(f.deactivated, 0);
}

static void test_needs_reset__interrupts_a_running_driver_once(void **state)
{
	fake_negotiate(&f.dev, VERSION_1);
	virtio_needs_reset(&f.dev, "early");
	assert_int_equal(f.transport.config_irqs, 0);
	virtio_set_status(&f.dev, 0);

	fake_negotiate(&f.dev, VERSION_1);
	fake_driver_ok(&f.dev);
	virtio_needs_reset(&f.dev, "late");
	virtio_needs_reset(&f.dev, "later");
	assert_int_equal(f.transport.config_irqs, 1);
}

static void test_features__windows_beyond_64_bits_are_empty(void **state)
{
	assert_int_equal(virtio_get_host_features(&f.dev, 2), 0);
	assert_int_equal(virtio_get_host_features(&f.dev, UINT32_MAX), 0);
	virtio_set_driver_features(&f.dev, 2, 1);
	assert_int_equal(virtio_get_driver_features(&f.dev, 0), 0);
}

/* No IOMMU stands before a device, so none can be promised (6.1). */
static void test_features__access_platform_is_refused(void **state)
{
	assert_false(f.dev.host_features & BIT64(VIRTIO_F_ACCESS_PLATFORM));
	fake_negotiate(&f.dev, VERSION_1 | BIT64(VIRTIO_F_ACCESS_PLATFORM));
	assert_false(has_status(VIRTIO_CONFIG_S_FEATURES_OK));
}

static void test_features__frozen_after_features_ok(void **state)
{
	fake_negotiate(&f.dev, VERSION_1);
	virtio_set_driver_features(&f.dev, 0, (u32)OWN_FEATURE);
	assert_int_equal(virtio_get_driver_features(&f.dev, 0), 0);
}

static void test_queue__index_is_bounded(void **state) /* S10 */
{
	assert_non_null(virtio_queue(&f.dev, 1));
	assert_null(virtio_queue(&f.dev, 2));
	assert_null(virtio_queue(&f.dev, UINT32_MAX));
	virtio_kick(&f.dev, 2);
	virtio_kick(&f.dev, UINT32_MAX);
}

static void test_queue__bad_sizes_are_ignored(void **state)
{
	struct virtq *q = &f.dev.queues[0];

	virtio_queue_set_size(&f.dev, q, 8);
	virtio_queue_set_size(&f.dev, q, 0);
	virtio_queue_set_size(&f.dev, q, 7);
	virtio_queue_set_size(&f.dev, q, 2 * SIZE);
	assert_int_equal(q->size, 8);
}

static void test_queue__enable_only_during_set_up(void **state)
{
	struct virtq *q = &f.dev.queues[0];
	struct fake_ring ring;

	fake_ring_init(&ring, &f.guest, q, SIZE);
	assert_int_equal(virtio_queue_enable(&f.dev, q), -EBUSY);
	fake_negotiate(&f.dev, VERSION_1);
	assert_int_equal(virtio_queue_enable(&f.dev, q), 0);
	assert_int_equal(virtio_queue_enable(&f.dev, q), -EBUSY);
	fake_driver_ok(&f.dev);
	assert_int_equal(virtio_queue_enable(&f.dev, &f.dev.queues[1]), -EBUSY);
}

static void test_queue__bad_address_needs_reset(void **state)
{
	struct virtq *q = &f.dev.queues[0];

	fake_negotiate(&f.dev, VERSION_1);
	assert_int_equal(virtio_queue_enable(&f.dev, q), -EINVAL);
	assert_true(has_status(VIRTIO_CONFIG_S_NEEDS_RESET));
}

static void test_queue__set_up_is_frozen_while_enabled(void **state)
{
	struct virtq *q = &f.dev.queues[0];
	struct fake_ring ring;
	u64 desc_gpa;

	fake_ring_init(&ring, &f.guest, q, SIZE);
	fake_negotiate(&f.dev, VERSION_1);
	assert_int_equal(virtio_queue_enable(&f.dev, q), 0);
	desc_gpa = q->desc_gpa;
	virtio_queue_set_size(&f.dev, q, 2);
	virtio_queue_set_address(&f.dev, q, VIRTQ_DESC, 1, 0xffffffff);
	assert_int_equal(q->size, SIZE);
	assert_int_equal(q->desc_gpa, desc_gpa);
}

static void test_queue__addresses_are_set_in_halves(void **state)
{
	struct virtq *q = &f.dev.queues[0];

	virtio_queue_set_address(&f.dev, q, VIRTQ_USED, 1, 0x12345678);
	virtio_queue_set_address(&f.dev, q, VIRTQ_USED, 0, 0x9abcdef0);
	assert_int_equal(q->used_gpa, 0x123456789abcdef0);
}

static void test_config__reads_stop_at_the_end(void **state)
{
	u8 bytes[8];

	memset(bytes, 0xff, sizeof(bytes));
	virtio_config_read(&f.dev, CONFIG_LEN - 2, bytes, 8);
	assert_memory_equal(bytes, "89\0\0\0\0\0\0", 8);
	virtio_config_read(&f.dev, UINT64_MAX, bytes, 8);
	assert_memory_equal(bytes, "\0\0\0\0\0\0\0\0", 8);
}

static void test_config__writes_across_the_end_do_nothing(void **state)
{
	virtio_config_write(&f.dev, CONFIG_LEN - 1, "xx", 2);
	virtio_config_write(&f.dev, UINT64_MAX - 1, "xx", 2);
	assert_memory_equal(f.config, "0123456789", CONFIG_LEN);
	virtio_config_write(&f.dev, CONFIG_LEN - 2, "xx", 2);
	assert_memory_equal(f.config, "01234567xx", CONFIG_LEN);
}

static void test_config__change_bumps_generation_and_interrupts(void **state)
{
	u8 before = f.dev.config_generation;

	virtio_config_changed(&f.dev);
	assert_int_not_equal(f.dev.config_generation, before);
	assert_int_equal(f.transport.config_irqs, 1);
}

static void test_pause__serves_nothing_until_resume(void **state)
{
	fake_negotiate(&f.dev, VERSION_1);
	fake_driver_ok(&f.dev);
	virtio_device_pause(&f.dev.base);
	assert_int_equal(f.deactivated, 1);
	virtio_device_resume(&f.dev.base);
	assert_int_equal(f.activated, 2);
	assert_int_equal(f.resets, 0);
}

static void test_stop__is_final(void **state)
{
	virtio_device_stop(&f.dev.base);
	fake_negotiate(&f.dev, VERSION_1);
	fake_driver_ok(&f.dev);
	assert_int_equal(f.activated, 0);
}

#define DEVICE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DEVICE_TEST(test_status__offered_features_are_accepted),
		DEVICE_TEST(test_status__unoffered_feature_is_refused),
		DEVICE_TEST(test_status__driver_without_version_1_is_refused),
		DEVICE_TEST(test_status__driver_ok_needs_features_ok),
		DEVICE_TEST(test_status__driver_ok_activates_once),
		DEVICE_TEST(test_status__bits_cannot_be_cleared),
		DEVICE_TEST(test_status__driver_cannot_set_needs_reset),
		DEVICE_TEST(test_status__reset_forgets_the_driver),
		DEVICE_TEST(test_status__failed_activation_needs_reset),
		DEVICE_TEST(test_needs_reset__interrupts_a_running_driver_once),
		DEVICE_TEST(test_features__windows_beyond_64_bits_are_empty),
		DEVICE_TEST(test_features__access_platform_is_refused),
		DEVICE_TEST(test_features__frozen_after_features_ok),
		DEVICE_TEST(test_queue__index_is_bounded),
		DEVICE_TEST(test_queue__bad_sizes_are_ignored),
		DEVICE_TEST(test_queue__enable_only_during_set_up),
		DEVICE_TEST(test_queue__bad_address_needs_reset),
		DEVICE_TEST(test_queue__set_up_is_frozen_while_enabled),
		DEVICE_TEST(test_queue__addresses_are_set_in_halves),
		DEVICE_TEST(test_config__reads_stop_at_the_end),
		DEVICE_TEST(test_config__writes_across_the_end_do_nothing),
		DEVICE_TEST(
			test_config__change_bumps_generation_and_interrupts),
		DEVICE_TEST(test_pause__serves_nothing_until_resume),
		DEVICE_TEST(test_stop__is_final),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
