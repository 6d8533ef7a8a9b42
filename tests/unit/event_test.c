/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * event.c: callbacks, removal while callbacks run, timers.
 */
#include "lkvm/event.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include "lkvm/failure.h"
#include <cmocka.h> /* last: it has a macro named fail */

#define MSEC 1000000ULL
#define PATIENCE_MS 20000

struct fixture {
	struct failure why;
	struct event_loop loop;
};

/* A source on an eventfd that does what the test says. */
struct probe {
	struct event_source source;
	struct event_loop *loop;
	atomic_uint calls;
	atomic_bool left;
	struct probe *removes;	   /* remove and free this one */
	struct event_source *adds; /* watch this one */
	unsigned int stay_ms;
};

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){ .why = FAILURE_INIT };
	*state = &f;
	return event_loop_init(&f.loop, &f.why);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	event_loop_release(&f->loop);
	return 0;
}

static void sleep_ms(unsigned int ms)
{
	struct timespec ts = { .tv_sec = ms / 1000,
			       .tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

static bool becomes(atomic_uint *counter, unsigned int value)
{
	unsigned int ms;

	for (ms = 0; ms < PATIENCE_MS && atomic_load(counter) < value; ms++)
		sleep_ms(1);
	return atomic_load(counter) >= value;
}

static void ring(struct probe *probe)
{
	eventfd_write(probe->source.fd, 1);
}

static void probe_destroy(struct probe *probe)
{
	event_remove(probe->loop, &probe->source);
	close(probe->source.fd);
	free(probe);
}

static void probe_ready(struct event_source *src, u32 events)
{
	struct probe *probe = container_of(src, struct probe, source);
	struct probe *victim = probe->removes;
	eventfd_t count;

	eventfd_read(src->fd, &count);
	atomic_fetch_add(&probe->calls, 1);
	sleep_ms(probe->stay_ms);
	atomic_store(&probe->left, true);
	if (probe->adds)
		event_add(probe->loop, probe->adds, EPOLLIN);
	if (victim) {
		probe->removes = NULL;
		probe_destroy(victim);
	}
}

static struct probe *probe_create(struct fixture *f)
{
	struct probe *probe = calloc(1, sizeof(*probe));

	assert_non_null(probe);
	probe->loop = &f->loop;
	probe->source.fd = eventfd(0, EFD_NONBLOCK);
	probe->source.ready = probe_ready;
	assert_int_equal(event_add(&f->loop, &probe->source, EPOLLIN), 0);
	return probe;
}

static void test_event__callback_runs_on_the_loops_thread(void **state)
{
	struct fixture *f = *state;
	struct probe *probe = probe_create(f);

	ring(probe); /* before the start: seen after it */
	assert_int_equal(event_loop_start(&f->loop), 0);
	assert_true(becomes(&probe->calls, 1));
	ring(probe);
	assert_true(becomes(&probe->calls, 2));
	probe_destroy(probe);
}

static void test_event__removed_source_is_not_called(void **state)
{
	struct fixture *f = *state;
	struct probe *probe = probe_create(f);

	assert_int_equal(event_loop_start(&f->loop), 0);
	event_remove(&f->loop, &probe->source);
	ring(probe);
	sleep_ms(20);
	assert_int_equal(atomic_load(&probe->calls), 0);
	probe_destroy(probe);
}

static void test_event__removal_waits_for_running_callback(void **state)
{
	struct fixture *f = *state;
	struct probe *probe = probe_create(f);

	probe->stay_ms = 50;
	assert_int_equal(event_loop_start(&f->loop), 0);
	ring(probe);
	assert_true(becomes(&probe->calls, 1));
	event_remove(&f->loop, &probe->source);
	assert_true(atomic_load(&probe->left));
	probe_destroy(probe);
}

/*
 * All are ready before the loop starts, so they arrive in one batch; each frees
 * the next one: half of them run and nobody touches freed memory (ASan).
 */
static void test_event__callback_frees_source_of_same_batch(void **state)
{
	enum {
		NR = 16
	};
	struct fixture *f = *state;
	struct probe *probes[NR];
	unsigned int i;

	for (i = 0; i < NR; i++)
		probes[i] = probe_create(f);
	for (i = 0; i < NR; i += 2)
		probes[i]->removes = probes[i + 1];
	for (i = 0; i < NR; i++)
		ring(probes[i]); /* epoll keeps the order */
	assert_int_equal(event_loop_start(&f->loop), 0);
	for (i = 0; i < NR; i += 2) {
		assert_true(becomes(&probes[i]->calls, 1));
		/* What was dropped from the batch came back, once. */
		assert_int_equal(atomic_load(&probes[i]->calls), 1);
		probe_destroy(probes[i]);
	}
}

static void test_event__callback_frees_itself(void **state)
{
	struct fixture *f = *state;
	struct probe *probe = probe_create(f);
	struct probe *other = probe_create(f);

	probe->removes = probe;
	ring(probe);
	assert_int_equal(event_loop_start(&f->loop), 0);
	ring(other);
	assert_true(becomes(&other->calls, 1));
	probe_destroy(other);
}

static void test_event__callback_adds_a_source(void **state)
{
	struct fixture *f = *state;
	struct probe *probe = probe_create(f);
	struct probe *added = probe_create(f);

	event_remove(&f->loop, &added->source);
	ring(added);
	probe->adds = &added->source;
	assert_int_equal(event_loop_start(&f->loop), 0);
	sleep_ms(20);
	assert_int_equal(atomic_load(&added->calls), 0);
	ring(probe);
	assert_true(becomes(&added->calls, 1));
	probe_destroy(probe);
	probe_destroy(added);
}

static void test_event__mask_can_be_emptied_and_refilled(void **state)
{
	struct fixture *f = *state;
	struct probe *probe = probe_create(f);

	assert_int_equal(event_modify(&f->loop, &probe->source, 0), 0);
	assert_int_equal(event_loop_start(&f->loop), 0);
	ring(probe);
	sleep_ms(20);
	assert_int_equal(atomic_load(&probe->calls), 0);
	assert_int_equal(event_modify(&f->loop, &probe->source, EPOLLIN), 0);
	assert_true(becomes(&probe->calls, 1));
	probe_destroy(probe);
}

static void test_event__file_that_cannot_be_polled_is_refused(void **state)
{
	struct fixture *f = *state;
	struct event_source src = { .fd = open("/dev/null", O_RDONLY),
				    .ready = probe_ready };

	assert_int_equal(event_add(&f->loop, &src, EPOLLIN), -EPERM);
	close(src.fd);
}

static void test_event__stop_is_idempotent_and_needs_no_start(void **state)
{
	struct fixture *f = *state;
	struct event_loop zeroed = { 0 };

	event_loop_stop(&f->loop);
	assert_int_equal(event_loop_start(&f->loop), 0);
	event_loop_stop(&f->loop);
	event_loop_stop(&f->loop);
	event_loop_release(&zeroed);
}

struct alarm_clock {
	struct event_timer timer;
	atomic_uint rings;
};

static void alarm_expired(struct event_timer *timer)
{
	struct alarm_clock *alarm =
		container_of(timer, struct alarm_clock, timer);

	atomic_fetch_add(&alarm->rings, 1);
}

static void test_event__timer_expires_once_per_setting(void **state)
{
	struct fixture *f = *state;
	struct alarm_clock alarm = { .timer.expired = alarm_expired };

	assert_int_equal(event_timer_init(&f->loop, &alarm.timer), 0);
	assert_int_equal(event_loop_start(&f->loop), 0);
	event_timer_set(&alarm.timer, 5 * MSEC);
	assert_true(becomes(&alarm.rings, 1));
	sleep_ms(20);
	assert_int_equal(atomic_load(&alarm.rings), 1);
	event_timer_set(&alarm.timer, 5 * MSEC);
	assert_true(becomes(&alarm.rings, 2));
	event_timer_release(&f->loop, &alarm.timer);
}

static void test_event__disarmed_timer_does_not_expire(void **state)
{
	struct fixture *f = *state;
	struct alarm_clock alarm = { .timer.expired = alarm_expired };

	assert_int_equal(event_timer_init(&f->loop, &alarm.timer), 0);
	assert_int_equal(event_loop_start(&f->loop), 0);
	event_timer_set(&alarm.timer, 60000 * MSEC);
	event_timer_set(&alarm.timer, 0);
	sleep_ms(20);
	assert_int_equal(atomic_load(&alarm.rings), 0);
	event_timer_release(&f->loop, &alarm.timer);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_event__callback_runs_on_the_loops_thread),
		CASE(test_event__removed_source_is_not_called),
		CASE(test_event__removal_waits_for_running_callback),
		CASE(test_event__callback_frees_source_of_same_batch),
		CASE(test_event__callback_frees_itself),
		CASE(test_event__callback_adds_a_source),
		CASE(test_event__mask_can_be_emptied_and_refilled),
		CASE(test_event__file_that_cannot_be_polled_is_refused),
		CASE(test_event__stop_is_idempotent_and_needs_no_start),
		CASE(test_event__timer_expires_once_per_setting),
		CASE(test_event__disarmed_timer_does_not_expire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
