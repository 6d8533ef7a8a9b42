/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of a VM: brought up in order, taken down in reverse.
 */
#include "lkvm/kvm.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include "lkvm/arch.h"
#include "lkvm/pci.h"
#include "lkvm/vcpu.h"

/* Between two looks at what readers have left. */
#define DRAIN_NS 1000000L

int vm_extension(const struct kvm *vm, long cap)
{
	int result = ioctl(vm->fd >= 0 ? vm->fd : vm->sys_fd,
			   KVM_CHECK_EXTENSION, cap);

	return result < 0 ? 0 : result;
}

/* ---- Bring-up ---- */

static int create_vm_fd(struct kvm *vm)
{
	unsigned long type;
	int err;

	err = arch_vm_type(vm, &type);
	if (err)
		return err;
	do {
		vm->fd = ioctl(vm->sys_fd, KVM_CREATE_VM, type);
	} while (vm->fd < 0 && errno == EINTR);
	if (vm->fd >= 0) {
		memory_init(&vm->memory, vm->fd);
		return 0;
	}
	if (errno == EBUSY)
		return vm_fail_host(
			vm, -EBUSY,
			"KVM is busy: another hypervisor (such as "
			"VirtualBox) uses the CPU's virtualization; "
			"stop it first");
	return vm_fail_host(vm, -errno, "KVM cannot create a VM: %s",
			    strerror(errno));
}

static int create_vcpus(struct kvm *vm)
{
	unsigned int nr = vm->config->cpus;
	int err;

	vm->vcpus = calloc(nr, sizeof(*vm->vcpus));
	if (!vm->vcpus)
		return vm_fail(vm, -ENOMEM, "no memory for %u vCPUs", nr);
	vm->nr_vcpus = nr;
	for (unsigned int i = 0; i < nr; i++) {
		err = vcpu_init(&vm->vcpus[i], vm, i);
		if (err)
			return err;
	}
	for (unsigned int i = 0; i < nr; i++) {
		err = arch_vcpu_init(&vm->vcpus[i]);
		if (err)
			return err;
	}
	return arch_vcpus_ready(vm);
}

static int create_pci(struct kvm *vm)
{
	struct pci_windows windows;

	arch_pci_windows(vm, &windows);
	return pci_create(vm, &windows);
}

static int create_devices(struct kvm *vm)
{
	int err = devices_create(vm, vm->config);

	return err ? err : pci_assign_bars(vm->pci);
}

/* Each step says why when it fails; kvm_destroy() undoes those that were done. */
static int bring_up(struct kvm *vm)
{
	static int (*const steps[])(struct kvm *) = {
		create_vm_fd, arch_vm_init,   create_pci,
		create_vcpus, create_devices, arch_load,
	};
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(steps) && !err; i++)
		err = steps[i](vm);
	return err;
}

int kvm_create(const struct kvm_config *config,
	       const struct vm_consoles *consoles, struct failure *why,
	       struct kvm **out)
{
	struct kvm *vm;
	int err;

	*out = NULL;
	vm = calloc(1, sizeof(*vm));
	if (!vm)
		return fail(why, -ENOMEM, "no memory for a VM");
	vm->config = config;
	vm->consoles = consoles;
	vm->failure = why;
	vm->sys_fd = config->kvm_fd;
	vm->fd = -1;
	pthread_mutex_init(&vm->state_lock, NULL);
	pthread_cond_init(&vm->state_changed, NULL);
	input_init(&vm->input);
	bus_init(&vm->ports, "port", why);
	bus_init(&vm->mmio, "memory", why);
	err = event_loop_init(&vm->loop, why);
	if (!err)
		err = vcpu_signal_setup();
	if (!err)
		err = bring_up(vm);
	if (err) {
		vm_fail(vm, err, "cannot create the VM: %s", strerror(-err));
		kvm_destroy(vm);
		return err;
	}
	*out = vm;
	return 0;
}

int kvm_start(struct kvm *vm)
{
	int err;

	err = devices_start(vm);
	if (!err)
		err = event_loop_start(&vm->loop);
	/* A vCPU that runs may end the VM and kick the ones not started yet. */
	pthread_mutex_lock(&vm->state_lock);
	for (unsigned int i = 0; i < vm->nr_vcpus && !err; i++)
		err = vcpu_start_locked(&vm->vcpus[i]);
	pthread_mutex_unlock(&vm->state_lock);
	if (err)
		vm_fail(vm, err, "cannot start the VM: %s", strerror(-err));
	return err;
}

void kvm_destroy(struct kvm *vm)
{
	if (!vm)
		return;
	vm_end(vm, VM_END_POWEROFF);
	for (unsigned int i = 0; i < vm->nr_vcpus; i++)
		vcpu_join(&vm->vcpus[i]);
	devices_stop(vm);
	event_loop_stop(&vm->loop);
	devices_destroy(vm);
	for (unsigned int i = 0; i < vm->nr_vcpus; i++)
		vcpu_release(&vm->vcpus[i]);
	free(vm->vcpus);
	pci_destroy(vm);
	irq_release(&vm->irq);
	arch_vm_release(vm);
	event_loop_release(&vm->loop);
	bus_release(&vm->mmio);
	bus_release(&vm->ports);
	input_release(&vm->input);
	if (vm->fd >= 0) {
		memory_release(&vm->memory);
		close(vm->fd);
	}
	pthread_cond_destroy(&vm->state_changed);
	pthread_mutex_destroy(&vm->state_lock);
	free(vm);
}

/* ---- State ---- */

static void kick_all_locked(struct kvm *vm)
{
	for (unsigned int i = 0; i < vm->nr_vcpus; i++)
		if (vm->vcpus[i].run)
			vcpu_kick_locked(&vm->vcpus[i]);
}

/* Did somebody outside the guest want that? */
static bool is_hurried(enum vm_end end)
{
	return end == VM_END_STOP || end == VM_END_TIMEOUT ||
	       end == VM_END_SIGNAL;
}

static void end_locked(struct kvm *vm, enum vm_end end)
{
	vm->hurried = vm->hurried || is_hurried(end);
	if (vm->end != VM_RUNNING)
		return;
	vm->end = end;
	kick_all_locked(vm);
	pthread_cond_broadcast(&vm->state_changed);
}

void vm_end(struct kvm *vm, enum vm_end end)
{
	pthread_mutex_lock(&vm->state_lock);
	end_locked(vm, end);
	pthread_mutex_unlock(&vm->state_lock);
}

void vm_end_signal(struct kvm *vm, int signal)
{
	pthread_mutex_lock(&vm->state_lock);
	if (vm->end == VM_RUNNING)
		vm->end_signal = signal;
	end_locked(vm, VM_END_SIGNAL);
	pthread_mutex_unlock(&vm->state_lock);
}

int vm_post(struct kvm *vm, struct vm_job *job)
{
	int err = 0;

	pthread_mutex_lock(&vm->state_lock);
	if (vm->end != VM_RUNNING) {
		err = -ESHUTDOWN;
	} else {
		job->next = vm->jobs;
		vm->jobs = job;
		pthread_cond_broadcast(&vm->state_changed);
	}
	pthread_mutex_unlock(&vm->state_lock);
	return err;
}

static void run_job_locked(struct kvm *vm)
{
	struct vm_job *job = vm->jobs;

	vm->jobs = job->next;
	pthread_mutex_unlock(&vm->state_lock);
	job->run(job, vm);
	pthread_mutex_lock(&vm->state_lock);
}

enum vm_end kvm_wait(struct kvm *vm)
{
	enum vm_end end;

	pthread_mutex_lock(&vm->state_lock);
	while (vm->end == VM_RUNNING) {
		if (vm->jobs)
			run_job_locked(vm);
		else
			pthread_cond_wait(&vm->state_changed, &vm->state_lock);
	}
	end = vm->end;
	pthread_mutex_unlock(&vm->state_lock);
	return end;
}

static bool must_drain(struct kvm *vm)
{
	bool hurried;

	pthread_mutex_lock(&vm->state_lock);
	hurried = vm->hurried;
	pthread_mutex_unlock(&vm->state_lock);
	return !hurried && !devices_are_drained(vm);
}

void kvm_drain(struct kvm *vm)
{
	const struct timespec pause = { .tv_nsec = DRAIN_NS };

	while (must_drain(vm))
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}

bool vm_checkpoint(struct kvm *vm)
{
	bool goes_on;

	pthread_mutex_lock(&vm->state_lock);
	if (vm->held && vm->end == VM_RUNNING) {
		vm->parked++;
		pthread_cond_broadcast(&vm->state_changed);
		while (vm->held && vm->end == VM_RUNNING)
			pthread_cond_wait(&vm->state_changed, &vm->state_lock);
		vm->parked--;
	}
	goes_on = vm->end == VM_RUNNING;
	pthread_mutex_unlock(&vm->state_lock);
	return goes_on;
}

bool vm_is_paused(struct kvm *vm)
{
	bool paused;

	pthread_mutex_lock(&vm->state_lock);
	paused = vm->paused;
	pthread_mutex_unlock(&vm->state_lock);
	return paused;
}

bool vm_hold(struct kvm *vm)
{
	bool was_held;

	pthread_mutex_lock(&vm->state_lock);
	was_held = vm->held;
	if (!was_held) {
		vm->held = true;
		kick_all_locked(vm);
	}
	while (vm->parked < vm->nr_vcpus && vm->end == VM_RUNNING)
		pthread_cond_wait(&vm->state_changed, &vm->state_lock);
	pthread_mutex_unlock(&vm->state_lock);
	return !was_held;
}

void vm_unhold(struct kvm *vm)
{
	pthread_mutex_lock(&vm->state_lock);
	vm->held = false;
	pthread_cond_broadcast(&vm->state_changed);
	pthread_mutex_unlock(&vm->state_lock);
}

static void set_paused(struct kvm *vm, bool paused)
{
	pthread_mutex_lock(&vm->state_lock);
	vm->paused = paused;
	pthread_mutex_unlock(&vm->state_lock);
}

bool vm_pause(struct kvm *vm)
{
	if (!vm_hold(vm))
		return false;
	devices_pause(vm);
	arch_vm_paused(vm);
	set_paused(vm, true);
	return true;
}

bool vm_resume(struct kvm *vm)
{
	if (!vm_is_paused(vm))
		return false;
	arch_vm_resuming(vm);
	devices_resume(vm);
	set_paused(vm, false);
	vm_unhold(vm);
	return true;
}
