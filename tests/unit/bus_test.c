/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bus.c: lookup, refused overlaps, and removal while accesses run.
 */
#include "lkvm/bus.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include "lkvm/failure.h"
#include <cmocka.h> /* last: it has a macro named fail */

struct fixture {
	struct failure why;
	struct bus bus;
	struct bus_reader reader; /* the test's own thread */
};

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){ .why = FAILURE_INIT };
	bus_init(&f.bus, "test", &f.why);
	bus_attach(&f.bus, &f.reader);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	bus_detach(&f->bus, &f->reader);
	bus_release(&f->bus);
	return 0;
}

/* Reads give the number that @opaque points at, plus the offset. */
static enum bus_result number_access(void *opaque, struct bus_access *acc)
{
	if (!acc->is_write)
		acc->value = *(const u64 *)opaque + acc->offset;
	return BUS_HANDLED;
}

static struct bus_region region_at(u64 start, u64 len, u64 *number)
{
	return (struct bus_region){ .start = start,
				    .len = len,
				    .name = "device",
				    .access = number_access,
				    .opaque = number };
}

static u64 read_on(struct bus *bus, struct bus_reader *reader, u64 addr,
		   u8 size)
{
	struct bus_access acc = { .size = size };

	bus_dispatch(bus, reader, addr, &acc);
	return acc.value;
}

static u64 read_at(struct fixture *f, u64 addr, u8 size)
{
	return read_on(&f->bus, &f->reader, addr, size);
}

static void sleep_ms(unsigned int ms)
{
	struct timespec ts = { .tv_sec = ms / 1000,
			       .tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

/* ---- Lookup ---- */

static void test_bus__access_belongs_to_region_of_first_byte(void **state)
{
	struct fixture *f = *state;
	u64 low = 0x100, high = 0x200;
	struct bus_region a = region_at(0x10, 4, &low);
	struct bus_region b = region_at(0x14, 4, &high);

	assert_int_equal(bus_add(&f->bus, &a), 0);
	assert_int_equal(bus_add(&f->bus, &b), 0);

	assert_int_equal(read_at(f, 0x10, 1), 0x100);
	assert_int_equal(read_at(f, 0x13, 4), 0x103);
	assert_int_equal(read_at(f, 0x14, 1), 0x200);
	assert_int_equal(read_at(f, 0x17, 8), 0x203);
	assert_int_equal(read_at(f, 0x0f, 4), 0xffffffff);
	assert_int_equal(read_at(f, 0x18, 1), 0xff);

	assert_int_equal(bus_remove(&f->bus, &a), 0);
	assert_int_equal(bus_remove(&f->bus, &b), 0);
}

static void test_bus__unhandled_reads_give_ones_cut_to_size(void **state)
{
	struct fixture *f = *state;
	struct bus_access write = { .size = 4, .value = 7, .is_write = true };

	assert_int_equal(read_at(f, 0, 1), 0xff);
	assert_int_equal(read_at(f, 0, 2), 0xffff);
	assert_int_equal(read_at(f, 0, 4), 0xffffffff);
	assert_true(read_at(f, UINT64_MAX, 8) == UINT64_MAX);
	assert_int_equal(bus_dispatch(&f->bus, &f->reader, 0, &write),
			 BUS_UNHANDLED);
	assert_int_equal(write.value, 7);
}

static enum bus_result refusing_access(void *opaque, struct bus_access *acc)
{
	acc->value = 0x5a;
	return *(enum bus_result *)opaque;
}

static void test_bus__refused_reads_give_ones(void **state)
{
	struct fixture *f = *state;
	enum bus_result result = BUS_ERROR;
	struct bus_region region = { .len = 8,
				     .name = "refusing",
				     .access = refusing_access,
				     .opaque = &result };

	assert_int_equal(bus_add(&f->bus, &region), 0);
	assert_int_equal(read_at(f, 0, 2), 0xffff);
	result = BUS_UNHANDLED;
	assert_int_equal(read_at(f, 0, 1), 0xff);
	result = BUS_HANDLED;
	assert_int_equal(read_at(f, 0, 1), 0x5a);
	assert_int_equal(bus_remove(&f->bus, &region), 0);
}

static void test_bus__regions_reach_the_ends_of_the_space(void **state)
{
	struct fixture *f = *state;
	u64 number = 0;
	struct bus_region most = region_at(0, UINT64_MAX, &number);
	struct bus_region last = region_at(UINT64_MAX, 1, &number);

	assert_int_equal(bus_add(&f->bus, &most), 0);
	assert_int_equal(bus_add(&f->bus, &last), 0);
	assert_true(read_at(f, UINT64_MAX - 1, 8) == UINT64_MAX - 1);
	assert_int_equal(read_at(f, UINT64_MAX, 8), 0);
	assert_int_equal(bus_remove(&f->bus, &most), 0);
	assert_int_equal(bus_remove(&f->bus, &last), 0);
}

static void test_bus__many_regions_are_all_found(void **state)
{
	enum {
		NR = 1000
	};
	struct fixture *f = *state;
	static struct bus_region regions[NR];
	static u64 numbers[NR];
	unsigned int i, at;

	for (i = 0; i < NR; i++) {
		at = i * 617 % NR; /* 617 and NR are coprime: a permutation */
		numbers[at] = at * 100ULL;
		regions[at] = region_at(at * 16ULL, 8, &numbers[at]);
		assert_int_equal(bus_add(&f->bus, &regions[at]), 0);
	}
	for (i = 0; i < NR; i += 2)
		assert_int_equal(bus_remove(&f->bus, &regions[i]), 0);
	for (i = 0; i < NR; i++)
		assert_int_equal(read_at(f, i * 16ULL + 7, 4),
				 i % 2 ? i * 100 + 7 : 0xffffffff);
	for (i = 1; i < NR; i += 2)
		assert_int_equal(bus_remove(&f->bus, &regions[i]), 0);
}

/* ---- Registration ---- */

static void test_bus__overlap_is_refused_and_first_owner_stays(void **state)
{
	static const struct {
		u64 start, len;
	} clashes[] = { { 0x100, 0x10 },
			{ 0xff, 2 },
			{ 0x10f, 1 },
			{ 0x104, 4 },
			{ 0, 0x1000 } };
	struct fixture *f = *state;
	u64 owner = 1, intruder = 1000;
	struct bus_region first = region_at(0x100, 0x10, &owner), second;
	unsigned int i;

	first.name = "first owner";
	assert_int_equal(bus_add(&f->bus, &first), 0);
	for (i = 0; i < ARRAY_SIZE(clashes); i++) {
		second = region_at(clashes[i].start, clashes[i].len, &intruder);
		assert_int_equal(bus_add(&f->bus, &second), -EEXIST);
		assert_int_equal(bus_remove(&f->bus, &second), 0);
		assert_int_equal(read_at(f, 0x104, 4), 5);
	}
	assert_non_null(strstr(f->why.text, "first owner"));
	assert_non_null(strstr(f->why.text, "device"));
	assert_int_equal(bus_remove(&f->bus, &first), 0);
}

static void test_bus__empty_and_wrapping_regions_are_refused(void **state)
{
	struct fixture *f = *state;
	u64 number = 0;
	struct bus_region empty = region_at(0x100, 0, &number);
	struct bus_region wraps = region_at(2, UINT64_MAX, &number);

	assert_int_equal(bus_add(&f->bus, &empty), -EINVAL);
	assert_int_equal(bus_add(&f->bus, &wraps), -EINVAL);
	assert_int_equal(read_at(f, 0x100, 1), 0xff);
}

static void test_bus__removed_region_can_be_added_again(void **state)
{
	struct fixture *f = *state;
	u64 number = 3;
	struct bus_region region = region_at(0x20, 4, &number);

	assert_int_equal(bus_add(&f->bus, &region), 0);
	bus_unlink(&f->bus, &region);
	bus_unlink(&f->bus, &region);
	assert_int_equal(read_at(f, 0x20, 1), 0xff);
	assert_int_equal(bus_quiesce(&f->bus, &region), 0);
	region.start = 0x40;
	assert_int_equal(bus_add(&f->bus, &region), 0);
	assert_int_equal(read_at(f, 0x40, 1), 3);
	assert_int_equal(bus_remove(&f->bus, &region), 0);
}

/* ---- Handlers that change the bus ---- */

struct moving {
	struct bus *bus;
	struct bus_region region;
};

/* A write moves the region to the address written, as a BAR does. */
static enum bus_result moving_access(void *opaque, struct bus_access *acc)
{
	struct moving *moving = opaque;

	acc->value = acc->is_write ? acc->value : 0x42;
	if (acc->is_write) {
		assert_int_equal(bus_remove(moving->bus, &moving->region), 0);
		moving->region.start = acc->value;
		assert_int_equal(bus_add(moving->bus, &moving->region), 0);
	}
	return BUS_HANDLED;
}

static void test_bus__handler_removes_and_adds_its_own_region(void **state)
{
	struct fixture *f = *state;
	struct moving moving = { .bus = &f->bus };
	struct bus_access write = { .size = 4,
				    .value = 0x1000,
				    .is_write = true };

	moving.region = (struct bus_region){ .start = 0x10,
					     .len = 4,
					     .name = "moving",
					     .access = moving_access,
					     .opaque = &moving };
	assert_int_equal(bus_add(&f->bus, &moving.region), 0);
	bus_dispatch(&f->bus, &f->reader, 0x10, &write);
	assert_int_equal(read_at(f, 0x10, 1), 0xff);
	assert_int_equal(read_at(f, 0x1000, 1), 0x42);
	assert_int_equal(bus_remove(&f->bus, &moving.region), 0);
}

struct nested {
	struct fixture *f;
	struct bus_region region;
};

static enum bus_result nested_access(void *opaque, struct bus_access *acc)
{
	struct nested *nested = opaque;

	acc->value = read_at(nested->f, 0x80, 1) + 1;
	return BUS_HANDLED;
}

static void test_bus__accesses_nest(void **state)
{
	struct fixture *f = *state;
	u64 number = 6;
	struct bus_region inner = region_at(0x80, 1, &number);
	struct nested nested = { .f = f };

	nested.region = (struct bus_region){ .start = 0x10,
					     .len = 1,
					     .name = "outer",
					     .access = nested_access,
					     .opaque = &nested };
	assert_int_equal(bus_add(&f->bus, &inner), 0);
	assert_int_equal(bus_add(&f->bus, &nested.region), 0);
	assert_int_equal(read_at(f, 0x10, 1), 7);
	assert_int_equal(bus_remove(&f->bus, &inner), 0);
	assert_int_equal(bus_remove(&f->bus, &nested.region), 0);
}

/* ---- Removal while others access ---- */

/*
 * A region whose handler announces itself, waits for the others that take part,
 * does what the test wants, and leaves. Each has a thread that accesses it.
 */
struct room {
	struct bus *bus;
	struct bus_region region;
	pthread_barrier_t *entered;
	struct room *removes; /* removes this room's region from inside */
	int remove_err;
	unsigned int stay_ms;
	atomic_bool held, left; /* held: stays until that is over */
	pthread_t thread;
};

static enum bus_result room_access(void *opaque, struct bus_access *acc)
{
	struct room *room = opaque;

	pthread_barrier_wait(room->entered);
	if (room->removes)
		room->remove_err =
			bus_remove(room->bus, &room->removes->region);
	sleep_ms(room->stay_ms);
	while (atomic_load(&room->held))
		sleep_ms(1);
	atomic_store(&room->left, true);
	return BUS_HANDLED;
}

static void room_init(struct room *room, struct fixture *f, u64 at,
		      pthread_barrier_t *entered)
{
	*room = (struct room){ .bus = &f->bus, .entered = entered };
	room->region = (struct bus_region){ .start = at,
					    .len = 1,
					    .name = "room",
					    .access = room_access,
					    .opaque = room };
	assert_int_equal(bus_add(&f->bus, &room->region), 0);
}

static void *visit_room(void *opaque)
{
	struct room *room = opaque;
	struct bus_reader reader;

	bus_attach(room->bus, &reader);
	read_on(room->bus, &reader, room->region.start, 1);
	bus_detach(room->bus, &reader);
	return NULL;
}

static void test_bus__remove_waits_for_running_access(void **state)
{
	struct fixture *f = *state;
	pthread_barrier_t entered;
	struct room room;

	pthread_barrier_init(&entered, NULL, 2);
	room_init(&room, f, 0x10, &entered);
	room.stay_ms = 50;
	pthread_create(&room.thread, NULL, visit_room, &room);
	pthread_barrier_wait(&entered);

	assert_int_equal(bus_remove(&f->bus, &room.region), 0);
	assert_true(atomic_load(&room.left));
	pthread_join(room.thread, NULL);
	pthread_barrier_destroy(&entered);
}

static void test_bus__unlink_does_not_wait(void **state)
{
	struct fixture *f = *state;
	pthread_barrier_t entered;
	struct room room;

	pthread_barrier_init(&entered, NULL, 2);
	room_init(&room, f, 0x10, &entered);
	atomic_store(&room.held, true);
	pthread_create(&room.thread, NULL, visit_room, &room);
	pthread_barrier_wait(&entered);

	bus_unlink(&f->bus, &room.region);
	assert_false(atomic_load(&room.left));
	assert_int_equal(read_at(f, 0x10, 1), 0xff);
	atomic_store(&room.held, false);
	assert_int_equal(bus_quiesce(&f->bus, &room.region), 0);
	assert_true(atomic_load(&room.left));
	pthread_join(room.thread, NULL);
	pthread_barrier_destroy(&entered);
}

/* @nr rooms, each of which removes the next one's region from inside. */
static void run_ring_of_removals(struct fixture *f, unsigned int nr)
{
	struct room rooms[4];
	pthread_barrier_t entered;
	unsigned int i, deadlocks = 0;

	assert_true(nr <= ARRAY_SIZE(rooms));
	pthread_barrier_init(&entered, NULL, nr);
	for (i = 0; i < nr; i++) {
		room_init(&rooms[i], f, 0x10 + i, &entered);
		rooms[i].removes = &rooms[(i + 1) % nr];
	}
	for (i = 0; i < nr; i++)
		pthread_create(&rooms[i].thread, NULL, visit_room, &rooms[i]);
	for (i = 0; i < nr; i++)
		pthread_join(rooms[i].thread, NULL);
	for (i = 0; i < nr; i++) {
		assert_true(rooms[i].remove_err == 0 ||
			    rooms[i].remove_err == -EDEADLK);
		deadlocks += rooms[i].remove_err != 0;
		assert_int_equal(bus_quiesce(&f->bus, &rooms[i].region), 0);
	}
	/* The last to wait would have closed the ring; the rest got through. */
	assert_int_equal(deadlocks, nr > 1);
	pthread_barrier_destroy(&entered);
}

static void test_bus__handlers_that_remove_each_other_end(void **state)
{
	unsigned int i;

	for (i = 0; i < 20; i++) {
		run_ring_of_removals(*state, 1);
		run_ring_of_removals(*state, 2);
		run_ring_of_removals(*state, 3);
		run_ring_of_removals(*state, 4);
	}
}

static enum bus_result self_removing_access(void *opaque,
					    struct bus_access *acc)
{
	struct room *room = opaque;
	int err;

	pthread_barrier_wait(room->entered);
	err = bus_remove(room->bus, &room->region);
	return err == -EDEADLK ? BUS_ERROR : BUS_HANDLED;
}

static void test_bus__two_inside_both_remove_their_region(void **state)
{
	struct fixture *f = *state;
	pthread_barrier_t entered;
	struct room room;
	pthread_t threads[2];
	unsigned int i;

	pthread_barrier_init(&entered, NULL, 2);
	room_init(&room, f, 0x10, &entered);
	room.region.access = self_removing_access;
	for (i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, visit_room, &room);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(bus_quiesce(&f->bus, &room.region), 0);
	assert_int_equal(read_at(f, 0x10, 1), 0xff);
	pthread_barrier_destroy(&entered);
}

/*
 * Two threads read while two others add and remove. What is torn down is wiped
 * at once, so that a handler that still runs would see it; a neighbour that
 * nobody touches answers every time.
 */
struct race {
	struct bus *bus;
	struct bus_region neighbour;
	u64 neighbour_number;
	struct bus_region toggled[2];
	u64 numbers[2];
	atomic_bool stop;
	atomic_uint wrong;
	pthread_t threads[4];
};

static void *race_access(void *opaque)
{
	struct race *race = opaque;
	struct bus_reader reader;
	u64 value;

	bus_attach(race->bus, &reader);
	while (!atomic_load(&race->stop)) {
		value = read_on(race->bus, &reader, 0x20, 4);
		if (value != race->neighbour_number)
			atomic_fetch_add(&race->wrong, 1);
		value = read_on(race->bus, &reader, 0x10, 4);
		if (value != 0x1111 && value != 0xffffffff)
			atomic_fetch_add(&race->wrong, 1);
		value = read_on(race->bus, &reader, 0x30, 4);
		if (value != 0x2222 && value != 0xffffffff)
			atomic_fetch_add(&race->wrong, 1);
	}
	bus_detach(race->bus, &reader);
	return NULL;
}

static void toggle(struct race *race, unsigned int i)
{
	race->numbers[i] = i ? 0x2222 : 0x1111;
	race->toggled[i] = region_at(i ? 0x30 : 0x10, 4, &race->numbers[i]);
	if (bus_add(race->bus, &race->toggled[i]) ||
	    bus_remove(race->bus, &race->toggled[i]))
		atomic_fetch_add(&race->wrong, 1);
	race->numbers[i] = 0xdead;
	race->toggled[i].access = NULL;
}

static void *race_toggle(void *opaque)
{
	struct race *race = opaque;
	static atomic_uint next;
	unsigned int me = atomic_fetch_add(&next, 1) % 2;

	while (!atomic_load(&race->stop))
		toggle(race, me);
	return NULL;
}

static void test_bus__removal_races_with_accesses(void **state)
{
	struct fixture *f = *state;
	static struct race race;
	unsigned int i;

	race = (struct race){ .bus = &f->bus, .neighbour_number = 0x77 };
	race.neighbour = region_at(0x20, 4, &race.neighbour_number);
	assert_int_equal(bus_add(&f->bus, &race.neighbour), 0);
	for (i = 0; i < 4; i++)
		pthread_create(&race.threads[i], NULL,
			       i < 2 ? race_access : race_toggle, &race);
	sleep_ms(500);
	atomic_store(&race.stop, true);
	for (i = 0; i < 4; i++)
		pthread_join(race.threads[i], NULL);
	assert_int_equal(atomic_load(&race.wrong), 0);
	assert_int_equal(bus_remove(&f->bus, &race.neighbour), 0);
}

/* ---- bus_read_bytes() ---- */

static void test_bus__read_bytes_is_little_endian_and_bounded(void **state)
{
	static const u8 regs[] = { 0x11, 0x22, 0x33, 0x44, 0x55 };
	struct bus_access acc = { .offset = 1, .size = 2 };

	bus_read_bytes(&acc, regs, sizeof(regs));
	assert_int_equal(acc.value, 0x3322);
	acc = (struct bus_access){ .offset = 3, .size = 8 };
	bus_read_bytes(&acc, regs, sizeof(regs));
	assert_int_equal(acc.value, 0x5544);
	acc = (struct bus_access){ .offset = UINT64_MAX, .size = 8 };
	bus_read_bytes(&acc, regs, sizeof(regs));
	assert_int_equal(acc.value, 0);
}

/* ---- Exchange ---- */

static void test_bus__exchange_that_clashes_changes_nothing(void **state)
{
	struct fixture *f = *state;
	u64 one = 0x100, two = 0x200;
	struct bus_region old = region_at(0x10, 8, &one);
	struct bus_region other = region_at(0x30, 8, &one);
	struct bus_region fits = region_at(0x10, 4, &two);
	struct bus_region clashes = region_at(0x34, 8, &two);

	assert_int_equal(bus_add(&f->bus, &old), 0);
	assert_int_equal(bus_add(&f->bus, &other), 0);
	fits.batch = &clashes;
	assert_int_equal(bus_exchange(&f->bus, &old, &fits), -EEXIST);
	assert_int_equal(read_at(f, 0x14, 2), 0x104);
	assert_int_equal(read_at(f, 0x10, 2), 0x100);
	assert_int_equal(read_at(f, 0x38, 1), 0xff);
	fits.batch = NULL;
	assert_int_equal(bus_exchange(&f->bus, &old, &fits), 0);
	assert_int_equal(read_at(f, 0x10, 2), 0x200);
	assert_int_equal(read_at(f, 0x14, 1), 0xff);
	assert_int_equal(bus_remove(&f->bus, &fits), 0);
	assert_int_equal(bus_remove(&f->bus, &other), 0);
}

/* Splits a region around a smaller one, and joins it again, all the time. */
struct splitter {
	struct bus *bus;
	atomic_bool stop;
};

static u64 split_number = 0x5500;

static void *split_and_join(void *arg)
{
	struct splitter *s = arg;
	struct bus_region whole = region_at(0, 0x100, &split_number);
	struct bus_region left = region_at(0, 0x40, &split_number);
	struct bus_region right = region_at(0x80, 0x80, &split_number);

	left.batch = &right;
	assert_int_equal(bus_exchange(s->bus, NULL, &whole), 0);
	while (!s->stop) {
		assert_int_equal(bus_exchange(s->bus, &whole, &left), 0);
		assert_int_equal(bus_quiesce(s->bus, &whole), 0);
		assert_int_equal(bus_exchange(s->bus, &left, &whole), 0);
		assert_int_equal(bus_quiesce(s->bus, &left), 0);
		assert_int_equal(bus_quiesce(s->bus, &right), 0);
	}
	bus_remove(s->bus, &whole);
	return NULL;
}

static void test_bus__exchange_is_all_or_nothing_for_accesses(void **state)
{
	struct fixture *f = *state;
	struct splitter splitter = { .bus = &f->bus };
	pthread_t thread;

	pthread_create(&thread, NULL, split_and_join, &splitter);
	while (read_at(f, 0x10, 2) == 0xffff)
		;
	/* What belongs to the region before and after answers in between. */
	for (unsigned int i = 0; i < 50000; i++) {
		assert_int_equal(read_at(f, 0x10, 2), 0x5510);
		assert_true(read_at(f, 0x90, 2) >> 8 == 0x55);
	}
	splitter.stop = true;
	pthread_join(thread, NULL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_bus__access_belongs_to_region_of_first_byte),
		CASE(test_bus__unhandled_reads_give_ones_cut_to_size),
		CASE(test_bus__refused_reads_give_ones),
		CASE(test_bus__regions_reach_the_ends_of_the_space),
		CASE(test_bus__many_regions_are_all_found),
		CASE(test_bus__overlap_is_refused_and_first_owner_stays),
		CASE(test_bus__empty_and_wrapping_regions_are_refused),
		CASE(test_bus__removed_region_can_be_added_again),
		CASE(test_bus__handler_removes_and_adds_its_own_region),
		CASE(test_bus__accesses_nest),
		CASE(test_bus__remove_waits_for_running_access),
		CASE(test_bus__unlink_does_not_wait),
		CASE(test_bus__handlers_that_remove_each_other_end),
		CASE(test_bus__two_inside_both_remove_their_region),
		CASE(test_bus__removal_races_with_accesses),
		CASE(test_bus__read_bytes_is_little_endian_and_bounded),
		CASE(test_bus__exchange_that_clashes_changes_nothing),
		CASE(test_bus__exchange_is_all_or_nothing_for_accesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
