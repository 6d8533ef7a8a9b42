/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between pci.c (configuration space), pci_bar.c (who answers where) and
 * pci_msix.c.
 */
#ifndef LKVM_PCI_PRIV_H
#define LKVM_PCI_PRIV_H

#include "lkvm/log.h"
#include "lkvm/pci.h"

#define PCI_DEVFNS 256U

struct pci_bus {
	struct kvm *vm;
	struct pci_windows windows; /* const after creation */
	struct bus_region ecam;
	struct pci_function host_bridge;
	/*
	 * Guards functions[], every function's configuration space and BARs,
	 * stamp and retired. Never held while a device works or while waiting
	 * for an access to end.
	 */
	pthread_mutex_t lock;
	pthread_cond_t unused; /* some function's users fell to 0 */
	struct pci_function *functions[PCI_DEVFNS];
	u64 stamp; /* counts claims, so that the last writer is known */
	/* Unlinked fragments that an access may still be inside of. */
	struct pci_fragment *retired;
	struct pci_memory_watch *watch; /* or NULL; set before vCPUs run */
	struct log_once refused;  /* a move that the host could not follow */
	struct log_once no_route; /* the same for an MSI */
};

/* Little-endian registers of a configuration space or MSI-X table. */
u32 pci_get_le(const u8 *bytes, unsigned int len);
void pci_put_le(u8 *bytes, unsigned int len, u32 value);

/*
 * Between these the function stays, without the lock. pci_put_locked() is the
 * last use of it.
 */
void pci_get_locked(struct pci_function *fn);
void pci_put_locked(struct pci_function *fn);

/* ---- pci_bar.c; all under bus->lock unless named otherwise ---- */

/* The bar that register @offset of configuration space belongs to, or NULL. */
struct pci_bar *pci_bar_at(struct pci_function *fn, unsigned int offset);
/* The guest wrote the bar's registers, or turned its decoding on. */
void pci_bar_claim_locked(struct pci_bar *bar);
/*
 * Make the buses, doorbells and memory slots agree with the registers of every
 * function; accesses see all of the change on a bus or nothing of it. Unlinked
 * fragments go to *@retired, for pci_free_retired() once the lock is dropped.
 * Negative errno when the host refused a memory slot: then all is mapped as it
 * was, and the caller puts the registers back.
 */
int pci_remap_locked(struct pci_bus *bus, struct pci_fragment **retired);
/* One place where a BAR answers, as pci_dump() shows it. */
struct pci_piece {
	u64 start, len;
	unsigned int nr_slots;
};

/* Describe @fragment, and return the next one of its BAR. */
const struct pci_fragment *
pci_bar_next_piece(const struct pci_fragment *fragment,
		   struct pci_piece *piece);
/* Wait until nobody is inside, and free. Without the lock. */
void pci_free_retired(struct pci_bus *bus, struct pci_fragment *retired);
/* Free what could not be waited for before; nothing runs any more. */
void pci_bar_release_all(struct pci_bus *bus);

/* Requester id: bus, slot and function. */
static inline u32 pci_bdf(const struct pci_function *fn)
{
	return (u32)fn->slot << 3 | fn->function;
}

/* ---- pci_msi.c ---- */

/* The guest wrote there: registers of the MSI capability may have changed. */
void pci_msi_written_locked(struct pci_function *fn, unsigned int offset,
			    unsigned int len);
/* What the guest reads there, of which configuration space says @value. */
u32 pci_msi_read_locked(const struct pci_function *fn, unsigned int offset,
			unsigned int len, u32 value);
/* As pci_dump() shows it. */
struct pci_msi_state {
	u16 control;
	u64 address;
	u32 data, pending;
};

struct pci_msi_state pci_msi_state_locked(const struct pci_function *fn);
void pci_msi_free(struct pci_function *fn);

/*
 * ---- pci_msix_irqfd.c; for MSI-X under the lock of the function's, for MSI
 * under that of the bus ----
 */

struct msix_sources;

enum msix_vector_state {
	MSIX_VECTOR_OFF, /* MSI-X, or MSI, is disabled */
	MSIX_VECTOR_MASKED,
	MSIX_VECTOR_ON,
};

struct msix_sources *msix_sources_create(unsigned int nr);
/* Accepts NULL. */
void msix_sources_destroy(struct irq_router *irq, struct msix_sources *sources);
/* Interrupts of @vector come from @fd from now on; -1: from nowhere. */
void msix_source_set(struct irq_router *irq, struct msix_sources *sources,
		     unsigned int vector, int fd);
/*
 * Make route and irqfd what @state and @msg say. Negative errno when the host
 * has no room: interrupts then stay pending.
 */
int msix_source_sync(struct irq_router *irq, struct msix_sources *sources,
		     unsigned int vector, enum msix_vector_state state,
		     const struct msi_message *msg);
bool msix_source_pending(const struct msix_sources *sources,
			 unsigned int vector);

/* ---- pci_msix.c ---- */

/* Does this access fall on the table or the PBA? Then it is carried out. */
bool pci_msix_access(struct pci_function *fn, unsigned int bar,
		     struct bus_access *acc);
/* Enable or function mask changed to what @control says. */
void pci_msix_control_written_locked(struct pci_function *fn, u16 control);
void pci_msix_free(struct pci_function *fn);
/* Offset of the message control register; 0 without MSI-X. */
unsigned int pci_msix_control_offset(const struct pci_function *fn);

#endif
