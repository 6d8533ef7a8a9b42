/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * virtio/balloon*.c: a fake driver gives pages, and answers for statistics.
 */
#include <errno.h>
#include <linux/virtio_config.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include "lkvm/balloon.h"
#include "lkvm/devices.h"
#include "tests/support/fake_chardev.h"
#include "tests/support/fake_virtio.h"
#include "virtio/balloon_priv.h"
#include <cmocka.h>

#define RAM_LEN (512 * KIB)
#define SIZE 32
#define WRITE VRING_DESC_F_WRITE
#define NEXT VRING_DESC_F_NEXT
#define LONG_TIME (60 * 1000000000ULL)

struct fixture {
	struct fake_guest guest;
	struct fake_vm fake;
	struct virtio_device *dev;
	struct fake_ring rings[BALLOON_NR_QUEUES];
	u64 list;  /* room for page numbers, or statistics */
	u64 pages; /* 16 of the guest's pages, filled with 0x5a */
};

static struct fixture f;

static void start_driver(u64 features)
{
	fake_negotiate(f.dev, features);
	for (unsigned int i = 0; i < BALLOON_NR_QUEUES; i++) {
		fake_ring_init(&f.rings[i], &f.guest, &f.dev->queues[i], SIZE);
		assert_int_equal(virtio_queue_enable(f.dev, f.rings[i].q), 0);
	}
	fake_driver_ok(f.dev);
}

static int setup(void **state)
{
	memset(&f, 0, sizeof(f));
	fake_guest_init(&f.guest, RAM_LEN);
	fake_vm_init(&f.fake, &f.guest);
	f.fake.config.balloon = true;
	if (virtio_balloon_class.create(&f.fake.vm, &f.fake.config))
		return -1;
	f.dev = container_of(f.fake.vm.devices, struct virtio_device, base);
	f.list = fake_alloc(&f.guest, 64 * KIB, 4096);
	f.pages = fake_alloc(&f.guest, 16 * 4096, 4096);
	memset(fake_ptr(&f.guest, f.pages, 16 * 4096), 0x5a, 16 * 4096);
	return 0;
}

static int setup_started(void **state)
{
	if (setup(state))
		return -1;
	start_driver(f.dev->host_features);
	return 0;
}

static int teardown(void **state)
{
	fake_vm_release(&f.fake);
	fake_guest_release(&f.guest);
	return 0;
}

/* Does each byte of page @i of f.pages read as @value? */
static bool page_is(unsigned int i, u8 value)
{
	const u8 *page = fake_ptr(&f.guest, f.pages + i * 4096ULL, 4096);

	for (unsigned int at = 0; at < 4096; at++)
		if (page[at] != value)
			return false;
	return true;
}

static u32 page_number(unsigned int i)
{
	return (u32)(f.pages / BALLOON_PAGE + i);
}

/* Chain 0 of @queue, which stands there already, has been dealt with. */
static void submit(unsigned int queue)
{
	struct vring_used_elem elem;

	fake_post(&f.rings[queue], 0);
	virtio_kick(f.dev, queue);
	assert_true(fake_wait_used(&f.rings[queue], &elem));
	assert_int_equal(elem.id, 0);
}

static void send_list(unsigned int queue, const u32 *numbers, unsigned int nr)
{
	u32 len = nr * (u32)sizeof(*numbers);

	memcpy(fake_ptr(&f.guest, f.list, len), numbers, len);
	fake_desc(&f.rings[queue], 0, f.list, len, 0, 0);
	submit(queue);
}

/* ---- Pages ---- */

static void test_balloon__absent_unless_asked_for(void **state)
{
	struct kvm_config config = { .balloon = false };
	struct device *before = f.fake.vm.devices;
	struct kvm none = { 0 };
	struct balloon_ask ask;

	assert_int_equal(virtio_balloon_class.create(&f.fake.vm, &config), 0);
	assert_ptr_equal(f.fake.vm.devices, before);
	assert_int_equal(balloon_set_target(&none, 0), -ENODEV);
	assert_int_equal(balloon_query(&none, &(struct balloon_info){ 0 }),
			 -ENODEV);
	assert_int_equal(balloon_ask_stats(&none, &ask, 1), -ENODEV);
}

static void test_balloon__inflating_gives_pages_back(void **state)
{
	const u32 numbers[] = {
		page_number(1), page_number(2), page_number(3),
		page_number(9), page_number(8), page_number(12)
	};

	send_list(BALLOON_INFLATE_QUEUE, numbers, ARRAY_SIZE(numbers));
	for (unsigned int i = 0; i < 16; i++) {
		bool given = (i >= 1 && i <= 3) || i == 8 || i == 9 || i == 12;

		assert_true(page_is(i, given ? 0 : 0x5a));
	}
}

static void test_balloon__deflating_costs_nothing(void **state)
{
	const u32 numbers[] = { page_number(1), page_number(2) };

	send_list(BALLOON_INFLATE_QUEUE, numbers, 2);
	memset(fake_ptr(&f.guest, f.pages + 4096, 4096), 0x77, 4096);
	send_list(BALLOON_DEFLATE_QUEUE, numbers, 2);
	assert_true(page_is(1, 0x77));
	assert_true(page_is(2, 0));
}

static void test_balloon__wrong_numbers_harm_nobody(void **state)
{
	const u32 first = FAKE_RAM_START / BALLOON_PAGE;
	const u32 numbers[] = {
		0,
		UINT32_MAX,
		first - 1,
		first + RAM_LEN / BALLOON_PAGE,
		page_number(4),
		page_number(4),
		page_number(4),
		0x80000000,
	};

	send_list(BALLOON_INFLATE_QUEUE, numbers, ARRAY_SIZE(numbers));
	for (unsigned int i = 0; i < 16; i++)
		assert_true(page_is(i, i == 4 ? 0 : 0x5a));
}

static void test_balloon__list_in_pieces_of_odd_length(void **state)
{
	struct fake_ring *ring = &f.rings[BALLOON_INFLATE_QUEUE];
	u32 numbers[600];

	for (unsigned int i = 0; i < ARRAY_SIZE(numbers); i++)
		numbers[i] = page_number(i % 4);
	numbers[599] = page_number(7);
	memcpy(fake_ptr(&f.guest, f.list, sizeof(numbers)), numbers,
	       sizeof(numbers));
	fake_desc(ring, 0, f.list, 3, NEXT, 1);
	fake_desc(ring, 1, f.list + 3, 1030, NEXT, 2);
	/* Two bytes behind the last number mean nothing. */
	fake_desc(ring, 2, f.list + 1033, sizeof(numbers) - 1033 + 2, 0, 0);
	submit(BALLOON_INFLATE_QUEUE);
	for (unsigned int i = 0; i < 16; i++)
		assert_true(page_is(i, i < 4 || i == 7 ? 0 : 0x5a));
}

static void test_balloon__empty_and_writable_lists_are_returned(void **state)
{
	fake_desc(&f.rings[BALLOON_INFLATE_QUEUE], 0, f.list, 0, 0, 0);
	submit(BALLOON_INFLATE_QUEUE);
	fake_desc(&f.rings[BALLOON_INFLATE_QUEUE], 0, f.pages, 4096, WRITE, 0);
	submit(BALLOON_INFLATE_QUEUE);
	assert_true(page_is(0, 0x5a));
}

static void test_balloon__list_survives_a_pause(void **state)
{
	struct fake_ring *ring = &f.rings[BALLOON_INFLATE_QUEUE];
	u32 *numbers = fake_ptr(&f.guest, f.list, 64 * KIB);
	struct vring_used_elem elem;

	for (unsigned int i = 0; i < 64 * KIB / sizeof(*numbers); i++)
		numbers[i] = page_number(2 * (i % 8));
	for (u16 i = 0; i < SIZE; i++)
		fake_desc(ring, i, f.list, 64 * KIB, i < SIZE - 1 ? NEXT : 0,
			  i + 1);
	fake_post(ring, 0);
	virtio_kick(f.dev, BALLOON_INFLATE_QUEUE);
	for (unsigned int i = 0; i < 20; i++) {
		virtio_device_pause(&f.dev->base);
		virtio_device_resume(&f.dev->base);
	}
	assert_true(fake_wait_used(ring, &elem));
	assert_true(page_is(14, 0));
	assert_true(page_is(13, 0x5a));
}

/* ---- Reports ---- */

static void report(u64 addr, u32 len)
{
	fake_desc(&f.rings[BALLOON_REPORT_QUEUE], 0, addr, len, WRITE, 0);
	submit(BALLOON_REPORT_QUEUE);
}

static u64 reports(void)
{
	struct balloon_info info;

	assert_int_equal(balloon_query(&f.fake.vm, &info), 0);
	return info.reports;
}

static void test_balloon__reported_memory_goes_in_whole_pages(void **state)
{
	report(f.pages + 4096 + 100, 3 * 4096);
	assert_true(page_is(0, 0x5a));
	assert_false(page_is(1, 0));
	assert_true(page_is(2, 0));
	assert_true(page_is(3, 0));
	assert_int_equal(((u8 *)fake_ptr(&f.guest, f.pages, 1))[4 * 4096],
			 0x5a);
	assert_int_equal(reports(), 2 * 4096);
	report(f.pages, 4095);
	assert_true(page_is(0, 0x5a));
}

static void test_balloon__reports_come_by_the_number_of_the_spec(void **state)
{
	fake_desc(&f.rings[BALLOON_REPORT_QUEUE_OF_SPEC], 0, f.pages, 4096,
		  WRITE, 0);
	submit(BALLOON_REPORT_QUEUE_OF_SPEC);
	assert_true(page_is(0, 0));
}

static void test_balloon__poisoned_memory_is_kept(void **state)
{
	u32 poison = 0xaaaaaaaa;

	virtio_config_write(f.dev,
			    offsetof(struct virtio_balloon_config, poison_val),
			    &poison, sizeof(poison));
	report(f.pages, 4096);
	assert_true(page_is(0, 0x5a));
	assert_int_equal(reports(), 0);
}

static void test_balloon__pinned_memory_is_kept(void **state)
{
	const u32 numbers[] = { page_number(1) };
	struct balloon_info info;

	f.fake.vm.memory.is_pinned = true;
	send_list(BALLOON_INFLATE_QUEUE, numbers, 1);
	report(f.pages, 4096);
	assert_true(page_is(0, 0x5a));
	assert_true(page_is(1, 0x5a));
	assert_int_equal(balloon_query(&f.fake.vm, &info), 0);
	assert_true(info.is_pinned);
	assert_int_equal(info.reports, 0);
}

/* ---- Configuration ---- */

static void test_balloon__target_reaches_the_driver(void **state)
{
	struct fake_transport *transport = &(struct fake_transport){ 0 };
	struct virtio_transport *real = f.dev->transport;
	struct virtio_balloon_config config;
	struct balloon_info info;

	fake_transport_init(transport, f.dev);
	assert_int_equal(balloon_set_target(&f.fake.vm, 64 * KIB + 1), 0);
	assert_int_equal(transport->config_irqs, 1);
	virtio_config_read(f.dev, 0, &config, sizeof(config));
	assert_int_equal(config.num_pages, 16);
	assert_int_equal(config.actual, 0);
	assert_int_equal(balloon_set_target(&f.fake.vm, RAM_LEN + 1), -EINVAL);
	assert_int_equal(balloon_query(&f.fake.vm, &info), 0);
	assert_int_equal(info.target, 64 * KIB);
	assert_true(info.has_driver);
	f.dev->transport = real;
}

static void write_actual(u32 actual)
{
	virtio_config_write(f.dev,
			    offsetof(struct virtio_balloon_config, actual),
			    &actual, sizeof(actual));
}

static void test_balloon__actual_is_what_the_driver_says(void **state)
{
	struct balloon_info info;

	write_actual(3);
	assert_int_equal(balloon_query(&f.fake.vm, &info), 0);
	assert_int_equal(info.actual, 3 * 4096);
	write_actual(UINT32_MAX);
	assert_int_equal(balloon_query(&f.fake.vm, &info), 0);
	assert_int_equal(info.actual, RAM_LEN);
	virtio_set_status(f.dev, 0);
	assert_int_equal(balloon_query(&f.fake.vm, &info), 0);
	assert_int_equal(info.actual, 0);
	assert_false(info.has_driver);
}

static void test_balloon__target_is_not_the_drivers_to_write(void **state)
{
	u8 ones[sizeof(struct virtio_balloon_config)];
	struct virtio_balloon_config config;

	memset(ones, 0xff, sizeof(ones));
	virtio_config_write(f.dev, 0, ones, sizeof(ones));
	virtio_config_read(f.dev, 0, &config, sizeof(config));
	assert_int_equal(config.num_pages, 0);
	assert_int_equal(config.free_page_hint_cmd_id, 0);
	assert_int_equal(config.actual, UINT32_MAX);
}

/* ---- Statistics ---- */

struct asker {
	struct balloon_ask ask;
	u64 timeout_ns;
	int asked; /* what balloon_ask_stats() said */
	int err;
	struct balloon_stats stats;
	_Atomic unsigned int answers;
};

static void answered(struct balloon_ask *ask, int err,
		     const struct balloon_stats *stats)
{
	struct asker *asker = container_of(ask, struct asker, ask);

	asker->err = err;
	if (stats)
		asker->stats = *stats;
	asker->answers++;
}

/* Calls a function on the event loop, and waits for its return. */
struct on_loop {
	struct event_timer timer;
	void (*call)(struct asker *asker);
	struct asker *asker;
	atomic_bool done;
};

static void call_on_loop(struct event_timer *timer)
{
	struct on_loop *on = container_of(timer, struct on_loop, timer);

	on->call(on->asker);
	on->done = true;
}

static bool is_true(void *opaque)
{
	return *(atomic_bool *)opaque;
}

static void run_on_loop(void (*call)(struct asker *), struct asker *asker)
{
	struct on_loop on = {
		.timer.expired = call_on_loop,
		.call = call,
		.asker = asker,
	};

	assert_int_equal(event_timer_init(&f.fake.vm.loop, &on.timer), 0);
	event_timer_set(&on.timer, 1);
	assert_true(wait_until(is_true, &on.done));
	event_timer_release(&f.fake.vm.loop, &on.timer);
}

static void ask_now(struct asker *asker)
{
	asker->ask.answer = answered;
	asker->asked =
		balloon_ask_stats(&f.fake.vm, &asker->ask, asker->timeout_ns);
}

static void cancel_now(struct asker *asker)
{
	balloon_cancel(&f.fake.vm, &asker->ask);
}

static bool has_answer(void *opaque)
{
	return ((struct asker *)opaque)->answers;
}

static void put_stats(const struct virtio_balloon_stat *stats, unsigned int nr)
{
	u32 len = nr * (u32)sizeof(*stats);

	memcpy(fake_ptr(&f.guest, f.list, len), stats, len);
	fake_desc(&f.rings[BALLOON_STATS_QUEUE], 0, f.list, len, 0, 0);
	fake_post(&f.rings[BALLOON_STATS_QUEUE], 0);
	virtio_kick(f.dev, BALLOON_STATS_QUEUE);
}

static const struct virtio_balloon_stat some_stats[] = {
	{ VIRTIO_BALLOON_S_MEMFREE, 0x123456789a },
	{ VIRTIO_BALLOON_S_MEMTOT, 7 },
	{ 999, 1 },
	{ 0xffff, 1 },
};

static bool is_holding(void *opaque)
{
	struct balloon *balloon = f.fake.vm.balloon;
	bool held;

	pthread_mutex_lock(&balloon->asking.lock);
	held = balloon->asking.held.is_held;
	pthread_mutex_unlock(&balloon->asking.lock);
	return held;
}

static void test_balloon__statistics_are_asked_for(void **state)
{
	struct asker asker = { .timeout_ns = LONG_TIME };
	struct vring_used_elem elem;

	/* The buffer that the driver starts with is no answer, and is kept. */
	put_stats(some_stats, 1);
	assert_true(wait_until(is_holding, NULL));
	assert_false(fake_used(&f.rings[BALLOON_STATS_QUEUE], &elem));

	run_on_loop(ask_now, &asker);
	assert_int_equal(asker.asked, 0);
	assert_true(fake_wait_used(&f.rings[BALLOON_STATS_QUEUE], &elem));
	assert_int_equal(asker.answers, 0);
	put_stats(some_stats, ARRAY_SIZE(some_stats));
	assert_true(wait_until(has_answer, &asker));
	assert_int_equal(asker.err, 0);
	assert_true(asker.stats.present[VIRTIO_BALLOON_S_MEMFREE]);
	assert_true(asker.stats.value[VIRTIO_BALLOON_S_MEMFREE] ==
		    0x123456789a);
	assert_int_equal(asker.stats.value[VIRTIO_BALLOON_S_MEMTOT], 7);
	assert_false(asker.stats.present[VIRTIO_BALLOON_S_SWAP_IN]);
	assert_string_equal(balloon_stat_names[VIRTIO_BALLOON_S_MEMFREE],
			    "free-memory");
}

static void test_balloon__who_asks_meanwhile_gets_the_same_answer(void **state)
{
	struct asker one = { .timeout_ns = LONG_TIME };
	struct asker two = { .timeout_ns = LONG_TIME };
	struct asker gone = { .timeout_ns = LONG_TIME };

	run_on_loop(ask_now, &one);
	run_on_loop(ask_now, &gone);
	run_on_loop(ask_now, &two);
	run_on_loop(cancel_now, &gone);
	put_stats(some_stats, 2);
	assert_true(wait_until(has_answer, &one));
	assert_true(wait_until(has_answer, &two));
	assert_int_equal(gone.answers, 0);
	run_on_loop(cancel_now, &one);
}

static void test_balloon__a_silent_guest_is_not_waited_for(void **state)
{
	struct asker asker = { .timeout_ns = 1000000 };

	run_on_loop(ask_now, &asker);
	assert_int_equal(asker.asked, 0);
	assert_true(wait_until(has_answer, &asker));
	assert_int_equal(asker.err, -ETIMEDOUT);
	/* What comes late is kept, and the next question answered. */
	put_stats(some_stats, 1);
	assert_true(wait_until(is_holding, NULL));
	asker = (struct asker){ .timeout_ns = LONG_TIME };
	run_on_loop(ask_now, &asker);
	put_stats(some_stats, 2);
	assert_true(wait_until(has_answer, &asker));
	assert_int_equal(asker.err, 0);
}

static void test_balloon__no_driver_no_statistics(void **state)
{
	struct asker asker = { .timeout_ns = LONG_TIME };

	run_on_loop(ask_now, &asker);
	assert_int_equal(asker.asked, -ENOTCONN);
	start_driver(f.dev->host_features & ~BIT64(VIRTIO_BALLOON_F_STATS_VQ));
	run_on_loop(ask_now, &asker);
	assert_int_equal(asker.asked, -ENOTCONN);
}

/* S5 of facts/kvmtool.md. */
static void test_balloon__long_statistics_are_cut(void **state)
{
	struct asker asker = { .timeout_ns = LONG_TIME };
	struct fake_ring *ring = &f.rings[BALLOON_STATS_QUEUE];
	u8 *bytes = fake_ptr(&f.guest, f.list, 64 * KIB);

	memset(bytes, 0xff, 64 * KIB);
	memcpy(bytes, some_stats, sizeof(some_stats));
	run_on_loop(ask_now, &asker);
	fake_desc(ring, 0, f.list, 64 * KIB, 0, 0);
	fake_post(ring, 0);
	virtio_kick(f.dev, BALLOON_STATS_QUEUE);
	assert_true(wait_until(has_answer, &asker));
	assert_int_equal(asker.stats.value[VIRTIO_BALLOON_S_MEMTOT], 7);
}

static void test_balloon__of_many_statistics_buffers_one_is_kept(void **state)
{
	struct fake_ring *ring = &f.rings[BALLOON_STATS_QUEUE];
	struct vring_used_elem elem;

	fake_desc(ring, 0, f.list, sizeof(some_stats), 0, 0);
	for (unsigned int i = 0; i < SIZE; i++)
		fake_post(ring, 0);
	virtio_kick(f.dev, BALLOON_STATS_QUEUE);
	for (unsigned int i = 0; i < SIZE - 1; i++)
		assert_true(fake_wait_used(ring, &elem));
	assert_true(wait_until(is_holding, NULL));
}

static void test_balloon__broken_ring_needs_reset_and_revives(void **state)
{
	const u32 numbers[] = { page_number(5) };
	struct asker asker = { .timeout_ns = LONG_TIME };

	__atomic_store_n(&f.rings[BALLOON_INFLATE_QUEUE].avail->idx, 1000,
			 __ATOMIC_RELEASE);
	virtio_kick(f.dev, BALLOON_INFLATE_QUEUE);
	while (!(virtio_get_status(f.dev) & VIRTIO_CONFIG_S_NEEDS_RESET))
		;
	put_stats(some_stats, 1);
	virtio_set_status(f.dev, 0);
	start_driver(f.dev->host_features);
	send_list(BALLOON_INFLATE_QUEUE, numbers, 1);
	assert_true(page_is(5, 0));
	run_on_loop(ask_now, &asker);
	put_stats(some_stats, 1);
	assert_true(wait_until(has_answer, &asker));
}

#define BALLOON_TEST(name)                                                     \
	cmocka_unit_test_setup_teardown(name, setup_started, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BALLOON_TEST(test_balloon__absent_unless_asked_for),
		BALLOON_TEST(test_balloon__inflating_gives_pages_back),
		BALLOON_TEST(test_balloon__deflating_costs_nothing),
		BALLOON_TEST(test_balloon__wrong_numbers_harm_nobody),
		BALLOON_TEST(test_balloon__list_in_pieces_of_odd_length),
		BALLOON_TEST(
			test_balloon__empty_and_writable_lists_are_returned),
		BALLOON_TEST(test_balloon__list_survives_a_pause),
		BALLOON_TEST(test_balloon__reported_memory_goes_in_whole_pages),
		BALLOON_TEST(
			test_balloon__reports_come_by_the_number_of_the_spec),
		BALLOON_TEST(test_balloon__poisoned_memory_is_kept),
		BALLOON_TEST(test_balloon__pinned_memory_is_kept),
		BALLOON_TEST(test_balloon__target_reaches_the_driver),
		BALLOON_TEST(test_balloon__actual_is_what_the_driver_says),
		BALLOON_TEST(test_balloon__target_is_not_the_drivers_to_write),
		BALLOON_TEST(test_balloon__statistics_are_asked_for),
		BALLOON_TEST(
			test_balloon__who_asks_meanwhile_gets_the_same_answer),
		BALLOON_TEST(test_balloon__a_silent_guest_is_not_waited_for),
		cmocka_unit_test_setup_teardown(
			test_balloon__no_driver_no_statistics, setup, teardown),
		BALLOON_TEST(test_balloon__long_statistics_are_cut),
		BALLOON_TEST(
			test_balloon__of_many_statistics_buffers_one_is_kept),
		BALLOON_TEST(test_balloon__broken_ring_needs_reset_and_revives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
