/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Options of "lkvm run" that only x86 guests have, and those of arm64, refused.
 */
#include "lkvm/arch.h"
#include "lkvm/config.h"
#include "lkvm/options.h"

#include <stdlib.h>

#define ARM_ONLY "this option is for arm64 guests"
#define NO_FIRMWARE "booting firmware is not in this version of lkvm"

/* Nothing yet: an empty structure is no C. */
struct arch_config {
	char unused;
};

struct arch_config *arch_config_create(void)
{
	return calloc(1, sizeof(struct arch_config));
}

void arch_config_destroy(struct arch_config *arch)
{
	free(arch);
}

const bool arch_has_virtio_mmio = false;

const struct option arch_run_options[] = {
	{ .heading = "x86" },
	{ .name = "dump-acpi",
	  .arg = "DIR",
	  .help = "write the guest's ACPI tables there",
	  .set = option_set_string,
	  .offset = offsetof(struct kvm_config, dump_acpi),
	  .flags = OPTION_LOW_PRIORITY },

	{ .name = "firmware",
	  .letter = 'f',
	  .arg = "FILE",
	  .set = option_refuse,
	  .missing = NO_FIRMWARE,
	  .flags = OPTION_LAST_ARG_OPTIONAL },
	{ .name = "flash",
	  .letter = 'F',
	  .arg = "FILE",
	  .set = option_refuse,
	  .missing = NO_FIRMWARE,
	  .flags = OPTION_LAST_ARG_OPTIONAL },

	OPTION_REFUSE_FORK("aarch32", NULL, ARM_ONLY),
	OPTION_REFUSE_FORK("pmu", NULL, ARM_ONLY),
	OPTION_REFUSE_FORK("disable-mte", NULL, ARM_ONLY),
	OPTION_REFUSE_FORK("vcpu-affinity", "CPULIST", ARM_ONLY),
	OPTION_REFUSE_FORK("kaslr-seed", "SEED", ARM_ONLY),
	OPTION_REFUSE_FORK("no-pvtime", NULL, ARM_ONLY),
	OPTION_REFUSE_FORK("sve-max-vl", "BITS", ARM_ONLY),
	OPTION_REFUSE_FORK("irqchip", "NAME", ARM_ONLY),
	OPTION_REFUSE_FORK("dump-dtb", "FILE", ARM_ONLY),
	OPTION_REFUSE_FORK("override-bad-firmware-cntfrq", "HZ", ARM_ONLY),
	OPTION_REFUSE_FORK("firmware-address", "ADDRESS", ARM_ONLY),
	OPTION_REFUSE_FORK("force-pci", NULL, ARM_ONLY),
	OPTION_REFUSE_FORK("nested", NULL, ARM_ONLY),
	OPTION_REFUSE_FORK("e2h0", NULL, ARM_ONLY),
	OPTION_REFUSE_FORK("disable-sve", NULL, ARM_ONLY),
	OPTION_REFUSE_FORK("dtb", "FILE", ARM_ONLY),
	{ .more = NULL },
};

const char *const arch_kernel_places[] = {
	"bzImage",
	"arch/x86/boot/bzImage",
	"../../arch/x86/boot/bzImage",
	"/boot/vmlinuz-%s",
	"/boot/bzImage-%s",
	NULL,
};
