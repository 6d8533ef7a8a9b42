/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The GSI routing table, and eventfds behind GSIs. KVM API: 4.52
 * KVM_SET_GSI_ROUTING, 4.75 KVM_IRQFD.
 */
#include "lkvm/irq.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "lkvm/failure.h"

int irq_init(struct irq_router *irq, int vm_fd, u32 first_msi_gsi,
	     struct failure *why)
{
	*irq = (struct irq_router){ .vm_fd = vm_fd,
				    .first_msi_gsi = first_msi_gsi };
	pthread_mutex_init(&irq->lock, NULL);
	irq->needs_devid =
		ioctl(vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_MSI_DEVID) > 0;
	/* Entries are used up from the front: only those cost memory. */
	irq->table = calloc(1, sizeof(*irq->table) +
				       IRQ_MAX_ROUTES *
					       sizeof(irq->table->entries[0]));
	if (!irq->table)
		return fail(why, -ENOMEM, "no memory for the GSI routes");
	return 0;
}

void irq_release(struct irq_router *irq)
{
	free(irq->table);
	irq->table = NULL;
	pthread_mutex_destroy(&irq->lock);
}

static int commit_locked(struct irq_router *irq)
{
	if (ioctl(irq->vm_fd, KVM_SET_GSI_ROUTING, irq->table) < 0)
		return -errno;
	return 0;
}

int irq_commit(struct irq_router *irq)
{
	int err;

	pthread_mutex_lock(&irq->lock);
	err = commit_locked(irq);
	pthread_mutex_unlock(&irq->lock);
	return err;
}

int irq_add_fixed_route(struct irq_router *irq,
			const struct kvm_irq_routing_entry *entry)
{
	int err = -ENOSPC;

	pthread_mutex_lock(&irq->lock);
	if (irq->table->nr < IRQ_MAX_ROUTES) {
		irq->table->entries[irq->table->nr++] = *entry;
		err = 0;
	}
	pthread_mutex_unlock(&irq->lock);
	return err;
}

static struct kvm_irq_routing_entry *
find_msi_route_locked(struct irq_router *irq, u32 gsi)
{
	for (u32 i = 0; i < irq->table->nr; i++) {
		struct kvm_irq_routing_entry *entry = &irq->table->entries[i];

		if (entry->gsi == gsi && gsi >= irq->first_msi_gsi)
			return entry;
	}
	return NULL;
}

/* The line behind the frame; for what is no message, one that does not exist. */
static void fill_frame_route(const struct irq_router *irq,
			     struct kvm_irq_routing_entry *entry, u32 gsi,
			     const struct msi_message *msg)
{
	const struct msi_frame *frame = &irq->frame;
	bool is_message = msg->address == frame->address &&
			  msg->data - frame->first_data < frame->nr;

	*entry = (struct kvm_irq_routing_entry){
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip.pin = is_message ? frame->first_gsi + msg->data
					    : irq->first_msi_gsi,
	};
}

static void fill_msi_route(const struct irq_router *irq,
			   struct kvm_irq_routing_entry *entry, u32 gsi,
			   const struct msi_message *msg)
{
	if (irq->frame.nr) {
		fill_frame_route(irq, entry, gsi, msg);
		return;
	}
	*entry = (struct kvm_irq_routing_entry){
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_MSI,
		.flags = irq->needs_devid ? KVM_MSI_VALID_DEVID : 0,
		.u.msi.address_lo = (u32)msg->address,
		.u.msi.address_hi = (u32)(msg->address >> 32),
		.u.msi.data = msg->data,
	};
	if (irq->needs_devid)
		entry->u.msi.devid = msg->devid;
}

int irq_route_alloc(struct irq_router *irq, const struct msi_message *msg)
{
	struct kvm_irq_routing_entry *entry;
	u32 gsi = irq->first_msi_gsi;
	int err = -ENOSPC;

	pthread_mutex_lock(&irq->lock);
	if (irq->table->nr == IRQ_MAX_ROUTES)
		goto out;
	while (find_msi_route_locked(irq, gsi))
		gsi++;
	entry = &irq->table->entries[irq->table->nr++];
	fill_msi_route(irq, entry, gsi, msg);
	err = commit_locked(irq);
	if (err)
		irq->table->nr--;
out:
	pthread_mutex_unlock(&irq->lock);
	return err ? err : (int)gsi;
}

int irq_route_update(struct irq_router *irq, u32 gsi,
		     const struct msi_message *msg)
{
	struct kvm_irq_routing_entry *entry, old;
	int err = -ENOENT;

	pthread_mutex_lock(&irq->lock);
	entry = find_msi_route_locked(irq, gsi);
	if (entry) {
		old = *entry;
		fill_msi_route(irq, entry, gsi, msg);
		err = commit_locked(irq);
		if (err)
			*entry = old;
	}
	pthread_mutex_unlock(&irq->lock);
	return err;
}

void irq_route_free(struct irq_router *irq, u32 gsi)
{
	struct kvm_irq_routing_entry *entry;

	pthread_mutex_lock(&irq->lock);
	entry = find_msi_route_locked(irq, gsi);
	if (entry) {
		*entry = irq->table->entries[--irq->table->nr];
		commit_locked(irq);
	}
	pthread_mutex_unlock(&irq->lock);
}

static int set_irqfd(struct irq_router *irq, u32 gsi, int fd, int resample_fd,
		     u32 flags)
{
	struct kvm_irqfd irqfd = { .fd = (u32)fd, .gsi = gsi, .flags = flags };

	if (resample_fd >= 0) {
		irqfd.flags |= KVM_IRQFD_FLAG_RESAMPLE;
		irqfd.resamplefd = (u32)resample_fd;
	}
	if (ioctl(irq->vm_fd, KVM_IRQFD, &irqfd) < 0)
		return -errno;
	return 0;
}

int irqfd_attach(struct irq_router *irq, u32 gsi, int fd, int resample_fd)
{
	return set_irqfd(irq, gsi, fd, resample_fd, 0);
}

void irqfd_detach(struct irq_router *irq, u32 gsi, int fd)
{
	set_irqfd(irq, gsi, fd, -1, KVM_IRQFD_FLAG_DEASSIGN);
}
