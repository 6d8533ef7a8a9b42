/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The GIC: which one, where, and its SPIs. KVM API: devices/arm-vgic.rst,
 * arm-vgic-v3.rst, arm-vgic-its.rst.
 */
#include "arm/gic.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "arm/machine.h"
#include "lkvm/config.h"
#include "lkvm/kvm.h"

#define GICV2_MAX_CPUS 8U

static const struct irqchip_kind {
	const char *name;
	u32 gic; /* type of KVM's device */
	bool has_its;
} irqchip_kinds[] = {
	[IRQCHIP_GICV2] = { "gicv2", KVM_DEV_TYPE_ARM_VGIC_V2, false },
	[IRQCHIP_GICV2M] = { "gicv2m", KVM_DEV_TYPE_ARM_VGIC_V2, false },
	[IRQCHIP_GICV3] = { "gicv3", KVM_DEV_TYPE_ARM_VGIC_V3, false },
	[IRQCHIP_GICV3_ITS] = { "gicv3-its", KVM_DEV_TYPE_ARM_VGIC_V3, true },
};

/* ---- Devices of KVM ---- */

int kvm_device_set(int fd, u32 group, u64 attr, const void *value)
{
	struct kvm_device_attr request = {
		.group = group,
		.attr = attr,
		.addr = (uintptr_t)value,
	};

	return ioctl(fd, KVM_SET_DEVICE_ATTR, &request) < 0 ? -errno : 0;
}

bool kvm_device_has(int fd, u32 group, u64 attr)
{
	struct kvm_device_attr request = { .group = group, .attr = attr };

	return !ioctl(fd, KVM_HAS_DEVICE_ATTR, &request);
}

static bool can_create(const struct kvm *vm, u32 type)
{
	struct kvm_create_device request = {
		.type = type,
		.flags = KVM_CREATE_DEVICE_TEST,
	};

	return !ioctl(vm->fd, KVM_CREATE_DEVICE, &request);
}

static int create(struct kvm *vm, u32 type, const char *name, int *fd)
{
	struct kvm_create_device request = { .type = type };

	if (ioctl(vm->fd, KVM_CREATE_DEVICE, &request) < 0)
		return vm_fail_host(vm, -errno, "KVM cannot create a %s: %s",
				    name, strerror(errno));
	*fd = (int)request.fd;
	return 0;
}

static int set_address(struct kvm *vm, int fd, u64 attr, u64 gpa)
{
	int err = kvm_device_set(fd, KVM_DEV_ARM_VGIC_GRP_ADDR, attr, &gpa);

	if (err)
		return vm_fail(vm, err,
			       "KVM refuses the interrupt controller's address "
			       "0x%llx: %s",
			       (unsigned long long)gpa, strerror(-err));
	return 0;
}

static int init_device(struct kvm *vm, int fd)
{
	int err;

	if (!kvm_device_has(fd, KVM_DEV_ARM_VGIC_GRP_CTRL,
			    KVM_DEV_ARM_VGIC_CTRL_INIT))
		return 0;
	err = kvm_device_set(fd, KVM_DEV_ARM_VGIC_GRP_CTRL,
			     KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
	if (err)
		return vm_fail(vm, err,
			       "KVM cannot initialise the interrupt "
			       "controller: %s",
			       strerror(-err));
	return 0;
}

/* ---- Which one ---- */

static bool has_kind(const struct kvm *vm, const struct irqchip_kind *kind)
{
	return can_create(vm, kind->gic) &&
	       (!kind->has_its || can_create(vm, KVM_DEV_TYPE_ARM_VGIC_ITS));
}

static bool fits_cpus(const struct kvm *vm, const struct irqchip_kind *kind)
{
	return kind->gic != KVM_DEV_TYPE_ARM_VGIC_V2 ||
	       vm->config->cpus <= GICV2_MAX_CPUS;
}

static int choose(struct kvm *vm, enum irqchip *out)
{
	static const enum irqchip order[] = { IRQCHIP_GICV3_ITS, IRQCHIP_GICV3,
					      IRQCHIP_GICV2M, IRQCHIP_GICV2 };
	const struct irqchip_kind *kind;

	*out = vm->config->arch->irqchip;
	for (unsigned int i = 0; i < ARRAY_SIZE(order) && *out == IRQCHIP_AUTO;
	     i++) {
		kind = &irqchip_kinds[order[i]];
		if (has_kind(vm, kind))
			*out = order[i];
	}
	if (*out == IRQCHIP_AUTO)
		return vm_fail_host(vm, -ENODEV,
				    "KVM on this host emulates neither GICv3 "
				    "nor GICv2");
	kind = &irqchip_kinds[*out];
	if (!has_kind(vm, kind))
		return vm_fail_host(vm, -ENODEV,
				    "--irqchip %s: KVM on this host has none; "
				    "leave the option out",
				    kind->name);
	if (!fits_cpus(vm, kind))
		return vm_fail(vm, -EINVAL,
			       "%s serves at most %u CPUs, not %u: give fewer "
			       "(-c), or --irqchip gicv3 where the host has it",
			       kind->name, GICV2_MAX_CPUS, vm->config->cpus);
	return 0;
}

/* ---- Bring-up ---- */

static int create_v2(struct kvm *vm)
{
	struct arch_vm *arch = vm->arch;
	int err;

	err = create(vm, KVM_DEV_TYPE_ARM_VGIC_V2, "GICv2", &arch->gic_fd);
	if (!err)
		err = set_address(vm, arch->gic_fd, KVM_VGIC_V2_ADDR_TYPE_CPU,
				  GICV2_CPU_GPA);
	if (!err)
		err = set_address(vm, arch->gic_fd, KVM_VGIC_V2_ADDR_TYPE_DIST,
				  GIC_DIST_GPA);
	return err;
}

static int create_v3(struct kvm *vm)
{
	struct arch_vm *arch = vm->arch;
	int err;

	err = create(vm, KVM_DEV_TYPE_ARM_VGIC_V3, "GICv3", &arch->gic_fd);
	if (!err)
		err = set_address(vm, arch->gic_fd,
				  KVM_VGIC_V3_ADDR_TYPE_REDIST,
				  gic_redist_gpa(vm->config->cpus));
	if (!err)
		err = set_address(vm, arch->gic_fd, KVM_VGIC_V3_ADDR_TYPE_DIST,
				  GIC_DIST_GPA);
	return err;
}

static int create_its(struct kvm *vm)
{
	struct arch_vm *arch = vm->arch;
	int err;

	err = create(vm, KVM_DEV_TYPE_ARM_VGIC_ITS, "GICv3 ITS", &arch->its_fd);
	if (!err)
		err = set_address(vm, arch->its_fd, KVM_VGIC_ITS_ADDR_TYPE,
				  gic_its_gpa(vm->config->cpus));
	return err ? err : init_device(vm, arch->its_fd);
}

int gic_create(struct kvm *vm)
{
	struct arch_vm *arch = vm->arch;
	const struct irqchip_kind *kind;
	int err;

	err = choose(vm, &arch->irqchip);
	if (err)
		return err;
	kind = &irqchip_kinds[arch->irqchip];
	log_debug("interrupt controller: %s", kind->name);
	err = kind->gic == KVM_DEV_TYPE_ARM_VGIC_V2 ? create_v2(vm)
						    : create_v3(vm);
	return err || !kind->has_its ? err : create_its(vm);
}

int gic_init(struct kvm *vm)
{
	int fd = vm->arch->gic_fd;
	u32 nr = FIRST_SPI + NR_SPIS;
	int err;

	if (kvm_device_has(fd, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0)) {
		err = kvm_device_set(fd, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &nr);
		if (err)
			return vm_fail(vm, err, "KVM refuses %u interrupts: %s",
				       nr, strerror(-err));
	}
	return init_device(vm, fd);
}

void gic_release(struct kvm *vm)
{
	if (vm->arch->its_fd >= 0)
		close(vm->arch->its_fd);
	if (vm->arch->gic_fd >= 0)
		close(vm->arch->gic_fd);
}

/* ---- Routing ---- */

/* SPI @spi for KVM_IRQ_LINE. */
static u32 encode_spi(u32 spi)
{
	return ((u32)KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT) |
	       (FIRST_SPI + spi);
}

/* A message of the GICv2m frame is the number of its interrupt. */
static void set_frame(struct kvm *vm)
{
	vm->irq.frame = (struct msi_frame){
		.address = GICV2M_GPA + GICV2M_SETSPI,
		.first_data = FIRST_SPI + V2M_FIRST_SPI,
		.nr = V2M_NR_SPIS,
		.first_irq = encode_spi(0) - FIRST_SPI,
		.first_gsi = 0 - FIRST_SPI,
	};
}

int gic_create_routing(struct kvm *vm)
{
	int err = irq_init(&vm->irq, vm->fd, NR_SPIS, vm->failure);

	if (err)
		return err;
	for (u32 spi = 0; spi < NR_SPIS; spi++) {
		const struct kvm_irq_routing_entry entry = {
			.gsi = spi,
			.type = KVM_IRQ_ROUTING_IRQCHIP,
			.u.irqchip.pin = spi,
		};

		irq_line_hub_init(&vm->arch->spis[spi], vm->fd,
				  encode_spi(spi));
		vm->arch->spis[spi].gsi = spi;
		err = irq_add_fixed_route(&vm->irq, &entry);
		if (err)
			return vm_fail(vm, err, "interrupt routing: %s",
				       strerror(-err));
	}
	if (vm->arch->irqchip == IRQCHIP_GICV2M)
		set_frame(vm);
	err = irq_commit(&vm->irq);
	if (err)
		return vm_fail(vm, err, "KVM_SET_GSI_ROUTING: %s",
			       strerror(-err));
	return 0;
}
