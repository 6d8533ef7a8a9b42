/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vCPU threads: enter the guest, look up what made it leave, go on.
 *
 * A kick sets vcpu->kicked and run->immediate_exit and sends a signal. The
 * signal makes a running KVM_RUN return; immediate_exit makes the next one
 * return at once if the signal came before it.
 */
#include "lkvm/vcpu.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "lkvm/arch.h"
#include "lkvm/clock.h"
#include "lkvm/confine.h"
#include "lkvm/ioport.h"
#include "lkvm/kvm.h"
#include "lkvm/mmio.h"

#define KICK_SIGNAL SIGRTMIN

/* Enough for the deepest device model, and small beside the RSS budget. */
#define VCPU_STACK_LEN (256 * KIB)

static _Thread_local struct vcpu *current;

struct vcpu *vcpu_current(void)
{
	return current;
}

static void on_kick(int signal)
{
	/* The kicker has written all that is to be seen. */
}

int vcpu_signal_setup(void)
{
	struct sigaction action = { .sa_handler = on_kick,
				    .sa_flags = SA_RESTART };

	sigemptyset(&action.sa_mask);
	return sigaction(KICK_SIGNAL, &action, NULL) < 0 ? -errno : 0;
}

int vcpu_init(struct vcpu *vcpu, struct kvm *vm, unsigned int index)
{
	int len;

	vcpu->vm = vm;
	vcpu->index = index;
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)index);
	if (vcpu->fd < 0)
		return vm_fail(vm, -errno, "KVM cannot create vCPU %u: %s",
			       index, strerror(errno));
	len = ioctl(vm->sys_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (len < (int)sizeof(*vcpu->run))
		return vm_fail(vm, -EIO, "KVM_GET_VCPU_MMAP_SIZE gives %d",
			       len);
	vcpu->run = mmap(NULL, (size_t)len, PROT_READ | PROT_WRITE, MAP_SHARED,
			 vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED) {
		vcpu->run = NULL;
		return vm_fail(vm, -errno, "cannot map vCPU %u: %s", index,
			       strerror(errno));
	}
	vcpu->run_len = (size_t)len;
	return 0;
}

void vcpu_release(struct vcpu *vcpu)
{
	if (!vcpu->vm)
		return;
	arch_vcpu_release(vcpu);
	if (vcpu->run)
		munmap(vcpu->run, vcpu->run_len);
	if (vcpu->fd >= 0)
		close(vcpu->fd);
	vcpu->vm = NULL;
}

/* ---- Exits: 0 to go on, negative when the guest has crashed ---- */

static int crash(struct vcpu *vcpu, const char *what)
{
	log_error("vCPU %u: %s", vcpu->index, what);
	arch_dump_vcpu(vcpu, &log_info_sink, false);
	return -EFAULT;
}

static int handle_interrupted(struct vcpu *vcpu)
{
	return 0;
}

static int handle_shutdown(struct vcpu *vcpu)
{
	return crash(vcpu, "the guest caused a triple fault");
}

static int handle_internal_error(struct vcpu *vcpu)
{
	log_error("vCPU %u: KVM internal error, suberror %u", vcpu->index,
		  vcpu->run->internal.suberror);
	return crash(vcpu, "KVM cannot go on with this guest");
}

static int handle_fail_entry(struct vcpu *vcpu)
{
	log_error("vCPU %u: hardware refuses to enter the guest, reason 0x%llx",
		  vcpu->index,
		  (unsigned long long)
			  vcpu->run->fail_entry.hardware_entry_failure_reason);
	return crash(vcpu, "the guest's CPU state is invalid");
}

static int handle_system_event(struct vcpu *vcpu)
{
	switch (vcpu->run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		vm_end(vcpu->vm, VM_END_POWEROFF);
		return 0;
	case KVM_SYSTEM_EVENT_RESET:
		vm_end(vcpu->vm, VM_END_RESET);
		return 0;
	case KVM_SYSTEM_EVENT_CRASH:
		vm_end(vcpu->vm, VM_END_PANIC);
		return 0;
	default:
		return crash(vcpu, "unknown system event");
	}
}

static int handle_debug(struct vcpu *vcpu)
{
	arch_dump_vcpu(vcpu, &log_info_sink, false);
	return 0;
}

static int (*const exit_handlers[])(struct vcpu *) = {
	[KVM_EXIT_IO] = ioport_handle_exit,
	[KVM_EXIT_MMIO] = mmio_handle_exit,
	[KVM_EXIT_INTR] = handle_interrupted,
	[KVM_EXIT_SHUTDOWN] = handle_shutdown,
	[KVM_EXIT_INTERNAL_ERROR] = handle_internal_error,
	[KVM_EXIT_FAIL_ENTRY] = handle_fail_entry,
	[KVM_EXIT_SYSTEM_EVENT] = handle_system_event,
	[KVM_EXIT_DEBUG] = handle_debug,
};

static int handle_unknown(struct vcpu *vcpu)
{
	int err = arch_handle_exit(vcpu);

	if (err != 1)
		return err;
	log_error("vCPU %u: KVM exit %u is unknown", vcpu->index,
		  vcpu->run->exit_reason);
	return crash(vcpu, "the guest did what lkvm does not know");
}

/* The guest has begun to do something that can be seen. */
static void note_first_exit(struct vcpu *vcpu)
{
	atomic_store_explicit(&vcpu->stats.first_exit_ns, monotonic_ns(),
			      memory_order_relaxed);
}

static int handle_exit(struct vcpu *vcpu)
{
	u32 reason = vcpu->run->exit_reason;

	if (!counter_read(&vcpu->stats.exits))
		note_first_exit(vcpu);
	counter_add(&vcpu->stats.exits, 1);
	if (reason == KVM_EXIT_IO)
		counter_add(&vcpu->stats.io, 1);
	else if (reason == KVM_EXIT_MMIO)
		counter_add(&vcpu->stats.mmio, 1);
	if (reason < ARRAY_SIZE(exit_handlers) && exit_handlers[reason])
		return exit_handlers[reason](vcpu);
	return handle_unknown(vcpu);
}

/* ---- The thread ---- */

static void set_immediate_exit(struct vcpu *vcpu, u8 value)
{
	__atomic_store_n(&vcpu->run->immediate_exit, value, __ATOMIC_RELAXED);
}

/* False: the VM has ended. */
static bool answer_kicks(struct vcpu *vcpu)
{
	/*
	 * Clear kicked before immediate_exit: a kick that comes in between sets
	 * kicked again, and the loop sees it. Acquire, pairs with the release
	 * in vcpu_kick_locked().
	 */
	while (atomic_exchange_explicit(&vcpu->kicked, false,
					memory_order_acquire)) {
		set_immediate_exit(vcpu, 0);
		if (!vm_checkpoint(vcpu->vm))
			return false;
	}
	return true;
}

static void run_guest(struct vcpu *vcpu)
{
	struct kvm *vm = vcpu->vm;

	while (answer_kicks(vcpu)) {
		if (ioctl(vcpu->fd, KVM_RUN, 0) < 0) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			vm_fail(vm, -errno, "vCPU %u: KVM_RUN: %s", vcpu->index,
				strerror(errno));
			arch_dump_vcpu(vcpu, &log_info_sink, false);
			vm_end(vm, VM_END_ERROR);
			continue;
		}
		if (handle_exit(vcpu) < 0)
			vm_end(vm, VM_END_CRASH);
	}
}

static int set_single_step(struct vcpu *vcpu)
{
	struct kvm_guest_debug debug = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP,
	};

	if (!vcpu->vm->config->debug_single_step)
		return 0;
	if (ioctl(vcpu->fd, KVM_SET_GUEST_DEBUG, &debug) < 0)
		return vm_fail_host(vcpu->vm, -errno,
				    "--debug-single-step: KVM on this host "
				    "cannot: %s",
				    strerror(errno));
	return 0;
}

static void *vcpu_main(void *arg)
{
	struct vcpu *vcpu = arg;
	struct kvm *vm = vcpu->vm;
	char name[16];
	int err;

	snprintf(name, sizeof(name), "vcpu%u", vcpu->index);
	pthread_setname_np(pthread_self(), name);
	current = vcpu;
	bus_attach(&vm->ports, &vcpu->port_reader);
	bus_attach(&vm->mmio, &vcpu->mmio_reader);
	err = arch_vcpu_start(vcpu);
	if (!err)
		err = set_single_step(vcpu);
	if (err)
		vm_end(vm, VM_END_ERROR);
	confine_thread(vcpu->vm->config->nr_vfio ? CONFINE_VCPU_VFIO
						 : CONFINE_VCPU);
	run_guest(vcpu);
	bus_detach(&vm->mmio, &vcpu->mmio_reader);
	bus_detach(&vm->ports, &vcpu->port_reader);
	current = NULL;
	return NULL;
}

int vcpu_start_locked(struct vcpu *vcpu)
{
	pthread_attr_t attr;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, VCPU_STACK_LEN);
	err = -pthread_create(&vcpu->thread, &attr, vcpu_main, vcpu);
	pthread_attr_destroy(&attr);
	if (err)
		return vm_fail(vcpu->vm, err,
			       "cannot start vCPU %u's thread: %s", vcpu->index,
			       strerror(-err));
	vcpu->has_thread = true;
	return 0;
}

void vcpu_kick_locked(struct vcpu *vcpu)
{
	set_immediate_exit(vcpu, 1);
	/* Release, pairs with the acquire in answer_kicks(). */
	atomic_store_explicit(&vcpu->kicked, true, memory_order_release);
	if (vcpu->has_thread)
		pthread_kill(vcpu->thread, KICK_SIGNAL);
}

void vcpu_join(struct vcpu *vcpu)
{
	if (!vcpu->has_thread)
		return;
	pthread_join(vcpu->thread, NULL);
	vcpu->has_thread = false;
	log_debug("vCPU %u: %llu exits to lkvm, %llu port, %llu memory",
		  vcpu->index, (unsigned long long)vcpu->stats.exits,
		  (unsigned long long)vcpu->stats.io,
		  (unsigned long long)vcpu->stats.mmio);
}
