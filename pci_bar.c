/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who answers at which address. The registers say where each BAR wants to be;
 * pci_remap_locked() works out from scratch what that means for the buses, and
 * changes only what is different.
 *
 * Where BARs overlap, the one that the guest wrote or enabled last owns the
 * overlap, and the others answer in what is left of them: a BAR is mapped as
 * one or more fragments. BARs are powers of two and naturally aligned, so of
 * two that overlap one lies within the other.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lkvm/kvm.h"
#include "pci_priv.h"

#define MIN_MEMORY_BAR 16
#define MIN_IO_BAR 4
#define MIN_ROM_BAR 2048

/* Most BARs that can be in one address space at once. */
#define MAX_CLAIMS (PCI_SLOTS * 8 * PCI_BARS)

/* Parts of a BAR that can be mapped at the same time. */
#define MAX_SLOTS 8

struct mapping {
	int slot;
	u64 gpa, len;
	u32 flags;
	const struct pci_memory *mem;
	u64 offset;    /* of its first byte, within @mem */
	bool is_fresh; /* nobody asked yet what the guest wrote there */
};

struct pci_fragment {
	struct bus_region region;
	struct pci_bar *bar;
	u64 offset;			 /* of its first byte, within the BAR */
	struct pci_fragment *next;	 /* of the BAR, or of a retired list */
	struct mapping slots[MAX_SLOTS]; /* memory slots that lie over it */
	unsigned int nr_slots;
	bool wanted; /* of pci_remap_locked(): it stays, or comes */
	bool linked; /* on the bus */
};

/* ---- Registers ---- */

static unsigned int bar_register(unsigned int index)
{
	return index == PCI_ROM ? PCI_ROM_ADDRESS
				: PCI_BASE_ADDRESS_0 + 4 * index;
}

static unsigned int bar_register_len(const struct pci_bar *bar)
{
	return bar->kind == PCI_BAR_MEM64 ? 8 : 4;
}

static u32 type_bits(enum pci_bar_kind kind, bool prefetchable)
{
	u32 bits = prefetchable ? PCI_BASE_ADDRESS_MEM_PREFETCH : 0;

	switch (kind) {
	case PCI_BAR_IO:
		return PCI_BASE_ADDRESS_SPACE_IO;
	case PCI_BAR_MEM32:
		return bits | PCI_BASE_ADDRESS_MEM_TYPE_32;
	case PCI_BAR_MEM64:
		return bits | PCI_BASE_ADDRESS_MEM_TYPE_64;
	default:
		return 0;
	}
}

static u64 minimum_size(enum pci_bar_kind kind)
{
	switch (kind) {
	case PCI_BAR_IO:
		return MIN_IO_BAR;
	case PCI_BAR_EXPANSION_ROM:
		return MIN_ROM_BAR;
	default:
		return MIN_MEMORY_BAR;
	}
}

void pci_bar_init(struct pci_function *fn, unsigned int index,
		  enum pci_bar_kind kind, bool prefetchable, u64 size)
{
	struct pci_bar *bar = &fn->bars[index];
	unsigned int reg = bar_register(index);
	u64 mask;

	bar->kind = kind;
	bar->prefetchable = prefetchable;
	bar->size = minimum_size(kind);
	while (bar->size < size)
		bar->size <<= 1;
	/* Sizing needs no special value: only the address bits are writable. */
	mask = ~(bar->size - 1);
	pci_put_le(&fn->config[reg], 4, type_bits(kind, prefetchable));
	pci_set_writable(fn, reg, 4,
			 (u32)mask | (kind == PCI_BAR_EXPANSION_ROM
					      ? PCI_ROM_ADDRESS_ENABLE
					      : 0));
	if (kind == PCI_BAR_MEM64)
		pci_set_writable(fn, reg + 4, 4, (u32)(mask >> 32));
}

void pci_bar_add_memory(struct pci_function *fn, unsigned int index,
			struct pci_memory *mem)
{
	mem->next = fn->bars[index].memory;
	fn->bars[index].memory = mem;
}

void pci_watch_memory(struct pci_bus *bus, struct pci_memory_watch *watch)
{
	pthread_mutex_lock(&bus->lock);
	bus->watch = watch;
	pthread_mutex_unlock(&bus->lock);
}

struct pci_bar *pci_bar_at(struct pci_function *fn, unsigned int offset)
{
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		struct pci_bar *bar = &fn->bars[i];
		unsigned int reg = bar_register(i);

		if (bar->kind != PCI_BAR_NONE && offset >= reg &&
		    offset < reg + bar_register_len(bar))
			return bar;
	}
	return NULL;
}

static u64 register_address(const struct pci_bar *bar)
{
	const u8 *reg = &bar->fn->config[bar_register(bar->index)];
	u64 address = pci_get_le(reg, 4);

	if (bar->kind == PCI_BAR_MEM64)
		address |= (u64)pci_get_le(reg + 4, 4) << 32;
	return align_down(address, bar->size);
}

static void set_register_address(struct pci_bar *bar, u64 address)
{
	u8 *reg = &bar->fn->config[bar_register(bar->index)];

	pci_put_le(reg, 4,
		   (u32)address | type_bits(bar->kind, bar->prefetchable));
	if (bar->kind == PCI_BAR_MEM64)
		pci_put_le(reg + 4, 4, (u32)(address >> 32));
}

static bool decodes(const struct pci_bar *bar)
{
	const u8 *config = bar->fn->config;
	u16 command = (u16)pci_get_le(&config[PCI_COMMAND], 2);

	switch (bar->kind) {
	case PCI_BAR_NONE:
		return false;
	case PCI_BAR_IO:
		return command & PCI_COMMAND_IO;
	case PCI_BAR_EXPANSION_ROM:
		if (!(config[PCI_ROM_ADDRESS] & PCI_ROM_ADDRESS_ENABLE))
			return false;
		break;
	default:
		break;
	}
	return command & PCI_COMMAND_MEMORY;
}

void pci_bar_claim_locked(struct pci_bar *bar)
{
	bar->address = register_address(bar);
	bar->stamp = ++bar->fn->bus->stamp;
}

/* ---- Where each BAR is to answer ---- */

static bool in_window(const struct pci_window *window, u64 start, u64 len)
{
	u64 offset = start - window->start;

	return offset < window->len && range_within(offset, len, window->len);
}

/* A BAR that may cover something else answers to nobody. */
static bool is_reachable(const struct pci_bus *bus, const struct pci_bar *bar)
{
	const struct pci_windows *w = &bus->windows;

	if (bar->kind == PCI_BAR_IO)
		return in_window(&w->io, bar->address, bar->size) ||
		       in_window(&w->io_free, bar->address, bar->size);
	return in_window(&w->mem32, bar->address, bar->size) ||
	       in_window(&w->mem64, bar->address, bar->size) ||
	       in_window(&w->mem_free, bar->address, bar->size);
}

/* The BARs that are switched on and reachable, the newest claim first. */
struct claims {
	struct pci_bar *bars[MAX_CLAIMS];
	unsigned int nr;
};

static int newest_first(const void *a, const void *b)
{
	const struct pci_bar *const *left = a, *const *right = b;

	return ((*left)->stamp < (*right)->stamp) -
	       ((*left)->stamp > (*right)->stamp);
}

static void collect_claims(struct pci_bus *bus, struct claims *claims)
{
	claims->nr = 0;
	for (unsigned int devfn = 0; devfn < PCI_DEVFNS; devfn++) {
		struct pci_function *fn = bus->functions[devfn];

		for (unsigned int i = 0; fn && i < PCI_BARS; i++)
			if (decodes(&fn->bars[i]) &&
			    is_reachable(bus, &fn->bars[i]))
				claims->bars[claims->nr++] = &fn->bars[i];
	}
	qsort(claims->bars, claims->nr, sizeof(struct pci_bar *), newest_first);
}

static bool is_io(const struct pci_bar *bar)
{
	return bar->kind == PCI_BAR_IO;
}

/*
 * The first free piece of claim @nr at or after @from: the end of a piece is
 * the next newer claim inside the BAR, or the BAR's end. False: there is none.
 */
static bool next_piece(const struct claims *claims, unsigned int nr, u64 *from,
		       u64 *len)
{
	const struct pci_bar *bar = claims->bars[nr];
	u64 bar_end = bar->address + bar->size;
	u64 end = bar_end;
	bool moved = true;

	/* Skip newer claims that cover @from. */
	while (moved && *from < bar_end) {
		moved = false;
		for (unsigned int i = 0; i < nr; i++) {
			const struct pci_bar *over = claims->bars[i];

			if (is_io(over) != is_io(bar) ||
			    *from - over->address >= over->size)
				continue;
			*from = over->address + over->size;
			moved = true;
		}
	}
	if (*from >= bar_end)
		return false;
	for (unsigned int i = 0; i < nr; i++) {
		const struct pci_bar *over = claims->bars[i];

		if (is_io(over) == is_io(bar) && over->address > *from &&
		    over->address < end)
			end = over->address;
	}
	*len = end - *from;
	return true;
}

/* ---- Making it so ---- */

static struct bus *bus_of(const struct pci_bar *bar)
{
	struct kvm *vm = bar->fn->bus->vm;

	return is_io(bar) ? &vm->ports : &vm->mmio;
}

static enum bus_result fragment_access(void *opaque, struct bus_access *acc)
{
	struct pci_fragment *fragment = opaque;
	struct pci_bar *bar = fragment->bar;

	acc->offset += fragment->offset;
	if (pci_msix_access(bar->fn, bar->index, acc))
		return BUS_HANDLED;
	return bar->fn->ops->bar_access(bar->fn, bar->index, acc);
}

/* The pages of @fragment that @mem can be mapped to; len 0: none. */
static void mappable_pages(const struct pci_fragment *fragment,
			   const struct pci_memory *mem, u64 *start, u64 *len)
{
	u64 page = (u64)sysconf(_SC_PAGESIZE);
	u64 end = fragment->offset + fragment->region.len;

	*start = mem->offset > fragment->offset ? mem->offset
						: fragment->offset;
	if (end > mem->offset + mem->len)
		end = mem->offset + mem->len;
	*start = align_up(*start, page);
	end = align_down(end, page);
	*len = end > *start ? end - *start : 0;
}

static void unmap_memory(struct pci_fragment *fragment)
{
	struct pci_bus *bus = fragment->bar->fn->bus;

	while (fragment->nr_slots) {
		const struct mapping *m =
			&fragment->slots[--fragment->nr_slots];

		if (bus->watch)
			bus->watch->unmapped(bus->watch, m->gpa, m->len,
					     m->flags);
		memory_slot_remove(&bus->vm->memory, m->slot);
	}
}

static int map_memory(struct pci_fragment *fragment)
{
	struct pci_bar *bar = fragment->bar;
	struct pci_bus *bus = bar->fn->bus;

	for (struct pci_memory *mem = bar->memory; mem; mem = mem->next) {
		struct mapping m = {
			.flags = mem->flags,
			.mem = mem,
			.is_fresh = true,
		};
		u64 start;
		u8 *hva;

		mappable_pages(fragment, mem, &start, &m.len);
		/* Page offsets of guest and host address must agree. */
		if (!m.len || fragment->nr_slots == MAX_SLOTS ||
		    ((bar->address ^ (uintptr_t)mem->hva ^ mem->offset) &
		     ((u64)sysconf(_SC_PAGESIZE) - 1)))
			continue;
		m.gpa = bar->address + start;
		m.offset = start - mem->offset;
		hva = mem->hva + m.offset;
		m.slot = memory_slot_add(&bus->vm->memory, m.gpa, m.len, hva,
					 m.flags);
		if (m.slot < 0) {
			unmap_memory(fragment);
			return m.slot;
		}
		fragment->slots[fragment->nr_slots++] = m;
		if (bus->watch)
			bus->watch->mapped(bus->watch, m.gpa, m.len, hva,
					   m.flags);
	}
	return 0;
}

static struct ioeventfd doorbell_ioeventfd(const struct pci_bar *bar,
					   const struct pci_doorbell *db,
					   u64 address)
{
	const struct pci_windows *windows = &bar->fn->bus->windows;
	bool in_memory = is_io(bar) && windows->io_is_memory;

	return (struct ioeventfd){
		.addr = address + (in_memory ? windows->io_gpa : 0),
		.len = db->len,
		.has_match = db->has_match,
		.match = db->match,
		.fd = db->fd,
		.is_port = is_io(bar) && !in_memory,
	};
}

static void disarm(struct pci_bar *bar, struct pci_doorbell *db)
{
	struct ioeventfd io = doorbell_ioeventfd(bar, db, db->armed_addr);

	if (!db->armed)
		return;
	ioeventfd_remove(bar->fn->bus->vm->fd, &io);
	db->armed = false;
}

/* Without room in the host for an ioeventfd the doorbell traps, and works. */
static void arm(struct pci_bar *bar, struct pci_doorbell *db)
{
	u64 address = bar->address + db->offset;
	struct ioeventfd io = doorbell_ioeventfd(bar, db, address);

	if (db->armed || ioeventfd_add(bar->fn->bus->vm->fd, &io))
		return;
	db->armed_addr = address;
	db->armed = true;
}

/* Does the BAR itself answer at @address now? */
static bool owns(const struct pci_bar *bar, u64 address)
{
	for (struct pci_fragment *f = bar->fragments; f; f = f->next)
		if (address - f->region.start < f->region.len)
			return true;
	return false;
}

static struct pci_fragment *find_fragment(const struct pci_bar *bar, u64 start,
					  u64 len)
{
	struct pci_fragment *f = bar->fragments;

	while (f && (f->region.start != start || f->region.len != len))
		f = f->next;
	return f;
}

/* A fragment of @bar that is nowhere on the bus yet. */
static int prepare_fragment(struct pci_bar *bar, u64 start, u64 len)
{
	struct pci_fragment *fragment = calloc(1, sizeof(*fragment));

	if (!fragment)
		return -ENOMEM;
	fragment->bar = bar;
	fragment->offset = start - bar->address;
	fragment->wanted = true;
	fragment->region = (struct bus_region){
		.start = start,
		.len = len,
		.name = bar->fn->name,
		.access = fragment_access,
		.opaque = fragment,
	};
	fragment->next = bar->fragments;
	bar->fragments = fragment;
	return 0;
}

/*
 * Mark the fragments that claim @nr keeps, and prepare those that it lacks.
 * Alignment makes an address lie at the same offset of a BAR wherever the BAR
 * is, so a fragment of the same range is the same.
 */
static int plan_claim(const struct claims *claims, unsigned int nr)
{
	struct pci_bar *bar = claims->bars[nr];
	u64 from = bar->address;
	u64 len;
	int err = 0;

	while (!err && next_piece(claims, nr, &from, &len)) {
		struct pci_fragment *fragment = find_fragment(bar, from, len);

		if (fragment)
			fragment->wanted = true;
		else
			err = prepare_fragment(bar, from, len);
		from += len;
	}
	return err;
}

/* Calls @each for every BAR there is; stops at the first error. */
static int for_each_bar(struct pci_bus *bus,
			int (*each)(struct pci_bar *bar, void *opaque),
			void *opaque)
{
	for (unsigned int devfn = 0; devfn < PCI_DEVFNS; devfn++) {
		struct pci_function *fn = bus->functions[devfn];

		for (unsigned int i = 0; fn && i < PCI_BARS; i++) {
			int err = each(&fn->bars[i], opaque);

			if (err)
				return err;
		}
	}
	return 0;
}

/* What goes and what comes on one bus. */
struct exchange {
	struct bus_region *out, *in;
};

struct exchanges {
	struct exchange ports, mmio;
};

static int unmark(struct pci_bar *bar, void *opaque)
{
	for (struct pci_fragment *f = bar->fragments; f; f = f->next)
		f->wanted = false;
	return 0;
}

static int collect_exchange(struct pci_bar *bar, void *opaque)
{
	struct exchanges *both = opaque;
	struct exchange *one = is_io(bar) ? &both->ports : &both->mmio;

	for (struct pci_fragment *f = bar->fragments; f; f = f->next) {
		struct bus_region **list = f->linked ? &one->out : &one->in;

		if (f->linked == f->wanted)
			continue;
		f->region.batch = *list;
		*list = &f->region;
	}
	return 0;
}

static int unmap_leaving(struct pci_bar *bar, void *opaque)
{
	for (struct pci_fragment *f = bar->fragments; f; f = f->next)
		if (f->linked && !f->wanted)
			unmap_memory(f);
	return 0;
}

static int map_coming(struct pci_bar *bar, void *opaque)
{
	int err = 0;

	for (struct pci_fragment *f = bar->fragments; f && !err; f = f->next)
		if (!f->linked && f->wanted)
			err = map_memory(f);
	return err;
}

/* Undo: what was to come goes, what was to go has its memory again. */
static int take_back(struct pci_bar *bar, void *opaque)
{
	struct pci_fragment **link = &bar->fragments;

	while (*link) {
		struct pci_fragment *fragment = *link;

		if (fragment->linked) {
			link = &fragment->next;
			continue;
		}
		unmap_memory(fragment);
		*link = fragment->next;
		free(fragment);
	}
	return 0;
}

static int remap_leaving(struct pci_bar *bar, void *opaque)
{
	for (struct pci_fragment *f = bar->fragments; f; f = f->next)
		if (!f->nr_slots)
			map_memory(f);
	return 0;
}

/* Fragments that have left the bus go to *retired. */
static int settle(struct pci_bar *bar, void *opaque)
{
	struct pci_fragment **link = &bar->fragments, **retired = opaque;

	while (*link) {
		struct pci_fragment *fragment = *link;

		fragment->linked = fragment->wanted;
		if (fragment->wanted) {
			link = &fragment->next;
			continue;
		}
		*link = fragment->next;
		fragment->next = *retired;
		*retired = fragment;
		pci_get_locked(bar->fn);
	}
	return 0;
}

static int disarm_stale(struct pci_bar *bar, void *opaque)
{
	for (struct pci_doorbell *db = bar->doorbells; db; db = db->next)
		if (db->armed && (db->armed_addr != bar->address + db->offset ||
				  !owns(bar, db->armed_addr)))
			disarm(bar, db);
	return 0;
}

static int arm_new(struct pci_bar *bar, void *opaque)
{
	for (struct pci_doorbell *db = bar->doorbells; db; db = db->next)
		if (owns(bar, bar->address + db->offset))
			arm(bar, db);
	return 0;
}

/* Memory slots first: only they can fail, and while they change all traps. */
static int exchange_locked(struct pci_bus *bus)
{
	struct exchanges both = { { NULL, NULL }, { NULL, NULL } };
	int err;

	for_each_bar(bus, collect_exchange, &both);
	for_each_bar(bus, unmap_leaving, NULL);
	err = for_each_bar(bus, map_coming, NULL);
	if (!err)
		err = bus_exchange(&bus->vm->ports, both.ports.out,
				   both.ports.in);
	if (err)
		return err;
	err = bus_exchange(&bus->vm->mmio, both.mmio.out, both.mmio.in);
	if (err)
		bus_exchange(&bus->vm->ports, both.ports.in, both.ports.out);
	return err;
}

int pci_remap_locked(struct pci_bus *bus, struct pci_fragment **retired)
{
	struct claims claims;
	int err = 0;

	collect_claims(bus, &claims);
	for_each_bar(bus, unmark, NULL);
	for (unsigned int nr = 0; nr < claims.nr && !err; nr++)
		err = plan_claim(&claims, nr);
	if (!err)
		err = exchange_locked(bus);
	if (err) {
		for_each_bar(bus, take_back, NULL);
		for_each_bar(bus, remap_leaving, NULL);
		return err;
	}
	for_each_bar(bus, settle, retired);
	/*
	 * Doorbells last: KVM takes its time over them, and until then rings
	 * trap. All that go before any that come, which may want their place.
	 */
	for_each_bar(bus, disarm_stale, NULL);
	for_each_bar(bus, arm_new, NULL);
	return 0;
}

void pci_free_retired(struct pci_bus *bus, struct pci_fragment *retired)
{
	struct pci_fragment *next;

	for (; retired; retired = next) {
		int err = bus_quiesce(bus_of(retired->bar), &retired->region);

		next = retired->next;
		pthread_mutex_lock(&bus->lock);
		pci_put_locked(retired->bar->fn);
		if (err) {
			/* An access inside waits for us: keep it for later. */
			retired->next = bus->retired;
			bus->retired = retired;
		}
		pthread_mutex_unlock(&bus->lock);
		if (!err)
			free(retired);
	}
}

void pci_bar_release_all(struct pci_bus *bus)
{
	struct pci_fragment *next;

	for (struct pci_fragment *f = bus->retired; f; f = next) {
		next = f->next;
		free(f);
	}
	bus->retired = NULL;
}

const struct pci_fragment *
pci_bar_next_piece(const struct pci_fragment *fragment, struct pci_piece *piece)
{
	*piece = (struct pci_piece){
		.start = fragment->region.start,
		.len = fragment->region.len,
		.nr_slots = fragment->nr_slots,
	};
	return fragment->next;
}

/* ---- Doorbells ---- */

void pci_doorbell_add(struct pci_function *fn, unsigned int index,
		      struct pci_doorbell *db)
{
	struct pci_bar *bar = &fn->bars[index];

	pthread_mutex_lock(&fn->bus->lock);
	db->armed = false;
	db->next = bar->doorbells;
	bar->doorbells = db;
	if (owns(bar, bar->address + db->offset))
		arm(bar, db);
	pthread_mutex_unlock(&fn->bus->lock);
}

void pci_doorbell_remove(struct pci_function *fn, unsigned int index,
			 struct pci_doorbell *db)
{
	struct pci_bar *bar = &fn->bars[index];
	struct pci_doorbell **link;

	pthread_mutex_lock(&fn->bus->lock);
	for (link = &bar->doorbells; *link && *link != db;
	     link = &(*link)->next)
		;
	if (*link) {
		disarm(bar, db);
		*link = db->next;
	}
	pthread_mutex_unlock(&fn->bus->lock);
}

/* ---- What the guest has written ---- */

static void mark_all(u64 *bitmap, u64 first, u64 nr)
{
	for (u64 page = first; page < first + nr; page++)
		bitmap[page / 64] |= BIT64(page % 64);
}

/* Or the @nr bits of @from into @to, from bit @first on. */
static void mark_some(u64 *to, u64 first, const u64 *from, u64 nr)
{
	for (u64 i = 0; i < nr; i++) {
		if (!(i % 64) && !from[i / 64])
			i += 63;
		else if (from[i / 64] & BIT64(i % 64))
			to[(first + i) / 64] |= BIT64((first + i) % 64);
	}
}

static int add_dirty(struct memory *memory, struct mapping *m, u64 *bitmap)
{
	u64 page = (u64)sysconf(_SC_PAGESIZE);
	u64 first = m->offset / page, nr = m->len / page;
	u64 written[PCI_MEMORY_MAX_DIRTY / 64];
	int err;

	if (nr > PCI_MEMORY_MAX_DIRTY)
		return -E2BIG;
	err = memory_slot_dirty(memory, m->slot, written);
	if (err)
		return err;
	if (m->is_fresh)
		mark_all(bitmap, first, nr);
	else
		mark_some(bitmap, first, written, nr);
	m->is_fresh = false;
	return 0;
}

int pci_memory_dirty(struct pci_function *fn, unsigned int bar,
		     const struct pci_memory *mem, u64 *bitmap)
{
	struct pci_bus *bus = fn->bus;
	int err = 0;

	pthread_mutex_lock(&bus->lock);
	for (struct pci_fragment *f = fn->bars[bar].fragments; f; f = f->next)
		for (unsigned int i = 0; i < f->nr_slots && !err; i++)
			if (f->slots[i].mem == mem)
				err = add_dirty(&bus->vm->memory, &f->slots[i],
						bitmap);
	pthread_mutex_unlock(&bus->lock);
	return err;
}

/* ---- Placement at start ---- */

/* Placement in one window grows upwards; sizes only shrink, so no gaps. */
struct placement {
	struct pci_window window;
	u64 next;
};

static bool place(struct placement *p, struct pci_bar *bar)
{
	u64 address = align_up(p->next, bar->size);

	if (address < p->next || !in_window(&p->window, address, bar->size))
		return false;
	set_register_address(bar, address);
	pci_bar_claim_locked(bar);
	p->next = address + bar->size;
	return true;
}

static int largest_first(const void *a, const void *b)
{
	const struct pci_bar *const *left = a, *const *right = b;

	return ((*left)->size < (*right)->size) -
	       ((*left)->size > (*right)->size);
}

static int place_all(struct pci_bus *bus, struct claims *list,
		     struct placement *first, struct placement *second)
{
	qsort(list->bars, list->nr, sizeof(struct pci_bar *), largest_first);
	for (unsigned int i = 0; i < list->nr; i++) {
		struct pci_bar *bar = list->bars[i];

		if (place(first, bar) || (second && place(second, bar)))
			continue;
		return vm_fail(bus->vm, -ENOSPC,
			       "BAR %u of %s (%llu KiB) does not fit into what "
			       "is left of the PCI window of %llu KiB; use "
			       "fewer devices",
			       bar->index, bar->fn->name,
			       (unsigned long long)(bar->size / KIB),
			       (unsigned long long)(first->window.len / KIB));
	}
	return 0;
}

static void select_kind(struct pci_bus *bus, struct claims *list,
			bool (*matches)(const struct pci_bar *))
{
	list->nr = 0;
	for (unsigned int devfn = 0; devfn < PCI_DEVFNS; devfn++) {
		struct pci_function *fn = bus->functions[devfn];

		for (unsigned int i = 0; fn && i < PCI_BARS; i++)
			if (matches(&fn->bars[i]))
				list->bars[list->nr++] = &fn->bars[i];
	}
}

static bool is_mem32(const struct pci_bar *bar)
{
	return bar->kind == PCI_BAR_MEM32 || bar->kind == PCI_BAR_EXPANSION_ROM;
}

static bool is_mem64(const struct pci_bar *bar)
{
	return bar->kind == PCI_BAR_MEM64;
}

/* Decoding is on for the kinds of BAR that a function has, as firmware does. */
static void enable_decoding(struct pci_bus *bus)
{
	for (unsigned int devfn = 0; devfn < PCI_DEVFNS; devfn++) {
		struct pci_function *fn = bus->functions[devfn];

		for (unsigned int i = 0; fn && i < PCI_ROM; i++) {
			if (fn->bars[i].kind == PCI_BAR_IO)
				fn->config[PCI_COMMAND] |= PCI_COMMAND_IO;
			else if (fn->bars[i].kind != PCI_BAR_NONE)
				fn->config[PCI_COMMAND] |= PCI_COMMAND_MEMORY;
		}
	}
}

int pci_assign_bars(struct pci_bus *bus)
{
	struct placement io = { bus->windows.io, bus->windows.io.start };
	struct placement mem32 = { bus->windows.mem32,
				   bus->windows.mem32.start };
	struct placement mem64 = { bus->windows.mem64,
				   bus->windows.mem64.start };
	struct pci_fragment *retired = NULL;
	struct claims list;
	int err;

	pthread_mutex_lock(&bus->lock);
	select_kind(bus, &list, is_io);
	err = place_all(bus, &list, &io, NULL);
	/* What can only be below 4 GiB goes first. */
	select_kind(bus, &list, is_mem32);
	if (!err)
		err = place_all(bus, &list, &mem32, NULL);
	select_kind(bus, &list, is_mem64);
	if (!err)
		err = place_all(bus, &list, &mem32, &mem64);
	if (!err) {
		enable_decoding(bus);
		err = pci_remap_locked(bus, &retired);
		if (err)
			vm_fail(bus->vm, err,
				"the host cannot map the PCI devices: %s",
				strerror(-err));
	}
	pthread_mutex_unlock(&bus->lock);
	pci_free_retired(bus, retired);
	return err;
}
