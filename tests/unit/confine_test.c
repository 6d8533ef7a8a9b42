/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads of each kind, in child processes: what they may call works, and what
 * they may not ends the process. Sanitizers have no filters: "make check" runs
 * this in the ordinary build.
 */
#include "lkvm/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/if_tun.h>
#include <linux/kvm.h>
#include <linux/vfio.h>
#include <linux/vhost.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include "lkvm/failure.h"
#include "lkvm/types.h"
#include <cmocka.h> /* last: it has a macro named fail */

#define OK 3 /* of a child that came to its end */
#define FATAL 128

static pid_t tester; /* a process that a child must not reach */

static void last_words(void)
{
	(void)!write(STDERR_FILENO, "restored\n", 9);
}

struct child {
	int status;
	char err[1024]; /* what it wrote to stderr */
};

static void read_all(int fd, char *text, size_t len)
{
	size_t used = 0;
	ssize_t n;

	while (used < len - 1 &&
	       (n = read(fd, text + used, len - 1 - used)) > 0)
		used += (size_t)n;
	text[used] = '\0';
}

/* Run @work in a confined child. */
static struct child run_child(enum confine_mode mode, enum confine_kind kind,
			      void (*work)(void))
{
	struct failure why = FAILURE_INIT;
	struct child child;
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	tester = getpid();
	pid = fork();
	if (!pid) {
		dup2(fds[1], STDERR_FILENO);
		if (confine_setup(mode, last_words, &why))
			_exit(1);
		confine_thread(kind);
		work();
		_exit(OK);
	}
	close(fds[1]);
	read_all(fds[0], child.err, sizeof(child.err));
	close(fds[0]);
	assert_int_equal(waitpid(pid, &child.status, 0), pid);
	return child;
}

static void expect_ok(enum confine_kind kind, void (*work)(void))
{
	struct child child = run_child(CONFINE_ON, kind, work);

	assert_string_equal(child.err, "");
	assert_true(WIFEXITED(child.status));
	assert_int_equal(WEXITSTATUS(child.status), OK);
}

static void expect_end(enum confine_kind kind, void (*work)(void),
		       const char *says)
{
	struct child child = run_child(CONFINE_ON, kind, work);

	assert_non_null(strstr(child.err, "restored\n  Fatal: confinement: "));
	assert_non_null(strstr(child.err, says));
	assert_non_null(strstr(child.err, "--confine=log lets it go on\n"));
	assert_true(WIFEXITED(child.status));
	assert_int_equal(WEXITSTATUS(child.status), FATAL);
}

static void need_filters(void)
{
	if (!confine_is_built_in())
		skip();
}

/* ---- What nobody may do ---- */

static void call_execve(void)
{
	char *const args[] = { NULL };

	execve("/bin/true", args, args);
}

static void call_socket(void)
{
	socket(AF_INET, SOCK_STREAM, 0);
}

static void call_fork(void)
{
	if (!fork())
		_exit(0);
}

static void call_ptrace(void)
{
	syscall(SYS_ptrace, 0, 0, 0, 0);
}

static void kill_parent(void)
{
	kill(tester, SIGCONT);
}

static void kill_parents_thread(void)
{
	syscall(SYS_tgkill, tester, tester, SIGCONT);
}

static void kill_a_thread(void)
{
	syscall(SYS_tkill, tester, SIGCONT);
}

static void push_input(void)
{
	ioctl(STDIN_FILENO, TIOCSTI, "x");
}

static void call_open(void)
{
	int fd = open("/etc/passwd", O_RDONLY);

	(void)fd;
}

static void map_code(void)
{
	(void)mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static const enum confine_kind narrow_kinds[] = {
	CONFINE_VCPU,	CONFINE_VCPU_VFIO, CONFINE_LOOP,
	CONFINE_WORKER, CONFINE_WRITER,	   CONFINE_WATCH,
	CONFINE_MAIN,	CONFINE_MAIN_VFIO, CONFINE_DISPLAY,
};

static void test_confine__forbidden_calls_end_the_process(void **state)
{
	need_filters();
	for (size_t i = 0; i < ARRAY_SIZE(narrow_kinds); i++) {
		expect_end(narrow_kinds[i], call_execve, "(execve)");
		expect_end(narrow_kinds[i], call_socket, "(socket)");
		expect_end(narrow_kinds[i], call_open, "(openat)");
		expect_end(narrow_kinds[i], call_fork, "(clone)");
		expect_end(narrow_kinds[i], call_ptrace, "(ptrace)");
		expect_end(narrow_kinds[i], kill_parent, "(kill)");
		expect_end(narrow_kinds[i], kill_parents_thread, "(tgkill)");
		expect_end(narrow_kinds[i], push_input, "(ioctl 0x5412)");
		expect_end(narrow_kinds[i], map_code, "(mmap)");
	}
	expect_end(CONFINE_VCPU, kill_a_thread, "(tkill)");
	expect_end(CONFINE_MAIN_RESTART, call_execve, "(execve)");
	expect_end(CONFINE_MAIN_RESTART, call_socket, "(socket)");
	expect_end(CONFINE_MAIN_RESTART, call_fork, "(clone)");
	expect_end(CONFINE_MAIN_RESTART, kill_parent, "(kill)");
	expect_end(CONFINE_MAIN_RESTART, push_input, "(ioctl 0x5412)");
}

static void test_confine__the_message_names_the_thread(void **state)
{
	need_filters();
	expect_end(CONFINE_VCPU, call_socket, "the vCPU thread made system ");
	expect_end(CONFINE_WORKER, call_socket, "the device thread made ");
}

/* ---- What everybody may do ---- */

static void *grow_heap(void *arg)
{
	void *blocks[64];

	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
		blocks[i] = malloc(i * 4096 + 1);
		if (!blocks[i])
			abort();
		memset(blocks[i], 1, i * 4096 + 1);
		blocks[i] = realloc(blocks[i], i * 8192 + 1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		free(blocks[i]);
	return NULL;
}

static void use_common_calls(void)
{
	struct timespec ms = { .tv_nsec = 1000000 };
	struct timespec now;
	int fd = STDERR_FILENO;

	grow_heap(NULL);
	clock_gettime(CLOCK_MONOTONIC, &now);
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
	nanosleep(&ms, NULL);
	(void)isatty(fd);
	tcgetpgrp(fd);
	getpgrp();
	signal(SIGUSR1, SIG_IGN);
	raise(SIGUSR1);
	pthread_kill(pthread_self(), SIGUSR1);
}

static void test_confine__common_calls_work(void **state)
{
	need_filters();
	for (int kind = 0; kind < CONFINE_KINDS; kind++)
		expect_ok(kind, use_common_calls);
}

/* glibc may read files when threads other than the first call malloc(). */
static void *confined_heap(void *arg)
{
	pthread_barrier_t *barrier = arg;

	confine_thread(CONFINE_VCPU);
	pthread_barrier_wait(barrier);
	grow_heap(NULL);
	pthread_barrier_wait(barrier);
	return NULL;
}

static void use_many_heaps(void)
{
	pthread_barrier_t barrier;
	pthread_t threads[32];

	pthread_barrier_init(&barrier, NULL, ARRAY_SIZE(threads));
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL, confined_heap, &barrier);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
}

/* These threads are created by a confined one, as after a restart. */
static void test_confine__many_threads_may_call_malloc(void **state)
{
	need_filters();
	expect_ok(CONFINE_MAIN_RESTART, use_many_heaps);
}

/* ---- What one kind may do ---- */

/* The descriptor is wrong, and the number gets through. */
static void expect_ebadf(int ret)
{
	if (ret != -1 || errno != EBADF)
		_exit(1);
}

static void use_vcpu(void)
{
	expect_ebadf(ioctl(-1, KVM_RUN, 0));
	expect_ebadf(ioctl(-1, KVM_SIGNAL_MSI, 0));
	expect_ebadf(ioctl(-1, KVM_IRQ_LINE, 0));
	expect_ebadf(ioctl(-1, KVM_IOEVENTFD, 0));
	expect_ebadf(ioctl(-1, KVM_SET_USER_MEMORY_REGION, 0));
	expect_ebadf(ioctl(-1, KVM_SET_GSI_ROUTING, 0));
	/* musl's ioctl() extends the sign of the request. */
	expect_ebadf(
		(int)syscall(SYS_ioctl, -1, (long)(int)KVM_SET_GSI_ROUTING, 0));
	expect_ebadf(epoll_ctl(-1, EPOLL_CTL_DEL, 0, NULL));
	expect_ebadf(ioctl(-1, VHOST_SET_VRING_ADDR, 0));
	expect_ebadf(ioctl(-1, VHOST_GET_VRING_BASE, 0));
	expect_ebadf(ioctl(-1, VHOST_VSOCK_SET_RUNNING, 0));
}

static void use_disk(void)
{
	struct iovec iov = { NULL, 0 };

	expect_ebadf((int)preadv(-1, &iov, 1, 0));
	expect_ebadf((int)pwritev(-1, &iov, 1, 0));
	expect_ebadf(fdatasync(-1));
	expect_ebadf(fallocate(-1, 0, 0, 1));
	expect_ebadf(ioctl(-1, BLKDISCARD, 0));
	expect_ebadf(ioctl(-1, BLKZEROOUT, 0));
	expect_ebadf(ioctl(-1, KVM_SIGNAL_MSI, 0));
}

static void use_loop(void)
{
	struct epoll_event event;

	expect_ebadf(epoll_wait(-1, &event, 1, 0));
	expect_ebadf(epoll_ctl(-1, EPOLL_CTL_DEL, 0, NULL));
	expect_ebadf(accept4(-1, NULL, NULL, SOCK_CLOEXEC));
	expect_ebadf(getsockopt(-1, SOL_SOCKET, SO_PEERCRED, NULL, NULL));
	expect_ebadf(ioctl(-1, FIONREAD, NULL));
	expect_ebadf(ioctl(-1, KVM_SIGNAL_MSI, 0));
}

static void use_main(void)
{
	expect_ebadf(unlinkat(-1, "x", 0));
#ifdef __x86_64__
	expect_ebadf(ioctl(-1, KVM_KVMCLOCK_CTRL));
	expect_ebadf(ioctl(-1, KVM_NMI));
#else
	expect_ebadf(ioctl(-1, KVM_SET_ONE_REG, NULL));
#endif
}

static void use_signals(void)
{
	struct timespec none = { 0 };
	sigset_t set;

	sigemptyset(&set);
	sigtimedwait(&set, NULL, &none);
}

static void use_vfio(void)
{
	char byte = 0;

	ioctl(-1, VFIO_DEVICE_SET_IRQS, NULL);
	ioctl(-1, VFIO_IOMMU_MAP_DMA, NULL);
	(void)!pread(-1, &byte, 1, 0);
	(void)!pwrite(-1, &byte, 1, 0);
	close(eventfd(0, EFD_CLOEXEC));
}

static void use_tap(void)
{
	int len = 12;

	expect_ebadf(ioctl(-1, TUNSETOFFLOAD, 0UL));
	expect_ebadf(ioctl(-1, TUNSETVNETHDRSZ, &len));
	expect_ebadf(ioctl(-1, TUNSETQUEUE, NULL));
}

/* Sockets of the internet; opening a file does nothing. */
static void use_network(void)
{
	int sock = socket(AF_INET, SOCK_DGRAM, 0);

	close(socket(AF_INET6, SOCK_STREAM, 0));
	if (sock >= 0)
		fcntl(sock, F_SETFL, O_NONBLOCK);
	if (open("/etc/passwd", O_RDONLY) != -1 || errno != ENOSYS)
		abort();
}

static void call_unix_socket(void)
{
	(void)socket(AF_UNIX, SOCK_STREAM, 0);
}

static void test_confine__networks_have_sockets_and_no_files(void **state)
{
	need_filters();
	expect_ok(CONFINE_NETWORK, use_network);
	expect_end(CONFINE_NETWORK, call_execve, "(execve)");
	expect_end(CONFINE_NETWORK, call_unix_socket, "the network thread");
	expect_end(CONFINE_NETWORK, call_fork, "(clone)");
	expect_end(CONFINE_NETWORK, kill_parent, "(kill)");
	expect_end(CONFINE_NETWORK, push_input, "(ioctl 0x5412)");
	expect_end(CONFINE_NETWORK, map_code, "(mmap)");
	expect_end(CONFINE_NETWORK, use_vcpu, "(ioctl 0xae80)");
	expect_end(CONFINE_NETWORK, use_tap, "(ioctl 0x");
}

static void test_confine__each_kind_has_its_calls(void **state)
{
	need_filters();
	expect_ok(CONFINE_VCPU, use_vcpu);
	expect_ok(CONFINE_VCPU, use_tap);
	expect_ok(CONFINE_LOOP, use_tap);
	expect_ok(CONFINE_WORKER, use_tap);
	expect_ok(CONFINE_MAIN, use_tap);
	expect_ok(CONFINE_WORKER, use_disk);
	expect_ok(CONFINE_LOOP, use_loop);
	expect_ok(CONFINE_WATCH, use_signals);
	expect_ok(CONFINE_MAIN, use_main);
	expect_ok(CONFINE_MAIN_RESTART, use_main);
	expect_ok(CONFINE_MAIN_RESTART, use_vcpu);
	expect_ok(CONFINE_MAIN_RESTART, use_disk);
	expect_ok(CONFINE_MAIN_RESTART, use_loop);
	expect_ok(CONFINE_MAIN_RESTART, call_open);
	expect_ok(CONFINE_MAIN_RESTART, map_code);
	expect_ok(CONFINE_VCPU_VFIO, use_vcpu);
	expect_ok(CONFINE_VCPU_VFIO, use_vfio);
	expect_ok(CONFINE_MAIN_VFIO, use_vfio);
	expect_ok(CONFINE_MAIN_RESTART, use_vfio);
}

/* Shares open files: what is left to forbid is everything else. */
static void test_confine__shares_have_files_and_nothing_more(void **state)
{
	need_filters();
	expect_ok(CONFINE_SHARE, call_open);
	expect_end(CONFINE_SHARE, call_execve, "(execve)");
	expect_end(CONFINE_SHARE, call_socket, "the share thread made ");
	expect_end(CONFINE_SHARE, call_fork, "(clone)");
	expect_end(CONFINE_SHARE, call_ptrace, "(ptrace)");
	expect_end(CONFINE_SHARE, kill_parent, "(kill)");
	expect_end(CONFINE_SHARE, push_input, "(ioctl 0x5412)");
	expect_end(CONFINE_SHARE, map_code, "(mmap)");
	expect_end(CONFINE_SHARE, use_vcpu, "(ioctl 0xae80)");
}

static void test_confine__no_kind_has_those_of_another(void **state)
{
	need_filters();
	expect_end(CONFINE_WRITER, use_vcpu, "(ioctl 0xae80)");
	expect_end(CONFINE_WORKER, use_vcpu, "(ioctl 0xae80)");
	expect_end(CONFINE_VCPU, use_disk, "(preadv)");
	expect_end(CONFINE_WRITER, use_disk, "(preadv)");
	expect_end(CONFINE_VCPU, use_loop, "(epoll_");
	expect_end(CONFINE_VCPU, use_signals, "(rt_sigtimedwait)");
	/* Without a passed-through device there is no call for VFIO. */
	expect_end(CONFINE_VCPU, use_vfio, "(ioctl 0x3b6e)");
	expect_end(CONFINE_MAIN, use_vfio, "(ioctl 0x3b6e)");
}

/* ---- Modes ---- */

static void call_socket_and_go_on(void)
{
	call_socket();
	call_open();
}

static void test_confine__off_confines_nothing(void **state)
{
	struct child child =
		run_child(CONFINE_OFF, CONFINE_VCPU, call_socket_and_go_on);

	assert_int_equal(WEXITSTATUS(child.status), OK);
}

static void test_confine__log_lets_calls_go_on(void **state)
{
	struct child child;

	need_filters();
	child = run_child(CONFINE_LOG, CONFINE_VCPU, call_socket_and_go_on);
	assert_non_null(strstr(child.err, "audit log"));
	assert_true(WIFEXITED(child.status));
	assert_int_equal(WEXITSTATUS(child.status), OK);
}

/* The line is written, however the thread stands to signals. */
static void block_signals_and_call(void)
{
	call_socket();
}

static void test_confine__blocked_signals_do_not_hide_the_message(void **state)
{
	sigset_t all, old;

	need_filters();
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	expect_end(CONFINE_WORKER, block_signals_and_call, "(socket)");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void send_sigsys(void)
{
	raise(SIGSYS);
}

static void test_confine__a_sent_sigsys_is_no_violation(void **state)
{
	struct child child;

	need_filters();
	child = run_child(CONFINE_ON, CONFINE_WATCH, send_sigsys);
	assert_string_equal(child.err, "restored\n");
	assert_true(WIFSIGNALED(child.status));
	assert_int_equal(WTERMSIG(child.status), SIGSYS);
}

/* What ends lkvm otherwise keeps its own signal. */
static void test_confine__abort_is_no_violation(void **state)
{
	struct child child;

	need_filters();
	for (size_t i = 0; i < ARRAY_SIZE(narrow_kinds); i++) {
		child = run_child(CONFINE_ON, narrow_kinds[i], abort);
		assert_string_equal(child.err, "");
		assert_true(WIFSIGNALED(child.status));
		assert_int_equal(WTERMSIG(child.status), SIGABRT);
	}
}

static void test_confine__without_filters_only_the_default_and_off(void **state)
{
	struct failure why = FAILURE_INIT;

	if (confine_is_built_in())
		skip();
	assert_int_equal(confine_setup(CONFINE_DEFAULT, last_words, &why), 0);
	assert_int_equal(confine_setup(CONFINE_OFF, last_words, &why), 0);
	assert_int_equal(confine_setup(CONFINE_ON, last_words, &why), -ENOTSUP);
	assert_non_null(strstr(why.text, "--confine: this lkvm was built "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_confine__forbidden_calls_end_the_process),
		cmocka_unit_test(test_confine__the_message_names_the_thread),
		cmocka_unit_test(test_confine__common_calls_work),
		cmocka_unit_test(test_confine__many_threads_may_call_malloc),
		cmocka_unit_test(test_confine__each_kind_has_its_calls),
		cmocka_unit_test(
			test_confine__networks_have_sockets_and_no_files),
		cmocka_unit_test(
			test_confine__shares_have_files_and_nothing_more),
		cmocka_unit_test(test_confine__no_kind_has_those_of_another),
		cmocka_unit_test(test_confine__off_confines_nothing),
		cmocka_unit_test(test_confine__log_lets_calls_go_on),
		cmocka_unit_test(
			test_confine__blocked_signals_do_not_hide_the_message),
		cmocka_unit_test(test_confine__abort_is_no_violation),
		cmocka_unit_test(test_confine__a_sent_sigsys_is_no_violation),
		cmocka_unit_test(
			test_confine__without_filters_only_the_default_and_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
