/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMs whose root file system lkvm makes: one of its own ("lkvm setup"), or a view
 * of the host's files ("lkvm sandbox"): which, with what devices, and how the command
 * in it ended. An initramfs (builtin-run-initramfs.c) does the rest in the guest.
 */
#include "builtin-run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lkvm/chardev.h"
#include "lkvm/failure.h"
#include "lkvm/guest_init.h"
#include "lkvm/kernel_release.h"
#include "lkvm/kvm.h"
#include "lkvm/rootfs.h"

/* The tag is what kvmtool's guests know. */
#define HOST_TAG "hostfs"
#define ROOT_TAG "/dev/root"
#define NR_STREAMS 3U

/* ---- Which root ---- */

bool run_guest_take_root(struct run_options *run, const char *name)
{
	struct failure why = FAILURE_INIT;
	char *path = NULL;
	struct stat st;

	/* A file of that name here comes first. */
	if (strchr(name, '/') || !access(name, F_OK) ||
	    rootfs_path(name, &path, &why))
		return false;
	if (stat(path, &st) || !S_ISDIR(st.st_mode)) {
		free(path);
		return false;
	}
	free(run->guest.own_path);
	run->guest.own_path = path;
	run->guest.own_name = name;
	return true;
}

/* Did the user say where the root file system is, or that there is none? */
static bool has_other_root(const struct run_options *run)
{
	const struct kvm_config *config = &run->config;
	const char *params = run->params ? run->params : "";

	return config->nr_disks || config->nr_scsi || run->initrd ||
	       run->has_root_share || run->nodefaults ||
	       config->firmware_path || config->nr_vfio ||
	       strstr(params, "root=") || strstr(params, "rdinit=");
}

static int refuse_other_root(const struct run_options *run, struct failure *why)
{
	if (run->initrd)
		return fail(why, -EINVAL,
			    "--initrd %s: a sandbox has an initrd of its own",
			    run->initrd);
	if (run->has_root_share || run->nodefaults || run->config.firmware_path)
		return fail(why, -EINVAL,
			    "--disk with a directory, --nodefaults and "
			    "--firmware are not for a sandbox");
	return 0;
}

/* What boots without lkvm's init boots as ever: flat images, say. */
static bool wants_own_root(const struct run_options *run)
{
	char release[KERNEL_RELEASE_LEN];

	return guest_init_len && !has_other_root(run) &&
	       kernel_release(&run->config.kernel, release);
}

static int choose_root(struct run_options *run, struct failure *why)
{
	struct run_guest *guest = &run->guest;

	if (guest->is_sandbox && !guest->script && !guest->own_name)
		guest->root = GUEST_ROOT_HOST;
	else if (guest->own_name || run_guest_has_command(run) ||
		 wants_own_root(run))
		guest->root = GUEST_ROOT_OWN;
	if (guest->root == GUEST_ROOT_OTHER)
		return 0;
	if (!guest_init_len)
		return fail(why, -ENOTSUP,
			    "this lkvm was built without a static C library, "
			    "so it has no init for guests");
	return refuse_other_root(run, why);
}

static int open_own_root(struct run_options *run, struct failure *why)
{
	struct run_guest *guest = &run->guest;
	struct failure exists = FAILURE_INIT;
	int err = 0;

	if (!guest->own_path) {
		err = rootfs_path(ROOTFS_DEFAULT, &guest->own_path, why);
		if (err)
			return err;
		err = rootfs_create(guest->own_path, &exists);
		if (err && err != -EEXIST)
			return fail(why, err, "%s", exists.text);
	}
	guest->own_fd = rootfs_lock(guest->own_path, why);
	return guest->own_fd < 0 ? guest->own_fd : 0;
}

/* Where nobody asked for one, a guest without it boots as far as it gets. */
static int try_own_root(struct run_options *run, struct failure *why)
{
	struct failure reason = FAILURE_INIT;
	int err = open_own_root(run, &reason);

	if (!err)
		return 0;
	if (run->guest.own_name || run_guest_has_command(run))
		return fail(why, err, "%s", reason.text);
	log_warning("no root file system: %s", reason.text);
	run->guest.root = GUEST_ROOT_OTHER;
	return 0;
}

/* ---- Devices ---- */

static int add_share(struct run_options *run, const char *path, const char *tag,
		     bool read_only, struct failure *why)
{
	struct kvm_config *config = &run->config;

	for (unsigned int i = 0; i < config->nr_shares; i++)
		if (!strcmp(config->shares[i].tag, tag))
			return fail(why, -EINVAL,
				    "--9p: the tag %s is taken by lkvm", tag);
	if (config->nr_shares == CONFIG_MAX_SHARES)
		return fail(why, -EINVAL, "--9p: too many directories");
	run->share_words[config->nr_shares] = NULL;
	config->shares[config->nr_shares++] = (struct share_config){
		.path = path,
		.tag = tag,
		.read_only = read_only,
	};
	return 0;
}

static int add_shares(struct run_options *run, struct failure *why)
{
	int err = 0;

	if (run->guest.root == GUEST_ROOT_OWN)
		err = add_share(run, run->guest.own_path, ROOT_TAG, false, why);
	return err ? err : add_share(run, "/", HOST_TAG, true, why);
}

static int add_stream(struct kvm_config *config, const char *name, int in_fd,
		      int out_fd, struct failure *why)
{
	struct port_config *port = &config->ports[config->nr_ports];

	if (config->nr_ports == CONFIG_MAX_PORTS)
		return fail(why, -EINVAL,
			    "--port: at most %u with a command in the guest",
			    CONFIG_MAX_PORTS - NR_STREAMS - 1);
	*port = (struct port_config){
		.kind = PORT_STREAM,
		.in_fd = in_fd,
		.out_fd = out_fd,
	};
	snprintf(port->name, sizeof(port->name), "lkvm.%s", name);
	config->nr_ports++;
	return 0;
}

/* The status comes last: guest/init.c relies on it. */
static int add_ports(struct run_options *run, struct failure *why)
{
	struct kvm_config *config = &run->config;
	bool has_streams = run->guest.is_sandbox && !run->guest.has_terminal;
	int err = 0;

	if (has_streams)
		err = add_stream(config, "stdin", STDIN_FILENO, -1, why);
	if (has_streams && !err)
		err = add_stream(config, "stdout", -1, STDOUT_FILENO, why);
	if (has_streams && !err)
		err = add_stream(config, "stderr", -1, STDERR_FILENO, why);
	run->guest.status_port = config->nr_ports;
	return err ? err : add_stream(config, "status", -1, -1, why);
}

static bool is_terminal(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) &&
	       isatty(STDERR_FILENO);
}

int run_guest_choose(struct run_options *run, struct failure *why)
{
	struct run_guest *guest = &run->guest;
	struct kvm_config *config = &run->config;
	int err = choose_root(run, why);

	if (err || guest->root == GUEST_ROOT_OTHER)
		return err;
	if (guest->is_sandbox) {
		guest->has_terminal = is_terminal();
		config->hidden_console = true;
		config->console = guest->has_terminal ? CONSOLE_VIRTIO
						      : CONSOLE_SERIAL;
		/* No network card unless there is a --network. */
		run->has_network = true;
	}
	if (guest->root == GUEST_ROOT_OWN)
		err = try_own_root(run, why);
	if (err || guest->root == GUEST_ROOT_OTHER)
		return err;
	err = add_shares(run, why);
	if (!err && run_guest_has_command(run))
		err = add_ports(run, why);
	return err;
}

void run_guest_release(struct run_options *run)
{
	if (run->guest.own_fd >= 0)
		close(run->guest.own_fd);
	free(run->guest.own_path);
	free(run->guest.modules_note);
}

/* ---- The end ---- */

/* What a guest says is shown as text, in one line. */
static void make_printable(char *text)
{
	text[strcspn(text, "\n")] = '\0';
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

int run_guest_status(const struct run_options *run,
		     const struct vm_consoles *consoles, struct failure *why)
{
	struct chardev *chr = consoles->ports[run->guest.status_port];
	const char *note = run->guest.modules_note;
	char said[300] = "";
	u64 from = 0, status;

	if (chr)
		chardev_read_history(chr, &from, (u8 *)said, sizeof(said) - 1);
	make_printable(said);
	if (!strncmp(said, "exit ", 5) && parse_u64(said + 5, &status))
		return (int)(status & 0xff);
	if (!strncmp(said, "error ", 6))
		return fail(why, -ENODATA, "the guest: %s%s%s", said + 6,
			    note ? "; " : "", note ? note : "");
	return fail(why, -ENODATA, "the VM ended before the command did%s%s",
		    note ? "; " : "", note ? note : "");
}
