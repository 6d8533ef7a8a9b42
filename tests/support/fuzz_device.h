/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For fuzzers of transports: a machine with one device that serves its queues on
 * the spot, when it is activated.
 */
#ifndef LKVM_TESTS_FUZZ_DEVICE_H
#define LKVM_TESTS_FUZZ_DEVICE_H

#include "tests/support/fake_virtio.h"

#define FUZZ_DEVICE_QUEUES 2

struct fuzz_device {
	struct fake_guest guest;
	struct fake_vm fake;
	struct virtio_device dev;
};

void fuzz_device_init(struct fuzz_device *fuzz,
		      enum virtio_transport_kind transport);
void fuzz_device_release(struct fuzz_device *fuzz);

#endif
