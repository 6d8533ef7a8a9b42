/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lists. A call is on one because the code in the comment makes it, or because
 * some C library makes it by itself: glibc 2.31 to 2.41 and musl were looked at.
 */
#include "confine_rules.h"

#include <asm/termbits.h> /* not <termios.h>: TCGETS2 */
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/if_tun.h>
#include <linux/kvm.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/vfio.h>
#include <linux/vhost.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define PRCTL(option) WHERE("prctl", 0, LOW, option)
/* Memory that can be executed is never needed. */
#define NO_EXEC(call) WHERE(call, 2, PROT_EXEC, 0)
/*
 * musl sends signals to its own threads without naming the process, so the thread
 * may be another process's. The generator leaves these out for glibc.
 */
#define TKILL(signum) WHERE("tkill", 1, LOW, signum)

/* ---- Every thread ---- */

static const struct confine_rule base[] = {
	/* malloc(), stacks of threads that end, the buffer of chardevs */
	NO_EXEC("mmap"), NO_EXEC("mprotect"), ANY("munmap"), ANY("mremap"),
	ANY("madvise"), ANY("brk"),
	/* glibc: qsort() of much, malloc() with many threads, names of maps */
	ANY("sysinfo"), ANY("sched_getaffinity"), PRCTL(PR_SET_VMA),
	PRCTL(PR_SET_NAME), ANY("getrandom"),

	/* locks, conditions, the end of threads */
	ANY("futex"), NEW("futex_waitv"), NEW("futex_wait"), NEW("futex_wake"),
	NEW("futex_requeue"), ANY("sched_yield"), ANY("membarrier"),
	NEW("rseq"), ANY("set_robust_list"), ANY("gettid"), ANY("getpid"),
	ANY("getcpu"), ANY("exit"), ANY("exit_group"), ANY("restart_syscall"),

	/* signals: kicks of vCPUs, abort(), raise() */
	ANY("rt_sigreturn"), ANY("rt_sigprocmask"), ANY("rt_sigaction"),
	WHERE("tgkill", 0, LOW, CONFINE_PID), TKILL(SIGABRT), TKILL(SIGSEGV),
	TKILL(SIGBUS), TKILL(SIGFPE), TKILL(SIGILL), TKILL(SIGQUIT),
	TKILL(SIGSYS),
	/* SIGRTMIN and the next one, of glibc and of musl */
	TKILL(34), TKILL(35), TKILL(36),

	/* time, where the vDSO cannot tell it */
	ANY("clock_gettime"), ANY("clock_getres"), ANY("gettimeofday"),
	ANY("time"), ANY("clock_nanosleep"), ANY("nanosleep"),

	/* log, eventfds, descriptors that are open */
	ANY("read"), ANY("write"), ANY("readv"), ANY("writev"), ANY("poll"),
	ANY("ppoll"), ANY("close"),

	/* terminal_restore(), chardev_size(). Never TIOCSTI. */
	IOCTL(TCGETS), IOCTL(TCSETS), IOCTL(TCGETS2), IOCTL(TCSETS2),
	IOCTL(TIOCGPGRP), IOCTL(TIOCGWINSZ), ANY("getpgrp"), ANY("getpgid"), END
};

/* ---- Parts ---- */

/* irq_signal.c */
static const struct confine_rule interrupts[] = { IOCTL(KVM_SIGNAL_MSI),
						  IOCTL(KVM_IRQ_LINE), END };

/* BARs that move, and vectors that get a route: memory_slot.c, ioeventfd.c, irq.c */
static const struct confine_rule machine[] = {
	IOCTL(KVM_IOEVENTFD), IOCTL(KVM_SET_USER_MEMORY_REGION),
	IOCTL(KVM_SET_GSI_ROUTING), IOCTL(KVM_IRQFD), END
};

/* virtio/vhost.c and its devices: queues that start and stop */
static const struct confine_rule vhost[] = { IOCTL(VHOST_SET_FEATURES),
					     IOCTL(VHOST_SET_VRING_NUM),
					     IOCTL(VHOST_SET_VRING_BASE),
					     IOCTL(VHOST_GET_VRING_BASE),
					     IOCTL(VHOST_SET_VRING_ADDR),
					     IOCTL(VHOST_SET_VRING_KICK),
					     IOCTL(VHOST_SET_VRING_CALL),
					     IOCTL(VHOST_SET_VRING_ERR),
					     IOCTL(VHOST_NET_SET_BACKEND),
					     IOCTL(VHOST_SCSI_SET_ENDPOINT),
					     IOCTL(VHOST_SCSI_CLEAR_ENDPOINT),
					     IOCTL(VHOST_VSOCK_SET_RUNNING),
					     END };

/*
 * vfio/: registers of devices, DMA maps of BARs that move, vectors that the guest
 * enables; iommufd has the same type of ioctl. Only where a device is there.
 */
static const struct confine_rule vfio[] = {
	ANY("pread64"), ANY("pwrite64"),
	WHERE("ioctl", 1, 0xff00, VFIO_TYPE << 8), ANY("eventfd2"), END
};

/* event.c: what other threads do to the loop */
static const struct confine_rule sources[] = { ANY("epoll_ctl"),
					       ANY("timerfd_settime"),
					       ANY("timerfd_gettime"), END };

static const struct confine_rule waiting_loop[] = { ANY("epoll_wait"),
						    ANY("epoll_pwait"),
						    NEW("epoll_pwait2"), END };

/* control.c: a client comes, and who it is; char_socket.c: has it been heard? */
static const struct confine_rule clients[] = { ANY("accept4"),
					       ANY("getsockopt"),
					       IOCTL(FIONREAD), END };

/* vcpu.c; confine_arch_vcpu is for arch_dump_vcpu() */
static const struct confine_rule running_guest[] = { IOCTL(KVM_RUN), END };

/* disk_raw.c, disk_aio.c */
static const struct confine_rule disk[] = { ANY("preadv"),
					    ANY("pwritev"),
					    NEW("preadv2"),
					    NEW("pwritev2"),
					    ANY("pread64"),
					    ANY("pwrite64"),
					    ANY("fdatasync"),
					    ANY("fsync"),
					    ANY("fallocate"),
					    ANY("io_submit"),
					    ANY("io_getevents"),
					    NEW("io_pgetevents"),
					    ANY("io_cancel"),
					    ANY("io_destroy"),
					    IOCTL(BLKDISCARD),
					    IOCTL(BLKZEROOUT),
					    END };

/*
 * backend/share_*.c: any file operation below a root; what keeps them there is
 * share_enter(), and how they are called. And the wait of virtio/p9.c.
 */
static const struct confine_rule files[] = {
	/* names */
	ANY("openat"), NEW("openat2"), ANY("open"), ANY("mkdirat"),
	ANY("mknodat"), ANY("symlinkat"), ANY("linkat"), ANY("renameat"),
	ANY("renameat2"), ANY("unlinkat"), ANY("readlinkat"), ANY("readlink"),
	/* attributes */
	ANY("fstat"), ANY("newfstatat"), NEW("statx"), ANY("fstatfs"),
	ANY("chmod"), ANY("fchmodat"), ANY("fchownat"), ANY("truncate"),
	ANY("utimensat"), ANY("getxattr"), ANY("setxattr"), ANY("listxattr"),
	ANY("removexattr"),
	/* data */
	ANY("preadv"), ANY("pwritev"), ANY("pread64"), ANY("fsync"),
	ANY("fdatasync"), ANY("getdents64"), ANY("lseek"),
	WHERE("fcntl", 1, LOW, F_OFD_SETLK),
	WHERE("fcntl", 1, LOW, F_OFD_GETLK), WHERE("fcntl", 1, LOW, F_GETFL),
	ANY("epoll_wait"), ANY("epoll_pwait"), END
};

/* net_tap.c: what the driver chose goes to the interface */
static const struct confine_rule tap[] = { IOCTL(TUNSETOFFLOAD),
					   IOCTL(TUNSETVNETHDRSZ),
					   IOCTL(TUNSETQUEUE), END };

/*
 * libslirp, for net_user.c. It wants to read /etc/resolv.conf again when that has
 * changed (stat), and goes on with what it knows when it cannot (openat).
 */
static const struct confine_rule networking[] = {
	WHERE("socket", 0, LOW, AF_INET),
	WHERE("socket", 0, LOW, AF_INET6),
	ANY("connect"),
	ANY("bind"),
	ANY("listen"),
	ANY("accept"),
	ANY("accept4"),
	ANY("sendto"),
	ANY("recvfrom"),
	ANY("sendmsg"),
	ANY("recvmsg"),
	ANY("shutdown"),
	ANY("getsockname"),
	ANY("getpeername"),
	ANY("getsockopt"),
	ANY("setsockopt"),
	ANY("fcntl"),
	IOCTL(FIONREAD),
	IOCTL(FIONBIO),
	ANY("stat"),
	ANY("newfstatat"),
	NEW("statx"),
	REFUSE("open"),
	REFUSE("openat"),
	END
};

/* net_script.c */
static const struct confine_rule scripts[] = { ANY("wait4"), END };

/* builtin-run-signals.c */
static const struct confine_rule signals[] = { ANY("rt_sigtimedwait"),
					       ANY("tkill"), END };

/* display_vnc.c, and in it libvncserver: what a connection that came in needs */
static const struct confine_rule viewers[] = {
	ANY("accept4"),	    ANY("accept"),     ANY("recvfrom"),
	ANY("sendto"),	    ANY("shutdown"),   ANY("getpeername"),
	ANY("getsockname"), ANY("setsockopt"), ANY("getsockopt"),
	ANY("select"),	    ANY("pselect6"),   ANY("fcntl"),
	IOCTL(FIONBIO),	    IOCTL(FIONREAD),   END
};

/* hw/vesa.c: what the guest has drawn */
static const struct confine_rule watching[] = { IOCTL(KVM_GET_DIRTY_LOG), END };

/* char_core.c; exit() of the C library looks after its streams. */
static const struct confine_rule taking_down[] = {
	IOCTL(FIONREAD), ANY("fstat"), ANY("newfstatat"), ANY("lseek"),
	ANY("fcntl"),
	/* builtin-run-report.c */
	ANY("getrusage"),
	/* instance.c, char_socket.c: their sockets */
	ANY("unlinkat"), ANY("tkill"), END
};

/*
 * All that kvm_create() does, and loading the libraries for compressed kernels.
 * A thread created later begins with this list and shortens it to its own, so
 * that those are on it too.
 */
static const struct confine_rule creating[] = {
	/* paths: disks, hugetlbfs, libraries, names of threads */
	ANY("openat"), ANY("open"), ANY("stat"), NEW("statx"), ANY("fstatfs"),
	ANY("ftruncate"), ANY("access"), NEW("faccessat2"), ANY("faccessat"),
	ANY("readlink"), ANY("readlinkat"), ANY("getdents64"), ANY("flock"),
	ANY("mmap"), ANY("mprotect"), ANY("uname"), ANY("getcwd"),
	IOCTL(BLKGETSIZE64), IOCTL(BLKSSZGET), IOCTL(BLKPBSZGET),
	ANY("io_setup"), ANY("fadvise64"), ANY("readahead"),
	/* event.c, virtio/device.c */
	ANY("epoll_create1"), ANY("eventfd2"), ANY("timerfd_create"),
	/* vfio/: limits of memory and descriptors, of this process only */
	WHERE("prlimit64", 0, LOW, 0),
	/* any ioctl of KVM and vhost, those of vCPU threads among them */
	WHERE("ioctl", 1, 0xff00, KVMIO << 8),
	WHERE("ioctl", 1, 0xff00, VHOST_VIRTIO << 8),
	/* threads, not processes; the C library goes on with clone() */
	WHERE("clone", 0, CLONE_THREAD, CLONE_THREAD), REFUSE("clone3"),
	PRCTL(PR_SET_NAME), ANY("sched_getparam"), ANY("sched_getscheduler"),
	/* confine_thread() of those */
	PRCTL(PR_SET_NO_NEW_PRIVS), ANY("seccomp"), ANY("capget"),
	ANY("capset"),
	/* share_open(), share_enter() */
	ANY("prlimit64"), ANY("getrlimit"), ANY("setrlimit"),
	WHERE("unshare", 0, ~0ULL, CLONE_FS), ANY("umask"),
	NEW("landlock_create_ruleset"), NEW("landlock_add_rule"),
	NEW("landlock_restrict_self"), END
};

/* ---- Kinds ---- */

const struct confine_kind_rules confine_kinds[CONFINE_KINDS] = {
	[CONFINE_VCPU] = { "vcpu",
			   { base, running_guest, confine_arch_vcpu, interrupts,
			     machine, vhost, sources, tap } },
	[CONFINE_VCPU_VFIO] = { "vcpu_vfio",
				{ base, running_guest, confine_arch_vcpu,
				  interrupts, machine, vhost, sources, tap,
				  vfio } },
	[CONFINE_LOOP] = { "loop",
			   { base, interrupts, sources, waiting_loop, clients,
			     tap } },
	[CONFINE_NETWORK] = { "network", { base, networking } },
	[CONFINE_WORKER] = { "worker", { base, interrupts, disk, tap } },
	[CONFINE_SHARE] = { "share", { base, interrupts, files } },
	[CONFINE_WRITER] = { "writer", { base } },
	[CONFINE_WATCH] = { "watch", { base, signals } },
	[CONFINE_DISPLAY] = { "display",
			      { base, interrupts, viewers, watching } },
	[CONFINE_MAIN] = { "main",
			   { base, interrupts, machine, vhost, sources, disk,
			     tap, scripts, taking_down, confine_arch_vcpu,
			     confine_arch_pause } },
	[CONFINE_MAIN_VFIO] = { "main_vfio",
				{ base, interrupts, machine, vhost, sources,
				  disk, tap, scripts, taking_down,
				  confine_arch_vcpu, confine_arch_pause,
				  vfio } },
	[CONFINE_MAIN_RESTART] = { "main_restart",
				   { base, creating, sources, waiting_loop,
				     clients, disk, files, vfio, tap, scripts,
				     taking_down } },
};
