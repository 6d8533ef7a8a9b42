/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How signals and the time limit end "lkvm run". The signals are blocked in
 * every thread and taken by one that waits for them, so that no handler has to
 * be async-signal-safe; only those that say that lkvm itself is broken have a
 * handler, which puts the terminal back.
 */
#include "builtin-run.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "lkvm/builtin.h"
#include "lkvm/chardev.h"
#include "lkvm/clock.h"
#include "lkvm/confine.h"
#include "lkvm/failure.h"
#include "lkvm/kvm.h"
#include "lkvm/power.h"

/* So small that the kernel does not back it with a huge page. */
#define WATCH_STACK_LEN (128 * KIB)

static const int ending_signals[] = { SIGTERM, SIGINT, SIGHUP };

static const int broken_signals[] = { SIGSEGV, SIGBUS,	SIGABRT, SIGFPE,
				      SIGILL,  SIGQUIT, SIGSYS };

void run_die_of(int signum)
{
	sigset_t set;

	terminal_restore();
	signal(signum, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, signum);
	raise(signum);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void handle_broken(int signum)
{
	terminal_restore();
	/* SA_RESETHAND has put the default action back. */
	raise(signum);
}

static void catch_broken(void)
{
	struct sigaction action = {
		.sa_handler = handle_broken,
		.sa_flags = SA_RESETHAND | SA_NODEFER,
	};
	struct sigaction old;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(broken_signals); i++) {
		/* Sanitizers have handlers, and so has confine.c: leave those. */
		if (!sigaction(broken_signals[i], NULL, &old) &&
		    !(old.sa_flags & SA_SIGINFO) && old.sa_handler == SIG_DFL)
			sigaction(broken_signals[i], &action, NULL);
	}
}

/* The signals to take: a nohup that ignores one stays honoured. */
static void choose_signals(sigset_t *set)
{
	struct sigaction old;
	unsigned int i;

	sigemptyset(set);
	for (i = 0; i < ARRAY_SIZE(ending_signals); i++)
		if (!sigaction(ending_signals[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaddset(set, ending_signals[i]);
}

/* Wait for a signal. 0: the deadline has passed. */
static int wait_signal(const struct run_watch *watch)
{
	int signum;

	for (;;) {
		if (!watch->deadline_ns) {
			signum = sigwaitinfo(&watch->signals, NULL);
		} else {
			u64 now = monotonic_ns();
			struct timespec left;

			if (now >= watch->deadline_ns)
				return 0;
			left = timespec_of_ns(watch->deadline_ns - now);
			signum = sigtimedwait(&watch->signals, NULL, &left);
		}
		if (signum > 0)
			return signum;
	}
}

/* watch->lock is held. */
static void take_signal_locked(struct run_watch *watch, int signum)
{
	if (signum == SIGWINCH) {
		if (watch->console)
			chardev_notify_resize(watch->console);
		return;
	}
	if (signum == SIGUSR2) {
		if (watch->vm)
			run_dump_pci(watch->vm);
		return;
	}
	if (!watch->guest || watch->signal)
		run_die_of(signum);
	watch->signal = signum;
	if (watch->vm)
		vm_end_signal(watch->vm, signum);
}

/* watch->lock is held. */
static void take_timeout_locked(struct run_watch *watch)
{
	watch->deadline_ns = 0;
	watch->timed_out = true;
	if (watch->vm) {
		vm_end(watch->vm, VM_END_TIMEOUT);
	} else if (!watch->guest) {
		/* The main thread may read from a pipe that never ends. */
		log_fatal("--timeout: it passed before the guest ran");
		terminal_restore();
		_exit(STATUS_TIMEOUT);
	}
}

static void *watch_main(void *arg)
{
	struct run_watch *watch = arg;
	bool stop = false;

	pthread_setname_np(pthread_self(), "signals");
	confine_thread(CONFINE_WATCH);
	while (!stop) {
		int signum = wait_signal(watch);

		pthread_mutex_lock(&watch->lock);
		stop = watch->stop;
		if (!stop && signum)
			take_signal_locked(watch, signum);
		else if (!stop)
			take_timeout_locked(watch);
		pthread_mutex_unlock(&watch->lock);
	}
	return NULL;
}

int run_watch_start(struct run_watch *watch, u64 timeout_ns,
		    struct failure *why)
{
	pthread_attr_t attr;
	int err;

	*watch = (struct run_watch){ .lock = PTHREAD_MUTEX_INITIALIZER };
	choose_signals(&watch->signals);
	/* run_watch_stop() wakes the thread with this one. */
	sigaddset(&watch->signals, SIGUSR1);
	sigaddset(&watch->signals, SIGUSR2);
	sigaddset(&watch->signals, SIGWINCH);
	if (timeout_ns)
		watch->deadline_ns = monotonic_ns() + timeout_ns;
	catch_broken();
	pthread_sigmask(SIG_BLOCK, &watch->signals, NULL);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, WATCH_STACK_LEN);
	err = pthread_create(&watch->thread, &attr, watch_main, watch);
	pthread_attr_destroy(&attr);
	if (err)
		return fail(why, -err, "cannot start a thread: %s",
			    strerror(err));
	return 0;
}

void run_watch_set_vm(struct run_watch *watch, struct kvm *vm)
{
	pthread_mutex_lock(&watch->lock);
	watch->vm = vm;
	watch->guest = true;
	if (vm && watch->signal)
		vm_end_signal(vm, watch->signal);
	else if (vm && watch->timed_out)
		vm_end(vm, VM_END_TIMEOUT);
	pthread_mutex_unlock(&watch->lock);
}

void run_watch_set_console(struct run_watch *watch, struct chardev *console)
{
	pthread_mutex_lock(&watch->lock);
	watch->console = console;
	pthread_mutex_unlock(&watch->lock);
}

int run_watch_end_guest(struct run_watch *watch)
{
	int signum;

	pthread_mutex_lock(&watch->lock);
	watch->guest = false;
	signum = watch->signal;
	pthread_mutex_unlock(&watch->lock);
	return signum;
}

void run_watch_power(void *opaque)
{
	struct run_watch *watch = opaque;
	bool again;

	pthread_mutex_lock(&watch->lock);
	again = watch->power_pressed;
	watch->power_pressed = true;
	if (watch->vm && (again || vm_power_button(watch->vm)))
		vm_end(watch->vm, VM_END_POWEROFF);
	pthread_mutex_unlock(&watch->lock);
}

void run_watch_quit(void *opaque)
{
	struct run_watch *watch = opaque;

	pthread_mutex_lock(&watch->lock);
	if (watch->vm)
		vm_end(watch->vm, VM_END_POWEROFF);
	pthread_mutex_unlock(&watch->lock);
}

void run_watch_stop(struct run_watch *watch)
{
	pthread_mutex_lock(&watch->lock);
	watch->stop = true;
	pthread_mutex_unlock(&watch->lock);
	pthread_kill(watch->thread, SIGUSR1);
	pthread_join(watch->thread, NULL);
}
