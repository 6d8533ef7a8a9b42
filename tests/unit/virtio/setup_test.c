/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * virtio/setup.c: queues that are reset one by one (RING_RESET), and queues that
 * a legacy driver sets up in one piece.
 */
#include "lkvm/virtio.h"

#include <linux/virtio_config.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include "tests/support/fake_virtio.h"
#include <cmocka.h>

#define SIZE 16
#define VERSION_1 BIT64(VIRTIO_F_VERSION_1)
#define RING_RESET BIT64(VIRTIO_F_RING_RESET)
#define EVENT_IDX BIT64(VIRTIO_RING_F_EVENT_IDX)
#define PAGE 4096U

static struct {
	struct fake_guest guest;
	struct virtio_device dev;
	struct fake_ring ring;
	bool serving;
	unsigned int queue_resets;
	bool enabled_at_activate[2];
} f;

static int test_activate(struct virtio_device *dev)
{
	f.serving = true;
	for (unsigned int i = 0; i < 2; i++)
		f.enabled_at_activate[i] = dev->queues[i].enabled;
	return 0;
}

static void test_deactivate(struct virtio_device *dev)
{
	f.serving = false;
}

static void test_reset(struct virtio_device *dev)
{
}

static void test_queue_reset(struct virtio_device *dev, struct virtq *q)
{
	assert_false(f.serving);
	f.queue_resets++;
}

static const struct virtio_dev_ops test_ops = {
	.name = "test",
	.activate = test_activate,
	.deactivate = test_deactivate,
	.reset = test_reset,
	.queue_reset = test_queue_reset,
};

/* Keeps chains over deactivate(), and can only forget all of them. */
static const struct virtio_dev_ops keeping_ops = {
	.name = "test",
	.activate = test_activate,
	.deactivate = test_deactivate,
	.reset = test_reset,
};

static int setup(void **state)
{
	memset(&f, 0, sizeof(f));
	fake_guest_init(&f.guest, 256 * KIB);
	return virtio_device_init(&f.dev, &test_ops, &f.guest.mem, BIT64(3), 0,
				  2, SIZE);
}

static int setup_legacy(void **state)
{
	int err = setup(state);

	virtio_device_make_legacy(&f.dev);
	return err;
}

static int teardown(void **state)
{
	virtio_device_release(&f.dev);
	fake_guest_release(&f.guest);
	return 0;
}

static struct virtq *queue(unsigned int index)
{
	return &f.dev.queues[index];
}

static void set_up(unsigned int index)
{
	fake_ring_init(&f.ring, &f.guest, queue(index), 8);
	assert_int_equal(virtio_queue_enable(&f.dev, queue(index)), 0);
}

static void run(u64 features)
{
	fake_negotiate(&f.dev, features);
	set_up(0);
	set_up(1);
	fake_driver_ok(&f.dev);
	assert_true(f.serving);
}

/* ---- RING_RESET (2.6.1) ---- */

static void test_ring_reset__is_offered_where_it_can_be_done(void **state)
{
	assert_true(f.dev.host_features & RING_RESET);
	virtio_device_release(&f.dev);
	assert_int_equal(virtio_device_init(&f.dev, &keeping_ops, &f.guest.mem,
					    0, 0, 2, SIZE),
			 0);
	assert_false(f.dev.host_features & RING_RESET);
}

static void test_ring_reset__queue_is_as_at_first(void **state)
{
	run(VERSION_1 | RING_RESET);
	queue(1)->last_avail = 5;
	virtio_queue_reset(&f.dev, queue(1));
	assert_false(queue(1)->enabled);
	assert_int_equal(queue(1)->size, SIZE);
	assert_int_equal(queue(1)->desc_gpa, 0);
	assert_int_equal(f.queue_resets, 1);
	/* The other one goes on. */
	assert_true(f.serving);
	assert_true(f.enabled_at_activate[0]);
	assert_false(f.enabled_at_activate[1]);
}

static void test_ring_reset__queue_can_be_enabled_again(void **state)
{
	run(VERSION_1 | RING_RESET);
	queue(1)->last_avail = 5;
	virtio_queue_reset(&f.dev, queue(1));
	set_up(1);
	assert_int_equal(queue(1)->last_avail, 0);
	assert_true(f.serving);
	assert_true(f.enabled_at_activate[1]);
}

static void test_ring_reset__needs_the_feature(void **state)
{
	run(VERSION_1);
	virtio_queue_reset(&f.dev, queue(1));
	assert_true(queue(1)->enabled);
}

static void test_ring_reset__bad_ring_breaks_the_device(void **state)
{
	run(VERSION_1 | RING_RESET);
	virtio_queue_reset(&f.dev, queue(0));
	queue(0)->desc_gpa = FAKE_RAM_START + 1;
	assert_int_not_equal(virtio_queue_enable(&f.dev, queue(0)), 0);
	assert_true(virtio_get_status(&f.dev) & VIRTIO_CONFIG_S_NEEDS_RESET);
}

static void test_ring_reset__waits_while_paused(void **state)
{
	run(VERSION_1 | RING_RESET);
	virtio_device_pause(&f.dev.base);
	virtio_queue_reset(&f.dev, queue(1));
	assert_false(f.serving);
	virtio_device_resume(&f.dev.base);
	assert_false(f.enabled_at_activate[1]);
}

/* ---- Legacy ---- */

static u64 legacy_queue(unsigned int index)
{
	u64 gpa = fake_alloc(&f.guest, 4 * PAGE, PAGE);

	virtio_queue_set_legacy(&f.dev, queue(index), gpa, PAGE);
	return gpa;
}

static void test_legacy__offers_32_features_and_any_layout(void **state)
{
	assert_int_equal(virtio_get_host_features(&f.dev, 1), 0);
	assert_int_equal(virtio_get_host_features(&f.dev, 0),
			 BIT(3) | BIT(VIRTIO_F_ANY_LAYOUT) |
				 BIT(VIRTIO_RING_F_EVENT_IDX) |
				 BIT(VIRTIO_RING_F_INDIRECT_DESC));
}

static void test_legacy__unoffered_features_are_not_taken(void **state)
{
	virtio_set_driver_features(&f.dev, 0, BIT(3) | BIT(4));
	assert_int_equal(virtio_get_driver_features(&f.dev, 0), BIT(3));
}

static void test_legacy__queue_is_laid_out_in_one_piece(void **state)
{
	u64 gpa = legacy_queue(0);

	assert_true(queue(0)->enabled);
	assert_int_equal(queue(0)->desc_gpa, gpa);
	assert_int_equal(queue(0)->avail_gpa, gpa + 16 * SIZE);
	assert_int_equal(queue(0)->used_gpa, gpa + PAGE);
}

static void test_legacy__layout_is_what_linux_computes(void **state)
{
	static const u16 sizes[] = { 1, 2, 8, 16 };
	static const u32 aligns[] = { 4, 64, 4096 };

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++)
		for (unsigned int j = 0; j < ARRAY_SIZE(aligns); j++) {
			u64 gpa = fake_alloc(&f.guest, 2 * PAGE, PAGE);
			u8 *base = fake_ptr(&f.guest, gpa, 2 * PAGE);
			struct vring vring;

			vring_init(&vring, sizes[i], base, aligns[j]);
			virtio_queue_set_size(&f.dev, queue(0), sizes[i]);
			virtio_queue_set_legacy(&f.dev, queue(0), gpa,
						aligns[j]);
			assert_int_equal(
				queue(0)->avail_gpa - gpa,
				(u64)((u8 *)(void *)vring.avail - base));
			assert_int_equal(
				queue(0)->used_gpa - gpa,
				(u64)((u8 *)(void *)vring.used - base));
			virtio_queue_set_legacy(&f.dev, queue(0), 0, 0);
			assert_false(queue(0)->enabled);
		}
}

static void test_legacy__driver_ok_needs_no_features_ok(void **state)
{
	legacy_queue(0);
	virtio_set_status(&f.dev, VIRTIO_CONFIG_S_ACKNOWLEDGE |
					  VIRTIO_CONFIG_S_FEATURES_OK |
					  VIRTIO_CONFIG_S_DRIVER_OK);
	assert_true(f.serving);
	assert_int_equal(virtio_get_status(&f.dev),
			 VIRTIO_CONFIG_S_ACKNOWLEDGE |
				 VIRTIO_CONFIG_S_DRIVER_OK);
}

static void test_legacy__driver_may_ring_before_driver_ok(void **state)
{
	legacy_queue(0);
	virtio_legacy_kick(&f.dev, 1); /* not set up: nothing happens */
	assert_false(f.serving);
	virtio_legacy_kick(&f.dev, 0);
	assert_true(f.serving);
	/* A queue that comes late is served, too. */
	legacy_queue(1);
	assert_true(f.serving);
	assert_true(f.enabled_at_activate[1]);
	fake_driver_ok(&f.dev);
	assert_true(f.serving);
	virtio_set_status(&f.dev, 0);
	assert_false(f.serving);
	assert_false(queue(0)->enabled);
}

static void test_legacy__features_hold_once_it_runs(void **state)
{
	virtio_set_driver_features(&f.dev, 0, BIT(3));
	legacy_queue(0);
	virtio_legacy_kick(&f.dev, 0);
	virtio_set_driver_features(&f.dev, 0, 0);
	assert_int_equal(virtio_get_driver_features(&f.dev, 0), BIT(3));
}

static void test_legacy__page_0_takes_the_queue_away(void **state)
{
	legacy_queue(0);
	fake_driver_ok(&f.dev);
	virtio_queue_set_legacy(&f.dev, queue(0), 0, PAGE);
	assert_false(queue(0)->enabled);
	assert_int_equal(f.queue_resets, 1);
	assert_true(f.serving);
	assert_false(f.enabled_at_activate[0]);
}

static void test_legacy__queue_outside_ram_needs_reset(void **state) /* S6 */
{
	static const u64 places[] = { 1, 0xfffff, 0xffffffffULL << 12 };

	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
		virtio_queue_set_legacy(&f.dev, queue(0), places[i], PAGE);
		assert_false(queue(0)->enabled);
		assert_true(virtio_get_status(&f.dev) &
			    VIRTIO_CONFIG_S_NEEDS_RESET);
		virtio_legacy_kick(&f.dev, 0);
		assert_false(f.serving);
		virtio_set_status(&f.dev, 0);
	}
}

static void test_legacy__index_is_bounded(void **state) /* S10 */
{
	virtio_legacy_kick(&f.dev, 2);
	virtio_legacy_kick(&f.dev, UINT32_MAX);
	assert_false(f.serving);
}

#define RESET_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define LEGACY_TEST(name)                                                      \
	cmocka_unit_test_setup_teardown(name, setup_legacy, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RESET_TEST(test_ring_reset__is_offered_where_it_can_be_done),
		RESET_TEST(test_ring_reset__queue_is_as_at_first),
		RESET_TEST(test_ring_reset__queue_can_be_enabled_again),
		RESET_TEST(test_ring_reset__needs_the_feature),
		RESET_TEST(test_ring_reset__bad_ring_breaks_the_device),
		RESET_TEST(test_ring_reset__waits_while_paused),
		LEGACY_TEST(test_legacy__offers_32_features_and_any_layout),
		LEGACY_TEST(test_legacy__unoffered_features_are_not_taken),
		LEGACY_TEST(test_legacy__queue_is_laid_out_in_one_piece),
		LEGACY_TEST(test_legacy__layout_is_what_linux_computes),
		LEGACY_TEST(test_legacy__driver_ok_needs_no_features_ok),
		LEGACY_TEST(test_legacy__driver_may_ring_before_driver_ok),
		LEGACY_TEST(test_legacy__features_hold_once_it_runs),
		LEGACY_TEST(test_legacy__page_0_takes_the_queue_away),
		LEGACY_TEST(test_legacy__queue_outside_ram_needs_reset),
		LEGACY_TEST(test_legacy__index_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
