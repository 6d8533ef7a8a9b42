/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * virtio/rng.c on an event loop that runs.
 */
#include <linux/virtio_config.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include "lkvm/devices.h"
#include "tests/support/fake_virtio.h"
#include <cmocka.h>

#define SIZE 32
#define WRITE VRING_DESC_F_WRITE

struct fixture {
	struct fake_guest guest;
	struct fake_vm fake;
	struct virtio_device *dev;
	struct fake_ring ring;
	u64 buffer;
};

static struct fixture f;

static int setup(void **state)
{
	memset(&f, 0, sizeof(f));
	fake_guest_init(&f.guest, 256 * KIB);
	fake_vm_init(&f.fake, &f.guest);
	f.fake.config.rng = true;
	if (virtio_rng_class.create(&f.fake.vm, &f.fake.config))
		return -1;
	f.dev = container_of(f.fake.vm.devices, struct virtio_device, base);
	f.buffer = fake_alloc(&f.guest, 64 * KIB, 16);
	fake_negotiate(f.dev, f.dev->host_features);
	fake_ring_init(&f.ring, &f.guest, &f.dev->queues[0], SIZE);
	if (virtio_queue_enable(f.dev, f.ring.q))
		return -1;
	fake_driver_ok(f.dev);
	return 0;
}

static int teardown(void **state)
{
	fake_vm_release(&f.fake);
	fake_guest_release(&f.guest);
	return 0;
}

static u32 request(u32 len, u16 flags)
{
	struct vring_used_elem elem;

	fake_desc(&f.ring, 0, f.buffer, len, flags, 0);
	fake_post(&f.ring, 0);
	virtio_kick(f.dev, 0);
	assert_true(fake_wait_used(&f.ring, &elem));
	return elem.len;
}

static void test_rng__absent_unless_asked_for(void **state)
{
	struct kvm_config config = { .rng = false };
	struct device *before = f.fake.vm.devices;

	assert_int_equal(virtio_rng_class.create(&f.fake.vm, &config), 0);
	assert_ptr_equal(f.fake.vm.devices, before);
}

static void test_rng__fills_a_buffer_and_no_more(void **state)
{
	const u8 *bytes = fake_ptr(&f.guest, f.buffer, 64);
	unsigned int zeroes = 0;

	assert_int_equal(request(32, WRITE), 32);
	for (unsigned int i = 0; i < 32; i++)
		zeroes += !bytes[i];
	assert_true(zeroes < 16);
	for (unsigned int i = 32; i < 64; i++)
		assert_int_equal(bytes[i], 0);
}

static void test_rng__caps_a_huge_request(void **state)
{
	u32 written = request(64 * KIB, WRITE);

	assert_true(written > 0);
	assert_true(written <= 4096);
}

static void test_rng__returns_a_buffer_it_cannot_fill(void **state)
{
	assert_int_equal(request(32, 0), 0);
	assert_int_equal(request(0, WRITE), 0);
}

static void test_rng__serves_more_than_one_turn(void **state)
{
	struct vring_used_elem elem;

	fake_desc(&f.ring, 0, f.buffer, 8, WRITE, 0);
	for (unsigned int i = 0; i < SIZE; i++)
		fake_post(&f.ring, 0);
	virtio_kick(f.dev, 0);
	for (unsigned int i = 0; i < SIZE; i++)
		assert_true(fake_wait_used(&f.ring, &elem));
}

static void test_rng__broken_ring_needs_reset_and_revives(void **state)
{
	__atomic_store_n(&f.ring.avail->idx, 1000, __ATOMIC_RELEASE);
	virtio_kick(f.dev, 0);
	while (!(virtio_get_status(f.dev) & VIRTIO_CONFIG_S_NEEDS_RESET))
		;
	virtio_set_status(f.dev, 0);
	fake_negotiate(f.dev, f.dev->host_features);
	fake_ring_init(&f.ring, &f.guest, &f.dev->queues[0], SIZE);
	assert_int_equal(virtio_queue_enable(f.dev, f.ring.q), 0);
	fake_driver_ok(f.dev);
	assert_int_equal(request(16, WRITE), 16);
}

#define RNG_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RNG_TEST(test_rng__absent_unless_asked_for),
		RNG_TEST(test_rng__fills_a_buffer_and_no_more),
		RNG_TEST(test_rng__caps_a_huge_request),
		RNG_TEST(test_rng__returns_a_buffer_it_cannot_fill),
		RNG_TEST(test_rng__serves_more_than_one_turn),
		RNG_TEST(test_rng__broken_ring_needs_reset_and_revives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
