/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VM as a whole: RAM around the PCI hole, the interrupt controllers and
 * timers that KVM emulates, and the routing between them.
 */
#include "lkvm/arch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "lkvm/kvm.h"
#include "x86/cpu.h"
#include "x86/machine.h"

/* AMD hosts route these addresses to HyperTransport, not to memory. */
#define HT_HOLE_START 0xfd00000000ULL
#define HT_HOLE_END 0x10000000000ULL

#define MEM64_MIN (4 * GIB)
#define MEM64_MAX (1024 * GIB)

const struct arch_cap arch_required_caps[] = {
	{ KVM_CAP_PIT2, "KVM_CAP_PIT2" },
	{ KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID" },
	{ KVM_CAP_SET_TSS_ADDR, "KVM_CAP_SET_TSS_ADDR" },
	{ KVM_CAP_SET_IDENTITY_MAP_ADDR, "KVM_CAP_SET_IDENTITY_MAP_ADDR" },
	{ KVM_CAP_MP_STATE, "KVM_CAP_MP_STATE" },
	{ 0, NULL },
};

const struct arch_cap arch_optional_caps[] = {
	{ KVM_CAP_KVMCLOCK_CTRL, "kvmclock-ctrl" },
	{ KVM_CAP_TSC_DEADLINE_TIMER, "tsc-deadline" },
	{ KVM_CAP_X2APIC_API, "x2apic" },
	{ 0, NULL },
};

int arch_vm_type(struct kvm *vm, unsigned long *type)
{
	*type = 0;
	return 0;
}

static int map_ram(struct kvm *vm)
{
	const struct kvm_config *config = vm->config;
	struct arch_vm *arch = vm->arch;
	u64 len = config->ram_len;
	int err;

	arch->low_ram_len = len < LOW_RAM_MAX ? len : LOW_RAM_MAX;
	arch->high_ram_len = len - arch->low_ram_len;
	err = memory_alloc(&vm->memory, len, config->hugetlbfs, vm->failure);
	if (err)
		return err;
	err = memory_map_ram(&vm->memory, 0, arch->low_ram_len, 0, vm->failure);
	if (err || !arch->high_ram_len)
		return err;
	return memory_map_ram(&vm->memory, HIGH_RAM_GPA, arch->high_ram_len,
			      arch->low_ram_len, vm->failure);
}

static int check_ram(struct kvm *vm, unsigned int phys_bits)
{
	u64 limit = BIT64(phys_bits) - (HIGH_RAM_GPA - LOW_RAM_MAX);
	u64 len = vm->config->ram_len;

	if (vm->config->ram_base)
		return vm_fail(vm, -EINVAL,
			       "memory: RAM of this machine begins at 0: give "
			       "--mem no address");
	if (len < HIGH_GPA)
		return vm_fail(
			vm, -EINVAL,
			"memory: %llu bytes are too few: give at least 1M",
			(unsigned long long)len);
	if (len > limit)
		return vm_fail(vm, -EINVAL,
			       "memory: %llu MiB: this host's guests have %u "
			       "address bits: give at most %lluM",
			       (unsigned long long)(len / MIB), phys_bits,
			       (unsigned long long)(limit / MIB));
	return 0;
}

/* The largest naturally aligned window above @ram_end and below @limit. */
static struct pci_window find_mem64(u64 ram_end, u64 limit)
{
	for (u64 len = MEM64_MAX; len >= MEM64_MIN; len /= 2) {
		u64 start = align_up(ram_end, len);

		if (start < len)
			start = len;
		if (start < HT_HOLE_END && start + len > HT_HOLE_START)
			start = align_up(HT_HOLE_END, len);
		if (range_within(start, len, limit))
			return (struct pci_window){ start, len };
	}
	return (struct pci_window){ 0, 0 };
}

/* 8259 inputs and IOAPIC inputs that GSI @gsi drives. */
static int add_gsi_routes(struct kvm *vm, u32 gsi)
{
	struct kvm_irq_routing_entry e = {
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_IRQCHIP,
	};
	int err;

	/* Input 2 is the cascade: ISA interrupt 0 comes in at IOAPIC pin 2. */
	if (gsi == 2)
		return 0;
	if (gsi < 16) {
		e.u.irqchip.irqchip = gsi < 8 ? KVM_IRQCHIP_PIC_MASTER
					      : KVM_IRQCHIP_PIC_SLAVE;
		e.u.irqchip.pin = gsi % 8;
		err = irq_add_fixed_route(&vm->irq, &e);
		if (err)
			return err;
	}
	e.u.irqchip.irqchip = KVM_IRQCHIP_IOAPIC;
	e.u.irqchip.pin = gsi == 0 ? 2 : gsi;
	return irq_add_fixed_route(&vm->irq, &e);
}

static int create_routing(struct kvm *vm)
{
	int err;

	err = irq_init(&vm->irq, vm->fd, NR_GSIS, vm->failure);
	if (err)
		return err;
	for (u32 gsi = 0; gsi < NR_GSIS; gsi++) {
		irq_line_hub_init(&vm->arch->gsis[gsi], vm->fd, gsi);
		err = add_gsi_routes(vm, gsi);
		if (err)
			return vm_fail(vm, err, "interrupt routing: %s",
				       strerror(-err));
	}
	err = irq_commit(&vm->irq);
	if (err)
		return vm_fail(vm, err, "KVM_SET_GSI_ROUTING: %s",
			       strerror(-err));
	return 0;
}

/* APIC ids beyond 8 bits: MSIs and the IOAPIC carry 32 bits of destination. */
static int enable_wide_apic_ids(struct kvm *vm)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_X2APIC_API,
		.args[0] = KVM_X2APIC_API_USE_32BIT_IDS |
			   KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK,
	};

	if (vm->config->cpus <= 255)
		return 0;
	if (vm_extension(vm, KVM_CAP_X2APIC_API) <= 0)
		return vm_fail_host(vm, -ENOTSUP,
				    "%u CPUs: this host's KVM has no "
				    "KVM_CAP_X2APIC_API: give at most 255",
				    vm->config->cpus);
	if (ioctl(vm->fd, KVM_ENABLE_CAP, &cap) < 0)
		return vm_fail(vm, -errno, "KVM_CAP_X2APIC_API: %s",
			       strerror(errno));
	return 0;
}

static int create_chips(struct kvm *vm)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	u64 identity_map = IDENTITY_MAP_GPA;
	int err;

	if (ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map) < 0)
		return vm_fail(vm, -errno, "KVM_SET_IDENTITY_MAP_ADDR: %s",
			       strerror(errno));
	if (ioctl(vm->fd, KVM_SET_TSS_ADDR, (unsigned long)TSS_GPA) < 0)
		return vm_fail(vm, -errno, "KVM_SET_TSS_ADDR: %s",
			       strerror(errno));
	err = enable_wide_apic_ids(vm);
	if (err)
		return err;
	if (ioctl(vm->fd, KVM_CREATE_IRQCHIP) < 0)
		return vm_fail(vm, -errno, "KVM_CREATE_IRQCHIP: %s",
			       strerror(errno));
	/* The PIT asks for the interrupt controllers, so it comes after. */
	if (ioctl(vm->fd, KVM_CREATE_PIT2, &pit) < 0)
		return vm_fail(vm, -errno, "KVM_CREATE_PIT2: %s",
			       strerror(errno));
	return 0;
}

int arch_vm_init(struct kvm *vm)
{
	struct arch_vm *arch = calloc(1, sizeof(*arch));
	unsigned int phys_bits;
	int err;

	if (!arch)
		return vm_fail(vm, -ENOMEM, "out of memory");
	vm->arch = arch;
	err = cpu_prepare(vm, &phys_bits);
	if (err)
		return err;
	err = check_ram(vm, phys_bits);
	if (err)
		return err;
	err = create_chips(vm);
	if (err)
		return err;
	err = map_ram(vm);
	if (err)
		return err;
	arch->mem64 = find_mem64(memory_end(&vm->memory), BIT64(phys_bits));
	return create_routing(vm);
}

void arch_vm_release(struct kvm *vm)
{
	if (!vm->arch)
		return;
	free(vm->arch->cpuid);
	free(vm->arch);
	vm->arch = NULL;
}

void arch_pci_windows(const struct kvm *vm, struct pci_windows *out)
{
	u64 ram_end = vm->arch->low_ram_len;

	*out = (struct pci_windows){
		.io = { PCI_IO_START, PCI_IO_LEN },
		.mem32 = { MEM32_GPA, MEM32_LEN },
		.mem64 = vm->arch->mem64,
		/* As a PC's chipset: what is not RAM is PCI. */
		.io_free = { FIXED_PORTS_END, 0x10000 - FIXED_PORTS_END },
		.mem_free = { ram_end, ECAM_GPA - ram_end },
		.ecam = { ECAM_GPA, ECAM_LEN },
	};
}
