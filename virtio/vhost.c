/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What all vhost devices have in common: ownership, memory, rings, eventfds.
 * No IOTLB (ACCESS_PLATFORM is never offered), no dirty log.
 */
#include "virtio/vhost.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "lkvm/kvm.h"
#include "lkvm/virtio.h"

/* Features of rings rather than of devices: all of them are vhost's to know. */
#define RING_FEATURES                                                          \
	(BIT64(VIRTIO_F_VERSION_1) | BIT64(VIRTIO_RING_F_EVENT_IDX) |          \
	 BIT64(VIRTIO_RING_F_INDIRECT_DESC))

int vhost_ioctl(struct vhost *vhost, unsigned long request, const char *name,
		void *arg)
{
	int err = vhost_sys_ioctl(vhost->fd, request, arg);

	if (err)
		log_guest_error(&vhost->dev->guest_error, "virtio-%s: %s: %s",
				vhost->dev->ops->name, name, strerror(-err));
	return err;
}

/* ---- Creation ---- */

int vhost_open(struct kvm *vm, const char *kind, int *fd)
{
	char path[32];
	int got;

	snprintf(path, sizeof(path), "/dev/vhost-%s", kind);
	got = vhost_sys_open(path);
	*fd = got;
	if (got >= 0)
		return 0;
	if (got == -ENOENT || got == -ENODEV)
		return vm_fail_host(vm, got,
				    "there is no %s: load the module "
				    "vhost_%s",
				    path, kind);
	if (got == -EACCES)
		return vm_fail_host(vm, got,
				    "no permission for %s: give this user or "
				    "its group read and write access",
				    path);
	return vm_fail_host(vm, got, "%s: %s", path, strerror(-got));
}

void vhost_close(int fd)
{
	close(fd);
}

/* Before there is a guest, an error is the user's to know. */
#define set_up(vm, vhost, request, arg)                                        \
	set_up_ioctl((vm), (vhost), (request), #request, (arg))

static int set_up_ioctl(struct kvm *vm, struct vhost *vhost,
			unsigned long request, const char *name, void *arg)
{
	int err = vhost_sys_ioctl(vhost->fd, request, arg);

	return err ? vm_fail(vm, err, "virtio-%s: %s: %s",
			     vhost->dev->ops->name, name, strerror(-err))
		   : 0;
}

/* RAM never changes, so vhost is told once. */
static int set_memory(struct kvm *vm, struct vhost *vhost)
{
	const struct memory *mem = &vm->memory;
	struct vhost_memory *table;
	int err;

	table = calloc(1, sizeof(*table) +
				  mem->nr_ram * sizeof(table->regions[0]));
	if (!table)
		return -ENOMEM;
	table->nregions = mem->nr_ram;
	for (unsigned int i = 0; i < mem->nr_ram; i++)
		table->regions[i] = (struct vhost_memory_region){
			.guest_phys_addr = mem->ram[i].gpa,
			.memory_size = mem->ram[i].len,
			.userspace_addr = (uintptr_t)mem->ram[i].hva,
		};
	err = set_up(vm, vhost, VHOST_SET_MEM_TABLE, table);
	free(table);
	return err;
}

/* Without blocking: whoever reads one may find that another was faster. */
static int create_fds(struct vhost *vhost)
{
	vhost->error.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (vhost->error.fd < 0)
		return -errno;
	for (unsigned int i = 0; i < vhost->nr_queues; i++) {
		int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

		if (fd < 0)
			return -errno;
		vhost->queues[i].call_fd = fd;
	}
	return 0;
}

static void ring_error(struct event_source *source, u32 events)
{
	struct vhost *vhost = container_of(source, struct vhost, error);
	eventfd_t count;

	if (!eventfd_read(source->fd, &count))
		virtio_needs_reset(vhost->dev, "vhost found a broken ring");
}

static int set_up_all(struct kvm *vm, struct vhost *vhost, u64 own)
{
	int err = create_fds(vhost);

	if (!err)
		err = set_up(vm, vhost, VHOST_SET_OWNER, NULL);
	if (!err)
		err = set_up(vm, vhost, VHOST_GET_FEATURES, &vhost->features);
	if (!err)
		err = set_memory(vm, vhost);
	if (!err)
		vhost->dev->host_features &= vhost->features |
					     ~(RING_FEATURES | own);
	return err;
}

int vhost_init(struct vhost *vhost, const struct vhost_ops *ops, struct kvm *vm,
	       struct virtio_device *dev, int fd, unsigned int first,
	       unsigned int nr_queues, u64 own)
{
	int err;

	*vhost = (struct vhost){
		.ops = ops,
		.dev = dev,
		.loop = &vm->loop,
		.fd = fd,
		.nr_queues = nr_queues,
		.error = { .fd = -1, .ready = ring_error },
	};
	for (unsigned int i = 0; i < nr_queues; i++)
		vhost->queues[i] = (struct vhost_queue){
			.q = &dev->queues[first + i],
			.call_fd = -1,
		};
	err = set_up_all(vm, vhost, own);
	if (!err)
		return 0;
	vhost_release(vhost);
	return vm_fail(vm, err, "virtio-%s: the host's vhost does not work: %s",
		       dev->ops->name, strerror(-err));
}

void vhost_release(struct vhost *vhost)
{
	if (!vhost->ops)
		return;
	for (unsigned int i = 0; i < vhost->nr_queues; i++)
		if (vhost->queues[i].call_fd >= 0)
			close(vhost->queues[i].call_fd);
	if (vhost->error.fd >= 0)
		close(vhost->error.fd);
	close(vhost->fd);
	vhost->ops = NULL;
}

/* ---- Serving ---- */

static int set_fd(struct vhost *vhost, unsigned long request, const char *name,
		  unsigned int index, int fd)
{
	struct vhost_vring_file file = { .index = index, .fd = fd };

	return vhost_ioctl(vhost, request, name, &file);
}

static int set_size_and_base(struct vhost *vhost, unsigned int index,
			     const struct virtq *q)
{
	struct vhost_vring_state num = { .index = index, .num = q->size };
	struct vhost_vring_state base = { .index = index,
					  .num = q->last_avail };
	int err = vhost_do(vhost, VHOST_SET_VRING_NUM, &num);

	return err ? err : vhost_do(vhost, VHOST_SET_VRING_BASE, &base);
}

/* virtq_enable() has seen that all of a ring lies in RAM. */
static int set_addresses(struct vhost *vhost, unsigned int index,
			 const struct virtq *q)
{
	struct vhost_vring_addr addr = {
		.index = index,
		.desc_user_addr = (uintptr_t)q->desc,
		.avail_user_addr = (uintptr_t)q->avail,
		.used_user_addr = (uintptr_t)q->used,
	};

	return vhost_do(vhost, VHOST_SET_VRING_ADDR, &addr);
}

static int set_fds(struct vhost *vhost, unsigned int index)
{
	const struct vhost_queue *queue = &vhost->queues[index];
	int err;

	err = set_fd(vhost, VHOST_SET_VRING_ERR, "VHOST_SET_VRING_ERR", index,
		     vhost->error.fd);
	if (!err)
		err = set_fd(vhost, VHOST_SET_VRING_CALL,
			     "VHOST_SET_VRING_CALL", index, queue->call_fd);
	if (!err)
		err = set_fd(vhost, VHOST_SET_VRING_KICK,
			     "VHOST_SET_VRING_KICK", index, queue->q->kick_fd);
	return err;
}

static int set_queue(struct vhost *vhost, unsigned int index)
{
	struct vhost_queue *queue = &vhost->queues[index];
	int err = set_size_and_base(vhost, index, queue->q);

	if (!err)
		err = set_addresses(vhost, index, queue->q);
	if (!err)
		err = set_fds(vhost, index);
	queue->is_set = !err;
	queue->q->in_kernel = !err;
	return err;
}

/*
 * Where vhost stands goes back into the virtq. The eventfds are taken away,
 * lest a queue that the next driver leaves alone is kicked with old rings.
 */
static void unset_queue(struct vhost *vhost, unsigned int index)
{
	struct vhost_queue *queue = &vhost->queues[index];
	struct vhost_vring_state base = { .index = index };

	if (!vhost_do(vhost, VHOST_GET_VRING_BASE, &base))
		queue->q->last_avail = (u16)base.num;
	set_fd(vhost, VHOST_SET_VRING_KICK, "VHOST_SET_VRING_KICK", index,
	       VHOST_FILE_UNBIND);
	set_fd(vhost, VHOST_SET_VRING_CALL, "VHOST_SET_VRING_CALL", index,
	       VHOST_FILE_UNBIND);
	queue->is_set = false;
	queue->q->in_kernel = false;
}

static void wire_calls(struct vhost *vhost, bool on)
{
	for (unsigned int i = 0; i < vhost->nr_queues; i++)
		if (vhost->queues[i].is_set)
			virtio_queue_call_fd(vhost->queues[i].q,
					     on ? vhost->queues[i].call_fd
						: -1);
}

/*
 * vhost takes descriptors of any layout, asked or not; to vhost-net a legacy
 * driver's bit of that number means that the tap's packets have no header.
 */
static u64 features_for_vhost(const struct virtio_device *dev)
{
	return dev->driver_features & ~BIT64(VIRTIO_F_ANY_LAYOUT);
}

static int set_queues(struct vhost *vhost, u64 extra)
{
	u64 wanted = features_for_vhost(vhost->dev) | extra;
	u64 features = wanted & vhost->features;
	int err = vhost_do(vhost, VHOST_SET_FEATURES, &features);

	for (unsigned int i = 0; !err && i < vhost->nr_queues; i++)
		if (vhost->queues[i].q->usable)
			err = set_queue(vhost, i);
	return err;
}

int vhost_start(struct vhost *vhost, u64 extra)
{
	int err = event_add(vhost->loop, &vhost->error, EPOLLIN);

	if (err)
		return err;
	vhost->started = true;
	err = set_queues(vhost, extra);
	if (!err) {
		wire_calls(vhost, true);
		err = vhost->ops->start(vhost);
	}
	if (err) {
		vhost_stop(vhost);
		return err;
	}
	/* Nobody rings again for what has come in before. */
	for (unsigned int i = 0; i < vhost->nr_queues; i++)
		if (vhost->queues[i].is_set)
			virtq_kick(vhost->queues[i].q);
	return 0;
}

void vhost_stop(struct vhost *vhost)
{
	if (!vhost->started)
		return;
	vhost->ops->stop(vhost);
	wire_calls(vhost, false);
	for (unsigned int i = 0; i < vhost->nr_queues; i++)
		if (vhost->queues[i].is_set)
			unset_queue(vhost, i);
	event_remove(vhost->loop, &vhost->error);
	vhost->started = false;
}
