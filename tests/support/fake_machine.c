/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/support/fake_machine.h"

#include <stdlib.h>
#include <string.h>
#include "lkvm/pci.h"

void fake_machine_init(struct fake_machine *fake)
{
	static const struct pci_windows windows = {
		.mem32 = { 0xc0000000, 0x10000000 },
		.io = { 0x6000, 0xa000 },
		.ecam = { 0xe0000000, 0x10000000 },
	};
	struct kvm *vm = &fake->vm;

	*fake = (struct fake_machine){ .why = FAILURE_INIT };
	vm->config = &fake->config;
	vm->failure = &fake->why;
	vm->fd = -1;
	fake->config.name = "fake";
	fake->config.ram_len = 64 * MIB;
	pthread_mutex_init(&vm->state_lock, NULL);
	pthread_cond_init(&vm->state_changed, NULL);
	bus_init(&vm->ports, "port", &fake->why);
	bus_init(&vm->mmio, "memory", &fake->why);
	if (event_loop_init(&vm->loop, &fake->why) || pci_create(vm, &windows))
		abort();
}

static void *main_thread(void *opaque)
{
	struct fake_machine *fake = opaque;

	fake->end = kvm_wait(&fake->vm);
	return NULL;
}

void fake_machine_start(struct fake_machine *fake)
{
	if (event_loop_start(&fake->vm.loop) ||
	    pthread_create(&fake->main, NULL, main_thread, fake))
		abort();
}

enum vm_end fake_machine_wait(struct fake_machine *fake)
{
	pthread_join(fake->main, NULL);
	return fake->end;
}

void fake_machine_release(struct fake_machine *fake)
{
	struct kvm *vm = &fake->vm;

	event_loop_release(&vm->loop);
	pci_destroy(vm);
	bus_release(&vm->mmio);
	bus_release(&vm->ports);
	pthread_cond_destroy(&vm->state_changed);
	pthread_mutex_destroy(&vm->state_lock);
}

void fake_machine_run_jobs(struct fake_machine *fake)
{
	while (fake->vm.jobs) {
		struct vm_job *job = fake->vm.jobs;

		fake->vm.jobs = job->next;
		job->run(job, &fake->vm);
	}
}
