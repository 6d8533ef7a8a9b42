/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The initramfs of VMs whose root file system lkvm makes: its init, the modules of
 * the kernel that it loads, and what it is told.
 */
#include "builtin-run.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lkvm/arch.h"
#include "lkvm/failure.h"
#include "lkvm/guest_init.h"
#include "lkvm/initramfs.h"
#include "lkvm/kernel_release.h"
#include "lkvm/modules.h"
#include "lkvm/net.h"

#define MAX_DRIVERS 16
#define GUEST_PATH                                                             \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* ---- Modules ---- */

static bool is_mmio(enum virtio_transport_kind kind)
{
	return kind == VIRTIO_TRANSPORT_MMIO ||
	       kind == VIRTIO_TRANSPORT_MMIO_LEGACY;
}

/* The drivers for what this VM has. Returns how many. */
static unsigned int list_drivers(const struct run_options *run,
				 const char *names[MAX_DRIVERS])
{
	const struct kvm_config *config = &run->config;
	unsigned int nr = 0;

	names[nr++] = is_mmio(config->virtio_transport) ? "virtio_mmio"
							: "virtio_pci";
	names[nr++] = "9pnet_virtio";
	names[nr++] = "9p";
	if (run->guest.root == GUEST_ROOT_HOST)
		names[nr++] = "overlay";
	if (config->nr_ports || config->console == CONSOLE_VIRTIO)
		names[nr++] = "virtio_console";
	if (config->nr_nics)
		names[nr++] = "virtio_net";
	if (config->nr_disks)
		names[nr++] = "virtio_blk";
	if (config->rng)
		names[nr++] = "virtio_rng";
	if (config->balloon)
		names[nr++] = "virtio_balloon";
	names[nr++] = "pvpanic_mmio";
	return nr;
}

/* The text of a file, or NULL. */
static char *read_text(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!file)
		return NULL;
	/* A kernel without modules has an empty list. */
	if (getdelim(&text, &size, '\0', file) < 0) {
		free(text);
		text = ferror(file) ? NULL : calloc(1, 1);
	}
	fclose(file);
	return text;
}

static int add_module(struct initramfs *fs, FILE *settings, const char *folder,
		      const char *path, unsigned int index, struct failure *why)
{
	const char *file = strrchr(path, '/');
	char name[NAME_MAX + 32];
	void *bytes;
	size_t len;
	int err = module_read(folder, path, &bytes, &len, why);

	if (err)
		return err;
	file = file ? file + 1 : path;
	snprintf(name, sizeof(name), "lkvm/modules/%02u-%.*s", index,
		 (int)strcspn(file, "."), file);
	initramfs_add_file(fs, name, 0644, bytes, len);
	fprintf(settings, "module=/%s%c", name, 0);
	free(bytes);
	return 0;
}

static int add_list(struct initramfs *fs, FILE *settings, const char *folder,
		    const struct module_list *list, struct failure *why)
{
	int err = 0;

	for (unsigned int i = 0; i < list->nr && !err; i++)
		err = add_module(fs, settings, folder, list->paths[i], i, why);
	return err;
}

/* A string from malloc(), or NULL. */
static char *format(const char *form, ...)
	__attribute__((format(printf, 1, 2)));
static char *format(const char *form, ...)
{
	char *text = NULL;
	va_list args;
	int len;

	va_start(args, form);
	len = vasprintf(&text, form, args);
	va_end(args);
	return len < 0 ? NULL : text;
}

/* Where the kernel's modules are, from malloc(); NULL: that is not known. */
static char *find_folder(struct run_options *run)
{
	char release[KERNEL_RELEASE_LEN];

	if (run->guest.modules)
		return strdup(run->guest.modules);
	if (kernel_release(&run->config.kernel, release))
		return format("/lib/modules/%s", release);
	run->guest.modules_note =
		format("%s does not say its release: give the folder of its "
		       "modules with --modules",
		       run->config.kernel.path);
	return NULL;
}

static int resolve(const struct run_options *run, const char *folder,
		   const char *dep, struct module_list *list,
		   struct failure *why)
{
	const char *names[MAX_DRIVERS];
	unsigned int nr = list_drivers(run, names);
	int err = 0;

	for (unsigned int i = 0; i < nr && !err; i++) {
		err = module_list_add(list, dep, names[i]);
		if (err == -ENOENT) {
			log_debug("%s has no module %s", folder, names[i]);
			err = 0;
		}
	}
	return err ? fail(why, err, "%s: %s", folder, strerror(-err)) : 0;
}

/* A kernel may have all drivers built in: no modules are no mistake. */
static int add_modules(struct run_options *run, struct initramfs *fs,
		       FILE *settings, struct failure *why)
{
	struct module_list list = { .nr = 0 };
	char *folder = find_folder(run);
	char *path = folder ? format("%s/modules.dep", folder) : NULL;
	char *dep = path ? read_text(path) : NULL;
	int err = 0;

	if (dep) {
		err = resolve(run, folder, dep, &list, why);
		if (!err)
			err = add_list(fs, settings, folder, &list, why);
	} else if (run->guest.modules) {
		err = fail(why, -ENOENT, "--modules %s: no modules.dep there",
			   folder);
	} else if (path) {
		run->guest.modules_note = format(
			"there is no %s: --modules names another folder", path);
	}
	module_list_release(&list);
	free(dep);
	free(path);
	free(folder);
	return err;
}

/* ---- Settings: guest/guest.h has what they mean ---- */

static void set(FILE *settings, const char *key, const char *value)
{
	fprintf(settings, "%s=%s%c", key, value, 0);
}

static void set_number(FILE *settings, const char *key, unsigned long value)
{
	fprintf(settings, "%s=%lu%c", key, value, 0);
}

static void set_port(const struct run_options *run, FILE *settings,
		     const char *key, unsigned int index)
{
	set(settings, key, run->config.ports[index].name);
}

static void set_ports(const struct run_options *run, FILE *settings)
{
	unsigned int status = run->guest.status_port;

	if (!run_guest_has_command(run))
		return;
	set_port(run, settings, "status", status);
	if (!run->guest.is_sandbox || run->guest.has_terminal)
		return;
	set_port(run, settings, "in", status - 3);
	set_port(run, settings, "out", status - 2);
	set_port(run, settings, "err", status - 1);
}

static void set_console(const struct run_options *run, FILE *settings)
{
	struct winsize size;

	set(settings, "console",
	    run->config.console == CONSOLE_VIRTIO ? "/dev/hvc0" : "/dev/ttyS0");
	/* A serial line does not know. */
	if (run->config.console == CONSOLE_VIRTIO ||
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return;
	set_number(settings, "rows", size.ws_row);
	set_number(settings, "columns", size.ws_col);
}

static void set_address(FILE *settings, const char *key, u32 ip)
{
	struct in_addr address = { htonl(ip) };
	char text[INET_ADDRSTRLEN];

	if (inet_ntop(AF_INET, &address, text, sizeof(text)))
		set(settings, key, text);
}

static void set_network(const struct run_options *run, FILE *settings)
{
	const struct net_config *nic = &run->config.nics[0];

	if (!run->config.nr_nics || !nic->net)
		return;
	set_address(settings, "address", nic->guest_ip);
	set_address(settings, "gateway", nic->host_ip);
	if (nic->mode == NET_MODE_USER)
		set_address(settings, "dns", net_user_dns(nic));
}

static void set_user(FILE *settings)
{
	gid_t groups[256];
	int nr = getgroups(ARRAY_SIZE(groups), groups);

	set_number(settings, "uid", geteuid());
	set_number(settings, "gid", getegid());
	for (int i = 0; i < nr; i++)
		set_number(settings, "group", groups[i]);
}

static void set_environment(const struct run_options *run, FILE *settings)
{
	const char *term = getenv("TERM");

	if (run->guest.root == GUEST_ROOT_HOST) {
		for (char **word = environ; *word; word++)
			set(settings, "variable", *word);
		return;
	}
	set(settings, "variable", "HOME=/root");
	set(settings, "variable", "PATH=" GUEST_PATH);
	if (term)
		fprintf(settings, "variable=TERM=%s%c", term, 0);
}

/* A program of the host's is below /host in a root of lkvm's own. */
static char *place_of(const struct run_options *run, const char *program)
{
	char *real = NULL, *place = NULL;
	struct stat st;

	if (run->guest.root == GUEST_ROOT_OWN && !stat(program, &st) &&
	    S_ISREG(st.st_mode))
		real = realpath(program, NULL);
	if (!real)
		return strdup(program);
	if (asprintf(&place, "/host%s", real) < 0)
		place = NULL;
	free(real);
	return place;
}

static int set_command(const struct run_options *run, FILE *settings,
		       struct failure *why)
{
	const struct run_guest *guest = &run->guest;
	const char *first = guest->script ? guest->script : NULL;
	char *place;

	if (!run_guest_has_command(run))
		return 0;
	if (guest->script && access(guest->script, R_OK))
		return fail(why, -errno, "--sandbox %s: %s", guest->script,
			    strerror(errno));
	if (guest->script)
		set(settings, "argument", "/bin/sh");
	else
		first = guest->words[0];
	place = place_of(run, first);
	if (!place)
		return fail(why, -ENOMEM, "out of memory");
	set(settings, "argument", place);
	free(place);
	for (int i = guest->script ? 0 : 1; i < guest->nr_words; i++)
		set(settings, "argument", guest->words[i]);
	return 0;
}

/* The value of parameter "init=", cut at its blank, or NULL; from malloc(). */
static char *find_init(const char *params)
{
	const char *at = params;

	while (at && (at = strstr(at, "init="))) {
		if (at == params || at[-1] == ' ')
			return strndup(at + 5, strcspn(at + 5, " "));
		at++;
	}
	return NULL;
}

static int write_settings(const struct run_options *run, FILE *settings,
			  struct failure *why)
{
	char folder[PATH_MAX];
	char *init = find_init(run->params);

	set(settings, "root",
	    run->guest.root == GUEST_ROOT_HOST ? "sandbox" : "own");
	set(settings, "name", run->config.name);
	set_console(run, settings);
	set_ports(run, settings);
	set_network(run, settings);
	set_environment(run, settings);
	if (run->guest.as_user)
		set_user(settings);
	if (run->guest.root == GUEST_ROOT_HOST &&
	    getcwd(folder, sizeof(folder)))
		set(settings, "folder", folder);
	if (init && !run_guest_has_command(run))
		set(settings, "init", init);
	free(init);
	return set_command(run, settings, why);
}

/* ---- The initramfs ---- */

static void add_skeleton(struct initramfs *fs)
{
	static const char *const folders[] = { "dev",  "proc",	      "sys",
					       "root", "lower",	      "upper",
					       "lkvm", "lkvm/modules" };

	for (unsigned int i = 0; i < ARRAY_SIZE(folders); i++)
		initramfs_add_folder(fs, folders[i]);
	/* Until devtmpfs is mounted. */
	initramfs_add_device(fs, "dev/console", 5, 1);
	initramfs_add_file(fs, "init", 0755, guest_init_start, guest_init_len);
}

static int fill(struct run_options *run, struct initramfs *fs,
		struct failure *why)
{
	char *text = NULL;
	size_t len = 0;
	FILE *settings = open_memstream(&text, &len);
	int err;

	if (!settings)
		return fail(why, -ENOMEM, "out of memory");
	add_skeleton(fs);
	err = write_settings(run, settings, why);
	if (!err)
		err = add_modules(run, fs, settings, why);
	if (fclose(settings) && !err)
		err = fail(why, -ENOMEM, "out of memory");
	/* The environment may have secrets: only root reads it. */
	if (!err)
		initramfs_add_file(fs, "lkvm/settings", 0600, text, len);
	free(text);
	return err;
}

int run_guest_prepare(struct run_options *run, struct failure *why)
{
	struct initramfs fs;
	int err;

	if (run->guest.root == GUEST_ROOT_OTHER)
		return 0;
	err = initramfs_open(&fs, why);
	if (err)
		return err;
	err = fill(run, &fs, why);
	if (!err)
		return initramfs_finish(&fs, &run->config.initrd, why);
	initramfs_close(&fs);
	return err;
}
