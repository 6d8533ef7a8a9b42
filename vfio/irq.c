/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupts of a passed-through device. The guest's registers are the PCI core's;
 * here the host's side is made to agree: INTx, MSI or MSI-X, never two of them.
 * All go through eventfds to KVM, without us.
 *
 * Vectors of MSI-X are enabled in the host when the guest first unmasks them: a
 * device may have two thousand, and the host not as many interrupts. Older
 * kernels cannot add one to those that are enabled: all are then disabled for
 * a moment.
 */
#include <errno.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>
#include "lkvm/kvm.h"
#include "vfio_priv.h"

/* Descriptors that the rest of lkvm may want. */
#define OTHER_FDS 256U

static u32 kernel_index(enum vfio_irq_mode mode)
{
	switch (mode) {
	case VFIO_IRQ_MSI:
		return VFIO_PCI_MSI_IRQ_INDEX;
	case VFIO_IRQ_MSIX:
		return VFIO_PCI_MSIX_IRQ_INDEX;
	default:
		return VFIO_PCI_INTX_IRQ_INDEX;
	}
}

/* ---- What the host is told ---- */

/* Signal @nr vectors from @start on through @fds (-1: not). */
static int set_fds(struct vfio_device *dev, enum vfio_irq_mode mode, u32 action,
		   u32 start, u32 nr, const int *fds)
{
	u32 len = (u32)(sizeof(struct vfio_irq_set) + nr * sizeof(*fds));
	struct vfio_irq_set *set = calloc(1, len);
	int err;

	if (!set)
		return -ENOMEM;
	set->argsz = len;
	set->flags = VFIO_IRQ_SET_DATA_EVENTFD | action;
	set->index = kernel_index(mode);
	set->start = start;
	set->count = nr;
	memcpy(set->data, fds, nr * sizeof(*fds));
	err = vfio_sys_ioctl(dev->fd, VFIO_DEVICE_SET_IRQS, set);
	free(set);
	/* Positive: the host has only so many. */
	return err > 0 ? -ENOSPC : err;
}

static void disable_host(struct vfio_device *dev, enum vfio_irq_mode mode)
{
	struct vfio_irq_set set = {
		.argsz = sizeof(set),
		.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = kernel_index(mode),
	};

	vfio_sys_ioctl(dev->fd, VFIO_DEVICE_SET_IRQS, &set);
}

static void complain(struct vfio_device *dev, const char *what, int err)
{
	log_guest_error(&dev->irqs.failed,
			"%s: the host cannot give it %s: %s; the guest will "
			"miss interrupts",
			dev->host.name, what, strerror(-err));
}

/* ---- INTx ---- */

static void stop_intx(struct vfio_device *dev)
{
	struct vfio_irqs *irqs = &dev->irqs;

	disable_host(dev, VFIO_IRQ_INTX);
	if (irqs->intx_attached)
		irqfd_detach(&dev->base.vm->irq, dev->fn.intx.hub->gsi,
			     irqs->intx_fd);
	irqs->intx_attached = false;
}

/*
 * The host masks the line when it sees an interrupt, and unmasks it when KVM
 * tells of the guest's end of interrupt.
 */
static void start_intx(struct vfio_device *dev)
{
	struct vfio_irqs *irqs = &dev->irqs;
	int err;

	if (!dev->fn.intx.hub)
		return;
	err = irqfd_attach(&dev->base.vm->irq, dev->fn.intx.hub->gsi,
			   irqs->intx_fd, irqs->unmask_fd);
	irqs->intx_attached = !err;
	if (!err)
		err = set_fds(dev, VFIO_IRQ_INTX, VFIO_IRQ_SET_ACTION_TRIGGER,
			      0, 1, &irqs->intx_fd);
	if (!err)
		err = set_fds(dev, VFIO_IRQ_INTX, VFIO_IRQ_SET_ACTION_UNMASK, 0,
			      1, &irqs->unmask_fd);
	if (err)
		complain(dev, "INTx", err);
}

/* ---- MSI and MSI-X ---- */

static int connect_vector(struct vfio_device *dev, enum vfio_irq_mode mode,
			  unsigned int vector)
{
	struct vfio_irqs *irqs = &dev->irqs;
	int fd;

	if (irqs->fds[vector] >= 0)
		return 0;
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	irqs->fds[vector] = fd;
	return mode == VFIO_IRQ_MSI ? pci_msi_connect(&dev->fn, vector, fd)
				    : pci_msix_connect(&dev->fn, vector, fd);
}

/* The guest's side first: once it is gone, nobody needs the eventfds. */
static void disconnect_vectors(struct vfio_device *dev, enum vfio_irq_mode mode)
{
	struct vfio_irqs *irqs = &dev->irqs;

	for (unsigned int i = 0; i < irqs->nr_fds; i++) {
		if (irqs->fds[i] < 0)
			continue;
		if (mode == VFIO_IRQ_MSI)
			pci_msi_connect(&dev->fn, i, -1);
		else
			pci_msix_connect(&dev->fn, i, -1);
		close(irqs->fds[i]);
		irqs->fds[i] = -1;
	}
}

static void stop_messages(struct vfio_device *dev, enum vfio_irq_mode mode)
{
	if (dev->irqs.nr_active)
		disable_host(dev, mode);
	dev->irqs.nr_active = 0;
	disconnect_vectors(dev, mode);
}

/*
 * All vectors below @nr go to the host anew. What a device signals meanwhile
 * is lost, so those that were enabled are signalled once: drivers bear one
 * interrupt too many.
 */
static int restart_messages(struct vfio_device *dev, enum vfio_irq_mode mode,
			    unsigned int nr)
{
	struct vfio_irqs *irqs = &dev->irqs;
	unsigned int before = irqs->nr_active;
	int err;

	if (before)
		disable_host(dev, mode);
	irqs->nr_active = 0;
	err = set_fds(dev, mode, VFIO_IRQ_SET_ACTION_TRIGGER, 0, nr, irqs->fds);
	if (err)
		return err;
	irqs->nr_active = nr;
	for (unsigned int i = 0; i < before && i < nr; i++)
		if (irqs->fds[i] >= 0)
			eventfd_write(irqs->fds[i], 1);
	return 0;
}

static void sync_msi(struct vfio_device *dev, unsigned int wanted)
{
	int err = 0;

	if (wanted == dev->irqs.nr_active)
		return;
	if (wanted > dev->irqs.nr_fds)
		wanted = dev->irqs.nr_fds;
	for (unsigned int i = 0; i < wanted && !err; i++)
		err = connect_vector(dev, VFIO_IRQ_MSI, i);
	if (!err)
		err = restart_messages(dev, VFIO_IRQ_MSI, wanted);
	if (err)
		complain(dev, "MSI", err);
}

/* Its eventfd is new. */
static int add_vector(struct vfio_device *dev, unsigned int vector)
{
	struct vfio_irqs *irqs = &dev->irqs;
	int err;

	if (vector >= irqs->nr_active && !irqs->can_grow)
		return restart_messages(dev, VFIO_IRQ_MSIX, vector + 1);
	err = set_fds(dev, VFIO_IRQ_MSIX, VFIO_IRQ_SET_ACTION_TRIGGER, vector,
		      1, &irqs->fds[vector]);
	if (!err && vector >= irqs->nr_active)
		irqs->nr_active = vector + 1;
	return err;
}

static void sync_vector(struct vfio_device *dev, unsigned int vector)
{
	int err;

	if (dev->irqs.fds[vector] >= 0 || !pci_msix_is_on(&dev->fn, vector))
		return;
	err = connect_vector(dev, VFIO_IRQ_MSIX, vector);
	if (!err)
		err = add_vector(dev, vector);
	if (err)
		complain(dev, "an MSI-X vector", err);
}

static void sync_msix(struct vfio_device *dev, unsigned int first,
		      unsigned int nr)
{
	struct vfio_irqs *irqs = &dev->irqs;
	int err = 0;

	/*
	 * The device itself must know that MSI-X is enabled, before there is
	 * any vector that wants to be signalled.
	 */
	if (!irqs->nr_active)
		err = restart_messages(dev, VFIO_IRQ_MSIX, 1);
	if (err)
		complain(dev, "MSI-X", err);
	for (unsigned int i = first; i < first + nr && i < irqs->nr_fds; i++)
		sync_vector(dev, i);
}

/* ---- Following the guest ---- */

static enum vfio_irq_mode wanted_mode(struct vfio_device *dev)
{
	if (pci_msix_enabled(&dev->fn))
		return VFIO_IRQ_MSIX;
	if (pci_msi_enabled(&dev->fn))
		return VFIO_IRQ_MSI;
	return dev->nr_irqs[VFIO_IRQ_INTX] ? VFIO_IRQ_INTX : VFIO_IRQ_NONE;
}

static void set_mode_locked(struct vfio_device *dev, enum vfio_irq_mode mode)
{
	struct vfio_irqs *irqs = &dev->irqs;

	if (mode == irqs->mode)
		return;
	if (irqs->mode == VFIO_IRQ_INTX)
		stop_intx(dev);
	else if (irqs->mode != VFIO_IRQ_NONE)
		stop_messages(dev, irqs->mode);
	irqs->mode = mode;
	if (mode == VFIO_IRQ_INTX)
		start_intx(dev);
}

static void sync_locked(struct vfio_device *dev, unsigned int first,
			unsigned int nr)
{
	enum vfio_irq_mode mode = wanted_mode(dev);

	set_mode_locked(dev, mode);
	if (mode == VFIO_IRQ_MSI)
		sync_msi(dev, pci_msi_enabled_vectors(&dev->fn));
	else if (mode == VFIO_IRQ_MSIX)
		sync_msix(dev, first, nr);
}

void vfio_irqs_sync(struct vfio_device *dev)
{
	pthread_mutex_lock(&dev->irqs.lock);
	sync_locked(dev, 0, dev->irqs.nr_fds);
	pthread_mutex_unlock(&dev->irqs.lock);
}

void vfio_msix_written(struct pci_function *fn, unsigned int first,
		       unsigned int nr)
{
	struct vfio_device *dev = container_of(fn, struct vfio_device, fn);

	pthread_mutex_lock(&dev->irqs.lock);
	if (dev->irqs.mode == VFIO_IRQ_MSIX)
		sync_locked(dev, first, nr);
	pthread_mutex_unlock(&dev->irqs.lock);
}

/* ---- Life ---- */

/* Each vector takes one descriptor, in the end. */
static void raise_fd_limit(struct vfio_device *dev, unsigned int vectors)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
	    limit.rlim_cur >= vectors + OTHER_FDS)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (limit.rlim_max < vectors + OTHER_FDS)
		log_warning("%s: its %u vectors may need more files than the "
			    "%llu that this process may open: ulimit -Hn",
			    dev->host.name, vectors,
			    (unsigned long long)limit.rlim_max);
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int get_irq_info(struct vfio_device *dev, enum vfio_irq_mode mode)
{
	struct vfio_irq_info info = { .argsz = sizeof(info),
				      .index = kernel_index(mode) };

	if (vfio_sys_ioctl(dev->fd, VFIO_DEVICE_GET_IRQ_INFO, &info) < 0 ||
	    !(info.flags & VFIO_IRQ_INFO_EVENTFD))
		info.count = 0;
	dev->nr_irqs[mode] = info.count;
	if (mode == VFIO_IRQ_MSIX)
		dev->irqs.can_grow = !(info.flags & VFIO_IRQ_INFO_NORESIZE);
	return 0;
}

void vfio_irqs_prepare(struct vfio_device *dev)
{
	struct vfio_irqs *irqs = &dev->irqs;

	pthread_mutex_init(&irqs->lock, NULL);
	irqs->intx_fd = -1;
	irqs->unmask_fd = -1;
}

int vfio_irqs_init(struct vfio_device *dev)
{
	struct vfio_irqs *irqs = &dev->irqs;
	unsigned int vectors;

	get_irq_info(dev, VFIO_IRQ_INTX);
	get_irq_info(dev, VFIO_IRQ_MSI);
	get_irq_info(dev, VFIO_IRQ_MSIX);
	vectors = dev->nr_irqs[VFIO_IRQ_MSIX];
	if (vectors < dev->nr_irqs[VFIO_IRQ_MSI])
		vectors = dev->nr_irqs[VFIO_IRQ_MSI];
	if (vectors > VFIO_MAX_VECTORS)
		vectors = VFIO_MAX_VECTORS;
	raise_fd_limit(dev, vectors);
	irqs->intx_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	irqs->unmask_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (irqs->intx_fd < 0 || irqs->unmask_fd < 0)
		return -errno;
	irqs->fds = calloc(vectors + 1, sizeof(*irqs->fds));
	if (!irqs->fds)
		return -ENOMEM;
	for (unsigned int i = 0; i <= vectors; i++)
		irqs->fds[i] = -1;
	irqs->nr_fds = vectors;
	return 0;
}

void vfio_irqs_stop(struct vfio_device *dev)
{
	pthread_mutex_lock(&dev->irqs.lock);
	set_mode_locked(dev, VFIO_IRQ_NONE);
	pthread_mutex_unlock(&dev->irqs.lock);
}

void vfio_irqs_release(struct vfio_device *dev)
{
	struct vfio_irqs *irqs = &dev->irqs;

	if (irqs->intx_fd >= 0)
		close(irqs->intx_fd);
	if (irqs->unmask_fd >= 0)
		close(irqs->unmask_fd);
	free(irqs->fds);
	pthread_mutex_destroy(&irqs->lock);
}
