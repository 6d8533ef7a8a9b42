/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupts: lines of the in-kernel interrupt controller, MSIs, GSI routes
 * and irqfds. A GSI is KVM's number for an interrupt source; the routing table
 * says where each one goes.
 */
#ifndef LKVM_IRQ_H
#define LKVM_IRQ_H

#include <pthread.h>
#include <linux/kvm.h>
#include "lkvm/types.h"

struct failure;

#define IRQ_MAX_ROUTES 4096

/*
 * For machines whose interrupt controller takes no messages: an address that
 * lkvm itself watches, where message @data pulses line @first_irq + @data (as
 * KVM_IRQ_LINE numbers them), which is GSI @first_gsi + @data.
 */
struct msi_frame {
	u64 address;
	u32 first_data, nr; /* messages that there are */
	u32 first_irq;	    /* modulo 2^32 */
	u32 first_gsi;	    /* the same */
};

/* Routing state of one VM. Embedded in struct kvm. */
struct irq_router {
	int vm_fd;
	u32 first_msi_gsi; /* MSI routes use GSIs from here; set at init */
	bool needs_devid;  /* KVM_CAP_MSI_DEVID */
	/* nr 0: KVM takes messages. Set after irq_init(), then const. */
	struct msi_frame frame;
	pthread_mutex_t lock;	       /* guards table and its contents */
	struct kvm_irq_routing *table; /* owned; IRQ_MAX_ROUTES entries */
};

/*
 * @first_msi_gsi: first GSI that no line of the machine uses. The architecture
 * adds its fixed routes with irq_add_fixed_route() before any MSI route.
 */
int irq_init(struct irq_router *irq, int vm_fd, u32 first_msi_gsi,
	     struct failure *why);
void irq_release(struct irq_router *irq);

int irq_add_fixed_route(struct irq_router *irq,
			const struct kvm_irq_routing_entry *entry);
/* Hand the whole table to KVM. Negative errno when the host refuses. */
int irq_commit(struct irq_router *irq);

/* What an MSI-capable function writes, and which one it is. */
struct msi_message {
	u64 address;
	u32 data;
	u32 devid; /* PCI requester id, for interrupt controllers that ask */
};

/* Deliver @msg now. Any thread. 0, or negative errno (guest's bad address). */
int irq_signal_msi(struct irq_router *irq, const struct msi_message *msg);

/*
 * A route for an MSI source behind an irqfd. alloc returns a GSI or -ENOSPC;
 * update re-points it; free gives it back. Each commits. Any thread.
 */
int irq_route_alloc(struct irq_router *irq, const struct msi_message *msg);
int irq_route_update(struct irq_router *irq, u32 gsi,
		     const struct msi_message *msg);
void irq_route_free(struct irq_router *irq, u32 gsi);

/*
 * Signal @gsi whenever @fd (an eventfd, owned by the caller) is written.
 * @resample_fd: -1, or for level-triggered lines an eventfd that KVM signals
 * at end of interrupt.
 */
int irqfd_attach(struct irq_router *irq, u32 gsi, int fd, int resample_fd);
void irqfd_detach(struct irq_router *irq, u32 gsi, int fd);

/*
 * One input of the interrupt controller, as its device sees it: a handle, not
 * a number. Several devices may share a line; it is high while any of them
 * holds it high. Storage in the device; line_init() before use.
 */
struct irq_line {
	struct irq_line_hub *hub; /* NULL: not connected, set() does nothing */
	bool level;		  /* what this device drives; guarded by hub */
};

/* The wired-OR of a line's drivers. One per line, owned by the machine. */
struct irq_line_hub {
	int vm_fd;
	u32 irq;	      /* number for KVM_IRQ_LINE */
	u32 gsi;	      /* for irqfd_attach(): the same, unless set */
	pthread_mutex_t lock; /* guards drivers, and orders KVM_IRQ_LINE */
	unsigned int drivers; /* devices that hold it high now */
};

void irq_line_hub_init(struct irq_line_hub *hub, int vm_fd, u32 irq);
/* Drive the line. Any thread; cheap when the level does not change. */
void irq_line_set(struct irq_line *line, bool level);

/*
 * Tie a guest write to an eventfd, so that the doorbell costs no exit to user
 * space. @len 0: any width (memory only); @match: only writes of that value.
 * -ENOSPC when the host has no room: the write then traps.
 */
struct ioeventfd {
	u64 addr;
	u64 match;
	int fd; /* owned by the caller */
	u8 len; /* 0, 1, 2, 4, 8 bytes */
	bool is_port;
	bool has_match;
};

int ioeventfd_add(int vm_fd, const struct ioeventfd *io);
void ioeventfd_remove(int vm_fd, const struct ioeventfd *io);

#endif
