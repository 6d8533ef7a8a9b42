/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Options of "lkvm run" that only arm64 guests have, and those of x86, refused.
 */
#include <stdlib.h>
#include <string.h>
#include "arm/config.h"
#include "arm/cpulist.h"
#include "lkvm/arch.h"
#include "lkvm/config.h"
#include "lkvm/failure.h"
#include "lkvm/options.h"

#define X86_ONLY "this option is for x86 guests"
#define NOT_YET " not in this version of lkvm"

#define SVE_MIN_BITS 128U
#define SVE_MAX_BITS 2048U

struct arch_config *arch_config_create(void)
{
	return calloc(1, sizeof(struct arch_config));
}

void arch_config_destroy(struct arch_config *arch)
{
	free(arch);
}

const bool arch_has_virtio_mmio = true;

/* Each setter gets the struct kvm_config as its target. */

static int set_arch_flag(const struct option *opt,
			 const struct option_value *value, void *target,
			 struct failure *why)
{
	struct kvm_config *config = target;

	return option_set_flag(opt, value, config->arch, why);
}

static int set_arch_string(const struct option *opt,
			   const struct option_value *value, void *target,
			   struct failure *why)
{
	struct kvm_config *config = target;

	return option_set_string(opt, value, config->arch, why);
}

static int set_irqchip(const struct option *opt,
		       const struct option_value *value, void *target,
		       struct failure *why)
{
	static const char *const names[] = {
		[IRQCHIP_AUTO] = "auto",	   [IRQCHIP_GICV2] = "gicv2",
		[IRQCHIP_GICV2M] = "gicv2m",	   [IRQCHIP_GICV3] = "gicv3",
		[IRQCHIP_GICV3_ITS] = "gicv3-its",
	};
	struct kvm_config *config = target;
	unsigned int i;

	config->arch->irqchip = IRQCHIP_AUTO;
	if (value->negated)
		return 0;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(value->text, names[i])) {
			config->arch->irqchip = (enum irqchip)i;
			return 0;
		}
	}
	return option_fail(opt, why,
			   "%s is none of gicv2, gicv2m, gicv3, gicv3-its",
			   value->text);
}

static int set_sve_max_vl(const struct option *opt,
			  const struct option_value *value, void *target,
			  struct failure *why)
{
	struct kvm_config *config = target;
	u64 bits = 0;

	if (!value->negated &&
	    (!parse_u64(value->text, &bits) || !is_power_of_two(bits) ||
	     bits < SVE_MIN_BITS || bits > SVE_MAX_BITS))
		return option_fail(opt, why,
				   "%s is no vector length: a power of two of "
				   "bits, from %u to %u",
				   value->text, SVE_MIN_BITS, SVE_MAX_BITS);
	config->arch->sve_max_vl = (u32)bits;
	return 0;
}

static int set_kaslr_seed(const struct option *opt,
			  const struct option_value *value, void *target,
			  struct failure *why)
{
	struct kvm_config *config = target;
	u64 seed = 0;

	if (!value->negated && !parse_u64(value->text, &seed))
		return option_fail(opt, why, "%s is no number of 64 bits",
				   value->text);
	config->arch->has_kaslr_seed = !value->negated;
	config->arch->kaslr_seed = seed;
	return 0;
}

static int set_timer_hz(const struct option *opt,
			const struct option_value *value, void *target,
			struct failure *why)
{
	struct kvm_config *config = target;
	u64 hz = 0;

	if (!value->negated &&
	    (!parse_u64(value->text, &hz) || hz > UINT32_MAX))
		return option_fail(opt, why, "%s is no frequency in Hz",
				   value->text);
	config->arch->timer_hz = (u32)hz;
	return 0;
}

static int set_firmware_address(const struct option *opt,
				const struct option_value *value, void *target,
				struct failure *why)
{
	struct kvm_config *config = target;
	u64 address = 0;

	if (!value->negated && !parse_u64(value->text, &address))
		return option_fail(opt, why, "%s is no address", value->text);
	config->arch->has_firmware_address = !value->negated;
	config->arch->firmware_address = address;
	return 0;
}

static int set_affinity(const struct option *opt,
			const struct option_value *value, void *target,
			struct failure *why)
{
	struct kvm_config *config = target;

	config->arch->has_affinity = !value->negated;
	if (!value->negated &&
	    !cpulist_parse(value->text, &config->arch->affinity))
		return option_fail(opt, why,
				   "%s is no list of CPUs, such as 0-3,5",
				   value->text);
	return 0;
}

/* virtio over PCI is the default. */
static int set_force_pci(const struct option *opt,
			 const struct option_value *value, void *target,
			 struct failure *why)
{
	struct kvm_config *config = target;

	config->virtio_transport = VIRTIO_TRANSPORT_PCI;
	return 0;
}

#define ARCH_FLAG(member)                                                      \
	.set = set_arch_flag, .offset = offsetof(struct arch_config, member)
#define STRING(member)                                                         \
	.set = option_set_string, .offset = offsetof(struct kvm_config, member)

const struct option arch_run_options[] = {
	{ .heading = "arm64" },
	{ .name = "irqchip",
	  .arg = "NAME",
	  .help = "gicv2, gicv2m, gicv3 or gicv3-its (default: what works)",
	  .set = set_irqchip },
	{ .name = "firmware",
	  .letter = 'f',
	  .arg = "FILE",
	  .help = "boot this firmware, not a kernel",
	  STRING(firmware_path) },
	{ .name = "firmware-address",
	  .arg = "ADDRESS",
	  .help = "where in RAM it goes (default: at the beginning)",
	  .set = set_firmware_address },
	{ .name = "flash",
	  .letter = 'F',
	  .arg = "FILE",
	  .help = "flash memory, for the firmware's variables",
	  STRING(flash) },
	{ .name = "pmu", .help = "performance counters", ARCH_FLAG(pmu) },
	{ .name = "sve-max-vl",
	  .arg = "BITS",
	  .help = "longest vector (default: the host's)",
	  .set = set_sve_max_vl },
	{ .name = "disable-mte",
	  .help = "no memory tagging",
	  ARCH_FLAG(disable_mte) },
	{ .name = "no-pvtime",
	  .help = "do not tell the guest of stolen time",
	  ARCH_FLAG(no_pvtime) },
	{ .name = "aarch32",
	  .help = "the guest is a 32-bit one",
	  ARCH_FLAG(aarch32) },
	{ .name = "vcpu-affinity",
	  .arg = "CPULIST",
	  .help = "host CPUs that run the guest's: 0-3,5",
	  .set = set_affinity },
	{ .name = "kaslr-seed",
	  .arg = "SEED",
	  .help = "number for the kernel's layout (default: random)",
	  .set = set_kaslr_seed },
	{ .name = "override-bad-firmware-cntfrq",
	  .arg = "HZ",
	  .help = "the timer's frequency, if CNTFRQ_EL0 is wrong",
	  .set = set_timer_hz },
	{ .name = "dump-dtb",
	  .arg = "FILE",
	  .help = "write the guest's device tree there",
	  .set = set_arch_string,
	  .offset = offsetof(struct arch_config, dump_dtb) },
	{ .name = "force-pci", .set = set_force_pci },

	OPTION_REFUSE_FORK("dump-acpi", "DIR", X86_ONLY),
	OPTION_REFUSE_FORK("nested", NULL, "nested guests are" NOT_YET),
	OPTION_REFUSE_FORK("e2h0", NULL, "nested guests are" NOT_YET),
	OPTION_REFUSE_FORK("disable-sve", NULL,
			   "running without SVE is" NOT_YET),
	OPTION_REFUSE_FORK("dtb", "FILE",
			   "device trees of the user's own are" NOT_YET),
	{ .more = NULL },
};

const char *const arch_kernel_places[] = {
	"Image",
	"arch/arm64/boot/Image",
	"../../arch/arm64/boot/Image",
	"/boot/vmlinuz-%s",
	"/boot/Image-%s",
	NULL,
};
