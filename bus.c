/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Dispatch of guest accesses to regions, and their safe removal.
 *
 * The locking is a "big reader lock": a lookup takes one mutex that only its
 * own thread normally touches; a change of the tree takes all of them. What the
 * mutex cannot cover, the run of a handler, is covered by a pin: a note on the
 * accessing thread's stack, linked to its reader, that bus_quiesce() looks for.
 *
 * Lock order: bus->lock, then readers' locks. Handlers run with none of them.
 */
#include "lkvm/bus.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "lkvm/failure.h"

struct bus_pin {
	/* Compared, never followed: a handler may free its own region. */
	const struct bus_region *region;
	struct bus_pin *outer; /* of the access that this one is nested in */
};

struct bus_waiter {
	pthread_t thread;
	const struct bus_region *region; /* waits for this one to be free */
	struct bus_waiter *next;
	bool seen; /* by the search for cycles that runs now */
};

static u64 region_last(const struct bus_region *region)
{
	return region->start + (region->len - 1);
}

/* Regions that overlap compare equal, so that an insertion finds the clash. */
static int region_compare(const struct bus_region *a,
			  const struct bus_region *b)
{
	if (region_last(a) < b->start)
		return -1;
	if (region_last(b) < a->start)
		return 1;
	return 0;
}

/* RB_GENERATE_STATIC() needs __unused, a name that glibc's headers use. */
RB_GENERATE_INTERNAL(bus_tree, bus_region, node, region_compare,
		     __attribute__((unused)) static)

/* RB_FIND() would want a region as its key; this is the walk of bus_dispatch. */
static struct bus_region *tree_lookup(const struct bus_tree *tree, u64 addr)
{
	struct bus_region *region = RB_ROOT(tree);

	while (region) {
		if (addr < region->start)
			region = RB_LEFT(region, node);
		else if (addr - region->start >= region->len)
			region = RB_RIGHT(region, node);
		else
			break;
	}
	return region;
}

void bus_init(struct bus *bus, const char *name, struct failure *why)
{
	*bus = (struct bus){ .name = name, .why = why };
	pthread_mutex_init(&bus->lock, NULL);
	pthread_cond_init(&bus->unpinned, NULL);
	RB_INIT(&bus->tree);
	atomic_init(&bus->nr_waiters, 0);
}

void bus_release(struct bus *bus)
{
	assert(!bus->readers && !bus->waiters);
	pthread_cond_destroy(&bus->unpinned);
	pthread_mutex_destroy(&bus->lock);
}

void bus_attach(struct bus *bus, struct bus_reader *reader)
{
	*reader = (struct bus_reader){ .thread = pthread_self() };
	pthread_mutex_init(&reader->lock, NULL);
	pthread_mutex_lock(&bus->lock);
	reader->next = bus->readers;
	bus->readers = reader;
	pthread_mutex_unlock(&bus->lock);
}

void bus_detach(struct bus *bus, struct bus_reader *reader)
{
	struct bus_reader **link = &bus->readers;

	assert(!reader->pins);
	pthread_mutex_lock(&bus->lock);
	while (*link != reader)
		link = &(*link)->next;
	*link = reader->next;
	pthread_mutex_unlock(&bus->lock);
	pthread_mutex_destroy(&reader->lock);
}

static void lock_readers_locked(struct bus *bus)
{
	struct bus_reader *reader;

	for (reader = bus->readers; reader; reader = reader->next)
		pthread_mutex_lock(&reader->lock);
}

static void unlock_readers_locked(struct bus *bus)
{
	struct bus_reader *reader;

	for (reader = bus->readers; reader; reader = reader->next)
		pthread_mutex_unlock(&reader->lock);
}

static int check_range(const struct bus *bus, const struct bus_region *region)
{
	if (region->len && region_last(region) >= region->start)
		return 0;
	return fail(bus->why, -EINVAL,
		    "%s: %s range at 0x%" PRIx64
		    " is empty or wraps around (0x%" PRIx64 " bytes)",
		    region->name, bus->name, region->start, region->len);
}

static int fail_overlap(const struct bus *bus, const struct bus_region *region,
			const struct bus_region *owner)
{
	return fail(bus->why, -EEXIST,
		    "%s: %s range 0x%" PRIx64 "-0x%" PRIx64
		    " overlaps 0x%" PRIx64 "-0x%" PRIx64 " of %s",
		    region->name, bus->name, region->start, region_last(region),
		    owner->start, region_last(owner), owner->name);
}

/* The part of a list before @end; readers are locked. */
static void remove_until_locked(struct bus *bus, struct bus_region *list,
				const struct bus_region *end)
{
	for (; list != end; list = list->batch) {
		RB_REMOVE(bus_tree, &bus->tree, list);
		list->linked = false;
	}
}

/* Returns the first region that does not fit, its owner in *owner, or NULL. */
static struct bus_region *insert_list_locked(struct bus *bus,
					     struct bus_region *list,
					     const struct bus_region **owner)
{
	for (; list; list = list->batch) {
		assert(!list->linked);
		*owner = RB_INSERT(bus_tree, &bus->tree, list);
		if (*owner)
			return list;
		list->linked = true;
	}
	return NULL;
}

int bus_exchange(struct bus *bus, struct bus_region *out, struct bus_region *in)
{
	const struct bus_region *owner, *none;
	struct bus_region *misfit;
	int err = 0;

	for (const struct bus_region *r = in; r; r = r->batch) {
		err = check_range(bus, r);
		if (err)
			return err;
	}
	pthread_mutex_lock(&bus->lock);
	lock_readers_locked(bus);
	remove_until_locked(bus, out, NULL);
	misfit = insert_list_locked(bus, in, &owner);
	if (misfit) {
		remove_until_locked(bus, in, misfit);
		insert_list_locked(bus, out, &none);
	}
	unlock_readers_locked(bus);
	/* Still under bus->lock, so that the owner's name is there to print. */
	if (misfit)
		err = fail_overlap(bus, misfit, owner);
	pthread_mutex_unlock(&bus->lock);
	return err;
}

int bus_add(struct bus *bus, struct bus_region *region)
{
	region->batch = NULL;
	return bus_exchange(bus, NULL, region);
}

void bus_unlink(struct bus *bus, struct bus_region *region)
{
	pthread_mutex_lock(&bus->lock);
	if (region->linked) {
		lock_readers_locked(bus);
		RB_REMOVE(bus_tree, &bus->tree, region);
		region->linked = false;
		unlock_readers_locked(bus);
	}
	pthread_mutex_unlock(&bus->lock);
}

static bool reader_has_pin(struct bus_reader *reader,
			   const struct bus_region *region)
{
	const struct bus_pin *pin;

	pthread_mutex_lock(&reader->lock);
	for (pin = reader->pins; pin; pin = pin->outer)
		if (pin->region == region)
			break;
	pthread_mutex_unlock(&reader->lock);
	return pin;
}

/* Is @thread inside @region? */
static bool is_inside_locked(struct bus *bus, pthread_t thread,
			     const struct bus_region *region)
{
	struct bus_reader *reader;

	for (reader = bus->readers; reader; reader = reader->next)
		if (pthread_equal(reader->thread, thread) &&
		    reader_has_pin(reader, region))
			return true;
	return false;
}

/* Is a thread other than @self inside @region? */
static bool is_busy_locked(struct bus *bus, pthread_t self,
			   const struct bus_region *region)
{
	struct bus_reader *reader;

	for (reader = bus->readers; reader; reader = reader->next)
		if (!pthread_equal(reader->thread, self) &&
		    reader_has_pin(reader, region))
			return true;
	return false;
}

/*
 * Would a wait for @region, in the end, be one for @self? Follows the threads
 * inside @region that wait themselves. Each waiter is visited once, so the
 * depth is bounded by their number.
 */
static bool leads_to_locked(struct bus *bus, const struct bus_region *region,
			    pthread_t self)
{
	struct bus_waiter *w;

	for (w = bus->waiters; w; w = w->next) {
		if (w->seen || !is_inside_locked(bus, w->thread, region))
			continue;
		w->seen = true;
		if (is_inside_locked(bus, self, w->region) ||
		    leads_to_locked(bus, w->region, self))
			return true;
	}
	return false;
}

static bool would_deadlock_locked(struct bus *bus,
				  const struct bus_region *region,
				  pthread_t self)
{
	struct bus_waiter *w;

	for (w = bus->waiters; w; w = w->next)
		w->seen = false;
	return leads_to_locked(bus, region, self);
}

static void waiter_link_locked(struct bus *bus, struct bus_waiter *waiter)
{
	waiter->next = bus->waiters;
	bus->waiters = waiter;
	atomic_fetch_add(&bus->nr_waiters, 1);
}

static void waiter_unlink_locked(struct bus *bus, struct bus_waiter *waiter)
{
	struct bus_waiter **link = &bus->waiters;

	while (*link != waiter)
		link = &(*link)->next;
	*link = waiter->next;
	atomic_fetch_sub(&bus->nr_waiters, 1);
}

int bus_quiesce(struct bus *bus, struct bus_region *region)
{
	pthread_t self = pthread_self();
	struct bus_waiter waiter = { .thread = self, .region = region };
	int err = 0;

	pthread_mutex_lock(&bus->lock);
	assert(!region->linked);
	/*
	 * No new access can enter @region and no thread that waits can enter
	 * any: a cycle can only close when a wait begins, so one search does.
	 */
	if (would_deadlock_locked(bus, region, self)) {
		err = -EDEADLK;
	} else {
		waiter_link_locked(bus, &waiter);
		while (is_busy_locked(bus, self, region))
			pthread_cond_wait(&bus->unpinned, &bus->lock);
		waiter_unlink_locked(bus, &waiter);
	}
	pthread_mutex_unlock(&bus->lock);
	return err;
}

int bus_remove(struct bus *bus, struct bus_region *region)
{
	bus_unlink(bus, region);
	return bus_quiesce(bus, region);
}

/* Find the region at @addr and pin it; NULL: nobody is there. */
static struct bus_region *pin_region(struct bus *bus, struct bus_reader *reader,
				     u64 addr, struct bus_pin *pin)
{
	struct bus_region *region;

	pthread_mutex_lock(&reader->lock);
	region = tree_lookup(&bus->tree, addr);
	if (region) {
		pin->region = region;
		pin->outer = reader->pins;
		reader->pins = pin;
	}
	pthread_mutex_unlock(&reader->lock);
	return region;
}

static void unpin_region(struct bus *bus, struct bus_reader *reader,
			 struct bus_pin *pin)
{
	pthread_mutex_lock(&reader->lock);
	reader->pins = pin->outer;
	pthread_mutex_unlock(&reader->lock);
	/*
	 * Who saw the pin raised the count before it took the reader's lock,
	 * so the count is visible here. bus->lock makes us wait until that
	 * thread sleeps: no wake-up is lost.
	 */
	if (atomic_load_explicit(&bus->nr_waiters, memory_order_relaxed)) {
		pthread_mutex_lock(&bus->lock);
		pthread_cond_broadcast(&bus->unpinned);
		pthread_mutex_unlock(&bus->lock);
	}
}

static u64 all_ones(unsigned int size)
{
	return size < sizeof(u64) ? BIT64(8 * size) - 1 : UINT64_MAX;
}

enum bus_result bus_dispatch(struct bus *bus, struct bus_reader *reader,
			     u64 addr, struct bus_access *acc)
{
	enum bus_result result = BUS_UNHANDLED;
	struct bus_pin pin;
	struct bus_region *region = pin_region(bus, reader, addr, &pin);

	if (region) {
		acc->offset = addr - region->start;
		result = region->access(region->opaque, acc);
		/* @region may be gone by now. */
		unpin_region(bus, reader, &pin);
	}
	if (result != BUS_HANDLED && !acc->is_write)
		acc->value = all_ones(acc->size);
	return result;
}

void bus_read_bytes(struct bus_access *acc, const void *regs, u64 len)
{
	const u8 *bytes = regs;
	unsigned int i;

	acc->value = 0;
	for (i = 0; i < acc->size && range_within(acc->offset, i + 1, len); i++)
		acc->value |= (u64)bytes[acc->offset + i] << (8 * i);
}
