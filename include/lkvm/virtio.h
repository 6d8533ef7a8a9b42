/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtio 1.2 devices: the three parts of one are
 *   - the queues (virtio/queue.c), which alone touch the rings in guest memory;
 *   - the device (virtio/device.c): status and features, and a virtio_dev_ops
 *     of the kind of device (virtio/blk.c, ...), which knows request formats;
 *   - the transport (virtio/pci.c, virtio/mmio.c), through which the guest's
 *     driver reaches the device; it knows registers and interrupts. Each comes
 *     with the interface of virtio 1.0 and later or, instead, with the legacy
 *     one that 1.2 describes beside it.
 */
#ifndef LKVM_VIRTIO_H
#define LKVM_VIRTIO_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/uio.h>
#include "lkvm/config.h"
#include "lkvm/counter.h"
#include "lkvm/device.h"
#include "lkvm/log.h"
#include "lkvm/types.h"

struct memory;
struct text_sink;
struct virtio_device;
struct vring_avail;
struct vring_desc;
struct vring_used;

#define VIRTQ_MAX_SIZE 1024U
#define VIRTIO_MAX_QUEUES 64U

/* ---- Queues ---- */

/*
 * What has happened to a queue since the device was made; resets change nothing.
 * Of one that the host's kernel serves (vhost) nothing is known here.
 */
struct virtq_stats {
	_Atomic u64 requests;	/* chains returned */
	_Atomic u64 bytes_out;	/* from the driver, in chains taken */
	_Atomic u64 bytes_in;	/* to the driver */
	_Atomic u64 wakeups;	/* of whoever serves it: virtq_take_kick() */
	_Atomic u64 interrupts; /* asked of the transport */
};

/*
 * A split virtqueue (2.7). The transport fills in the addresses while the
 * driver sets it up; virtq_enable() checks them once. After that only the
 * thread that serves the queue touches it.
 */
struct virtq {
	struct virtio_device *dev;
	u16 index;
	u16 max_size;
	/* Set up by the driver: guarded by dev->lock, const while enabled. */
	u16 size; /* a power of two, not above max_size */
	u64 desc_gpa, avail_gpa, used_gpa;
	bool enabled;		  /* addresses checked */
	_Atomic u16 msix_vector;  /* the transport's; read by any thread */
	int kick_fd;		  /* eventfd: the driver has rung; owned */
	atomic_bool in_kernel;	  /* vhost serves it; set under dev->lock */
	struct virtq_stats stats; /* written by the serving thread */

	/* Serving thread only, while enabled. */
	bool usable; /* enabled, and the driver has not broken it */
	bool event_idx;
	bool indirect;
	u16 last_avail;	    /* next avail entry to look at; others may read */
	u16 used_idx;	    /* next used entry to fill; others may read */
	u16 signalled_used; /* used_idx at the last interrupt decision */
	/* In guest memory; checked to lie in RAM. */
	const struct vring_desc *desc;
	const struct vring_avail *avail;
	struct vring_used *used;
};

/*
 * One request: a descriptor chain, copied once and translated. iov[0 .. nr_out)
 * is what the driver sent (the device reads), iov[nr_out .. nr_out + nr_in) is
 * where the device answers. Every entry lies wholly in guest RAM.
 */
struct virtq_chain {
	u16 head;
	unsigned int nr_out, nr_in;
	u64 out_len, in_len; /* bytes; both together below 4 GiB */
	struct iovec *iov;   /* the caller's array of @max_iov */
	unsigned int max_iov;
};

/*
 * Check sizes, alignment and that the rings lie in RAM, and start from index 0.
 * -EINVAL otherwise. A queue that is not enabled behaves like an empty one.
 */
int virtq_enable(struct virtq *q, u64 features);
void virtq_disable(struct virtq *q);

/*
 * Take the next chain. 1: *chain is filled; 0: the queue is empty; -EPROTO: the
 * ring is broken (bad index, loop, address outside RAM, more entries than
 * max_iov): the queue serves no more and the device needs a reset, which
 * virtq_pop() has told the driver. Serving thread, as all below.
 */
int virtq_pop(struct virtq *q, struct virtq_chain *chain);
/* Return chain @head, @written bytes of its device-writable part filled. */
void virtq_push(struct virtq *q, u16 head, u32 written);
/*
 * The two halves of virtq_push(), for chains that the driver must see together:
 * put each, then publish all.
 */
void virtq_put(struct virtq *q, u16 head, u32 written);
void virtq_publish(struct virtq *q);
/* The last @nr chains popped, of which none was returned, are in the queue again. */
void virtq_unpop(struct virtq *q, u16 nr);
/* Interrupt the driver if it asked for that. After a batch of pushes. */
void virtq_notify(struct virtq *q);
/* Was a chain returned since the last virtq_notify()? */
bool virtq_has_news(const struct virtq *q);
/*
 * Ask the driver to ring, or not to. Enabling returns true when work has come
 * in meanwhile: look again before waiting.
 */
void virtq_disable_kicks(struct virtq *q);
bool virtq_enable_kicks(struct virtq *q);
/* A chain that cannot be answered: as if virtq_pop() had found it. */
void virtq_break(struct virtq *q, const char *why);

/* Wake whoever serves @q, as the driver's doorbell does. Any thread. */
void virtq_kick(struct virtq *q);
/* Take the kicks that have come; waits for one if there is none. */
void virtq_take_kick(struct virtq *q);
/* Kicks have come, and were noticed by other means. Serving thread. */
void virtq_count_wakeup(struct virtq *q);

/* ---- Devices ---- */

/* What a kind of device implements. Const. */
struct virtio_dev_ops {
	const char *name;
	u16 id;	       /* virtio device ID (chapter 5) */
	u32 pci_class; /* 24-bit class code on PCI */
	/*
	 * Device configuration space, little endian; offset + len lie within
	 * config_len. vCPU thread, dev->lock held, must not block. write
	 * optional.
	 */
	void (*config_read)(struct virtio_device *dev, unsigned int offset,
			    void *buf, unsigned int len);
	void (*config_write)(struct virtio_device *dev, unsigned int offset,
			     const void *buf, unsigned int len);
	/*
	 * Enabled queues may be served from now on: DRIVER_OK, or the end of a
	 * pause, so there may be work that nobody will ring for again. vCPU or
	 * main thread, dev->lock held, must not block. Negative errno: the
	 * device needs a reset.
	 */
	int (*activate)(struct virtio_device *dev);
	/*
	 * Stop serving: returns when nothing touches guest memory or the
	 * queues any more. Requests in flight are finished, or kept for the
	 * next activate(). May wait for the host. vCPU or main thread,
	 * dev->lock held (so the serving thread must never take it); only
	 * after activate().
	 */
	void (*deactivate)(struct virtio_device *dev);
	/*
	 * Forget the driver: chains that were kept, its settings. Deactivated;
	 * same threads and lock. Optional.
	 */
	void (*reset)(struct virtio_device *dev);
	/*
	 * Forget the chains of @q that were kept; else as reset(). Devices that
	 * have reset() and not this do not offer RING_RESET. Optional.
	 */
	void (*queue_reset)(struct virtio_device *dev, struct virtq *q);
};

/* A transport embeds this. */
struct virtio_transport {
	const struct virtio_transport_ops *ops;
};

/*
 * What a transport implements. Const. Any thread, where nothing else is said;
 * never takes dev->lock.
 */
struct virtio_transport_ops {
	/* Buffers of @q were used. */
	void (*queue_irq)(struct virtio_transport *transport, struct virtq *q);
	/* Device configuration or NEEDS_RESET changed. */
	void (*config_irq)(struct virtio_transport *transport);
	/* See virtio_queue_call_fd(); dev->lock is held. */
	void (*queue_call_fd)(struct virtio_transport *transport,
			      struct virtq *q, int fd);
	/*
	 * For people: where the driver finds the device ("00:03.0"), and how it
	 * is interrupted for @q, or, where that is NULL, for a change of
	 * configuration ("MSI-X vector 1"). dev->lock is held; optional.
	 */
	void (*locate)(struct virtio_transport *transport, char *text,
		       size_t size);
	void (*show_irq)(struct virtio_transport *transport,
			 const struct virtq *q, char *text, size_t size);
	/* As in struct device_ops. NULL: the guest enumerates the bus. */
	void (*describe)(struct virtio_transport *transport,
			 struct device_desc *out);
	/* See virtio_transport_destroy(). */
	void (*destroy)(struct virtio_transport *transport);
};

struct virtio_device {
	struct device base; /* for device_register() */
	const struct virtio_dev_ops *ops;
	struct virtio_transport *transport; /* NULL: nobody to interrupt */
	const struct memory *mem;
	u64 host_features;	 /* offered; const once a driver can see it */
	bool is_legacy;		 /* how the driver reaches it; the same */
	unsigned int config_len; /* bytes of device configuration */
	unsigned int nr_queues;
	struct virtq *queues; /* owned */
	struct log_once guest_error;
	_Atomic u64 config_irqs; /* several writers */

	/*
	 * Guards all below and the queues' set-up fields. Never held while
	 * requests are served.
	 */
	pthread_mutex_t lock;
	u64 driver_features; /* const from FEATURES_OK until reset */
	bool active;	     /* between activate() and deactivate() */
	bool paused;

	/*
	 * Bits are set by atomic or, cleared under the lock: a serving thread
	 * may set NEEDS_RESET at any time, without the lock.
	 */
	_Atomic u8 status;
	_Atomic u8 config_generation;
};

/*
 * @features: of the kind of device; the generic ones (VERSION_1, EVENT_IDX,
 * INDIRECT_DESC, RING_RESET) are added. Creates queues of @queue_size with kick_fds.
 */
int virtio_device_init(struct virtio_device *dev,
		       const struct virtio_dev_ops *ops,
		       const struct memory *mem, u64 features,
		       unsigned int config_len, unsigned int nr_queues,
		       u16 queue_size);
/*
 * For a transport: the driver will come by the legacy interface (1.3.1). Only
 * the first 32 features are offered, and so not VERSION_1, which devices go by.
 */
void virtio_device_make_legacy(struct virtio_device *dev);
/* Deactivates first. Accepts a zeroed device. */
void virtio_device_release(struct virtio_device *dev);

/* For the struct device_ops of each kind of device. */
void virtio_device_pause(struct device *dev);
void virtio_device_resume(struct device *dev);
void virtio_device_describe(struct device *dev, struct device_desc *out);
struct virtio_device *virtio_device_of(struct device *dev);
/* Accepts a zeroed device. */
void virtio_device_stop(struct device *dev);

/* ---- For people who look into a running VM (virtio/inspect.c) ---- */

/* "virtio-blk@00:03.0": kind, and where it is. Any thread. */
void virtio_device_label(const struct virtio_device *dev, char *text,
			 size_t size);
/*
 * Status, features, and what there is to know of each queue. Takes dev->lock,
 * and so may wait for the host; the queues may be served meanwhile.
 */
void virtio_device_dump(struct virtio_device *dev,
			const struct text_sink *sink);

/* ---- Called by transports, vCPU threads (take dev->lock) ---- */

u8 virtio_get_status(struct virtio_device *dev);
/* Writing 0 resets; see 3.1.1 for the order of the other bits. */
void virtio_set_status(struct virtio_device *dev, u8 status);
/* 32-bit window @select of the features. */
u32 virtio_get_host_features(struct virtio_device *dev, u32 select);
u32 virtio_get_driver_features(struct virtio_device *dev, u32 select);
void virtio_set_driver_features(struct virtio_device *dev, u32 select,
				u32 value);
/* NULL where there is no such queue. */
struct virtq *virtio_queue(struct virtio_device *dev, u32 index);
/*
 * Set up @q; each is ignored once it is enabled, and so is a size that is not a
 * power of two up to max_size.
 */
enum virtq_area {
	VIRTQ_DESC,
	VIRTQ_AVAIL,
	VIRTQ_USED
};
void virtio_queue_set_size(struct virtio_device *dev, struct virtq *q,
			   u16 size);
/* The lower (@half 0) or upper 32 bits of an area's address. */
void virtio_queue_set_address(struct virtio_device *dev, struct virtq *q,
			      enum virtq_area area, unsigned int half,
			      u32 value);
/*
 * Enable @q with the addresses that stand in it. -EINVAL (the device needs a
 * reset) where they are bad, -EBUSY where it is too early or too late.
 */
int virtio_queue_enable(struct virtio_device *dev, struct virtq *q);
/* 2.6.1: with RING_RESET, back to before it was enabled. Done on return. */
void virtio_queue_reset(struct virtio_device *dev, struct virtq *q);
/*
 * Legacy (2.7.2): enable @q, all of which lies at @gpa with the used ring at the
 * next multiple of @align, a power of two; 0 takes it away. What is enabled
 * already is left alone.
 */
void virtio_queue_set_legacy(struct virtio_device *dev, struct virtq *q,
			     u64 gpa, u32 align);
void virtio_config_read(struct virtio_device *dev, u64 offset, void *buf,
			unsigned int len);
void virtio_config_write(struct virtio_device *dev, u64 offset, const void *buf,
			 unsigned int len);
/* The driver rang for @index and no ioeventfd caught it. */
void virtio_kick(struct virtio_device *dev, u32 index);
/*
 * The same for a legacy driver, which may use queues before DRIVER_OK (3.1.2):
 * Linux before 3.19 reads partition tables so. The device is active after it.
 */
void virtio_legacy_kick(struct virtio_device *dev, u32 index);

/* ---- Called by devices and queues, any thread ---- */

/* Has the driver accepted it? Between activate() and deactivate(). */
bool virtio_has_feature(const struct virtio_device *dev, unsigned int bit);
/*
 * From now on whoever signals eventfd @fd (of the caller's, non-blocking) means
 * an interrupt for @q: the host's kernel, which calls nobody here. -1 ends that:
 * it returns when nobody uses the fd any more; signals that nobody has seen stay
 * in it. Between activate() and deactivate(), or while in them: dev->lock held.
 */
void virtio_queue_call_fd(struct virtq *q, int fd);
/* Device configuration has changed: bump the generation, interrupt. */
void virtio_config_changed(struct virtio_device *dev);
/* The driver broke the protocol: set NEEDS_RESET, interrupt, log once. */
void virtio_needs_reset(struct virtio_device *dev, const char *why);

/* ---- Transports ---- */

struct kvm;

/*
 * Put @dev, which is initialised, where the guest's driver reaches it: on the
 * bus that config->virtio_transport names. Sets dev->transport. On failure it
 * may have said why.
 */
int virtio_transport_create(struct kvm *vm, struct virtio_device *dev);
/* The same with a transport of its own. */
int virtio_transport_create_as(struct kvm *vm, struct virtio_device *dev,
			       enum virtio_transport_kind kind);
/* Before the device's own state is freed. Accepts a device without one. */
void virtio_transport_destroy(struct virtio_device *dev);

/* Those that there are. */
int virtio_pci_create(struct kvm *vm, struct virtio_device *dev);
int virtio_pci_legacy_create(struct kvm *vm, struct virtio_device *dev);
int virtio_mmio_create(struct kvm *vm, struct virtio_device *dev);
int virtio_mmio_legacy_create(struct kvm *vm, struct virtio_device *dev);

#endif
