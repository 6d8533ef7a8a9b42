/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bus.c against a model that cannot be wrong: an array of regions, searched
 * from end to end. Each four bytes of input are one step: what to do, with
 * which region, at which end of the address space, where.
 */
#include "lkvm/bus.h"

#include <stdlib.h>
#include "lkvm/failure.h"

enum {
	NR_REGIONS = 16,
	STEP_LEN = 4
};

struct model {
	struct failure why;
	struct bus bus;
	struct bus_reader reader;
	struct bus_region regions[NR_REGIONS];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static enum bus_result access_cb(void *opaque, struct bus_access *acc)
{
	const struct bus_region *region = opaque;

	acc->value = region->start ^ acc->offset;
	return BUS_HANDLED;
}

/* Both ends of the space, so that wrapping shows. */
static u64 address(u8 where)
{
	return where & 1 ? UINT64_MAX - where / 2 : where / 2;
}

static bool overlaps(const struct bus_region *a, const struct bus_region *b)
{
	return a->start <= b->start + (b->len - 1) &&
	       b->start <= a->start + (a->len - 1);
}

static bool may_add(const struct model *m, const struct bus_region *region)
{
	unsigned int i;

	if (!region->len || region->start + (region->len - 1) < region->start)
		return false;
	for (i = 0; i < NR_REGIONS; i++)
		if (m->regions[i].linked && overlaps(&m->regions[i], region))
			return false;
	return true;
}

static void step_add(struct model *m, struct bus_region *region, u64 start,
		     u64 len)
{
	bool expected;

	if (region->linked)
		return;
	*region = (struct bus_region){ .start = start,
				       .len = len,
				       .name = "fuzz",
				       .access = access_cb,
				       .opaque = region };
	expected = may_add(m, region);
	check((bus_add(&m->bus, region) == 0) == expected);
	check(region->linked == expected);
}

static void step_read(struct model *m, u64 addr)
{
	struct bus_access acc = { .size = 8 };
	u64 expected = UINT64_MAX;
	unsigned int i;

	for (i = 0; i < NR_REGIONS; i++) {
		const struct bus_region *r = &m->regions[i];

		if (r->linked && addr >= r->start && addr - r->start < r->len)
			expected = r->start ^ (addr - r->start);
	}
	bus_dispatch(&m->bus, &m->reader, addr, &acc);
	check(acc.value == expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct model m = { .why = FAILURE_INIT };
	unsigned int i;

	bus_init(&m.bus, "fuzz", &m.why);
	bus_attach(&m.bus, &m.reader);
	for (; len >= STEP_LEN; data += STEP_LEN, len -= STEP_LEN) {
		struct bus_region *region = &m.regions[data[1] % NR_REGIONS];

		if (data[0] % 4 == 0)
			step_add(&m, region, address(data[2]),
				 address(data[3]));
		else if (data[0] % 4 == 1)
			check(bus_remove(&m.bus, region) == 0);
		else
			step_read(&m, address(data[2]));
	}
	for (i = 0; i < NR_REGIONS; i++)
		check(bus_remove(&m.bus, &m.regions[i]) == 0);
	bus_detach(&m.bus, &m.reader);
	bus_release(&m.bus);
	return 0;
}
