/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lkvm doctor: what this host can and cannot do, with the cure for what it
 * cannot. Looks, and changes nothing; only --run starts a VM.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include "lkvm/arch.h"
#include "lkvm/builtin.h"
#include "lkvm/confine.h"
#include "lkvm/failure.h"
#include "lkvm/host.h"
#include "lkvm/json.h"
#include "lkvm/log.h"

#define TEXT_LEN 512

enum verdict {
	GOOD,
	LIMITED, /* something is slower, or an option will not work */
	BAD,	 /* no VM can run */
};

struct doctor {
	bool json, run;
	const char *kvm_path;
	int kvm_fd; /* -1: there is none */
	json_t *report;
	bool is_bad;
};

static const struct option doctor_options[] = {
	{ .name = "json",
	  .help = "one JSON object",
	  .set = option_set_flag,
	  .offset = offsetof(struct doctor, json) },
	{ .name = "run",
	  .help = "boot a tiny guest to prove it",
	  .set = option_set_flag,
	  .offset = offsetof(struct doctor, run) },
	{ .name = "dev",
	  .arg = "PATH",
	  .help = "KVM device (default: /dev/kvm)",
	  .set = option_set_string,
	  .offset = offsetof(struct doctor, kvm_path) },
	{ .name = NULL },
};

/* @cure NULL: there is nothing to do. */
static void say(struct doctor *doctor, const char *what, enum verdict verdict,
		const char *text, const char *cure)
{
	static const char *const words[] = { "ok", "limited", "bad" };
	json_t *entry;

	doctor->is_bad |= verdict == BAD;
	if (!doctor->json) {
		printf("%-8s %-11s %s%s%s\n", words[verdict], what, text,
		       cure ? ": " : "", cure ? cure : "");
		return;
	}
	entry = json_object();
	json_object_set_new(entry, "verdict", json_string(words[verdict]));
	json_object_set_new(entry, "text", json_text(text));
	if (cure)
		json_object_set_new(entry, "cure", json_text(cure));
	json_object_set_new(doctor->report, what, entry);
}

/* The first line of @path, or false. */
static bool read_line(const char *path, char *text, size_t len)
{
	FILE *file = fopen(path, "re");
	bool ok = file && fgets(text, (int)len, file);

	if (file)
		fclose(file);
	if (ok)
		text[strcspn(text, "\n")] = '\0';
	return ok;
}

static bool exists(const char *path)
{
	return !access(path, F_OK);
}

/* ---- KVM ---- */

static void check_kvm(struct doctor *doctor)
{
	struct failure why = FAILURE_INIT;
	char text[TEXT_LEN];

	doctor->kvm_fd = host_open_kvm(doctor->kvm_path, &why);
	if (doctor->kvm_fd < 0) {
		say(doctor, "kvm", BAD, why.text, NULL);
		return;
	}
	snprintf(text, sizeof(text), "%s, VMs of up to %u CPUs",
		 doctor->kvm_path, host_max_vcpus(doctor->kvm_fd));
	say(doctor, "kvm", GOOD, text, NULL);
}

/* Adds to @text, of TEXT_LEN, the names of those of @caps that there are. */
static void add_caps(const struct doctor *doctor, const struct arch_cap *caps,
		     char *text)
{
	for (; caps->name; caps++) {
		size_t used = strlen(text);

		if (ioctl(doctor->kvm_fd, KVM_CHECK_EXTENSION, caps->cap) > 0)
			snprintf(text + used, TEXT_LEN - used, "%s%s",
				 used ? " " : "", caps->name);
	}
}

/* Capabilities that decide what an option can do. */
static void check_capabilities(struct doctor *doctor)
{
	static const struct arch_cap caps[] = {
		{ KVM_CAP_IRQFD_RESAMPLE, "irqfd-resample" },
		{ KVM_CAP_READONLY_MEM, "read-only-memory" },
		{ KVM_CAP_IOEVENTFD_ANY_LENGTH, "ioeventfd-any-length" },
		{ KVM_CAP_SET_GUEST_DEBUG, "guest-debug" },
		{ 0, NULL },
	};
	char text[TEXT_LEN] = "";

	if (doctor->kvm_fd < 0)
		return;
	add_caps(doctor, caps, text);
	add_caps(doctor, arch_optional_caps, text);
	say(doctor, "extensions", GOOD, text, NULL);
}

static void check_nested(struct doctor *doctor)
{
	char on[8] = "";

	if (!read_line("/sys/module/kvm_intel/parameters/nested", on,
		       sizeof(on)) &&
	    !read_line("/sys/module/kvm_amd/parameters/nested", on, sizeof(on)))
		say(doctor, "nested", LIMITED,
		    "guests cannot have VMs of their own, or KVM is built in "
		    "and does not say",
		    NULL);
	else if (*on == 'Y' || *on == '1')
		say(doctor, "nested", GOOD, "guests can have VMs of their own",
		    NULL);
	else
		say(doctor, "nested", LIMITED,
		    "guests have no VMs of their own",
		    "load kvm_intel or kvm_amd with nested=1");
}

/* ---- Devices ---- */

static unsigned int count_files(const char *path)
{
	DIR *dir = opendir(path);
	unsigned int nr = 0;
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		nr += entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return nr;
}

static void check_iommu(struct doctor *doctor)
{
	unsigned int groups = count_files("/sys/kernel/iommu_groups");
	char text[TEXT_LEN];

	snprintf(text, sizeof(text), "%u groups of devices", groups);
	if (!groups)
		say(doctor, "iommu", LIMITED,
		    "off: no device can be passed through",
		    "turn it on in the firmware (VT-d, AMD-Vi, SMMU), on Intel "
		    "also with intel_iommu=on for the host's kernel");
	else
		say(doctor, "iommu", GOOD, text, NULL);
}

static void check_vfio(struct doctor *doctor)
{
	if (!exists("/sys/bus/pci/drivers/vfio-pci"))
		say(doctor, "vfio", LIMITED, "vfio-pci is not loaded",
		    "modprobe vfio-pci");
	else if (exists("/dev/iommu"))
		say(doctor, "vfio", GOOD, "vfio-pci, with iommufd", NULL);
	else
		say(doctor, "vfio", GOOD, "vfio-pci", NULL);
}

/* A device that an option opens. */
static void check_node(struct doctor *doctor, const char *what,
		       const char *path, const char *missing)
{
	char cure[TEXT_LEN];
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		say(doctor, what, GOOD, path, NULL);
		return;
	}
	snprintf(cure, sizeof(cure), "%s",
		 errno == EACCES || errno == EPERM
			 ? "get the permission: ls -l says whose it is"
			 : missing);
	say(doctor, what, LIMITED, path, cure);
}

/* ---- Memory ---- */

static void check_hugepages(struct doctor *doctor)
{
	unsigned long long pages = 0;
	char line[32];
	glob_t found;

	if (!glob("/sys/kernel/mm/hugepages/*/nr_hugepages", 0, NULL, &found)) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			if (read_line(found.gl_pathv[i], line, sizeof(line)))
				pages += strtoull(line, NULL, 10);
		globfree(&found);
	}
	if (pages)
		say(doctor, "hugepages", GOOD, "some are reserved", NULL);
	else
		say(doctor, "hugepages", LIMITED, "none for --hugetlbfs",
		    "echo N >/proc/sys/vm/nr_hugepages, and mount a hugetlbfs");
}

static void check_memlock(struct doctor *doctor)
{
	struct rlimit limit;
	char text[TEXT_LEN];

	if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
		return;
	if (limit.rlim_cur == RLIM_INFINITY) {
		say(doctor, "memlock", GOOD, "unlimited", NULL);
		return;
	}
	snprintf(text, sizeof(text), "%llu KiB may be locked",
		 (unsigned long long)limit.rlim_cur / KIB);
	say(doctor, "memlock", LIMITED, text,
	    "a passed-through device locks all of the guest's RAM: ulimit -l, "
	    "LimitMEMLOCK= or /etc/security/limits.conf");
}

/* ---- lkvm itself ---- */

static void check_libraries(struct doctor *doctor)
{
	char text[TEXT_LEN];

	snprintf(text, sizeof(text), "xz %s, gzip %s, zstd %s",
		 CONFIG_LIBLZMA ? "yes" : "no", CONFIG_ZLIB ? "yes" : "no",
		 CONFIG_LIBZSTD ? "yes" : "no");
	if (CONFIG_LIBLZMA && CONFIG_ZLIB && CONFIG_LIBZSTD)
		say(doctor, "kernels", GOOD, text, NULL);
	else
		say(doctor, "kernels", LIMITED, text,
		    "guests unpack the others by themselves, slower: build "
		    "lkvm with liblzma, zlib and libzstd");
}

static void check_confinement(struct doctor *doctor)
{
	if (!confine_is_built_in())
		say(doctor, "confinement", LIMITED, "not built in",
		    "build lkvm with libseccomp 2.5 or later");
	else if (!exists("/proc/sys/kernel/seccomp/actions_avail"))
		say(doctor, "confinement", LIMITED,
		    "this kernel has no seccomp filters", NULL);
	else
		say(doctor, "confinement", GOOD, "system calls are filtered",
		    NULL);
}

/* ---- The proof ---- */

/* After it this process is confined: see --confine. */
static void check_run(struct doctor *doctor)
{
	char words[][32] = {
		"--nodefaults", "--extended-status", "-c1",
		"-m64",		"--loglevel=error",  "--timeout=30"
	};
	char kernel[32], dev[PATH_MAX];
	char *argv[ARRAY_SIZE(words) + 2] = { kernel, dev };
	int fd = memfd_create("tiny guest", MFD_CLOEXEC);
	int status;

	if (fd < 0 || write(fd, arch_tiny_guest, arch_tiny_guest_len) !=
			      (ssize_t)arch_tiny_guest_len) {
		say(doctor, "run", BAD, strerror(errno), NULL);
		return;
	}
	snprintf(kernel, sizeof(kernel), "/proc/self/fd/%d", fd);
	snprintf(dev, sizeof(dev), "--dev=%s", doctor->kvm_path);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		argv[i + 2] = words[i];
	status = run_command.run(ARRAY_SIZE(argv), argv);
	if (status == STATUS_RESET)
		say(doctor, "run", GOOD, "a guest ran, and reset itself", NULL);
	else
		say(doctor, "run", BAD, "no guest runs here",
		    "the message above says why");
	close(fd);
}

static void examine(struct doctor *doctor)
{
	check_kvm(doctor);
	check_capabilities(doctor);
	check_nested(doctor);
	check_iommu(doctor);
	check_vfio(doctor);
	check_node(doctor, "tun", "/dev/net/tun", "modprobe tun");
	check_node(doctor, "vhost-net", "/dev/vhost-net", "modprobe vhost_net");
	check_node(doctor, "vhost-vsock", "/dev/vhost-vsock",
		   "modprobe vhost_vsock");
	check_hugepages(doctor);
	check_memlock(doctor);
	check_libraries(doctor);
	check_confinement(doctor);
	if (doctor->kvm_fd >= 0)
		close(doctor->kvm_fd);
	/* What was found is out before something could go wrong. */
	fflush(stdout);
	if (doctor->run)
		check_run(doctor);
	if (doctor->json) {
		json_dumpf(doctor->report, stdout, JSON_INDENT(2));
		putchar('\n');
	}
}

static int doctor_main(int argc, char **argv)
{
	static const struct option_grammar grammar = {
		.command = "doctor",
		.options = doctor_options,
	};
	struct doctor doctor = { .kvm_path = "/dev/kvm" };
	struct failure why = FAILURE_INIT;

	switch (options_parse(&grammar, argc, argv, &doctor, &why)) {
	case 0:
		break;
	case OPTIONS_HELP:
		help_print_command(&doctor_command);
		return STATUS_OK;
	default:
		log_error("doctor: %s", why.text);
		return STATUS_USAGE;
	}
	if (!doctor.kvm_path)
		doctor.kvm_path = "/dev/kvm";
	json_prepare();
	doctor.report = json_object();
	examine(&doctor);
	json_decref(doctor.report);
	return doctor.is_bad ? STATUS_HOST : STATUS_OK;
}

const struct command doctor_command = {
	.name = "doctor",
	.summary = "say what this host can do, and what would help",
	.usage = "lkvm doctor [OPTIONS]",
	.notes = "Exit status: 0 VMs can run here, 77 they cannot.",
	.options = doctor_options,
	.run = doctor_main,
};
