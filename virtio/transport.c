/* SPDX-License-Identifier: GPL-2.0-only */
/* Which transport a device gets, and what is the same for all of them. */
#include "lkvm/kvm.h"
#include "lkvm/virtio.h"

int virtio_transport_create_as(struct kvm *vm, struct virtio_device *dev,
			       enum virtio_transport_kind kind)
{
	switch (kind) {
	case VIRTIO_TRANSPORT_PCI_LEGACY:
		return virtio_pci_legacy_create(vm, dev);
	case VIRTIO_TRANSPORT_MMIO:
		return virtio_mmio_create(vm, dev);
	case VIRTIO_TRANSPORT_MMIO_LEGACY:
		return virtio_mmio_legacy_create(vm, dev);
	default:
		return virtio_pci_create(vm, dev);
	}
}

int virtio_transport_create(struct kvm *vm, struct virtio_device *dev)
{
	return virtio_transport_create_as(vm, dev,
					  vm->config->virtio_transport);
}

void virtio_transport_destroy(struct virtio_device *dev)
{
	if (dev->transport && dev->transport->ops->destroy)
		dev->transport->ops->destroy(dev->transport);
}

void virtio_queue_call_fd(struct virtq *q, int fd)
{
	struct virtio_transport *transport = q->dev->transport;

	if (transport && transport->ops->queue_call_fd)
		transport->ops->queue_call_fd(transport, q, fd);
}

void virtio_device_describe(struct device *dev, struct device_desc *out)
{
	struct virtio_device *vdev =
		container_of(dev, struct virtio_device, base);
	struct virtio_transport *transport = vdev->transport;

	if (transport && transport->ops->describe)
		transport->ops->describe(transport, out);
}
