/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM with an event loop, a PCI bus and no vCPUs, for what serves a VM from the
 * outside.
 */
#ifndef LKVM_TESTS_FAKE_MACHINE_H
#define LKVM_TESTS_FAKE_MACHINE_H

#include "lkvm/config.h"
#include "lkvm/kvm.h"

struct fake_machine {
	struct kvm vm;
	struct kvm_config config;
	struct failure why;
	pthread_t main; /* in kvm_wait() */
	enum vm_end end;
};

void fake_machine_init(struct fake_machine *fake);
/* The event loop, and a thread that does what the main thread does. */
void fake_machine_start(struct fake_machine *fake);
/* Wait for vm_end(). The loop goes on. */
enum vm_end fake_machine_wait(struct fake_machine *fake);
void fake_machine_release(struct fake_machine *fake);

/* Do jobs that were posted, where there is no main thread. */
void fake_machine_run_jobs(struct fake_machine *fake);

#endif
