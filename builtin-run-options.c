/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The options of "lkvm run". Those that kvmtool and its forks have and lkvm has
 * not (yet) stand here too, so that they are refused by name: no option is
 * accepted and then ignored.
 */
#include "builtin-run.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "lkvm/arch.h"
#include "lkvm/clock.h"
#include "lkvm/confine.h"
#include "lkvm/failure.h"

#define NAME_MAX_LEN 64
#define MAX_SECONDS 1000000000ULL
#define MAX_DISK_QUEUES 16
#define MAX_DISK_SERIAL 20 /* VIRTIO_BLK_ID_BYTES */

/* Each setter gets the struct run_options as its target. */

static int set_cpus(const struct option *opt, const struct option_value *value,
		    void *target, struct failure *why)
{
	struct run_options *run = target;
	u64 cpus = 0;

	if (!value->negated && (!parse_u64(value->text, &cpus) || !cpus))
		return option_fail(opt, why, "%s is no number of CPUs",
				   value->text);
	run->config.cpus = cpus < UINT_MAX ? (unsigned int)cpus : UINT_MAX;
	return 0;
}

/* SIZE[@ADDRESS] */
static int set_mem(const struct option *opt, const struct option_value *value,
		   void *target, struct failure *why)
{
	struct run_options *run = target;
	u64 len = 0, base = 0;
	char size[32];
	size_t size_len;

	if (!value->negated) {
		size_len = strcspn(value->text, "@");
		if (size_len >= sizeof(size))
			return option_fail(opt, why, "%s is no size",
					   value->text);
		memcpy(size, value->text, size_len);
		size[size_len] = '\0';
		if (!parse_size(size, MIB, &len))
			return option_fail(
				opt, why,
				"%s is no size: a number and, unless "
				"it is MiB, a unit of BKMGTP",
				size);
		if (!len)
			return option_fail(opt, why,
					   "a VM without RAM cannot run");
		if (value->text[size_len] &&
		    !parse_size(value->text + size_len + 1, MIB, &base))
			return option_fail(opt, why, "%s is no address",
					   value->text + size_len + 1);
	}
	run->config.ram_len = len;
	run->config.ram_base = base;
	return 0;
}

/* How one word behind the path of a disk is set. @value is "" without "=". */
typedef bool disk_word_fn(struct disk_config *disk, const char *value);

static bool is_yes(const char *value, bool *out)
{
	*out = !*value || !strcmp(value, "on");
	return *out || !strcmp(value, "off");
}

static bool set_disk_ro(struct disk_config *disk, const char *value)
{
	return is_yes(value, &disk->read_only);
}

static bool set_disk_direct(struct disk_config *disk, const char *value)
{
	return is_yes(value, &disk->direct);
}

static bool set_disk_backing(struct disk_config *disk, const char *value)
{
	return is_yes(value, &disk->backing);
}

static bool set_disk_format(struct disk_config *disk, const char *value)
{
	disk->format = strcmp(value, "qcow2") ? DISK_FORMAT_RAW
					      : DISK_FORMAT_QCOW2;
	return !strcmp(value, "qcow2") || !strcmp(value, "raw");
}

static bool set_disk_queues(struct disk_config *disk, const char *value)
{
	u64 queues;

	if (!parse_u64(value, &queues) || !queues || queues > MAX_DISK_QUEUES)
		return false;
	disk->queues = (unsigned int)queues;
	return true;
}

/* The guest gets its characters as they are. */
static bool set_disk_serial(struct disk_config *disk, const char *value)
{
	const char *c;

	for (c = value; *c; c++)
		if (*c <= ' ' || *c > '~')
			return false;
	disk->serial = value;
	return *value && strlen(value) <= MAX_DISK_SERIAL;
}

static const struct disk_word {
	const char *name;
	disk_word_fn *set;
	const char *values;
} disk_words[] = {
	{ "ro", set_disk_ro, "on or off" },
	{ "readonly", set_disk_ro, "on or off" },
	{ "direct", set_disk_direct, "on or off" },
	{ "format", set_disk_format, "raw or qcow2" },
	{ "backing", set_disk_backing, "on or off" },
	{ "queues", set_disk_queues, "a number from 1 to 16" },
	{ "serial", set_disk_serial, "1 to 20 printable characters" },
};

/* @word is the user's, cut at its comma. */
static int set_disk_word(const struct option *opt, struct disk_config *disk,
			 char *word, struct failure *why)
{
	char *value = strchr(word, '=');
	unsigned int i;

	if (value)
		*value++ = '\0';
	for (i = 0; i < ARRAY_SIZE(disk_words); i++) {
		if (strcmp(word, disk_words[i].name))
			continue;
		if (disk_words[i].set(disk, value ? value : ""))
			return 0;
		return option_fail(opt, why, "%s: %s=%s: it is %s", disk->path,
				   word, value ? value : "",
				   disk_words[i].values);
	}
	return option_fail(opt, why,
			   "%s: %s is none of ro, direct, format=raw|qcow2, "
			   "backing=on|off, queues=N, serial=TEXT",
			   disk->path, word);
}

static int check_disk_words(const struct option *opt,
			    const struct disk_config *disk, struct failure *why)
{
	if (disk->backing && disk->format != DISK_FORMAT_QCOW2)
		return option_fail(opt, why,
				   "%s: backing=on is for format=qcow2",
				   disk->path);
	return 0;
}

static int check_disk_path(const struct option *opt, const char *path,
			   struct failure *why)
{
	if (!*path)
		return option_fail(opt, why, "needs the path of an image");
	return 0;
}

/* PATH, up to the first comma, is a directory. */
static bool names_directory(const char *text)
{
	size_t len = strcspn(text, ",");
	char path[PATH_MAX];
	struct stat st;

	if (len >= sizeof(path))
		return false;
	memcpy(path, text, len);
	path[len] = '\0';
	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* PATH[,WORD[=VALUE]]..., a directory, or scsi:WWPN */
static int set_disk(const struct option *opt, const struct option_value *value,
		    void *target, struct failure *why)
{
	struct run_options *run = target;
	struct kvm_config *config = &run->config;
	struct disk_config *disk;
	char *path, *word;
	int err;

	if (value->negated) {
		while (config->nr_disks)
			free(run->disk_paths[--config->nr_disks]);
		config->nr_scsi = 0;
		return 0;
	}
	if (!strncmp(value->text, "scsi:", 5))
		return run_add_scsi(opt, run, value->text + 5, why);
	if (names_directory(value->text))
		return run_set_root_share(opt, run, value->text, why);
	if (run_guest_take_root(run, value->text))
		return 0;
	if (config->nr_disks == CONFIG_MAX_DISKS)
		return option_fail(opt, why, "%s: at most %u disks",
				   value->text, CONFIG_MAX_DISKS);
	/* Path and words in one piece, which the config points into. */
	path = strdup(value->text);
	if (!path)
		return option_fail(opt, why, "out of memory");
	run->disk_paths[config->nr_disks] = path;
	disk = &config->disks[config->nr_disks++];
	*disk = (struct disk_config){ .path = path };

	word = path;
	strsep(&word, ",");
	while (word) {
		err = set_disk_word(opt, disk, strsep(&word, ","), why);
		if (err)
			return err;
	}
	err = check_disk_words(opt, disk, why);
	return err ? err : check_disk_path(opt, path, why);
}

/* One word behind the address of a device, of @len bytes. */
static int set_vfio_word(const struct option *opt, struct vfio_config *vfio,
			 const char *word, size_t len, struct failure *why)
{
	static const char romfile[] = "romfile=";

	if (len == 7 && !memcmp(word, "rom=off", len)) {
		vfio->rom_off = true;
	} else if (len > strlen(romfile) &&
		   !memcmp(word, romfile, strlen(romfile)) && !vfio->romfile) {
		vfio->romfile =
			strndup(word + strlen(romfile), len - strlen(romfile));
		if (!vfio->romfile)
			return option_fail(opt, why, "out of memory");
	} else {
		return option_fail(opt, why,
				   "%s: %.*s is none of rom=off, romfile=FILE",
				   vfio->name, (int)len, word);
	}
	return 0;
}

static void forget_vfio(struct kvm_config *config)
{
	while (config->nr_vfio)
		free((void *)(uintptr_t)config->vfio[--config->nr_vfio]
			     .romfile);
}

/* ADDRESS[,rom=off][,romfile=FILE] */
static int set_vfio(const struct option *opt, const struct option_value *value,
		    void *target, struct failure *why)
{
	struct run_options *run = target;
	struct kvm_config *config = &run->config;
	char address[32], name[VFIO_NAME_LEN];
	struct vfio_config *vfio;
	const char *word;
	size_t len;
	int err;

	if (value->negated) {
		forget_vfio(config);
		return 0;
	}
	len = strcspn(value->text, ",");
	snprintf(address, sizeof(address), "%.*s", (int)len, value->text);
	if (len >= sizeof(address) || !vfio_parse_address(address, name))
		return option_fail(opt, why,
				   "%s is no PCI address, as 0000:01:00.0; "
				   "\"lkvm vfio list\" shows them",
				   value->text);
	for (unsigned int i = 0; i < config->nr_vfio; i++)
		if (!strcmp(config->vfio[i].name, name))
			return option_fail(opt, why, "%s is given twice", name);
	if (config->nr_vfio == CONFIG_MAX_VFIO)
		return option_fail(opt, why, "%s: at most %u devices", name,
				   CONFIG_MAX_VFIO);
	vfio = &config->vfio[config->nr_vfio++];
	*vfio = (struct vfio_config){ .romfile = NULL };
	memcpy(vfio->name, name, sizeof(name));
	for (word = value->text + len; *word == ','; word += len) {
		len = strcspn(++word, ",");
		err = set_vfio_word(opt, vfio, word, len, why);
		if (err)
			return err;
	}
	return 0;
}

static int set_iommufd(const struct option *opt,
		       const struct option_value *value, void *target,
		       struct failure *why)
{
	struct run_options *run = target;

	/* Forks of kvmtool have it as a flag. */
	if (!value->negated && (!value->text || !strcmp(value->text, "on")))
		run->config.iommufd = IOMMUFD_ON;
	else if (value->negated || !strcmp(value->text, "auto"))
		run->config.iommufd = IOMMUFD_AUTO;
	else if (!strcmp(value->text, "off"))
		run->config.iommufd = IOMMUFD_OFF;
	else
		return option_fail(opt, why, "%s is none of auto, on, off",
				   value->text);
	return 0;
}

/* Is @text @name, or the beginning of it? */
static bool abbreviates(const char *text, const char *name)
{
	return *text && !strncmp(text, name, strlen(text));
}

static int set_console(const struct option *opt,
		       const struct option_value *value, void *target,
		       struct failure *why)
{
	struct run_options *run = target;

	if (value->negated || abbreviates(value->text, "serial"))
		run->config.console = CONSOLE_SERIAL;
	else if (abbreviates(value->text, "virtio"))
		run->config.console = CONSOLE_VIRTIO;
	else if (abbreviates(value->text, "hv"))
		return option_fail(opt, why,
				   "hv exists only on POWER: serial or virtio");
	else
		return option_fail(opt, why, "%s is neither serial nor virtio",
				   value->text);
	return 0;
}

static int set_tty(const struct option *opt, const struct option_value *value,
		   void *target, struct failure *why)
{
	struct run_options *run = target;
	u64 tty;

	if (value->negated) {
		memset(run->config.tty_pty, 0, sizeof(run->config.tty_pty));
		return 0;
	}
	if (!parse_u64(value->text, &tty) || tty >= CONFIG_MAX_TTYS)
		return option_fail(opt, why,
				   "%s is no serial port: there are 0 to %d",
				   value->text, CONFIG_MAX_TTYS - 1);
	run->config.tty_pty[tty] = true;
	return 0;
}

static int set_name(const struct option *opt, const struct option_value *value,
		    void *target, struct failure *why)
{
	struct run_options *run = target;
	const char *name = value->text, *c;

	if (!value->negated) {
		if (!*name || *name == '.' || strlen(name) > NAME_MAX_LEN)
			return option_fail(opt, why,
					   "%s: a name has 1 to %d characters, "
					   "the first one no dot",
					   name, NAME_MAX_LEN);
		for (c = name; *c; c++)
			if (*c == '/' || (unsigned char)*c < ' ' || *c == 0x7f)
				return option_fail(opt, why,
						   "slashes and control "
						   "characters cannot be part "
						   "of a name");
	}
	run->name = name;
	return 0;
}

static int set_loglevel(const struct option *opt,
			const struct option_value *value, void *target,
			struct failure *why)
{
	static const char *const names[] = {
		[LOG_LEVEL_ERROR] = "error",
		[LOG_LEVEL_WARNING] = "warning",
		[LOG_LEVEL_INFO] = "info",
		[LOG_LEVEL_DEBUG] = "debug",
	};
	struct run_options *run = target;
	unsigned int i;

	if (value->negated) {
		run->log_level = LOG_LEVEL_INFO;
		return 0;
	}
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(value->text, names[i])) {
			run->log_level = (enum log_level)i;
			return 0;
		}
	}
	return option_fail(opt, why,
			   "%s is none of error, warning, info, debug",
			   value->text);
}

static int set_debug(const struct option *opt, const struct option_value *value,
		     void *target, struct failure *why)
{
	struct run_options *run = target;

	run->log_level = value->negated ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
	return 0;
}

static int set_timeout(const struct option *opt,
		       const struct option_value *value, void *target,
		       struct failure *why)
{
	struct run_options *run = target;
	u64 seconds = 0;

	if (!value->negated &&
	    (!parse_u64(value->text, &seconds) || seconds > MAX_SECONDS))
		return option_fail(opt, why, "%s is no number of seconds",
				   value->text);
	run->config.timeout_ns = seconds * NSEC_PER_SEC;
	return 0;
}

static int set_iodelay(const struct option *opt,
		       const struct option_value *value, void *target,
		       struct failure *why)
{
	struct run_options *run = target;
	u64 ms = 0;

	if (!value->negated &&
	    (!parse_u64(value->text, &ms) || ms > MAX_SECONDS))
		return option_fail(opt, why, "%s is no number of milliseconds",
				   value->text);
	run->config.debug_iodelay_ns = ms * NSEC_PER_MSEC;
	return 0;
}

static int set_reboot(const struct option *opt,
		      const struct option_value *value, void *target,
		      struct failure *why)
{
	struct run_options *run = target;

	if (value->negated || !strcmp(value->text, "exit"))
		run->config.reboot = REBOOT_EXIT;
	else if (!strcmp(value->text, "restart"))
		run->config.reboot = REBOOT_RESTART;
	else
		return option_fail(opt, why, "%s is neither exit nor restart",
				   value->text);
	return 0;
}

int run_parse_transport(const struct option *opt, const char *name,
			enum virtio_transport_kind *kind, struct failure *why)
{
	static const struct transport {
		const char *name;
		enum virtio_transport_kind kind;
		bool is_mmio;
	} transports[] = {
		{ "pci", VIRTIO_TRANSPORT_PCI, false },
		{ "pci-legacy", VIRTIO_TRANSPORT_PCI_LEGACY, false },
		{ "mmio", VIRTIO_TRANSPORT_MMIO, true },
		{ "mmio-legacy", VIRTIO_TRANSPORT_MMIO_LEGACY, true },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(transports); i++) {
		const struct transport *t = &transports[i];

		if (strcmp(name, t->name) != 0)
			continue;
		if (t->is_mmio && !arch_has_virtio_mmio)
			return option_fail(opt, why,
					   "this machine has no %s: pci or "
					   "pci-legacy",
					   name);
		*kind = t->kind;
		return 0;
	}
	return option_fail(opt, why,
			   "there is no transport %s: it is one of pci, "
			   "pci-legacy%s",
			   name,
			   arch_has_virtio_mmio ? ", mmio, mmio-legacy" : "");
}

static int set_transport(const struct option *opt,
			 const struct option_value *value, void *target,
			 struct failure *why)
{
	struct run_options *run = target;

	return run_parse_transport(opt, value->negated ? "pci" : value->text,
				   &run->config.virtio_transport, why);
}

/* kvmtool's older way to say it. */
static int set_virtio_legacy(const struct option *opt,
			     const struct option_value *value, void *target,
			     struct failure *why)
{
	struct run_options *run = target;

	run->config.virtio_transport = value->negated
					       ? VIRTIO_TRANSPORT_PCI
					       : VIRTIO_TRANSPORT_PCI_LEGACY;
	return 0;
}

static int set_confine(const struct option *opt,
		       const struct option_value *value, void *target,
		       struct failure *why)
{
	struct run_options *run = target;

	if (value->negated)
		run->confine = CONFINE_DEFAULT;
	else if (!strcmp(value->text, "on"))
		run->confine = CONFINE_ON;
	else if (!strcmp(value->text, "log"))
		run->confine = CONFINE_LOG;
	else if (!strcmp(value->text, "off"))
		run->confine = CONFINE_OFF;
	else
		return option_fail(opt, why, "%s is none of on, log, off",
				   value->text);
	if ((run->confine == CONFINE_ON || run->confine == CONFINE_LOG) &&
	    !confine_is_built_in())
		return option_fail(
			opt, why,
			"%s: this lkvm was built without libseccomp, "
			"or with sanitizers: it has no filters",
			value->text);
	return 0;
}

/* kvmtool's: in a root file system of lkvm's own nobody asks for an address. */
static int ignore_no_dhcp(const struct option *opt,
			  const struct option_value *value, void *target,
			  struct failure *why)
{
	return 0;
}

#define FLAG(member)                                                           \
	.set = option_set_flag, .offset = offsetof(struct run_options, member)
#define STRING(member)                                                         \
	.set = option_set_string, .offset = offsetof(struct run_options, member)

#define NOT_YET " not in this version of lkvm"
#define NO_VFIO "this way of passing host devices through is" NOT_YET
#define NO_CCA "Arm CCA realms are" NOT_YET
#define NO_PKVM "protected VMs (pKVM) are" NOT_YET
#define RISCV_ONLY "this option is for RISC-V guests"

const struct option run_option_table[] = {
	{ .heading = "Machine" },
	{ .name = "cpus",
	  .letter = 'c',
	  .arg = "N",
	  .help = "number of CPUs (default: those of the host)",
	  .set = set_cpus },
	{ .name = "mem",
	  .letter = 'm',
	  .arg = "SIZE",
	  .help = "RAM, in MiB or with a unit of BKMGTP",
	  .set = set_mem },
	{ .name = "disk",
	  .letter = 'd',
	  .arg = "IMAGE[,ro][,direct][,...]",
	  .help = "image or block device, raw unless ,format=qcow2",
	  .set = set_disk },
	{ .name = "9p",
	  .arg = "DIR[,TAG][,ro]",
	  .help = "share a directory, to be mounted as TAG (kvm_9p)",
	  .set = run_set_9p },
	{ .name = "rng",
	  .help = "random numbers from the host",
	  FLAG(config.rng) },
	{ .name = "balloon",
	  .help = "memory that the guest does not need goes back to the host",
	  FLAG(config.balloon) },
	{ .name = "console",
	  .arg = "serial|virtio",
	  .help = "what standard input and output are to the guest",
	  .set = set_console },
	{ .name = "port",
	  .arg = "NAME=pty|file:PATH|unix:PATH",
	  .help = "a port of the guest's virtio console; again for more",
	  .set = run_add_port,
	  .flags = OPTION_LOW_PRIORITY },
	{ .name = "tty",
	  .arg = "N",
	  .help = "serial port N (0 to 3) on a new pty of the host",
	  .set = set_tty },
	{ .name = "network",
	  .letter = 'n',
	  .arg = "mode=tap|user|none,...",
	  .help = "network card; again for more (default: mode=user)",
	  .set = run_set_network,
	  .flags = OPTION_LAST_ARG_OPTIONAL },
	{ .name = "vsock",
	  .arg = "CID",
	  .help = "sockets between host and guest, which has address CID",
	  .set = run_set_vsock },
	{ .name = "virtio-transport",
	  .arg = "NAME",
	  .help = "how the guest finds virtio devices: pci, pci-legacy, and "
		  "mmio, mmio-legacy on arm64",
	  .set = set_transport },
	{ .name = "virtio-legacy",
	  .help = "as --virtio-transport pci-legacy",
	  .set = set_virtio_legacy },
	{ .name = "vfio-pci",
	  .arg = "ADDRESS[,rom=off][,romfile=FILE]",
	  .help = "pass a PCI device of the host through; again for more",
	  .set = set_vfio },
	{ .name = "iommufd",
	  .arg = "auto|on|off",
	  .help = "pass devices through with iommufd (default: where it is)",
	  .set = set_iommufd,
	  .flags = OPTION_LOW_PRIORITY | OPTION_LAST_ARG_OPTIONAL },
	{ .name = "hugetlbfs",
	  .arg = "DIR",
	  .help = "take RAM from the hugetlbfs mounted at DIR",
	  STRING(config.hugetlbfs) },
	{ .name = "nodefaults",
	  .help = "pass the kernel --params and nothing else",
	  FLAG(nodefaults) },
	{ .name = "name",
	  .arg = "NAME",
	  .help = "name of this VM (default: guest-PID)",
	  .set = set_name },
	{ .name = "config",
	  .arg = "FILE",
	  .help = "options from a JSON file, or - for standard input",
	  .set = run_set_config,
	  .flags = OPTION_LOW_PRIORITY },
	{ .name = "print-config",
	  .help = "print the options as such a file, and do no more",
	  FLAG(print_config),
	  .flags = OPTION_LOW_PRIORITY },
	{ .name = "dev",
	  .arg = "PATH",
	  .help = "KVM device (default: /dev/kvm)",
	  STRING(kvm_path) },

	{ .heading = "Kernel" },
	{ .name = "kernel",
	  .letter = 'k',
	  .arg = "FILE",
	  .help = "kernel to boot; the manual page lists the formats",
	  STRING(kernel) },
	{ .name = "initrd",
	  .letter = 'i',
	  .arg = "FILE",
	  .help = "initial RAM disk, as it is",
	  STRING(initrd) },
	{ .name = "params",
	  .letter = 'p',
	  .arg = "TEXT",
	  .help = "kernel parameters, behind lkvm's own",
	  STRING(params) },
	{ .name = "modules",
	  .arg = "DIR",
	  .help = "the kernel's modules, for a root file system of lkvm's own "
		  "(default: /lib/modules/RELEASE)",
	  STRING(guest.modules),
	  .flags = OPTION_LOW_PRIORITY },
	{ .name = "sandbox",
	  .arg = "SCRIPT",
	  .help = "what a root file system of lkvm's own runs instead of a "
		  "shell",
	  STRING(guest.script) },
	{ .name = "no-dhcp", .set = ignore_no_dhcp },

	{ .heading = "Display" },
	{ .name = "sdl",
	  .help = "a window, with keyboard and pointer",
	  .set = run_set_sdl },
	{ .name = "vnc",
	  .arg = "ADDRESS",
	  .help = "VNC server at [HOST]:PORT or unix:PATH; default: loopback; "
		  ",password-file=FILE",
	  .set = run_set_vnc,
	  .flags = OPTION_ARG_OPTIONAL },
	{ .name = "vidmode",
	  .arg = "WxH",
	  .help = "size of the screen at start (default: 1024x768)",
	  .set = run_set_vidmode },

	{ .heading = "End of the VM" },
	{ .name = "timeout",
	  .arg = "SECONDS",
	  .help = "end the VM after that time, status 124",
	  .set = set_timeout,
	  .flags = OPTION_LOW_PRIORITY },
	{ .name = "reboot",
	  .arg = "exit|restart",
	  .help = "what a guest's reset does (default: exit)",
	  .set = set_reboot,
	  .flags = OPTION_LOW_PRIORITY },
	{ .name = "extended-status",
	  .help = "status 32, not 0, when the guest resets",
	  FLAG(config.extended_status),
	  .flags = OPTION_LOW_PRIORITY },

	{ .name = "result",
	  .arg = "FILE",
	  .help = "write how it ended to FILE, one JSON object",
	  STRING(result_path),
	  .flags = OPTION_LOW_PRIORITY },
	{ .name = "log",
	  .arg = "FILE",
	  .help = "add a copy of lkvm's messages to FILE",
	  STRING(log_path),
	  .flags = OPTION_LOW_PRIORITY },

	{ .heading = "Security" },
	{ .name = "confine",
	  .arg = "on|log|off",
	  .help = "confine lkvm's threads (default: on); log: only tell dmesg",
	  .set = set_confine,
	  .flags = OPTION_LOW_PRIORITY },

	{ .heading = "Debugging" },
	{ .name = "loglevel",
	  .arg = "error|warning|info|debug",
	  .help = "print messages from there up (default: info)",
	  .set = set_loglevel },
	{ .name = "debug", .help = "as --loglevel debug", .set = set_debug },
	{ .name = "dump-pci",
	  .help = "print the PCI tree when the VM ends, and at SIGUSR2",
	  FLAG(config.dump_pci),
	  .flags = OPTION_LOW_PRIORITY },
	{ .name = "debug-single-step",
	  .help = "log the registers at every instruction",
	  FLAG(config.debug_single_step) },
	{ .name = "debug-ioport",
	  .help = "log accesses to ports where no device is",
	  FLAG(config.debug_ioport) },
	{ .name = "debug-mmio",
	  .help = "log accesses to memory where nothing is",
	  FLAG(config.debug_mmio) },
	{ .name = "debug-iodelay",
	  .arg = "MS",
	  .help = "add so many milliseconds to each disk request",
	  .set = set_iodelay },

	/* kvmtool's, still to come. */
	OPTION_REFUSE("gtk", NULL, "GTK is not supported: --sdl or --vnc is"),

	/* Of forks of kvmtool. */
	OPTION_REFUSE_FORK("realm", NULL, NO_CCA),
	OPTION_REFUSE_FORK("restricted_mem", NULL, NO_CCA),
	OPTION_REFUSE_FORK("measurement-algo", "NAME", NO_CCA),
	OPTION_REFUSE_FORK("realm-pv", "TEXT", NO_CCA),
	OPTION_REFUSE_FORK("sve-vl", "BITS", NO_CCA),
	OPTION_REFUSE_FORK("protected", NULL, NO_PKVM),
	OPTION_REFUSE_FORK("protected-ffa", NULL, NO_PKVM),
	OPTION_REFUSE_FORK("iommufd-vdevice", NULL, NO_VFIO),
	OPTION_REFUSE_FORK("vfio-bounce-buffer", "N", NO_VFIO),
	OPTION_REFUSE_FORK("disable-ssaia", NULL, RISCV_ONLY),
	OPTION_REFUSE_FORK("disable-sstc", NULL, RISCV_ONLY),
	OPTION_REFUSE_FORK("disable-sbi-sta", NULL, RISCV_ONLY),
	{ .more = arch_run_options },
};

const struct option sandbox_option_table[] = {
	{ .heading = "Command" },
	{ .name = "user",
	  .help = "run it as you rather than as the guest's root",
	  FLAG(guest.as_user),
	  .flags = OPTION_LOW_PRIORITY },
	{ .more = run_option_table },
};

/* The plain word is the kernel. */
static int take_word(const char *word, void *target, struct failure *why)
{
	struct run_options *run = target;

	if (run->word)
		return fail(why, -EINVAL,
			    "two kernels: %s and %s, or one too many words",
			    run->word, word);
	run->word = word;
	return 0;
}

static int parse(struct run_options *run, const struct option_grammar *grammar,
		 int argc, char *const *argv, struct failure *why)
{
	int err;

	*run = (struct run_options){
		.config = {
			.kvm_fd = -1,
			.kernel = IMAGE_NONE,
			.initrd = IMAGE_NONE,
			.firmware = IMAGE_NONE,
			.arch = arch_config_create(),
		},
		.guest.own_fd = -1,
		.log_level = LOG_LEVEL_INFO,
	};
	if (!run->config.arch)
		return fail(why, -ENOMEM, "out of memory");
	err = options_parse(grammar, argc, argv, run, why);
	if (err)
		return err;
	if (run->word && run->kernel)
		return fail(why, -EINVAL,
			    "two kernels: --kernel %s and the word %s",
			    run->kernel, run->word);
	if (run->word)
		run->kernel = run->word;
	if (run->kernel && run->config.firmware_path)
		return fail(why, -EINVAL,
			    "--firmware %s and kernel %s: one of the two boots",
			    run->config.firmware_path, run->kernel);
	return 0;
}

int run_options_parse(struct run_options *run, int argc, char *const *argv,
		      struct failure *why)
{
	static const struct option_grammar grammar = {
		.command = "run",
		.options = run_option_table,
		.word = take_word,
		.note = run_note_option,
	};

	return parse(run, &grammar, argc, argv, why);
}

static int count_word(const char *word, void *target, struct failure *why)
{
	struct run_options *run = target;

	run->guest.nr_words++;
	return 0;
}

int run_options_parse_sandbox(struct run_options *run, int argc,
			      char *const *argv, struct failure *why)
{
	static const struct option_grammar grammar = {
		.command = "sandbox",
		.options = sandbox_option_table,
		.word = count_word,
		.note = run_note_option,
		.words_end_options = true,
	};
	int err = parse(run, &grammar, argc, argv, why);

	run->guest.is_sandbox = true;
	run->guest.words = argv + argc - run->guest.nr_words;
	if (!err && !run_guest_has_command(run))
		return fail(why, -EINVAL,
			    "which command? lkvm sandbox -- COMMAND");
	return err;
}

void run_options_release(struct run_options *run)
{
	run_guest_release(run);
	run_close_networks(run);
	image_release(&run->config.kernel);
	image_release(&run->config.initrd);
	image_release(&run->config.firmware);
	arch_config_destroy(run->config.arch);
	run_release_json(run);
	forget_vfio(&run->config);
	free(run->cmdline);
	free(run->vnc_address);
	while (run->config.nr_disks)
		free(run->disk_paths[--run->config.nr_disks]);
	run_drop_shares(run);
}
