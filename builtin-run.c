/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lkvm run: the life of a VM, from the options to the exit status. Everything
 * that goes wrong on the way is printed here, once.
 */
#include "builtin-run.h"

#include <unistd.h>
#include "lkvm/builtin.h"
#include "lkvm/chardev.h"
#include "lkvm/confine.h"
#include "lkvm/failure.h"
#include "lkvm/host.h"
#include "lkvm/kvm.h"
#include "lkvm/pci.h"

/*
 * How long output may take once the user or the time limit wanted the end: the
 * whole of it has one second.
 */
#define HURRIED_FLUSH_MS 800
/* Output to a pty that nobody may ever read. */
#define PTY_FLUSH_MS 200

/* The host's ends of the consoles: standard input and output, and ptys. */
static int open_consoles(const struct kvm_config *config,
			 struct run_watch *watch, struct failure *why,
			 struct vm_consoles *consoles)
{
	bool moved = config->console == CONSOLE_SERIAL && config->tty_pty[0];
	unsigned int i;
	int err;

	for (i = 0; i < CONFIG_MAX_TTYS; i++) {
		if (!config->tty_pty[i])
			continue;
		err = chardev_open_pty(i, why, &consoles->ttys[i]);
		if (err)
			return err;
	}
	/* Nothing of the guest's: the terminal stays as it is. */
	if (moved)
		return 0;
	return chardev_open_stdio(run_watch_quit, watch, why,
				  &consoles->console);
}

static void close_consoles(struct vm_consoles *consoles, bool hurry)
{
	unsigned int i;

	for (i = 0; i < CONFIG_MAX_TTYS; i++)
		chardev_close(consoles->ttys[i], hurry ? 0 : PTY_FLUSH_MS);
	chardev_close(consoles->console, hurry ? HURRIED_FLUSH_MS : -1);
}

static void print_line(void *opaque, const char *text)
{
	log_text("%s", text);
}

void run_dump_pci(struct kvm *vm)
{
	static const struct pci_dump_sink sink = { .line = print_line };

	pci_dump(vm->pci, &sink);
}

/* One VM, from power-on to its end. */
static int run_vm(const struct kvm_config *config,
		  const struct vm_consoles *consoles, struct run_watch *watch,
		  struct failure *why, enum vm_end *end)
{
	struct kvm *vm;
	int err;

	err = kvm_create(config, consoles, why, &vm);
	if (err)
		return err;
	run_watch_set_vm(watch, vm);
	err = kvm_start(vm);
	if (!err) {
		confine_thread(config->reboot == REBOOT_RESTART
				       ? CONFINE_MAIN_RESTART
				       : CONFINE_MAIN);
		*end = kvm_wait(vm);
	}
	run_watch_set_vm(watch, NULL);
	if (config->dump_pci)
		run_dump_pci(vm);
	kvm_destroy(vm);
	return err;
}

static int run_until_end(const struct kvm_config *config,
			 const struct vm_consoles *consoles,
			 struct run_watch *watch, struct failure *why,
			 enum vm_end *end)
{
	int err;

	do {
		err = run_vm(config, consoles, watch, why, end);
	} while (!err && *end == VM_END_RESET &&
		 config->reboot == REBOOT_RESTART);
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
	case VM_END_SIGNAL:
		break;
	}
	return STATUS_OK;
}

static int run_with_consoles(const struct kvm_config *config,
			     struct run_watch *watch, struct failure *why)
{
	struct vm_consoles consoles = { NULL };
	enum vm_end end = VM_RUNNING;
	int err, status, signum;

	err = open_consoles(config, watch, why, &consoles);
	run_watch_set_console(watch, consoles.console);
	if (!err)
		err = run_until_end(config, &consoles, watch, why, &end);
	run_watch_set_console(watch, NULL);
	signum = run_watch_end_guest(watch);
	close_consoles(&consoles, signum || end == VM_END_TIMEOUT);
	status = err ? failure_status(why) : end_status(config, end, why);
	if (signum)
		run_die_of(signum);
	return status;
}

static int run_with_options(struct run_options *run, struct failure *why)
{
	struct kvm_config *config = &run->config;
	struct run_watch watch;
	int err, status;

	log_set_level(run->log_level);
	err = confine_setup(run->confine, terminal_restore, why);
	if (!err)
		err = run_watch_start(&watch, config->timeout_ns, why);
	if (err)
		return failure_status(why);
	config->kvm_fd =
		host_open_kvm(run->kvm_path ? run->kvm_path : "/dev/kvm", why);
	err = config->kvm_fd < 0 ? config->kvm_fd
				 : run_config_complete(run, why);
	status = err ? failure_status(why)
		     : run_with_consoles(config, &watch, why);
	if (config->kvm_fd >= 0)
		close(config->kvm_fd);
	run_watch_stop(&watch);
	return status;
}

static int run_main(int argc, char **argv)
{
	struct failure why = FAILURE_INIT;
	struct run_options run;
	int status;

	switch (run_options_parse(&run, argc, argv, &why)) {
	case 0:
		status = run_with_options(&run, &why);
		break;
	case OPTIONS_HELP:
		help_print_command(&run_command);
		status = STATUS_OK;
		break;
	default:
		log_error("%s", why.text);
		status = STATUS_USAGE;
		break;
	}
	run_options_release(&run);
	return status;
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
