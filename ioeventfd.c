/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Doorbells that KVM answers itself (KVM API 4.59). A file of its own, so that
 * a test can put a model of KVM in its place.
 */
#include "lkvm/irq.h"

#include <errno.h>
#include <sys/ioctl.h>

static int set_ioeventfd(int vm_fd, const struct ioeventfd *io, u32 flags)
{
	struct kvm_ioeventfd request = {
		.datamatch = io->match,
		.addr = io->addr,
		.len = io->len,
		.fd = io->fd,
		.flags = flags,
	};

	if (io->is_port)
		request.flags |= KVM_IOEVENTFD_FLAG_PIO;
	if (io->has_match)
		request.flags |= KVM_IOEVENTFD_FLAG_DATAMATCH;
	if (ioctl(vm_fd, KVM_IOEVENTFD, &request) < 0)
		return -errno;
	return 0;
}

int ioeventfd_add(int vm_fd, const struct ioeventfd *io)
{
	return set_ioeventfd(vm_fd, io, 0);
}

void ioeventfd_remove(int vm_fd, const struct ioeventfd *io)
{
	set_ioeventfd(vm_fd, io, KVM_IOEVENTFD_FLAG_DEASSIGN);
}
