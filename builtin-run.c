/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lkvm run: the life of a VM, from the options to the exit status. Everything
 * that goes wrong on the way is printed here, once.
 */
#include "builtin-run.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "lkvm/builtin.h"
#include "lkvm/chardev.h"
#include "lkvm/confine.h"
#include "lkvm/control.h"
#include "lkvm/failure.h"
#include "lkvm/host.h"
#include "lkvm/kvm.h"
#include "lkvm/notify.h"
#include "lkvm/pci.h"

static void print_line(void *opaque, const char *text)
{
	log_text("%s", text);
}

void run_dump_pci(struct kvm *vm)
{
	static const struct text_sink sink = { .line = print_line };

	pci_dump(vm->pci, &sink);
}

/* What lives as long as the command, whatever VMs come and go. */
struct session {
	const struct run_options *run;
	const struct kvm_config *config;
	struct run_watch *watch;
	struct control *control; /* NULL: there can be none */
	struct vm_consoles consoles;
	struct run_report report;
	int notify_fd; /* of the service manager; -1: none */
	struct failure *why;
	enum vm_end end;
	bool command_ended; /* the guest's command, with a status of its own */
	int signal;	    /* that ended it, and is to end us; or 0 */
};

static enum confine_kind main_kind(const struct kvm_config *config)
{
	if (config->reboot == REBOOT_RESTART)
		return CONFINE_MAIN_RESTART;
	return config->nr_vfio ? CONFINE_MAIN_VFIO : CONFINE_MAIN;
}

/* One VM, from power-on to its end. */
static int run_vm(struct session *session)
{
	const struct kvm_config *config = session->config;
	struct kvm *vm;
	int err;

	err = kvm_create(config, &session->consoles, session->why, &vm);
	if (err)
		return err;
	run_watch_set_vm(session->watch, vm);
	err = control_attach(session->control, vm);
	if (!err)
		err = kvm_start(vm);
	if (!err) {
		confine_thread(main_kind(config));
		notify_send(session->notify_fd, "READY=1\nSTATUS=running");
		session->end = kvm_wait(vm);
		kvm_drain(vm);
	}
	control_detach(session->control);
	run_watch_set_vm(session->watch, NULL);
	if (config->dump_pci)
		run_dump_pci(vm);
	report_take_vm(&session->report, vm);
	kvm_destroy(vm);
	return err;
}

static int run_until_end(struct session *session)
{
	int err;

	do {
		err = run_vm(session);
	} while (!err && session->end == VM_END_RESET &&
		 session->config->reboot == REBOOT_RESTART);
	return err;
}

static int failure_status(const struct failure *why)
{
	log_fatal("%s", why->text);
	return why->kind == FAILURE_HOST ? STATUS_HOST : STATUS_FATAL;
}

static int end_status(const struct kvm_config *config, enum vm_end end,
		      const struct failure *why)
{
	switch (end) {
	case VM_END_RESET:
		return config->extended_status ? STATUS_RESET : STATUS_OK;
	case VM_END_CRASH:
		return STATUS_CRASH;
	case VM_END_PANIC:
		return STATUS_PANIC;
	case VM_END_TIMEOUT:
		log_error("--timeout: the guest was still running");
		return STATUS_TIMEOUT;
	case VM_END_ERROR:
		return failure_status(why);
	case VM_RUNNING:
	case VM_END_POWEROFF:
	case VM_END_STOP:
	case VM_END_SIGNAL:
		break;
	}
	return STATUS_OK;
}

/* The words of docs/control.md. */
static const char *end_name(enum vm_end end)
{
	static const char *const names[] = {
		[VM_RUNNING] = "error",	      [VM_END_POWEROFF] = "poweroff",
		[VM_END_STOP] = "stop",	      [VM_END_RESET] = "reset",
		[VM_END_CRASH] = "crash",     [VM_END_PANIC] = "panic",
		[VM_END_TIMEOUT] = "timeout", [VM_END_SIGNAL] = "signal",
		[VM_END_ERROR] = "error",
	};

	return names[end];
}

static const char *how_it_ended(const struct session *session)
{
	return session->command_ended ? "command" : end_name(session->end);
}

/* Did somebody want the end now, and not when all output is read? */
static bool is_hurried(enum vm_end end, int signum)
{
	return signum || end == VM_END_TIMEOUT || end == VM_END_STOP;
}

/* What those who do not see the console should see of it. */
static void show_console(const struct session *session)
{
	const struct run_report *report = &session->report;

	if (session->command_ended)
		return;
	switch (session->end) {
	case VM_END_CRASH:
	case VM_END_PANIC:
	case VM_END_TIMEOUT:
	case VM_END_ERROR:
		report_show_console(report);
		break;
	case VM_END_RESET: /* with panic=-1 the end of a panic */
		if (report_show_panic(report))
			report_show_console(report);
		break;
	default:
		break;
	}
}

/*
 * The status of the guest's command, where there is one: that it ended is all that
 * matters then. What ended the VM before is told as usual.
 */
static int command_status(struct session *session)
{
	int status = run_guest_status(session->run, &session->consoles,
				      session->why);

	session->command_ended = status >= 0;
	if (status >= 0)
		return status;
	if (session->end == VM_END_RESET &&
	    report_show_panic(&session->report)) {
		session->end = VM_END_PANIC;
		return STATUS_PANIC;
	}
	session->end = VM_END_ERROR;
	return failure_status(session->why);
}

static int ended_status(struct session *session)
{
	switch (session->end) {
	case VM_END_POWEROFF:
	case VM_END_RESET:
	case VM_END_STOP:
		if (run_guest_has_command(session->run))
			return command_status(session);
		break;
	default:
		break;
	}
	return end_status(session->config, session->end, session->why);
}

static int run_with_consoles(struct session *session)
{
	struct vm_consoles *consoles = &session->consoles;
	int err, status;

	err = run_open_consoles(session->config, session->watch, session->why,
				consoles);
	run_watch_set_console(session->watch, consoles->console);
	report_watch_console(&session->report, session->config, consoles);
	if (!err)
		err = run_until_end(session);
	run_watch_set_console(session->watch, NULL);
	session->signal = run_watch_end_guest(session->watch);
	if (err)
		session->end = VM_END_ERROR;
	report_take_console(&session->report, session->config, consoles);
	status = err ? failure_status(session->why) : ended_status(session);
	run_close_consoles(session->config, consoles,
			   is_hurried(session->end, session->signal));
	show_console(session);
	return session->signal ? 128 + session->signal : status;
}

/* A VM without a control socket runs all the same, unless its name is taken. */
static int open_control(struct session *session)
{
	struct failure why = FAILURE_INIT;
	int err = control_open(session->config->name, &why, &session->control);

	if (err == -EEXIST)
		return fail(session->why, err, "%s", why.text);
	if (err)
		log_warning("%s: \"lkvm list\" and the like will not find this "
			    "VM",
			    why.text);
	return 0;
}

static int run_session(struct session *session)
{
	int status;

	if (open_control(session))
		return failure_status(session->why);
	status = run_with_consoles(session);
	control_end(session->control, how_it_ended(session), status);
	control_close(session->control);
	return status;
}

/* Where it is to be written down. The process lives on without being confined. */
static int open_files(const struct run_options *run, struct run_report *report,
		      struct failure *why)
{
	int fd;

	if (run->log_path) {
		fd = open(run->log_path,
			  O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY,
			  0666);
		if (fd < 0)
			return fail(why, -errno, "--log %s: %s", run->log_path,
				    strerror(errno));
		log_copy_to(fd);
	}
	return report_open(report, run, why);
}

static int run_with_watch(struct run_options *run, struct session *session)
{
	struct kvm_config *config = &run->config;
	int err, status;

	config->kvm_fd = host_open_kvm(
		run->kvm_path ? run->kvm_path : "/dev/kvm", session->why);
	err = config->kvm_fd < 0 ? config->kvm_fd
				 : run_config_complete(run, session->why);
	status = err ? failure_status(session->why) : run_session(session);
	if (config->kvm_fd >= 0)
		close(config->kvm_fd);
	return status;
}

static int run_with_options(struct run_options *run, struct failure *why)
{
	struct run_watch watch;
	struct session session = {
		.run = run,
		.config = &run->config,
		.watch = &watch,
		.why = why,
		.end = VM_RUNNING,
		.notify_fd = notify_open(),
	};
	int err, status;

	log_set_level(run->log_level);
	err = open_files(run, &session.report, why);
	if (!err)
		err = confine_setup(run->confine, terminal_restore, why);
	if (!err)
		err = run_watch_start(&watch, run->config.timeout_ns, why);
	if (err)
		return failure_status(why);
	status = run_with_watch(run, &session);
	report_write(&session.report, run->config.name, how_it_ended(&session),
		     status, why);
	report_close(&session.report);
	if (session.notify_fd >= 0)
		close(session.notify_fd);
	run_watch_stop(&watch);
	if (session.signal)
		run_die_of(session.signal);
	return status;
}

int run_with_parsed(struct run_options *run, int parsed,
		    const struct command *command, struct failure *why)
{
	int status;

	switch (parsed) {
	case 0:
		status = STATUS_OK;
		if (run->print_config)
			run_print_config(run);
		else
			status = run_with_options(run, why);
		break;
	case OPTIONS_HELP:
		help_print_command(command);
		status = STATUS_OK;
		break;
	default:
		log_error("%s", why->text);
		status = STATUS_USAGE;
		break;
	}
	run_options_release(run);
	return status;
}

static int run_main(int argc, char **argv)
{
	struct failure why = FAILURE_INIT;
	struct run_options run;
	int parsed = run_options_parse(&run, argc, argv, &why);

	return run_with_parsed(&run, parsed, &run_command, &why);
}

const struct command run_command = {
	.name = "run",
	.summary = "start a VM",
	.usage = "lkvm run [OPTIONS] [KERNEL]",
	.notes = "Exit status: 0 the guest powered off, or reset (32 with "
		 "--extended-status);\n"
		 "33 it crashed, 34 it panicked, 77 this host cannot, 124 "
		 "--timeout,\n"
		 "128 fatal error, 129 wrong usage.\n"
		 "Disks are raw whatever they look like. Ctrl-A x ends the VM "
		 "from a terminal,\n"
		 "Ctrl-A h lists the keys.",
	.options = run_option_table,
	.run = run_main,
};
