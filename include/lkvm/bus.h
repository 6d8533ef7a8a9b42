/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A bus: one address space (ports, or guest physical memory) and the regions
 * that answer in it, kept in a red-black tree.
 *
 * Each thread that accesses a bus owns a struct bus_reader. A lookup takes the
 * lock of its own reader only, so that vCPUs share nothing they write. Adding
 * and removing takes every reader's lock for the moment that the tree changes.
 * While a region's handler runs, the region is pinned by its reader.
 */
#ifndef LKVM_BUS_H
#define LKVM_BUS_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/tree.h>
#include "lkvm/types.h"

struct failure;
struct bus;

/* One access of 1, 2, 4 or 8 bytes, as a device sees it. */
struct bus_access {
	u64 offset; /* from the start of the region */
	u64 value;  /* written: zero-extended; read: filled in by the device */
	u8 size;    /* bytes; offset + size may end behind the region's end */
	bool is_write;
};

enum bus_result {
	BUS_HANDLED,
	BUS_UNHANDLED, /* nobody is there: writes are lost, reads give ones */
	BUS_ERROR,     /* as UNHANDLED, and worth a debug message */
};

/*
 * A range of addresses and who answers. Storage belongs to the caller and must
 * stay as it is from bus_add() until bus_remove() or bus_quiesce() returned.
 */
struct bus_region {
	u64 start;	  /* first address; set by the caller */
	u64 len;	  /* bytes, not 0; set by the caller */
	const char *name; /* for messages */
	/*
	 * Called on the accessing thread with no bus lock held; several
	 * threads may be inside at once: the device takes its own lock. It may
	 * add and remove regions of the bus, its own included.
	 */
	enum bus_result (*access)(void *opaque, struct bus_access *acc);
	void *opaque;

	/* Of a list given to bus_exchange(); the caller's outside of it. */
	struct bus_region *batch;

	/* Private to bus.c. */
	RB_ENTRY(bus_region) node;
	bool linked;
};

RB_HEAD(bus_tree, bus_region);

/* A running access; lives on the stack of the accessing thread. */
struct bus_pin;
/* A thread in bus_quiesce(); lives on that thread's stack. */
struct bus_waiter;

/* One thread's way into a bus. Embedded in struct vcpu. */
struct bus_reader {
	pthread_mutex_t lock;	 /* guards pins, and the tree against change */
	struct bus_pin *pins;	 /* accesses now running, innermost first */
	pthread_t thread;	 /* its owner; const while attached */
	struct bus_reader *next; /* guarded by bus->lock */
};

struct bus {
	const char *name;     /* "port" or "MMIO" */
	struct failure *why;  /* told of overlaps */
	pthread_mutex_t lock; /* guards readers, waiters; serialises writers */
	/*
	 * Changed with bus->lock and every reader's lock held; read under
	 * either bus->lock or one reader's lock.
	 */
	struct bus_tree tree;
	struct bus_reader *readers;
	struct bus_waiter *waiters;
	/* Broadcast under bus->lock when an access ended and someone waits. */
	pthread_cond_t unpinned;
	/*
	 * Length of waiters: raised before bus_quiesce() looks at the pins,
	 * read after a pin was taken off; a reader's lock lies between.
	 */
	atomic_uint nr_waiters;
};

void bus_init(struct bus *bus, const char *name, struct failure *why);
void bus_release(struct bus *bus);

/*
 * The calling thread gets a reader of its own, and gives it back. Not from an
 * access handler.
 */
void bus_attach(struct bus *bus, struct bus_reader *reader);
void bus_detach(struct bus *bus, struct bus_reader *reader);

/*
 * Let @region answer. -EEXIST if it overlaps another (a message names both;
 * the first owner keeps working), -EINVAL if it is empty or wraps. Any thread,
 * access handlers included.
 */
int bus_add(struct bus *bus, struct bus_region *region);

/*
 * No new access reaches @region once this returns; accesses that run may still
 * be running. No-op when it is not linked. Never waits for a handler, so it
 * may be called with locks held that handlers take.
 */
void bus_unlink(struct bus *bus, struct bus_region *region);

/*
 * Unlink every region of the list @out, which are linked, and add every one of
 * @in, at once: an
 * access sees all of the change or nothing of it. Lists by region->batch, NULL
 * at the end. Changes nothing where bus_add() of one would fail; errors as
 * there.
 */
int bus_exchange(struct bus *bus, struct bus_region *out,
		 struct bus_region *in);

/*
 * Wait until no other thread is inside @region, which is unlinked. Accesses of
 * the calling thread do not count. Returns 0; or -EDEADLK, at once, where
 * waiting could never end because a thread inside @region itself waits, in
 * turn, for an access of the calling thread: the range is gone for new
 * accesses, but the storage must stay until a later call returns 0. Only waits
 * on this bus are seen: a handler on one bus must not wait for a region of
 * another whose handlers wait for regions of the first.
 */
int bus_quiesce(struct bus *bus, struct bus_region *region);

/* bus_unlink() and bus_quiesce(). */
int bus_remove(struct bus *bus, struct bus_region *region);

/*
 * Carry out @acc at @addr; acc->offset is filled in. An access belongs to the
 * region that holds its first byte. Reads that nobody handles give all ones in
 * acc->value, cut to the size.
 */
enum bus_result bus_dispatch(struct bus *bus, struct bus_reader *reader,
			     u64 addr, struct bus_access *acc);

/*
 * For read handlers: answer @acc from @regs, the @len bytes of a little-endian
 * register file. Bytes behind its end read zero.
 */
void bus_read_bytes(struct bus_access *acc, const void *regs, u64 len);

#endif
