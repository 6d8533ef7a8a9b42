/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Boot: payload, initrd, device tree, and the boot CPU's first registers.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include "arm/cpu.h"
#include "arm/fdt.h"
#include "arm/load.h"
#include "arm/machine.h"
#include "lkvm/arch.h"
#include "lkvm/kvm.h"
#include "lkvm/vcpu.h"

/* Three bits for each of seven cache levels, 0: no more of them. */
#define CLIDR_LEVELS 7U
#define DEFAULT_CACHE_LEVELS 2U

static unsigned int count_caches(struct vcpu *vcpu)
{
	u64 clidr = cpu_get_clidr(vcpu);
	unsigned int levels = 0;

	while (levels < CLIDR_LEVELS && (clidr >> 3 * levels & 7))
		levels++;
	return levels ? levels : DEFAULT_CACHE_LEVELS;
}

/* What devices say of themselves, oldest first. Returns how many have a node. */
static unsigned int collect_devices(const struct kvm *vm,
				    struct device_desc *out)
{
	unsigned int nr = 0, first = 0;

	for (struct device *dev = vm->devices; dev; dev = dev->next) {
		struct device_desc desc = { .node = NULL };

		if (!dev->ops->describe)
			continue;
		dev->ops->describe(dev, &desc);
		if (desc.len)
			out[nr++] = desc;
	}
	for (unsigned int last = nr; first + 1 < last; first++) {
		struct device_desc swap = out[first];

		out[first] = out[--last];
		out[last] = swap;
	}
	return nr;
}

static unsigned int count_devices(const struct kvm *vm)
{
	unsigned int nr = 0;

	for (const struct device *dev = vm->devices; dev; dev = dev->next)
		nr++;
	return nr;
}

/* Without entropy the guest gets by, as it would without the seed. */
static void fill_seeds(const struct arch_config *config, struct fdt_machine *m)
{
	u64 random = 0;

	if (getrandom(m->rng_seed, sizeof(m->rng_seed), GRND_NONBLOCK) !=
		    (ssize_t)sizeof(m->rng_seed) ||
	    getrandom(&random, sizeof(random), GRND_NONBLOCK) !=
		    (ssize_t)sizeof(random))
		log_debug("no random numbers for the guest's seeds yet");
	m->kaslr_seed = config->has_kaslr_seed ? config->kaslr_seed : random;
}

static int write_dump(struct kvm *vm, const void *fdt, size_t len)
{
	const char *path = vm->config->arch->dump_dtb;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ssize_t n;
	int err = 0;

	if (fd < 0)
		return vm_fail(vm, -errno, "--dump-dtb %s: %s", path,
			       strerror(errno));
	n = write(fd, fdt, len);
	if (n != (ssize_t)len)
		err = n < 0 ? -errno : -EIO;
	close(fd);
	if (err)
		return vm_fail(vm, err, "--dump-dtb %s: %s", path,
			       strerror(-err));
	return 0;
}

static int write_fdt(struct kvm *vm, const struct boot_plan *plan,
		     const struct fdt_machine *machine)
{
	void *fdt = guest_ptr(&vm->memory, plan->fdt, plan->fdt_max);
	size_t len;
	int err;

	if (!fdt)
		return vm_fail(vm, -ENOMEM,
			       "memory: no room for the device tree");
	err = fdt_build(fdt, plan->fdt_max, machine, &len);
	if (err == -ENOSPC)
		return vm_fail(vm, err,
			       "the device tree is longer than the %llu bytes "
			       "that %s takes: use fewer CPUs (-c) or devices",
			       (unsigned long long)plan->fdt_max,
			       plan->is_firmware ? "firmware" : "a kernel");
	if (err)
		return vm_fail(vm, err, "the device tree: %s", strerror(-err));
	return vm->config->arch->dump_dtb ? write_dump(vm, fdt, len) : 0;
}

static int describe(struct kvm *vm, const struct boot_plan *plan)
{
	const struct kvm_config *config = vm->config;
	struct fdt_machine machine = {
		.cmdline = config->cmdline ? config->cmdline : "",
		.ram_start = vm->memory.ram[0].gpa,
		.ram_len = vm->memory.ram[0].len,
		.initrd_start = plan->initrd,
		.initrd_len = plan->initrd_len,
		.cpus = vm->nr_vcpus,
		.cache_levels = count_caches(&vm->vcpus[0]),
		.irqchip = vm->arch->irqchip,
		.aarch32 = config->arch->aarch32,
		.pmu = config->arch->pmu,
		.timer_hz = config->arch->timer_hz,
		.mem64 = vm->arch->mem64,
	};
	u64 *mpidrs = calloc(vm->nr_vcpus, sizeof(*mpidrs));
	struct device_desc *devices =
		calloc(count_devices(vm) + 1, sizeof(*devices));
	int err = 0;

	if (!mpidrs || !devices)
		err = vm_fail(vm, -ENOMEM, "out of memory");
	for (unsigned int i = 0; i < vm->nr_vcpus && !err; i++)
		err = cpu_get_mpidr(&vm->vcpus[i], &mpidrs[i]);
	if (!err) {
		machine.mpidrs = mpidrs;
		machine.nr_devices = collect_devices(vm, devices);
		machine.devices = devices;
		fill_seeds(config->arch, &machine);
		err = write_fdt(vm, plan, &machine);
	}
	free(devices);
	free(mpidrs);
	return err;
}

int arch_load(struct kvm *vm)
{
	struct boot_plan plan = { .entry = 0 };
	int err;

	err = payload_load(vm, &plan);
	if (!err)
		err = initrd_load(vm, &plan);
	if (!err)
		err = describe(vm, &plan);
	return err ? err : cpu_set_entry(&vm->vcpus[0], plan.entry, plan.fdt);
}
