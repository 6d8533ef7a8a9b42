/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of a device, whatever bus it sits on.
 *
 * A class (const, one per kind) creates instances; an instance embeds struct
 * device. device_classes.c has the ordered table of classes: creation walks it forward,
 * destruction backward, from wherever creation stopped.
 */
#ifndef LKVM_DEVICE_H
#define LKVM_DEVICE_H

#include "lkvm/bus.h"
#include "lkvm/irq.h"
#include "lkvm/types.h"

struct device;
struct kvm;
struct kvm_config;
struct virtio_device;

/* A property of one 32-bit number. */
struct device_property {
	const char *name; /* NULL: no more of them */
	u32 value;
};

#define DEVICE_MAX_PROPERTIES 4

/*
 * A device of fixed place as the machine's description shows it, in the terms
 * of the Devicetree Specification, 2.3. Strings are const for ever.
 */
struct device_desc {
	const char *node;	/* generic name, 2.2.2: "serial" */
	const char *compatible; /* a string list: one NUL between entries */
	size_t compatible_len;	/* bytes, with the last NUL */
	const char *label;	/* or NULL */
	u64 start, len; /* registers, on the memory bus; len 0: no node */
	const struct irq_line_hub *irq; /* level, active high; NULL: none */
	bool needs_clock; /* a bus clock feeds it (ARM PrimeCells) */
	bool is_dma_coherent;
	bool is_gpio_power; /* a GPIO controller: line 0 is the power button */
	struct device_property properties[DEVICE_MAX_PROPERTIES];
};

/* .compatible and .compatible_len of a literal like "a\0b". */
#define DEVICE_COMPATIBLE(list)                                                \
	.compatible = (list), .compatible_len = sizeof(list)

/*
 * All ops run on the main thread unless they say so. A NULL op means that there
 * is nothing to do, except destroy, which every device has.
 */
struct device_ops {
	const char *name;
	/*
	 * What the machine's description is to say of it. Devices that sit on
	 * a bus which the guest enumerates have none.
	 */
	void (*describe)(struct device *dev, struct device_desc *out);
	/*
	 * Press the power button that this device is. -ENOTSUP: the guest does
	 * not listen. Any thread.
	 */
	int (*press_power)(struct device *dev);
	/*
	 * Send the guest's kernel a break and @key, its magic SysRq. -EAGAIN:
	 * earlier input is still to be taken; -ENODEV: not this device. The
	 * event loop.
	 */
	int (*send_sysrq)(struct device *dev, u8 key);
	/* What it is in virtio's terms, for ever. NULL op: it is none. Any thread. */
	struct virtio_device *(*virtio)(struct device *dev);
	/*
	 * After all devices exist and before vCPUs run. May fail, having said
	 * why with vm_fail().
	 */
	int (*start)(struct device *dev);
	/*
	 * vCPUs are stopped. Finish or park work in flight, touch no guest
	 * memory and raise no interrupt until resume(). May block, not fail.
	 */
	void (*pause)(struct device *dev);
	void (*resume)(struct device *dev);
	/*
	 * The guest has ended by itself: has what it wrote before been taken?
	 * False: ask again soon. Main thread; the event loop runs. Or NULL.
	 */
	bool (*is_drained)(struct device *dev);
	/* vCPUs are stopped for good: nothing may touch the guest any more. */
	void (*stop)(struct device *dev);
	/* Free the instance; it may be half built, and started or not. */
	void (*destroy)(struct device *dev);
};

struct device {
	const struct device_ops *ops;
	struct kvm *vm;
	struct device *next; /* list of the VM, newest first */
};

/*
 * Creates the instances that @config asks for (none, one or more) and adds each
 * with device_register(). On failure it has said why with vm_fail(), and has
 * freed what it did not register.
 */
struct device_class {
	const char *name;
	int (*create)(struct kvm *vm, const struct kvm_config *config);
};

/* Hand @dev over to the VM, which destroys it from now on. */
void device_register(struct kvm *vm, struct device *dev,
		     const struct device_ops *ops);

int devices_create(struct kvm *vm, const struct kvm_config *config);
int devices_start(struct kvm *vm);
void devices_pause(struct kvm *vm);
void devices_resume(struct kvm *vm);
bool devices_are_drained(struct kvm *vm);
void devices_stop(struct kvm *vm);
/* Magic SysRq on the guest's console: see device_ops. -ENODEV: it has none. */
int vm_send_sysrq(struct kvm *vm, u8 key);
/* Newest first. Accepts a VM whose devices were created in part. */
void devices_destroy(struct kvm *vm);

/*
 * Where a machine has its fixed devices. The device asks arch_place() and never
 * sees an address of its own accord; a machine without such a device answers
 * -ENODEV and none is created.
 */
enum place_kind {
	PLACE_SERIAL, /* index 0 to 3 */
	PLACE_RTC,    /* MC146818 */
	PLACE_PL031,  /* ARM's real-time clock */
	PLACE_PVPANIC,
	PLACE_POWER_GPIO,  /* PL061 with the power button at line 0 */
	PLACE_FLASH,	   /* CFI flash; len is the most there is room for */
	PLACE_VIRTIO_MMIO, /* index: which slot */
	PLACE_KEYBOARD,	   /* i8042: index 0 data port, 1 command port */
	PLACE_PM_EVENT,	   /* ACPI PM1a event block, with the SCI */
	PLACE_PM_CONTROL,
	PLACE_RESET, /* reset control register */
	PLACE_DEBUG_CONSOLE,
};

struct device_place {
	struct bus *bus;
	u64 start; /* on that bus */
	u64 len;
	struct irq_line irq; /* not connected where there is none */
};

#endif
