/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupts that devices raise themselves: shared lines and MSIs. KVM API: 4.25
 * KVM_IRQ_LINE, 4.70 KVM_SIGNAL_MSI. A file of its own, so that a test can put a
 * model of KVM in its place.
 */
#include "lkvm/irq.h"

#include <errno.h>
#include <sys/ioctl.h>

static int set_line(int vm_fd, u32 irq, bool level)
{
	struct kvm_irq_level request = { .irq = irq, .level = level };

	return ioctl(vm_fd, KVM_IRQ_LINE, &request) < 0 ? -errno : 0;
}

/* An edge on the line that stands for the message. */
static int signal_frame(struct irq_router *irq, const struct msi_message *msg)
{
	u32 line = irq->frame.first_irq + msg->data;
	int err;

	if (msg->address != irq->frame.address ||
	    msg->data - irq->frame.first_data >= irq->frame.nr)
		return -EINVAL;
	err = set_line(irq->vm_fd, line, true);
	return err ? err : set_line(irq->vm_fd, line, false);
}

int irq_signal_msi(struct irq_router *irq, const struct msi_message *msg)
{
	struct kvm_msi msi = {
		.address_lo = (u32)msg->address,
		.address_hi = (u32)(msg->address >> 32),
		.data = msg->data,
		.flags = irq->needs_devid ? KVM_MSI_VALID_DEVID : 0,
		.devid = irq->needs_devid ? msg->devid : 0,
	};

	if (irq->frame.nr)
		return signal_frame(irq, msg);
	if (ioctl(irq->vm_fd, KVM_SIGNAL_MSI, &msi) < 0)
		return -errno;
	return 0;
}

void irq_line_hub_init(struct irq_line_hub *hub, int vm_fd, u32 irq)
{
	*hub = (struct irq_line_hub){ .vm_fd = vm_fd, .irq = irq, .gsi = irq };
	pthread_mutex_init(&hub->lock, NULL);
}

void irq_line_set(struct irq_line *line, bool level)
{
	struct irq_line_hub *hub = line->hub;
	unsigned int before;

	if (!hub)
		return;
	pthread_mutex_lock(&hub->lock);
	before = hub->drivers;
	if (level != line->level) {
		line->level = level;
		hub->drivers += level ? 1 : -1U;
	}
	/* Fails only for a line that the machine does not have. */
	if (!before != !hub->drivers)
		set_line(hub->vm_fd, hub->irq, hub->drivers > 0);
	pthread_mutex_unlock(&hub->lock);
}
