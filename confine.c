/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Confinement with seccomp filters that were made when lkvm was built. See
 * seccomp(2), capabilities(7).
 *
 * The state is the process's, as what it says is: each thread has its filter.
 */
#include "lkvm/confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "confine_filters.h"
#include "confine_priv.h"
#include "lkvm/arch.h"
#include "lkvm/builtin.h"
#include "lkvm/failure.h"
#include "lkvm/log.h"
#include "lkvm/types.h"

/* Set before there are other threads, then const. */
static bool is_on;
static u32 refusal; /* what filters answer: SECCOMP_RET_TRAP or _LOG */
static u32 own_pid;
static void (*before_end)(void);

static _Thread_local const char *thread_name; /* NULL: not confined */

bool confine_is_built_in(void)
{
	return true;
}

/* ---- A forbidden call: all of this runs in a signal handler ---- */

struct message {
	char text[256];
	size_t len;
};

static void add_text(struct message *msg, const char *text)
{
	while (*text && msg->len < sizeof(msg->text))
		msg->text[msg->len++] = *text++;
}

static void add_number(struct message *msg, u64 value, unsigned int base)
{
	char digits[24];
	size_t at = sizeof(digits) - 1;

	digits[at] = '\0';
	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	add_text(msg, digits + at);
}

static const char *call_name(const siginfo_t *info)
{
	const char *name = confine_call_names;
	int call = info->si_syscall;

	if (info->si_arch != CONFINE_AUDIT_ARCH || call < 0 ||
	    call >= CONFINE_NAMED_CALLS)
		return "?";
	while (call--)
		name += strlen(name) + 1;
	return *name ? name : "?";
}

static void describe(struct message *msg, const siginfo_t *info,
		     const void *context)
{
	add_text(msg, "  Fatal: confinement: the ");
	add_text(msg, thread_name ? thread_name : "?");
	add_text(msg, " thread made system call ");
	add_number(msg, (unsigned int)info->si_syscall, 10);
	add_text(msg, " (");
	add_text(msg, call_name(info));
	if (info->si_syscall == SYS_ioctl) {
		add_text(msg, " 0x");
		add_number(msg, (u32)arch_trapped_argument(context, 1), 16);
	}
	add_text(msg, "), which is not on its list; please report it; "
		      "--confine=log lets it go on\n");
}

static void handle_sigsys(int signum, siginfo_t *info, void *context)
{
	/* Several threads may come here at once: one of them speaks. */
	static atomic_flag has_spoken = ATOMIC_FLAG_INIT;
	struct message msg = { .len = 0 };

	before_end();
	if (info->si_code <= 0) {
		/* A process sent it: as if there were no handler. */
		signal(signum, SIG_DFL);
		raise(signum);
		return;
	}
	if (!atomic_flag_test_and_set(&has_spoken)) {
		describe(&msg, info, context);
		(void)!write(STDERR_FILENO, msg.text, msg.len);
	}
	_exit(STATUS_FATAL);
}

/* ---- Set-up ---- */

static bool host_can(u32 action)
{
	return !syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);
}

/* What the C library would open files for when somebody needs it. */
static void prepare_libc(void)
{
#ifdef M_ARENA_MAX
	/*
	 * With an arena for each thread, glibc reads how many CPUs there are,
	 * and /proc/sys/vm/overcommit_memory. One arena is smaller, too.
	 */
	mallopt(M_ARENA_MAX, 1);
#endif
}

static int install_handler(void)
{
	struct sigaction action = {
		.sa_sigaction = handle_sigsys,
		.sa_flags = SA_SIGINFO,
	};

	sigfillset(&action.sa_mask);
	return sigaction(SIGSYS, &action, NULL) < 0 ? -errno : 0;
}

int confine_setup(enum confine_mode mode, void (*last_words)(void),
		  struct failure *why)
{
	int err;

	if (mode == CONFINE_OFF)
		return 0;
	refusal = mode == CONFINE_LOG ? SECCOMP_RET_LOG : SECCOMP_RET_TRAP;
	if (!host_can(refusal)) {
		if (mode != CONFINE_DEFAULT)
			return fail_host(why, -errno,
					 "--confine: this host's kernel has no "
					 "seccomp filters: %s; --confine=off "
					 "does without",
					 strerror(errno));
		log_warning("this host's kernel has no seccomp filters: going "
			    "on unconfined");
		return 0;
	}
	before_end = last_words;
	own_pid = (u32)getpid();
	err = install_handler();
	if (err)
		return fail(why, err, "--confine: SIGSYS: %s", strerror(-err));
	prepare_libc();
	if (mode == CONFINE_LOG)
		log_info("--confine=log: system calls that are not on the "
			 "lists go on; the host's audit log names them (dmesg, "
			 "or journalctl -k: type=1326)");
	is_on = true;
	return 0;
}

/* ---- One thread ---- */

/*
 * What root keeps to serve files of all users, as their owners. All of them are
 * in the first word.
 */
#define FILE_CAPABILITIES                                                      \
	(BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) |            \
	 BIT(CAP_FSETID) | BIT(CAP_SETFCAP))

/* All but those in @keep. Other threads keep theirs. Needs no privilege. */
static int drop_capabilities(u32 keep)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, caps) < 0)
		return -errno;
	keep &= caps[0].permitted;
	memset(caps, 0, sizeof(caps));
	caps[0].permitted = keep;
	caps[0].effective = keep;
	return syscall(SYS_capset, &header, caps) < 0 ? -errno : 0;
}

/* A copy of @filter, with what is only known now. */
static void complete(struct sock_filter *insns,
		     const struct confine_filter *filter)
{
	memcpy(insns, filter->insns, filter->nr * sizeof(*insns));
	for (unsigned int i = 0; i < filter->nr; i++) {
		if (insns[i].code == (BPF_RET | BPF_K) &&
		    insns[i].k == SECCOMP_RET_TRAP)
			insns[i].k = refusal;
		else if (insns[i].code == (BPF_JMP | BPF_JEQ | BPF_K) &&
			 insns[i].k == CONFINE_PID)
			insns[i].k = own_pid;
	}
}

/*
 * SPEC_ALLOW: the CPU's speculation stays as it was, as Linux does by itself since
 * 5.16. Code of others never runs in this process's user space.
 */
static int install_filter(const struct confine_filter *filter)
{
	struct sock_filter insns[CONFINE_MAX_INSNS];
	const struct sock_fprog program = { filter->nr, insns };

	complete(insns, filter);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (!syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		     SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program))
		return 0;
	return -errno;
}

/* The signal of a trap ends the process without a word where it is blocked. */
static void unblock_sigsys(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void confine_thread(enum confine_kind kind)
{
	static const char *const names[CONFINE_KINDS] = {
		[CONFINE_VCPU] = "vCPU",	 [CONFINE_VCPU_VFIO] = "vCPU",
		[CONFINE_MAIN_VFIO] = "main",	 [CONFINE_LOOP] = "event loop",
		[CONFINE_WORKER] = "device",	 [CONFINE_NETWORK] = "network",
		[CONFINE_SHARE] = "share",	 [CONFINE_WRITER] = "output",
		[CONFINE_WATCH] = "signal",	 [CONFINE_MAIN] = "main",
		[CONFINE_MAIN_RESTART] = "main", [CONFINE_DISPLAY] = "display",
	};
	int err = 0;

	if (!is_on || thread_name)
		return;
	thread_name = names[kind];
	unblock_sigsys();
	if (kind != CONFINE_MAIN_RESTART)
		err = drop_capabilities(
			kind == CONFINE_SHARE ? FILE_CAPABILITIES : 0);
	if (!err)
		err = install_filter(&confine_filters[kind]);
	if (!err)
		return;
	log_fatal("cannot confine the %s thread: %s; --confine=off does "
		  "without",
		  thread_name, strerror(-err));
	before_end();
	_exit(STATUS_FATAL);
}
