/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * virtio/queue.c: what a driver may put into a ring, and what it may not.
 */
#include "lkvm/virtio.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "tests/support/fake_virtio.h"
#include <cmocka.h>

#define SIZE 8
#define RAM_LEN (256 * KIB)
#define RAM_END (FAKE_RAM_START + RAM_LEN)
#define MAX_IOV 16
#define ALL_FEATURES                                                           \
	(BIT64(VIRTIO_F_VERSION_1) | BIT64(VIRTIO_RING_F_EVENT_IDX) |          \
	 BIT64(VIRTIO_RING_F_INDIRECT_DESC))

#define NEXT VRING_DESC_F_NEXT
#define WRITE VRING_DESC_F_WRITE
#define INDIRECT VRING_DESC_F_INDIRECT

static const struct virtio_dev_ops test_ops = { .name = "test" };

struct fixture {
	struct fake_guest guest;
	struct fake_transport transport;
	struct virtio_device dev;
	struct virtq *q;
	struct fake_ring ring;
	u64 buffer; /* 4 KiB of guest memory */
	struct iovec iov[MAX_IOV];
	struct virtq_chain chain;
};

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){ .chain = { .iov = f.iov, .max_iov = MAX_IOV } };
	fake_guest_init(&f.guest, RAM_LEN);
	if (virtio_device_init(&f.dev, &test_ops, &f.guest.mem, 0, 0, 1, SIZE))
		return -1;
	fake_transport_init(&f.transport, &f.dev);
	f.q = &f.dev.queues[0];
	fake_ring_init(&f.ring, &f.guest, f.q, SIZE);
	f.buffer = fake_alloc(&f.guest, 4096, 16);
	*state = &f;
	return virtq_enable(f.q, ALL_FEATURES);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	virtio_device_release(&f->dev);
	fake_guest_release(&f->guest);
	return 0;
}

static void enable_with(struct fixture *f, u64 features)
{
	virtq_disable(f->q);
	assert_int_equal(virtq_enable(f->q, features), 0);
}

static void assert_broken(struct fixture *f)
{
	assert_int_equal(virtq_pop(f->q, &f->chain), -EPROTO);
	assert_true(f->dev.status & VIRTIO_CONFIG_S_NEEDS_RESET);
	/* And it stays so, whatever comes. */
	assert_int_equal(virtq_pop(f->q, &f->chain), -EPROTO);
	assert_false(virtq_enable_kicks(f->q));
}

/* ---- Good chains ---- */

static void test_virtq_pop__empty_ring_gives_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(virtq_pop(f->q, &f->chain), 0);
}

static void test_virtq_pop__splits_chain_by_direction(void **state)
{
	struct fixture *f = *state;

	fake_desc(&f->ring, 3, f->buffer, 16, NEXT, 5);
	fake_desc(&f->ring, 5, f->buffer + 16, 512, NEXT | WRITE, 0);
	fake_desc(&f->ring, 0, f->buffer + 600, 1, WRITE, 77);
	fake_post(&f->ring, 3);

	assert_int_equal(virtq_pop(f->q, &f->chain), 1);
	assert_int_equal(f->chain.head, 3);
	assert_int_equal(f->chain.nr_out, 1);
	assert_int_equal(f->chain.nr_in, 2);
	assert_int_equal(f->chain.out_len, 16);
	assert_int_equal(f->chain.in_len, 513);
	assert_ptr_equal(f->chain.iov[1].iov_base,
			 fake_ptr(&f->guest, f->buffer + 16, 512));
}

static void test_virtq_pop__follows_indirect_table(void **state)
{
	struct fixture *f = *state;
	u64 table = fake_alloc(&f->guest, 2 * sizeof(struct vring_desc), 16);
	struct vring_desc *desc = fake_ptr(&f->guest, table, 32);

	desc[0] = (struct vring_desc){ f->buffer, 16, NEXT, 1 };
	desc[1] = (struct vring_desc){ f->buffer + 16, 8, WRITE, 0 };
	/* 2.7.5.3.2: plain descriptors may come first. */
	fake_desc(&f->ring, 0, f->buffer + 64, 4, NEXT, 1);
	fake_desc(&f->ring, 1, table, 32, INDIRECT, 0);
	fake_post(&f->ring, 0);

	assert_int_equal(virtq_pop(f->q, &f->chain), 1);
	assert_int_equal(f->chain.nr_out, 2);
	assert_int_equal(f->chain.out_len, 20);
	assert_int_equal(f->chain.in_len, 8);
}

static void test_virtq_pop__wraps_around_the_ring(void **state)
{
	struct fixture *f = *state;
	struct vring_used_elem elem;

	for (u32 i = 0; i < 70000; i++) {
		u16 head = i % SIZE;

		fake_desc(&f->ring, head, f->buffer, 4, 0, 0);
		fake_post(&f->ring, head);
		assert_int_equal(virtq_pop(f->q, &f->chain), 1);
		virtq_push(f->q, f->chain.head, i);
		virtq_notify(f->q);
		assert_true(fake_used(&f->ring, &elem));
		assert_int_equal(elem.id, head);
		assert_int_equal(elem.len, i);
	}
}

static void test_virtq_pop__accepts_last_byte_of_ram(void **state)
{
	struct fixture *f = *state;

	fake_desc(&f->ring, 0, RAM_END - 1, 1, WRITE, 0);
	fake_post(&f->ring, 0);
	assert_int_equal(virtq_pop(f->q, &f->chain), 1);
}

/* ---- Bad rings: facts/kvmtool.md 10.3 ---- */

static void test_virtq_pop__refuses_self_reference(void **state) /* S3 */
{
	struct fixture *f = *state;

	fake_desc(&f->ring, 0, f->buffer, 1, NEXT, 0);
	fake_post(&f->ring, 0);
	assert_broken(f);
}

static void test_virtq_pop__refuses_loop_in_indirect_table(void **state)
{
	struct fixture *f = *state;
	struct vring_desc *desc = fake_ptr(&f->guest, f->buffer, 32);

	desc[0] = (struct vring_desc){ f->buffer + 64, 1, NEXT, 1 };
	desc[1] = (struct vring_desc){ f->buffer + 64, 1, NEXT, 0 };
	fake_desc(&f->ring, 0, f->buffer, 32, INDIRECT, 0);
	fake_post(&f->ring, 0);
	assert_broken(f);
}

static void test_virtq_pop__refuses_head_out_of_range(void **state) /* S4 */
{
	struct fixture *f = *state;

	fake_post(&f->ring, SIZE);
	assert_broken(f);
}

static void test_virtq_pop__refuses_next_out_of_range(void **state)
{
	struct fixture *f = *state;
	struct vring_desc *desc = fake_ptr(&f->guest, f->buffer, 4096);

	/* Behind the table stands something that looks good. */
	for (unsigned int i = 0; i < 2 * SIZE; i++)
		desc[i] = (struct vring_desc){ f->buffer, 1, 0, 0 };
	desc[0] = (struct vring_desc){ f->buffer, 1, NEXT, SIZE };
	f->q->desc_gpa = f->buffer;
	enable_with(f, ALL_FEATURES);
	fake_post(&f->ring, 0);
	assert_broken(f);
}

static void test_virtq_pop__refuses_index_jump(void **state)
{
	struct fixture *f = *state;

	fake_desc(&f->ring, 0, f->buffer, 1, 0, 0);
	f->ring.avail->idx = SIZE + 1;
	assert_broken(f);
}

static void test_virtq_pop__refuses_buffer_past_ram(void **state) /* S8 */
{
	struct fixture *f = *state;

	fake_desc(&f->ring, 0, RAM_END - 1, 2, WRITE, 0);
	fake_post(&f->ring, 0);
	assert_broken(f);
}

static void test_virtq_pop__refuses_wrapping_address(void **state)
{
	struct fixture *f = *state;

	fake_desc(&f->ring, 0, UINT64_MAX, 2, WRITE, 0);
	fake_post(&f->ring, 0);
	assert_broken(f);
}

static void test_virtq_pop__refuses_empty_buffer_outside_ram(void **state)
{
	struct fixture *f = *state;

	fake_desc(&f->ring, 0, 0, 0, WRITE, 0);
	fake_post(&f->ring, 0);
	assert_broken(f);
}

static void test_virtq_pop__refuses_more_buffers_than_room(void **state)
{
	struct fixture *f = *state;

	f->chain.max_iov = 2;
	fake_desc(&f->ring, 0, f->buffer, 1, NEXT, 1);
	fake_desc(&f->ring, 1, f->buffer, 1, NEXT, 2);
	fake_desc(&f->ring, 2, f->buffer, 1, 0, 0);
	fake_post(&f->ring, 0);
	assert_broken(f);
}

static void test_virtq_pop__refuses_readable_after_writable(void **state)
{
	struct fixture *f = *state;

	fake_desc(&f->ring, 0, f->buffer, 1, NEXT | WRITE, 1);
	fake_desc(&f->ring, 1, f->buffer, 1, 0, 0);
	fake_post(&f->ring, 0);
	assert_broken(f);
}

static void refuse_indirect(struct fixture *f, u64 addr, u32 len, u16 flags)
{
	fake_desc(&f->ring, 0, addr, len, flags | INDIRECT, 1);
	fake_post(&f->ring, 0);
	assert_broken(f);
}

static void test_virtq_pop__refuses_empty_indirect_table(void **state)
{
	struct fixture *f = *state;

	refuse_indirect(f, f->buffer, 0, 0);
}

static void test_virtq_pop__refuses_odd_indirect_table(void **state)
{
	struct fixture *f = *state;

	refuse_indirect(f, f->buffer, 17, 0);
}

static void test_virtq_pop__refuses_long_indirect_table(void **state)
{
	struct fixture *f = *state;

	refuse_indirect(f, f->buffer, (SIZE + 1) * 16, 0);
}

static void test_virtq_pop__refuses_misaligned_indirect_table(void **state)
{
	struct fixture *f = *state;
	const struct vring_desc desc = { f->buffer, 16, 0, 0 };

	memcpy(fake_ptr(&f->guest, f->buffer + 1, 16), &desc, sizeof(desc));
	refuse_indirect(f, f->buffer + 1, 16, 0);
}

static void test_virtq_pop__refuses_indirect_table_past_ram(void **state)
{
	struct fixture *f = *state;

	refuse_indirect(f, RAM_END - 16, 32, 0);
}

static void test_virtq_pop__refuses_indirect_with_next(void **state)
{
	struct fixture *f = *state;

	refuse_indirect(f, f->buffer, 16, NEXT);
}

static void test_virtq_pop__refuses_nested_indirect(void **state)
{
	struct fixture *f = *state;
	struct vring_desc *desc = fake_ptr(&f->guest, f->buffer, 16);

	desc[0] = (struct vring_desc){ f->buffer, 16, INDIRECT, 0 };
	refuse_indirect(f, f->buffer, 16, 0);
}

static void test_virtq_pop__refuses_indirect_not_negotiated(void **state)
{
	struct fixture *f = *state;
	struct vring_desc *desc = fake_ptr(&f->guest, f->buffer, 16);

	enable_with(f, BIT64(VIRTIO_F_VERSION_1));
	desc[0] = (struct vring_desc){ f->buffer + 64, 16, 0, 0 };
	refuse_indirect(f, f->buffer, 16, 0);
}

/* ---- Set-up ---- */

static void test_virtq_enable__refuses_rings_outside_ram(void **state) /* S6 */
{
	struct fixture *f = *state;
	u64 *areas[] = { &f->q->desc_gpa, &f->q->avail_gpa, &f->q->used_gpa };

	virtq_disable(f->q);
	for (unsigned int i = 0; i < ARRAY_SIZE(areas); i++) {
		u64 good = *areas[i];

		*areas[i] = RAM_END - 16;
		assert_int_equal(virtq_enable(f->q, ALL_FEATURES), -EINVAL);
		*areas[i] = good + 1;
		assert_int_equal(virtq_enable(f->q, ALL_FEATURES), -EINVAL);
		*areas[i] = good;
	}
	assert_int_equal(virtq_pop(f->q, &f->chain), 0);
}

static void test_virtq_enable__event_fields_must_be_in_ram(void **state)
{
	struct fixture *f = *state;

	virtq_disable(f->q);
	/* The ring itself just fits. */
	f->q->avail_gpa = RAM_END - 4 - 2 * SIZE;
	assert_int_equal(virtq_enable(f->q, ALL_FEATURES), -EINVAL);
	assert_int_equal(virtq_enable(f->q, BIT64(VIRTIO_F_VERSION_1)), 0);
}

static void test_virtq_enable__refuses_bad_sizes(void **state)
{
	struct fixture *f = *state;
	const u16 sizes[] = { 0, 3, 2 * SIZE, 0x8000 };

	virtq_disable(f->q);
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		f->q->size = sizes[i];
		assert_int_equal(virtq_enable(f->q, ALL_FEATURES), -EINVAL);
	}
}

/* ---- Interrupts and kicks ---- */

static void push_one(struct fixture *f)
{
	virtq_push(f->q, 0, 0);
	virtq_notify(f->q);
}

static void test_virtq_notify__without_pushes_is_silent(void **state)
{
	struct fixture *f = *state;

	virtq_notify(f->q);
	assert_int_equal(f->transport.queue_irqs, 0);
}

static void test_virtq_notify__honours_no_interrupt_flag(void **state)
{
	struct fixture *f = *state;

	enable_with(f, BIT64(VIRTIO_F_VERSION_1));
	f->ring.avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	push_one(f);
	assert_int_equal(f->transport.queue_irqs, 0);
	f->ring.avail->flags = 0;
	push_one(f);
	assert_int_equal(f->transport.queue_irqs, 1);
}

static void test_virtq_notify__honours_used_event(void **state)
{
	struct fixture *f = *state;

	/* "Tell me when entry 2 is used": the third push. */
	f->ring.avail->ring[SIZE] = 2;
	push_one(f);
	push_one(f);
	assert_int_equal(f->transport.queue_irqs, 0);
	push_one(f);
	assert_int_equal(f->transport.queue_irqs, 1);
	push_one(f);
	assert_int_equal(f->transport.queue_irqs, 1);
}

static void test_virtq_notify__batch_over_used_event_interrupts(void **state)
{
	struct fixture *f = *state;

	f->ring.avail->ring[SIZE] = 1;
	for (unsigned int i = 0; i < 4; i++)
		virtq_push(f->q, 0, 0);
	virtq_notify(f->q);
	assert_int_equal(f->transport.queue_irqs, 1);
}

static void test_virtq_kicks__event_idx_names_next_entry(void **state)
{
	struct fixture *f = *state;
	const u16 *avail_event = (const u16 *)&f->ring.used->ring[SIZE];

	fake_desc(&f->ring, 0, f->buffer, 1, 0, 0);
	fake_post(&f->ring, 0);
	assert_true(virtq_enable_kicks(f->q));
	assert_int_equal(virtq_pop(f->q, &f->chain), 1);
	assert_false(virtq_enable_kicks(f->q));
	assert_int_equal(*avail_event, 1);
}

static void test_virtq_kicks__flag_without_event_idx(void **state)
{
	struct fixture *f = *state;

	enable_with(f, BIT64(VIRTIO_F_VERSION_1));
	virtq_disable_kicks(f->q);
	assert_int_equal(f->ring.used->flags, VRING_USED_F_NO_NOTIFY);
	assert_false(virtq_enable_kicks(f->q));
	assert_int_equal(f->ring.used->flags, 0);
}

/* ---- Counters ---- */

static void test_virtq_stats__count_what_was_done(void **state)
{
	struct fixture *f = *state;
	const struct virtq_stats *stats = &f->q->stats;

	f->ring.avail->ring[SIZE] = 1; /* used_event: the second */
	fake_desc(&f->ring, 0, f->buffer, 16, NEXT, 1);
	fake_desc(&f->ring, 1, f->buffer + 16, 512, WRITE, 0);
	for (unsigned int i = 0; i < 2; i++) {
		fake_post(&f->ring, 0);
		virtq_kick(f->q);
	}
	virtq_take_kick(f->q); /* both */
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(virtq_pop(f->q, &f->chain), 1);
		virtq_push(f->q, f->chain.head, 100);
		virtq_notify(f->q);
	}
	assert_int_equal(stats->requests, 2);
	assert_int_equal(stats->bytes_out, 32);
	assert_int_equal(stats->bytes_in, 200);
	assert_int_equal(stats->wakeups, 1);
	assert_int_equal(stats->interrupts, 1);
}

/* ---- As text ---- */

static void locate(struct virtio_transport *transport, char *text, size_t size)
{
	snprintf(text, size, "here");
}

static void show_irq(struct virtio_transport *transport, const struct virtq *q,
		     char *text, size_t size)
{
	snprintf(text, size, "vector %u", q ? q->index + 1 : 0);
}

static const struct virtio_transport_ops shown_transport = {
	.locate = locate,
	.show_irq = show_irq,
};

static void add_line(void *opaque, const char *text)
{
	char *all = opaque;
	size_t len = strlen(all);

	snprintf(all + len, 1024 - len, "%s\n", text);
}

static void assert_dump(struct fixture *f, const char *want)
{
	char text[1024] = "";
	const struct text_sink sink = { add_line, text };

	f->transport.base.ops = &shown_transport;
	virtio_device_dump(&f->dev, &sink);
	assert_string_equal(text, want);
}

static void test_virtio_device_dump__shows_where_queues_stand(void **state)
{
	struct fixture *f = *state;

	f->q->desc_gpa = 0x110000;
	f->q->avail_gpa = 0x120000;
	f->q->used_gpa = 0x130000;
	fake_desc(&f->ring, 0, f->buffer, 16, 0, 0);
	for (unsigned int i = 0; i < 3; i++)
		fake_post(&f->ring, 0);
	assert_int_equal(virtq_pop(f->q, &f->chain), 1);
	assert_int_equal(virtq_pop(f->q, &f->chain), 1);
	virtq_push(f->q, f->chain.head, 0);
	f->ring.avail->ring[SIZE] = 7;
	assert_dump(f, "virtio-test@here: status 0x00, features 0x0 of "
		       "0x10130000000, configuration interrupt: vector 0\n"
		       "  queue 0: size 8, enabled, interrupt: vector 1\n"
		       "    descriptors 0x110000, available 0x120000, used "
		       "0x130000\n"
		       "    available index 3, taken up to 2; used index 1\n"
		       "    used_event 7, avail_event 0\n");
}

static void test_virtio_device_dump__without_event_idx(void **state)
{
	struct fixture *f = *state;

	enable_with(f, BIT64(VIRTIO_F_VERSION_1));
	f->q->desc_gpa = f->q->avail_gpa = f->q->used_gpa = 0x110000;
	f->ring.avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	f->q->in_kernel = true;
	assert_dump(f, "virtio-test@here: status 0x00, features 0x0 of "
		       "0x10130000000, configuration interrupt: vector 0\n"
		       "  queue 0: size 8, enabled, served by the host's "
		       "kernel, interrupt: vector 1\n"
		       "    descriptors 0x110000, available 0x110000, used "
		       "0x110000\n"
		       "    available index 0, taken up to 0; used index 0\n"
		       "    interrupts off, notifications on\n");
}

static void test_virtio_device_dump__queue_that_is_not_enabled(void **state)
{
	struct fixture *f = *state;

	virtq_disable(f->q);
	assert_dump(f, "virtio-test@here: status 0x00, features 0x0 of "
		       "0x10130000000, configuration interrupt: vector 0\n"
		       "  queue 0: size 8, not enabled\n");
}

static void *serve_many(void *arg)
{
	struct fixture *f = arg;

	for (unsigned int i = 0; i < 2000; i++) {
		fake_post(&f->ring, 0);
		if (virtq_pop(f->q, &f->chain) == 1)
			virtq_push(f->q, f->chain.head, 1);
		virtq_enable_kicks(f->q);
		virtq_notify(f->q);
	}
	return NULL;
}

/* What it reads of a queue that is served, it may: TSan looks on. */
static void test_virtio_device_dump__while_a_thread_serves(void **state)
{
	struct fixture *f = *state;
	const struct virtq_stats *stats = &f->q->stats;
	char text[1024];
	const struct text_sink sink = { add_line, text };
	pthread_t thread;

	fake_desc(&f->ring, 0, f->buffer, 16, WRITE, 0);
	assert_int_equal(pthread_create(&thread, NULL, serve_many, f), 0);
	do {
		text[0] = '\0';
		virtio_device_dump(&f->dev, &sink);
	} while (counter_read(&stats->requests) < 1000);
	pthread_join(thread, NULL);
	assert_int_equal(stats->requests, 2000);
	assert_int_equal(stats->bytes_in, 2000);
}

#define QUEUE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		QUEUE_TEST(test_virtq_pop__empty_ring_gives_nothing),
		QUEUE_TEST(test_virtq_pop__splits_chain_by_direction),
		QUEUE_TEST(test_virtq_pop__follows_indirect_table),
		QUEUE_TEST(test_virtq_pop__wraps_around_the_ring),
		QUEUE_TEST(test_virtq_pop__accepts_last_byte_of_ram),
		QUEUE_TEST(test_virtq_pop__refuses_self_reference),
		QUEUE_TEST(test_virtq_pop__refuses_loop_in_indirect_table),
		QUEUE_TEST(test_virtq_pop__refuses_head_out_of_range),
		QUEUE_TEST(test_virtq_pop__refuses_next_out_of_range),
		QUEUE_TEST(test_virtq_pop__refuses_index_jump),
		QUEUE_TEST(test_virtq_pop__refuses_buffer_past_ram),
		QUEUE_TEST(test_virtq_pop__refuses_wrapping_address),
		QUEUE_TEST(test_virtq_pop__refuses_empty_buffer_outside_ram),
		QUEUE_TEST(test_virtq_pop__refuses_more_buffers_than_room),
		QUEUE_TEST(test_virtq_pop__refuses_readable_after_writable),
		QUEUE_TEST(test_virtq_pop__refuses_empty_indirect_table),
		QUEUE_TEST(test_virtq_pop__refuses_odd_indirect_table),
		QUEUE_TEST(test_virtq_pop__refuses_long_indirect_table),
		QUEUE_TEST(test_virtq_pop__refuses_misaligned_indirect_table),
		QUEUE_TEST(test_virtq_pop__refuses_indirect_table_past_ram),
		QUEUE_TEST(test_virtq_pop__refuses_indirect_with_next),
		QUEUE_TEST(test_virtq_pop__refuses_nested_indirect),
		QUEUE_TEST(test_virtq_pop__refuses_indirect_not_negotiated),
		QUEUE_TEST(test_virtq_enable__refuses_rings_outside_ram),
		QUEUE_TEST(test_virtq_enable__event_fields_must_be_in_ram),
		QUEUE_TEST(test_virtq_enable__refuses_bad_sizes),
		QUEUE_TEST(test_virtq_notify__without_pushes_is_silent),
		QUEUE_TEST(test_virtq_notify__honours_no_interrupt_flag),
		QUEUE_TEST(test_virtq_notify__honours_used_event),
		QUEUE_TEST(test_virtq_notify__batch_over_used_event_interrupts),
		QUEUE_TEST(test_virtq_kicks__event_idx_names_next_entry),
		QUEUE_TEST(test_virtq_kicks__flag_without_event_idx),
		QUEUE_TEST(test_virtq_stats__count_what_was_done),
		QUEUE_TEST(test_virtio_device_dump__shows_where_queues_stand),
		QUEUE_TEST(test_virtio_device_dump__without_event_idx),
		QUEUE_TEST(test_virtio_device_dump__queue_that_is_not_enabled),
		QUEUE_TEST(test_virtio_device_dump__while_a_thread_serves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
