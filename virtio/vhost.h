/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Queues that the host's kernel serves: /dev/vhost-net, -scsi, -vsock, with the
 * ioctls of linux/vhost.h.
 *
 * A device embeds one struct vhost for each file it has opened, and calls
 *
 *   vhost_open(), vhost_init()         when the device is created
 *   vhost_start() in its activate(), vhost_stop() in its deactivate()
 *   vhost_release()                    when it is destroyed
 *
 * The rings, doorbells and interrupts are dealt with here: the driver's doorbell
 * is the queue's kick_fd, which vhost waits for, and the eventfd that vhost
 * signals is handed to the transport (queue_call_fd). What only one kind of
 * device has - which socket, which target - is its struct vhost_ops.
 *
 * Where a queue stands is kept in the virtq when vhost stops, so that it goes
 * on there after a pause, and starts anew after a reset.
 */
#ifndef LKVM_VIRTIO_VHOST_H
#define LKVM_VIRTIO_VHOST_H

#include <linux/vhost.h>
#include "lkvm/event.h"
#include "lkvm/types.h"

struct failure;
struct kvm;
struct vhost;
struct virtio_device;
struct virtq;

#define VHOST_MAX_QUEUES 8U

/* Const; vCPU or main thread, dev->lock held; use vhost_do() for ioctls. */
struct vhost_ops {
	/*
	 * Every queue for which vhost_queue_is_set() has its rings: hand the
	 * backend over. On failure vhost_stop() follows, and so stop().
	 */
	int (*start)(struct vhost *vhost);
	/*
	 * Take it back: returns when the kernel touches no ring any more. Also
	 * after a start() that failed half-way.
	 */
	void (*stop)(struct vhost *vhost);
};

struct vhost_queue {
	struct virtq *q;
	int call_fd; /* eventfd, owned: vhost has used buffers */
	bool is_set; /* vhost has its rings; dev->lock */
};

struct vhost {
	const struct vhost_ops *ops;
	struct virtio_device *dev;
	struct event_loop *loop;
	int fd;	      /* of the /dev/vhost-...; owned */
	u64 features; /* what the kernel's side knows; const */
	bool started; /* dev->lock */
	unsigned int nr_queues;
	struct vhost_queue queues[VHOST_MAX_QUEUES];
	/* vhost found a ring broken: watched while started. fd owned. */
	struct event_source error;
};

/*
 * Open /dev/vhost-@kind. Negative errno, having said why, and what to do.
 * vhost_close() is for a @fd that vhost_init() has not seen.
 */
int vhost_open(struct kvm *vm, const char *kind, int *fd);
void vhost_close(int fd);

/*
 * @fd: /dev/vhost-..., opened and owned from now on, even on failure. vhost's
 * queue n is dev->queues[first + n], n < nr_queues <= VHOST_MAX_QUEUES. @vm's
 * RAM is mapped and @dev initialised. Negative errno, having said why.
 *
 * Features: of those that @dev offers, the generic ones and those in @own are
 * taken back that vhost does not know. @own: the bits of this kind of device
 * that vhost has to carry out (VIRTIO_NET_F_MRG_RXBUF), not those that lkvm or
 * the socket behind it does (VIRTIO_NET_F_MAC).
 */
int vhost_init(struct vhost *vhost, const struct vhost_ops *ops, struct kvm *vm,
	       struct virtio_device *dev, int fd, unsigned int first,
	       unsigned int nr_queues, u64 own);
/* Stopped before. Accepts a zeroed one. */
void vhost_release(struct vhost *vhost);

/*
 * Serve those of the queues that are enabled, with the features the driver
 * accepted and, of @extra, what the kernel's side knows (a bit that is vhost's
 * own: VHOST_NET_F_VIRTIO_NET_HDR). Negative errno: nothing runs, and one
 * message said why; activate() passes it on and the driver sees NEEDS_RESET.
 */
int vhost_start(struct vhost *vhost, u64 extra);
/* Returns when vhost touches no guest memory. Accepts one that is not started. */
void vhost_stop(struct vhost *vhost);

/* Between start() and stop(): does vhost have queue @index? */
static inline bool vhost_queue_is_set(const struct vhost *vhost,
				      unsigned int index)
{
	return vhost->queues[index].is_set;
}

/*
 * ioctl() on vhost->fd. Negative errno, with one message per device that names
 * the request.
 */
#define vhost_do(vhost, request, arg)                                          \
	vhost_ioctl((vhost), (request), #request, (arg))
int vhost_ioctl(struct vhost *vhost, unsigned long request, const char *name,
		void *arg);

/* virtio/vhost_sys.c: system calls, for a test to replace. fd, 0 or -errno. */
int vhost_sys_open(const char *path);
int vhost_sys_ioctl(int fd, unsigned long request, void *arg);

#endif
