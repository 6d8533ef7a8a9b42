/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MSI-X vectors whose interrupts come from an eventfd that somebody outside
 * signals: vhost in the host's kernel, a passed-through device. KVM delivers
 * them by a GSI route and an irqfd, without us.
 *
 * A route is taken when the guest first enables the vector, follows what it
 * writes to the table, and is given back when it disables MSI-X. While a vector
 * is masked its eventfd is not tied to KVM: signals stay in its counter, which
 * is the pending bit, and KVM delivers them when it is tied again.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include "lkvm/kvm.h"
#include "pci_priv.h"

struct msix_source {
	int fd;	 /* borrowed; -1: this vector has none */
	int gsi; /* its route, or negative */
	bool attached;
	struct msi_message msg; /* what the route says */
};

struct msix_sources {
	unsigned int nr;
	struct msix_source vectors[];
};

struct msix_sources *msix_sources_create(unsigned int nr)
{
	struct msix_sources *sources =
		calloc(1, sizeof(*sources) + nr * sizeof(sources->vectors[0]));

	if (!sources)
		return NULL;
	sources->nr = nr;
	for (unsigned int i = 0; i < nr; i++) {
		sources->vectors[i].fd = -1;
		sources->vectors[i].gsi = -1;
	}
	return sources;
}

static void detach(struct irq_router *irq, struct msix_source *source)
{
	if (source->attached)
		irqfd_detach(irq, (u32)source->gsi, source->fd);
	source->attached = false;
}

static void give_up_route(struct irq_router *irq, struct msix_source *source)
{
	detach(irq, source);
	if (source->gsi >= 0)
		irq_route_free(irq, (u32)source->gsi);
	source->gsi = -1;
}

static int take_route(struct irq_router *irq, struct msix_source *source,
		      const struct msi_message *msg)
{
	if (source->gsi < 0) {
		source->gsi = irq_route_alloc(irq, msg);
		if (source->gsi < 0)
			return source->gsi;
	} else if (source->msg.address != msg->address ||
		   source->msg.data != msg->data) {
		int err = irq_route_update(irq, (u32)source->gsi, msg);

		if (err)
			return err;
	}
	source->msg = *msg;
	return 0;
}

int msix_source_sync(struct irq_router *irq, struct msix_sources *sources,
		     unsigned int vector, enum msix_vector_state state,
		     const struct msi_message *msg)
{
	struct msix_source *source = &sources->vectors[vector];
	eventfd_t stale;
	int err;

	if (source->fd < 0)
		return 0;
	switch (state) {
	case MSIX_VECTOR_OFF:
		give_up_route(irq, source);
		/* Disabling MSI-X forgets what is pending. */
		if (msix_source_pending(sources, vector))
			(void)!eventfd_read(source->fd, &stale);
		return 0;
	case MSIX_VECTOR_MASKED:
		detach(irq, source);
		return 0;
	case MSIX_VECTOR_ON:
		break;
	}
	err = take_route(irq, source, msg);
	if (err || source->attached)
		return err;
	err = irqfd_attach(irq, (u32)source->gsi, source->fd, -1);
	source->attached = !err;
	return err;
}

bool msix_source_pending(const struct msix_sources *sources,
			 unsigned int vector)
{
	const struct msix_source *source = &sources->vectors[vector];
	struct pollfd pfd = { .fd = source->fd, .events = POLLIN };

	return source->fd >= 0 && !source->attached && poll(&pfd, 1, 0) == 1;
}

void msix_source_set(struct irq_router *irq, struct msix_sources *sources,
		     unsigned int vector, int fd)
{
	give_up_route(irq, &sources->vectors[vector]);
	sources->vectors[vector].fd = fd;
}

void msix_sources_destroy(struct irq_router *irq, struct msix_sources *sources)
{
	if (!sources)
		return;
	for (unsigned int i = 0; i < sources->nr; i++)
		give_up_route(irq, &sources->vectors[i]);
	free(sources);
}
