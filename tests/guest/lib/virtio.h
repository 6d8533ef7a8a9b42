/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small virtio 1.2 driver over PCI. It leaves every field open to guests that
 * want to set it wrong.
 */
#ifndef GUEST_VIRTIO_H
#define GUEST_VIRTIO_H

#include "pci.h"

#define VIRTIO_VENDOR 0x1af4
#define VIRTIO_BLK 0x1042
#define VIRTIO_CONSOLE 0x1043
#define VIRTIO_RNG 0x1044
#define VIRTIO_BALLOON 0x1045

/* Common configuration, virtio 1.2, 4.1.4.3. */
enum {
	COMMON_DEVICE_FEATURE_SELECT = 0,
	COMMON_DEVICE_FEATURE = 4,
	COMMON_DRIVER_FEATURE_SELECT = 8,
	COMMON_DRIVER_FEATURE = 12,
	COMMON_CONFIG_VECTOR = 16,
	COMMON_NUM_QUEUES = 18,
	COMMON_STATUS = 20,
	COMMON_GENERATION = 21,
	COMMON_QUEUE_SELECT = 22,
	COMMON_QUEUE_SIZE = 24,
	COMMON_QUEUE_VECTOR = 26,
	COMMON_QUEUE_ENABLE = 28,
	COMMON_QUEUE_NOTIFY_OFF = 30,
	COMMON_QUEUE_DESC = 32,
	COMMON_QUEUE_AVAIL = 40,
	COMMON_QUEUE_USED = 48,
};

#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER 2
#define STATUS_DRIVER_OK 4
#define STATUS_FEATURES_OK 8
#define STATUS_NEEDS_RESET 64
#define NO_VECTOR 0xffff
#define MSIX_ENABLE 0x8000
#define MSIX_MASK_ALL 0x4000

#define DESC_NEXT 1
#define DESC_WRITE 2
#define DESC_INDIRECT 4
#define QUEUE_SIZE 8

struct desc {
	u64 addr;
	u32 len;
	u16 flags, next;
};

struct avail {
	u16 flags, idx, ring[QUEUE_SIZE], used_event;
};

struct used {
	u16 flags, idx;
	struct {
		u32 id, len;
	} ring[QUEUE_SIZE];
	u16 avail_event;
};

struct queue {
	volatile struct desc *desc;
	volatile struct avail *avail;
	volatile struct used *used;
	u64 notify; /* address of its doorbell */
	u16 index;
	u16 seen; /* used entries taken */
};

struct virtio {
	u32 slot;
	u64 common, isr, notify, config;
	u32 notify_multiplier;
	u16 notify_port; /* the same as a port, or 0 */
	u32 memory_bar, port_bar;
	u64 msix_table, msix_pba;
	u32 msix_vectors, msix_control;
};

/* Finds the device and its registers, and turns it on. */
bool virtio_find(struct virtio *dev, u16 device);
bool virtio_find_at(struct virtio *dev, u32 slot);
/* Reset, then negotiate VERSION_1 and the low @features offered. */
bool virtio_start(struct virtio *dev, u32 features);
/* Rings at @memory (16 KiB), usual size, vector as given. */
void queue_setup(struct virtio *dev, struct queue *q, u16 index, u64 memory,
		 u16 vector);
void virtio_ready(struct virtio *dev);
u8 virtio_status(struct virtio *dev);
bool virtio_needs_reset(struct virtio *dev);

/* MSI-X vector @entry delivers interrupt @vector to the first processor. */
void msix_enable(struct virtio *dev);
void msix_route(struct virtio *dev, u32 entry, u8 vector);

void queue_desc(struct queue *q, u16 index, u64 addr, u32 len, u16 flags,
		u16 next);
/* Make chain @head available. */
void queue_offer(struct queue *q, u16 head);
/* The same, and ring the bell. */
void queue_submit(struct queue *q, u16 head);
/* Wait for one used entry: false after some seconds. *len: bytes written. */
bool queue_wait(struct queue *q, u32 *len);
/*
 * For what a device may answer or refuse: wait until it has done either. True:
 * it needs a reset.
 */
bool queue_is_refused(struct virtio *dev, struct queue *q);

/* One block request at a time, in queue 0. */
#define BLK_READ 0
#define BLK_WRITE 1
#define BLK_PENDING 0xff
#define BLK_OK 0
#define BLK_ERROR 1
#define BLK_UNSUPPORTED 2
#define BLK_BUFFER (DMA_AREA + 0x10000)

struct blk {
	struct virtio dev;
	struct queue queue;
};

/* Find, set up without MSI-X and get ready the first disk. */
bool blk_open(struct blk *blk);
/* The one in @slot, with its rings and headers at @rings (20 KiB). */
bool blk_open_at(struct blk *blk, u32 slot, u64 rings);
/* Everything of a request but its submission: descriptors 0 to 2. */
void blk_prepare(struct blk *blk, u32 type, u64 sector, u64 buffer, u32 len);
/* Status byte, or BLK_PENDING if it never came back. */
u8 blk_request(struct blk *blk, u32 type, u64 sector, u64 buffer, u32 len);
u8 blk_result(const struct blk *blk);

#endif
