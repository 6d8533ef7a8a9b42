/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PCI Express root bus: configuration space, BARs and who answers where.
 *
 * A device embeds struct pci_function, fills in its header with the helpers
 * below and calls pci_add(). From then on the core owns the configuration space
 * and the BARs: it places them at start, follows the guest's writes, and gives
 * the device only accesses relative to a BAR. Specifications: PCI Local Bus 3.0
 * (configuration space, chapter 6), PCI Express Base 4.0 (7.5, ECAM 7.2.2).
 */
#ifndef LKVM_PCI_H
#define LKVM_PCI_H

#include <pthread.h>
#include "lkvm/bus.h"
#include "lkvm/device.h"
#include "lkvm/irq.h"
#include "lkvm/types.h"

struct kvm;
struct pci_function;
struct text_sink;

#define PCI_CONFIG_LEN 4096U
#define PCI_SLOTS 32U
#define PCI_BARS 7U /* six, and the expansion ROM */
#define PCI_ROM 6U

/* A range of guest addresses that BARs may be placed in; len 0: none. */
struct pci_window {
	u64 start;
	u64 len;
};

/*
 * @io, @mem32 and @mem64 are what the guest is told of, and where BARs are at
 * start. A guest that does not listen (pci=nocrs, acpi=off) puts BARs to where
 * it believes that nothing is: they answer in @io_free and @mem_free, too, in
 * which no RAM and no fixed device may lie.
 */
struct pci_windows {
	struct pci_window io;
	struct pci_window mem32;
	struct pci_window mem64;
	struct pci_window io_free;
	struct pci_window mem_free;
	struct pci_window ecam; /* 1 MiB a bus */
	/*
	 * CPUs without ports reach port 0, and all that follow it, at this
	 * guest physical address.
	 */
	bool io_is_memory;
	u64 io_gpa;
};

enum pci_bar_kind {
	PCI_BAR_NONE,
	PCI_BAR_IO,
	PCI_BAR_MEM32,
	PCI_BAR_MEM64, /* takes the next register too */
	PCI_BAR_EXPANSION_ROM,
};

/* A write to an offset of a BAR that signals an eventfd without an exit. */
struct pci_doorbell {
	struct pci_doorbell *next; /* private: list of the BAR */
	u64 offset;		   /* from the start of the BAR */
	int fd;
	u8 len;		/* bytes the guest writes; 0: any */
	bool has_match; /* only writes of @match, which has @len bytes */
	u64 match;
	bool armed; /* private: KVM has it, at armed_addr */
	u64 armed_addr;
};

/*
 * A part of a memory BAR that the guest reaches without an exit: host memory
 * shown through a KVM slot wherever the BAR goes. What the host's page size
 * does not allow to map traps, as the rest of the BAR does.
 */
struct pci_memory {
	struct pci_memory *next; /* private: list of the BAR */
	u64 offset;		 /* from the start of the BAR */
	u64 len;
	u8 *hva;   /* host memory of @len bytes, owned by the device */
	u32 flags; /* KVM_MEM_* */
};

/* One piece of a BAR that answers on a bus. Private to pci_bar.c. */
struct pci_fragment;

struct pci_bar {
	enum pci_bar_kind kind;
	bool prefetchable;
	u64 size; /* bytes, a power of two */
	/* Below: private to pci.c, guarded by pci_bus.lock. */
	struct pci_function *fn;
	u8 index;
	u64 address; /* what the registers say */
	u64 stamp;   /* when the guest last wrote or enabled it */
	struct pci_fragment *fragments; /* where it answers now */
	struct pci_doorbell *doorbells;
	struct pci_memory *memory;
};

/* Called with no lock of the core held, on vCPU threads, unless it says so. */
struct pci_function_ops {
	/* acc->offset is relative to the BAR. */
	enum bus_result (*bar_access)(struct pci_function *fn, unsigned int bar,
				      struct bus_access *acc);
	/*
	 * The guest wrote @value to [@offset, @offset + @len) of configuration
	 * space; the core has stored what is writable of it. Optional.
	 */
	void (*config_written)(struct pci_function *fn, unsigned int offset,
			       unsigned int len, u32 value);
	/*
	 * The guest is about to read [@offset, @offset + @len): update the
	 * registers that are not plain memory with pci_config_set(). Optional.
	 */
	void (*config_read)(struct pci_function *fn, unsigned int offset,
			    unsigned int len);
	/*
	 * The guest wrote to the MSI-X table: @nr vectors from @first on may
	 * have been masked or unmasked, see pci_msix_is_on(). Optional.
	 */
	void (*msix_written)(struct pci_function *fn, unsigned int first,
			     unsigned int nr);
};

struct msix;

struct pci_function {
	const struct pci_function_ops *ops;
	struct pci_bus *bus; /* NULL before pci_add() */
	const char *name;
	u8 slot, function; /* set by pci_add() */
	/* All below: guarded by pci_bus.lock once pci_add() was called. */
	/* Threads and fragments that keep pci_remove() waiting. */
	unsigned int users;
	u8 config[PCI_CONFIG_LEN];
	u8 writable[PCI_CONFIG_LEN];  /* bits that a write changes */
	u8 clearable[PCI_CONFIG_LEN]; /* bits that writing 1 clears */
	struct pci_bar bars[PCI_BARS];
	unsigned int next_cap; /* offset of the free capability space */
	unsigned int next_extended_cap;
	unsigned int msi_cap;  /* offset; 0 without MSI */
	unsigned int last_cap; /* offset whose next pointer is to be filled */
	struct msix_sources *msi_sources; /* owned; NULL: none is connected */
	struct irq_line intx;
	bool intx_level;   /* what the device wants, before INTX_DISABLE */
	struct msix *msix; /* owned; NULL without MSI-X */
};

struct pci_identity {
	u16 vendor, device;
	u16 subsystem_vendor, subsystem;
	u32 class_code; /* 24 bits: class, subclass, interface */
	u8 revision;
};

/* ---- Building a function: before pci_add(), in this order ---- */

void pci_function_init(struct pci_function *fn, const char *name,
		       const struct pci_function_ops *ops,
		       const struct pci_identity *id);
/*
 * Declare BAR @bar. @size is rounded up to a power of two of at least 16 bytes
 * (I/O: 4). The core places it at start.
 */
void pci_bar_init(struct pci_function *fn, unsigned int bar,
		  enum pci_bar_kind kind, bool prefetchable, u64 size);
/*
 * Append a capability of @len bytes whose body (from its third byte) is @body,
 * read-only until pci_set_writable(). Returns its offset.
 */
unsigned int pci_add_capability(struct pci_function *fn, u8 id,
				const void *body, unsigned int len);
/* PCI Express capability of a root complex integrated endpoint. */
void pci_add_express_capability(struct pci_function *fn);
/* Power management: D0 and D3hot, which keeps all state. */
void pci_add_power_management(struct pci_function *fn);
/*
 * Append an extended capability (PCIe 7.6) of @len bytes, a multiple of 4, whose
 * body behind the 4 bytes of its header is @body. Returns its offset.
 */
unsigned int pci_add_extended_capability(struct pci_function *fn, u16 id,
					 u8 version, const void *body,
					 unsigned int len);
/* Bits of @mask (little endian, @len bytes) at @offset become writable. */
void pci_set_writable(struct pci_function *fn, unsigned int offset,
		      unsigned int len, u32 mask);
/*
 * The part of memory BAR @bar that @mem describes is mapped, not trapped.
 * @mem stays with the caller until pci_remove().
 */
void pci_bar_add_memory(struct pci_function *fn, unsigned int bar,
			struct pci_memory *mem);
/*
 * MSI-X with @vectors entries; table and PBA lie in BAR @bar at these offsets,
 * and accesses to them are answered by the core before ops->bar_access.
 */
int pci_add_msix(struct pci_function *fn, unsigned int bar, u64 table_offset,
		 u64 pba_offset, unsigned int vectors);
/* MSI with @vectors (1 to 32, a power of two) vectors. */
int pci_add_msi(struct pci_function *fn, unsigned int vectors);
/*
 * The same for a capability whose bytes the caller has put into fn->config at
 * @cap: number of vectors, offsets and layout are what they say, and the core
 * is what answers from now on. -EINVAL: they make no sense.
 */
int pci_adopt_msix(struct pci_function *fn, unsigned int cap);
int pci_adopt_msi(struct pci_function *fn, unsigned int cap);
/* The function uses INTx pin A. */
void pci_use_intx(struct pci_function *fn);

/* ---- The bus ---- */

/* Create vm->pci with its host bridge at 00.0, and register ECAM. */
int pci_create(struct kvm *vm, const struct pci_windows *windows);
void pci_destroy(struct kvm *vm);

/* Put @fn into the next free slot; -ENOSPC for the 33rd, with a message. */
int pci_add(struct pci_bus *bus, struct pci_function *fn);
/*
 * Put @fn next to @first, function 0 of a device that is in its slot, as
 * function @number (1 to 7). -EBUSY if that is taken.
 */
int pci_add_function(struct pci_function *first, unsigned int number,
		     struct pci_function *fn);
/*
 * Take it out; returns when no access to its BARs or its configuration space
 * runs, so not from within one. Frees what the core owns, of a function that was
 * never added too.
 */
void pci_remove(struct pci_function *fn);

/*
 * Give every BAR an address (largest first, naturally aligned), as firmware
 * does; called when all devices exist, before vCPUs run.
 */
int pci_assign_bars(struct pci_bus *bus);

/* Registers, mappings and interrupts of all functions. Any thread. */
void pci_dump(struct pci_bus *bus, const struct text_sink *sink);

/*
 * Who is told of each piece of BAR memory that the guest reaches without an exit
 * (struct pci_memory): where it comes, and before it goes. Devices that do DMA
 * may be sent there, too. Called under the core's lock: must not call the core.
 */
struct pci_memory_watch {
	void (*mapped)(struct pci_memory_watch *watch, u64 gpa, u64 len,
		       void *hva, u32 flags);
	void (*unmapped)(struct pci_memory_watch *watch, u64 gpa, u64 len,
			 u32 flags);
};

/* One at most; NULL: none. Before BARs are placed, and after they are gone. */
void pci_watch_memory(struct pci_bus *bus, struct pci_memory_watch *watch);

/* ---- Used by devices at run time, from any thread ---- */

/* Read or set registers from the device's side, past the write masks. */
u32 pci_config_get(struct pci_function *fn, unsigned int offset,
		   unsigned int len);
void pci_config_set(struct pci_function *fn, unsigned int offset,
		    unsigned int len, u32 value);

/* Doorbells follow their BAR when it moves. @db stays with the caller. */
void pci_doorbell_add(struct pci_function *fn, unsigned int bar,
		      struct pci_doorbell *db);
void pci_doorbell_remove(struct pci_function *fn, unsigned int bar,
			 struct pci_doorbell *db);

/* Pages that memory with KVM_MEM_LOG_DIRTY_PAGES may have. */
#define PCI_MEMORY_MAX_DIRTY 16384U

/*
 * Which pages of @mem, whose flags have KVM_MEM_LOG_DIRTY_PAGES, the guest may
 * have written since the last call: a bit for each page of the host is or-ed
 * into @bitmap. What has been mapped anew counts as written.
 */
int pci_memory_dirty(struct pci_function *fn, unsigned int bar,
		     const struct pci_memory *mem, u64 *bitmap);

/* Drive INTx; the core applies the command register's INTx disable bit. */
void pci_set_intx(struct pci_function *fn, bool level);

bool pci_msi_enabled(struct pci_function *fn);
/* How many vectors the guest has enabled; 0: MSI is disabled. */
unsigned int pci_msi_enabled_vectors(struct pci_function *fn);
/* As pci_msix_connect(). */
int pci_msi_connect(struct pci_function *fn, unsigned int vector, int fd);
/* Signal vector @vector, or with fewer enabled the one that stands for it. */
void pci_msi_signal(struct pci_function *fn, unsigned int vector);

bool pci_msix_enabled(struct pci_function *fn);
/* Number of vectors; 0 without MSI-X. */
unsigned int pci_msix_vectors(const struct pci_function *fn);
/* Is MSI-X enabled, and vector @vector not masked? */
bool pci_msix_is_on(struct pci_function *fn, unsigned int vector);
/*
 * From now on vector @vector is signalled through @fd, an eventfd of the
 * caller's, by somebody who does not call us (vhost, a host device); -1 undoes
 * that, before @fd is closed. -EINVAL: no such vector.
 */
int pci_msix_connect(struct pci_function *fn, unsigned int vector, int fd);
/* How things stand for vector @vector, which exists: for people. */
struct pci_msix_state {
	u64 address;
	u32 data;
	bool masked, pending;
};

struct pci_msix_state pci_msix_state(struct pci_function *fn,
				     unsigned int vector);

/*
 * Signal vector @vector: delivered, or pending while masked; one that does not
 * exist does nothing. False: MSI-X is disabled, use INTx.
 */
bool pci_msix_signal(struct pci_function *fn, unsigned int vector);

/* ---- Accesses by bus number, slot and function: CF8/CFC, ECAM, tests ---- */

/* Absent functions read all ones and ignore writes. @size 1, 2 or 4 within a
 * dword; anything else is split by the callers. */
u32 pci_config_read(struct pci_bus *bus, u32 bdf, unsigned int offset,
		    unsigned int size);
void pci_config_write(struct pci_bus *bus, u32 bdf, unsigned int offset,
		      unsigned int size, u32 value);

#endif
