/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * qcow2 images for tests: empty ones of every kind, and a check of all tables
 * that shares no code with backend/. It says what "qemu-img check" says, fast
 * enough to be asked after each of thousands of simulated crashes.
 */
#ifndef LKVM_TESTS_QCOW2_IMAGE_H
#define LKVM_TESTS_QCOW2_IMAGE_H

#include "lkvm/types.h"

struct qcow2_spec {
	u32 version;
	u32 cluster_bits;
	u32 refcount_order; /* version 2: 4 */
	u64 len;	    /* bytes of the disk */
};

struct qcow2_findings {
	unsigned int errors;   /* what refers to clusters that are not counted,
				  or counted otherwise than flags say */
	unsigned int leaks;    /* clusters counted more often than used */
	u64 mapped;	       /* guest clusters with data */
	char first_error[128]; /* or "" */
};

/* Write an empty image into @fd, an empty file. Aborts where it cannot. */
void qcow2_image_create(int fd, const struct qcow2_spec *spec);
/* Look at all tables; internal snapshots have to be absent. */
void qcow2_image_check(int fd, struct qcow2_findings *out);

/*
 * Bytes of the disk, which lie within a cluster each or begin one. No compressed
 * clusters, no backing file.
 */
void qcow2_image_read(int fd, u64 offset, void *buf, size_t len);

/* Change a field of the header, or any other bytes: big endian. */
void qcow2_image_put32(int fd, u64 offset, u32 value);
void qcow2_image_put64(int fd, u64 offset, u64 value);
u64 qcow2_image_get64(int fd, u64 offset);

#endif
