/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Performance counters: KVM lends the guest those of the host's CPUs. Where the
 * host has CPUs of several kinds, each kind is a PMU of its own, and the guest
 * gets the one of the CPUs that it is pinned to, or of the current CPU.
 */
#include "arm/pmu.h"

#include <dirent.h>
#include <errno.h>
#include <linux/kvm.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "arm/cpulist.h"
#include "arm/gic.h"
#include "arm/machine.h"
#include "lkvm/kvm.h"
#include "lkvm/options.h"
#include "lkvm/vcpu.h"

#define PMU_FOLDER "/sys/bus/event_source/devices"

/* One line of the file @name of PMU @pmu. */
static bool read_line(const char *pmu, const char *name, char *line, size_t len)
{
	char path[512];
	FILE *file;
	bool ok;

	snprintf(path, sizeof(path), PMU_FOLDER "/%s/%s", pmu, name);
	file = fopen(path, "re");
	if (!file)
		return false;
	ok = fgets(line, (int)len, file) != NULL;
	fclose(file);
	line[ok ? strcspn(line, "\n") : 0] = '\0';
	return ok;
}

static bool covers(const char *pmu, const cpu_set_t *wanted)
{
	char line[1024];
	cpu_set_t cpus, both;

	if (!read_line(pmu, "cpus", line, sizeof(line)) ||
	    !cpulist_parse(line, &cpus))
		return false;
	CPU_AND(&both, &cpus, wanted);
	return CPU_EQUAL(&both, wanted);
}

/* The number of the PMU that covers @wanted, or -ENOENT. */
static int find_pmu(const cpu_set_t *wanted)
{
	DIR *folder = opendir(PMU_FOLDER);
	const struct dirent *entry;
	int found = -ENOENT;
	char line[32];

	if (!folder)
		return -ENOENT;
	while (found < 0 && (entry = readdir(folder))) {
		u64 type;

		if (covers(entry->d_name, wanted) &&
		    read_line(entry->d_name, "type", line, sizeof(line)) &&
		    parse_u64(line, &type) && type <= INT32_MAX)
			found = (int)type;
	}
	closedir(folder);
	return found;
}

static int choose_pmu(const struct kvm *vm)
{
	const struct arch_config *config = vm->config->arch;
	cpu_set_t current;
	int cpu = sched_getcpu();

	if (config->has_affinity)
		return find_pmu(&config->affinity);
	CPU_ZERO(&current);
	CPU_SET(cpu < 0 ? 0 : cpu, &current);
	return find_pmu(&current);
}

static int set(struct vcpu *vcpu, u64 attr, const void *value, const char *what)
{
	int err =
		kvm_device_set(vcpu->fd, KVM_ARM_VCPU_PMU_V3_CTRL, attr, value);

	if (err)
		return vm_fail(vcpu->vm, err, "--pmu: CPU %u: %s: %s",
			       vcpu->index, what, strerror(-err));
	return 0;
}

static int init_one(struct vcpu *vcpu, int pmu)
{
	int irq = 16 + PMU_PPI;
	int err;

	err = set(vcpu, KVM_ARM_VCPU_PMU_V3_IRQ, &irq, "interrupt");
	if (!err && pmu >= 0 &&
	    kvm_device_has(vcpu->fd, KVM_ARM_VCPU_PMU_V3_CTRL,
			   KVM_ARM_VCPU_PMU_V3_SET_PMU))
		err = set(vcpu, KVM_ARM_VCPU_PMU_V3_SET_PMU, &pmu,
			  "the host's counters");
	return err ? err : set(vcpu, KVM_ARM_VCPU_PMU_V3_INIT, NULL, "start");
}

int pmu_init(struct kvm *vm)
{
	int pmu = choose_pmu(vm);
	int err = 0;

	if (pmu < 0 && vm->config->arch->has_affinity)
		return vm_fail(vm, -EINVAL,
			       "--pmu: no counters of this host cover all CPUs "
			       "of --vcpu-affinity");
	for (unsigned int i = 0; i < vm->nr_vcpus && !err; i++)
		err = init_one(&vm->vcpus[i], pmu);
	return err;
}
