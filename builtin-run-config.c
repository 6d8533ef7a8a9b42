/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the command line did not say: how many CPUs, how much RAM, which kernel,
 * and the parameters that kernel gets.
 */
#include "builtin-run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "lkvm/arch.h"
#include "lkvm/failure.h"
#include "lkvm/host.h"

/* Bytes of RAM that the host has. */
static u64 host_ram(void)
{
	struct sysinfo info;

	if (sysinfo(&info))
		return UINT64_MAX;
	return (u64)info.totalram * info.mem_unit;
}

u64 run_default_ram(unsigned int cpus, u64 host)
{
	u64 ram = 64 * MIB * ((u64)cpus + 3);
	u64 most = host / 5 * 4;

	return ram < most ? ram : most;
}

static void choose_cpus(struct kvm_config *config)
{
	unsigned int max = host_max_vcpus(config->kvm_fd);
	long online;

	if (!config->cpus) {
		online = sysconf(_SC_NPROCESSORS_ONLN);
		config->cpus = online > 0 ? (unsigned int)online : 1;
		/* Nobody asked for that many: no warning. */
		if (config->cpus > max)
			config->cpus = max;
	}
	if (config->cpus > max) {
		log_warning("--cpus %u: this host runs VMs of at most %u CPUs, "
			    "going on with %u",
			    config->cpus, max, max);
		config->cpus = max;
	}
}

static int choose_ram(struct kvm_config *config, struct failure *why)
{
	u64 page = (u64)sysconf(_SC_PAGESIZE);
	u64 host = host_ram();
	u64 len = config->ram_len;

	if (!len)
		len = align_down(run_default_ram(config->cpus, host), page);
	if (len > UINT64_MAX - page)
		return fail(why, -EINVAL, "--mem: more than addresses reach");
	config->ram_len = align_up(len, page);
	if (len > host)
		log_warning("--mem: %llu MiB are more than the %llu MiB that "
			    "this host has",
			    (unsigned long long)(len / MIB),
			    (unsigned long long)(host / MIB));
	return 0;
}

/*
 * Without -k: the places where a kernel was just built or is installed.
 * @path is where the one found is stored.
 */
static int find_kernel(char *path, size_t path_len, struct failure *why)
{
	char tried[384] = "";
	struct utsname host;
	size_t used = 0;
	unsigned int i;

	if (uname(&host))
		return fail(why, -errno, "uname: %s", strerror(errno));
	for (i = 0; arch_kernel_places[i]; i++) {
		const char *place = arch_kernel_places[i];
		const char *release = strchr(place, '%');
		int prefix = release ? (int)(release - place) : -1;

		snprintf(path, path_len, "%.*s%s", prefix, place,
			 release ? host.release : "");
		if (!access(path, R_OK))
			return 0;
		if (used < sizeof(tried))
			used += (size_t)snprintf(tried + used,
						 sizeof(tried) - used, "%s%s",
						 i ? ", " : "", path);
	}
	return fail(why, -ENOENT,
		    "no kernel: give one with --kernel; looked for %s", tried);
}

static int open_images(struct run_options *run, struct failure *why)
{
	struct kvm_config *config = &run->config;
	int err;

	if (config->firmware_path) {
		if (run->initrd)
			log_warning("--initrd %s: not used: firmware loads "
				    "what it boots by itself",
				    run->initrd);
		return image_open(&config->firmware, config->firmware_path,
				  "firmware", why);
	}
	if (!run->kernel) {
		err = find_kernel(run->kernel_storage,
				  sizeof(run->kernel_storage), why);
		if (err)
			return err;
		run->kernel = run->kernel_storage;
	}
	err = image_open(&config->kernel, run->kernel, "kernel", why);
	if (err || !run->initrd)
		return err;
	return image_open(&config->initrd, run->initrd, "initrd", why);
}

/* Is there a kernel parameter that begins with @start (as "root=")? */
static bool has_param(const char *params, const char *start)
{
	const char *at = params;

	while (at && (at = strstr(at, start))) {
		if (at == params || at[-1] == ' ')
			return true;
		at++;
	}
	return false;
}

/* One string of those of @words that are neither NULL nor empty. */
static char *join_words(const char *const *words, unsigned int nr)
{
	size_t len = 1, used = 0;
	unsigned int i;
	char *line;

	for (i = 0; i < nr; i++)
		if (words[i])
			len += strlen(words[i]) + 1;
	line = malloc(len);
	if (!line)
		return NULL;
	line[0] = '\0';
	for (i = 0; i < nr; i++)
		if (words[i] && *words[i])
			used += (size_t)snprintf(line + used, len - used,
						 "%s%s", used ? " " : "",
						 words[i]);
	return line;
}

/*
 * Where the root file system is. Shared mappings, which package managers write
 * to, want a cache; mmap is the one that lets others change files.
 */
static void add_root(const struct run_options *run, const char *words[2])
{
	const struct kvm_config *config = &run->config;
	bool read_only = false;

	if (has_param(run->params, "root="))
		return;
	if (run->has_root_share) {
		words[0] = "root=/dev/root rootfstype=9p "
			   "rootflags=trans=virtio,version=9p2000.L,cache=mmap";
		read_only = run->root_share_is_ro;
	} else if (config->nr_disks) {
		words[0] = "root=/dev/vda";
		read_only = config->disks[0].read_only;
	} else {
		return;
	}
	words[1] = read_only ? "ro" : "rw";
}

int run_build_cmdline(struct run_options *run, struct failure *why)
{
	struct kvm_config *config = &run->config;
	const char *words[7] = { NULL };

	if (!run->nodefaults && !config->firmware_path) {
		/* A kernel that panics ends, as scripts that boot guests expect. */
		words[0] = "panic=1";
		if (!has_param(run->params, "console=")) {
			/* The last one is /dev/console. */
			if (config->display.kind != DISPLAY_NONE)
				words[1] = "console=tty0";
			words[2] = config->console == CONSOLE_VIRTIO &&
						   !config->hidden_console
					   ? "console=hvc0"
					   : "console=ttyS0";
		}
		if (run->guest.root == GUEST_ROOT_OTHER)
			add_root(run, &words[3]);
		if (config->hidden_console)
			words[5] = "quiet";
	}
	words[6] = run->params;
	run->cmdline = join_words(words, ARRAY_SIZE(words));
	if (!run->cmdline)
		return fail(why, -ENOMEM, "out of memory");
	config->cmdline = run->cmdline;
	return 0;
}

int run_config_complete(struct run_options *run, struct failure *why)
{
	struct kvm_config *config = &run->config;
	int err;

	choose_cpus(config);
	err = choose_ram(config, why);
	if (err)
		return err;
	if (!run->name) {
		snprintf(run->name_storage, sizeof(run->name_storage),
			 "guest-%d", (int)getpid());
		run->name = run->name_storage;
	}
	config->name = run->name;
	err = run_complete_display(run, why);
	if (!err)
		err = open_images(run, why);
	if (!err)
		err = run_guest_choose(run, why);
	if (!err)
		err = run_build_cmdline(run, why);
	if (!err)
		err = run_open_networks(run, why);
	return err ? err : run_guest_prepare(run, why);
}
