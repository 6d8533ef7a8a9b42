/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to builtin-run*.c: from the words of the command line to a struct
 * kvm_config. The parts of builtin-run:
 *   builtin-run-options.c  the table of options, and their setters
 *   builtin-run-vhost.c    setters of options for vhost devices
 *   builtin-run-share.c    those for shared directories
 *   builtin-run-network.c  the network cards
 *   builtin-run-config.c   what was not said: defaults, kernel, command line
 *   builtin-run-ports.c    the options of ports
 *   builtin-run-consoles.c the host's ends of consoles and ports
 *   builtin-run-display.c  --sdl, --vnc and --vidmode
 *   builtin-run-signals.c  signals and the time limit
 *   builtin-run-json.c     --config and --print-config
 *   builtin-run-guest.c    VMs whose root file system lkvm makes
 *   builtin-run-initramfs.c  what is in them before that
 *   builtin-run-report.c   what is said afterwards: --result
 *   builtin-run.c          the life of the VM, and the exit status
 */
#ifndef LKVM_BUILTIN_RUN_H
#define LKVM_BUILTIN_RUN_H

#include <pthread.h>
#include <signal.h>
#include "lkvm/chardev.h"
#include "lkvm/config.h"
#include "lkvm/confine.h"
#include "lkvm/log.h"
#include "lkvm/options.h"

struct command;
struct failure;
struct json_t;
struct kvm;
struct vm_consoles;

/* Where the guest's root file system is from, if lkvm's init mounts it. */
enum guest_root {
	GUEST_ROOT_OTHER, /* a disk, an initrd, ...: lkvm's init has no part */
	GUEST_ROOT_OWN,	  /* made by "lkvm setup": rootfs.h */
	GUEST_ROOT_HOST, /* "lkvm sandbox": the host's files, and memory on top */
};

struct run_guest {
	enum guest_root root;
	bool is_sandbox;
	bool has_terminal;    /* the command's streams are a terminal */
	bool as_user;	      /* --user */
	const char *own_name; /* --disk NAME, or NULL: "default" */
	char *own_path;	      /* owned */
	int own_fd;	      /* holds the lock on it; -1: none */
	const char *script;   /* --sandbox, or NULL */
	const char *modules;  /* --modules, or NULL */
	char *const *words;   /* the command, from argv */
	int nr_words;
	unsigned int status_port; /* index of the port; only with a command */
	char *modules_note;	  /* owned; why there are no modules; or NULL */
};

struct run_options {
	/* Setters fill in what they can. First: see arch_run_options. */
	struct kvm_config config;
	const char *kvm_path;
	const char *word;   /* the one that is no option, or NULL */
	const char *kernel; /* -k or that word; NULL: look for one */
	const char *initrd;
	const char *params; /* -p */
	const char *name;
	bool nodefaults;
	bool has_root_share; /* --disk named a directory */
	bool root_share_is_ro;
	bool has_network; /* -n was there */
	bool vidmode_given;
	enum log_level log_level;
	enum confine_mode confine;
	bool print_config;
	struct json_t *said;	 /* by name of option; NULL: nothing yet */
	struct json_t *json;	 /* what --config read: owns strings */
	const char *result_path; /* --result, or NULL */
	const char *log_path;	 /* --log, or NULL */

	struct run_guest guest;

	/* Storage of strings in config. */
	char *cmdline;
	char *vnc_address;
	char *disk_paths[CONFIG_MAX_DISKS];
	char *share_words[CONFIG_MAX_SHARES];
	char *network_words[CONFIG_MAX_NICS]; /* NULL: the default one */
	char name_storage[24];
	char kernel_storage[128];
};

extern const struct option run_option_table[];
extern const struct option sandbox_option_table[];

option_set_fn run_set_vsock; /* --vsock CID */
option_set_fn run_add_port;  /* --port NAME=... */
/* --disk scsi:@text */
int run_add_scsi(const struct option *opt, struct run_options *run,
		 const char *text, struct failure *why);
/* builtin-run-share.c */
option_set_fn run_set_9p;
/* --disk with a directory. */
int run_set_root_share(const struct option *opt, struct run_options *run,
		       const char *text, struct failure *why);
void run_drop_shares(struct run_options *run);
/* ---- Displays: builtin-run-display.c ---- */

int run_set_sdl(const struct option *opt, const struct option_value *value,
		void *target, struct failure *why);
int run_set_vnc(const struct option *opt, const struct option_value *value,
		void *target, struct failure *why);
int run_set_vidmode(const struct option *opt, const struct option_value *value,
		    void *target, struct failure *why);
/* What was not said, and what this lkvm cannot. */
int run_complete_display(struct run_options *run, struct failure *why);

/* 0, OPTIONS_HELP, or -EINVAL with @why; run_options_release() in any case. */
int run_options_parse(struct run_options *run, int argc, char *const *argv,
		      struct failure *why);
/* The same for "lkvm sandbox", whose words are the command. */
int run_options_parse_sandbox(struct run_options *run, int argc,
			      char *const *argv, struct failure *why);
/* From the options to the exit status; releases @run. */
int run_with_parsed(struct run_options *run, int parsed,
		    const struct command *command, struct failure *why);
void run_options_release(struct run_options *run);

/*
 * Complete run->config: CPUs, RAM, name, kernel and initrd (which it opens) and
 * the kernel command line. config.kvm_fd is open.
 */
int run_config_complete(struct run_options *run, struct failure *why);

/* The kernel command line for what @run says. -ENOMEM, with @why. */
int run_build_cmdline(struct run_options *run, struct failure *why);

/* 64 MiB for each CPU and 192 more, at most four fifths of the host's RAM. */
u64 run_default_ram(unsigned int cpus, u64 host_ram);

/* The setters of --network, and of a transport's name wherever it stands. */
option_set_fn run_set_network;
int run_parse_transport(const struct option *opt, const char *name,
			enum virtio_transport_kind *kind, struct failure *why);
/*
 * Connect the network cards, one by default. Scripts run; what they set up is
 * taken down by run_close_networks(), which run_options_release() calls.
 */
int run_open_networks(struct run_options *run, struct failure *why);
void run_close_networks(struct run_options *run);

/*
 * SIGTERM, SIGINT, SIGHUP (those that were not ignored when lkvm started) and
 * the time limit, on a thread of their own. While kernels are loaded and while
 * output is flushed they end the process at once; while there is a guest they
 * end the VM, and a second signal ends the process.
 */
struct run_watch {
	pthread_t thread;
	sigset_t signals; /* those taken; set before the thread starts */
	/* Of monotonic_ns(), 0: none. Set before the thread starts, then its own. */
	u64 deadline_ns;

	pthread_mutex_t lock;	 /* guards all below */
	struct kvm *vm;		 /* to be ended; NULL: none now */
	struct chardev *console; /* told of the terminal's size; or NULL */
	bool guest;		 /* there is a guest, also between two VMs */
	bool stop;		 /* the thread shall leave */
	bool timed_out;
	bool power_pressed;
	int signal; /* the first one taken, or 0 */
};

/* @timeout_ns 0: no limit. The process has no other threads yet. */
int run_watch_start(struct run_watch *watch, u64 timeout_ns,
		    struct failure *why);
/*
 * The VM that is to be ended, or none for now. If a signal or the time limit
 * came in between, @vm is ended.
 */
void run_watch_set_vm(struct run_watch *watch, struct kvm *vm);
/* SIGWINCH is @console's from now on; NULL: nobody's. */
void run_watch_set_console(struct run_watch *watch, struct chardev *console);
/* No VM will follow. Returns the signal that was taken, or 0. */
int run_watch_end_guest(struct run_watch *watch);
/*
 * The user closed the window: press the guest's power button. Where that does
 * nothing, and the second time, as run_watch_quit().
 */
void run_watch_power(void *watch);
/* As if the guest had powered off; @watch is the struct run_watch. */
void run_watch_quit(void *watch);
/* Stop the thread. Signals stay blocked. */
void run_watch_stop(struct run_watch *watch);

/* The command line as JSON: builtin-run-json.c. */
option_set_fn run_set_config;
void run_note_option(const struct option *opt, const struct option_value *value,
		     void *target);
void run_print_config(struct run_options *run);
void run_release_json(struct run_options *run);

/* What is known of a VM when it has gone: builtin-run-report.c. */
struct run_report {
	int fd;	     /* --result; -1: none */
	bool hidden; /* the console is nowhere to be seen */
	u64 started_ns, first_exit_ns;
	u64 exits, port_exits, memory_exits;
	struct chardev_spot init; /* of the text that a Linux kernel prints */
	char *console;		  /* its history as a string, owned; or NULL */
	size_t console_len;
};

int report_open(struct run_report *report, const struct run_options *run,
		struct failure *why);
void report_close(struct run_report *report);
/* The consoles are there: look at what comes, if --result wants to know. */
void report_watch_console(struct run_report *report,
			  const struct kvm_config *config,
			  const struct vm_consoles *consoles);
/* @vm has ended and is about to go: add its counters. */
void report_take_vm(struct run_report *report, const struct kvm *vm);
/* The consoles are about to be closed. */
void report_take_console(struct run_report *report,
			 const struct kvm_config *config,
			 const struct vm_consoles *consoles);
/* Print the console's last lines, unless they are before the user's eyes. */
void report_show_console(const struct run_report *report);
/* Print a panic that the console shows. False: it shows none. */
bool report_show_panic(const struct run_report *report);
/* One JSON object for --result. @name NULL: there is none yet. */
void report_write(const struct run_report *report, const char *name,
		  const char *how, int status, const struct failure *why);
/*
 * Open what @config wants of consoles and ports. On failure, too, they are to
 * be closed, which waits for their readers, but not long with @hurry.
 */
int run_open_consoles(const struct kvm_config *config, struct run_watch *watch,
		      struct failure *why, struct vm_consoles *consoles);
void run_close_consoles(const struct kvm_config *config,
			struct vm_consoles *consoles, bool hurry);

/* Die of @signal, for the parent process to see. */
void run_die_of(int signal);

/* ---- Root file systems of lkvm's own: builtin-run-guest.c ---- */

/* --disk NAME: is there one of that name? */
bool run_guest_take_root(struct run_options *run, const char *name);
/*
 * The kernel is open: decide whether lkvm's init is to be the guest's first
 * process, and with which shares, ports and console.
 */
int run_guest_choose(struct run_options *run, struct failure *why);
/* Networks are open: the initramfs. Does nothing for GUEST_ROOT_OTHER. */
int run_guest_prepare(struct run_options *run, struct failure *why);
void run_guest_release(struct run_options *run);
static inline bool run_guest_has_command(const struct run_options *run)
{
	return run->guest.nr_words || run->guest.script;
}
/*
 * The command's exit status, from what the guest said before its consoles are
 * closed. -ENODATA: it never came to it; @why says why.
 */
int run_guest_status(const struct run_options *run,
		     const struct vm_consoles *consoles, struct failure *why);

/* Print the PCI tree of @vm on standard error. Any thread. */
void run_dump_pci(struct kvm *vm);

#endif
