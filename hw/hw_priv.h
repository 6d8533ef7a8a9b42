/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The register models of hw/, apart from what ties them to a VM, so that tests
 * and fuzzers drive them without one. Only hw/ and tests include this.
 *
 * X_init() gives a chip as it is after power-on, not connected to anything;
 * X_access() is its bus handler; X_release() frees what init took, not the
 * structure. A chip's irq lines may be set before it is used.
 */
#ifndef LKVM_HW_PRIV_H
#define LKVM_HW_PRIV_H

#include <pthread.h>
#include <stdatomic.h>
#include "hw/ps2.h"
#include "lkvm/bus.h"
#include "lkvm/device.h"
#include "lkvm/event.h"
#include "lkvm/flash_file.h"
#include "lkvm/input.h"
#include "lkvm/irq.h"
#include "lkvm/kvm.h"
#include "lkvm/types.h"

struct chardev;

/* How a chip ends the VM: vm_end(), or what a test puts in its place. */
typedef void (*hw_end_fn)(struct kvm *vm, enum vm_end end);

/*
 * Split an access wider than a byte into bytes, lowest first, as the 8-bit bus
 * does that these chips sit on. Bytes behind @len read as ones.
 */
enum bus_result hw_access_bytes(struct bus_access *acc, u64 len,
				u8 (*read)(void *chip, u64 offset),
				void (*write)(void *chip, u64 offset, u8 value),
				void *chip);

/* Put @region, filled in except for the address, where @place says. */
int hw_add_region(struct kvm *vm, const struct device_place *place,
		  struct bus_region *region);

/* ---- 16550A (serial.c) ---- */

#define SERIAL_FIFO_LEN 16

struct serial_fifo {
	u8 bytes[SERIAL_FIFO_LEN];
	u8 first; /* index of the oldest byte */
	u8 count;
};

struct serial {
	struct device dev;
	struct bus *bus;
	struct bus_region region;
	struct chardev *chr; /* NULL: nobody listens; const */
	unsigned int index;

	pthread_mutex_t lock; /* guards all below; taken before the chardev's */
	struct irq_line irq;
	bool irq_level;
	bool paused;	   /* the line stays as it is, no input is taken */
	bool thre_pending; /* THR-empty interrupt not yet seen by the guest */
	bool polled;	   /* the guest has read LSR */
	bool mcr_written;
	u8 ier, fcr, lcr, mcr, msr, scr, dll, dlm;
	u8 line_errors; /* OE, PE, FE, BI of LSR, until it is read */
	struct serial_fifo rx, tx;
};

void serial_init(struct serial *s, struct chardev *chr);
void serial_release(struct serial *s);
/* A break, then @key. -EAGAIN: the guest has earlier input to read, or none. */
int serial_send_break(struct serial *s, u8 key);
enum bus_result serial_access(void *opaque, struct bus_access *acc);
/* What the chardev calls, with a struct serial as opaque. */
extern const struct chardev_front_ops serial_front_ops;

/* ---- MC146818 (rtc.c) ---- */

#define RTC_RAM_LEN 128

struct rtc {
	struct device dev;
	struct bus *bus;
	struct bus_region region;
	struct event_loop *loop;  /* NULL: no timer */
	struct event_timer timer; /* for the next interrupt */
	/* Wall clock of the host in ns since 1970; tests replace it. */
	u64 (*host_clock)(void);

	pthread_mutex_t lock; /* guards all below */
	struct irq_line irq;
	bool paused;
	u8 index; /* register that the data port shows */
	/*
	 * All registers and the CMOS RAM. Time registers are current only
	 * after rtc_latch_time(), or while SET is on.
	 */
	u8 ram[RTC_RAM_LEN];
	u64 offset_ns;	 /* guest clock - host clock, modulo 2^64 */
	u64 latched_ns;	 /* guest clock when the time registers were filled */
	u64 flags_ns;	 /* guest clock up to which UF and AF are decided */
	u64 periodic_ns; /* guest clock of the last periodic tick */
};

/* @loop may be NULL; -errno when the host has no timer. */
int rtc_init(struct rtc *rtc, struct event_loop *loop);
void rtc_release(struct rtc *rtc);
enum bus_result rtc_access(void *opaque, struct bus_access *acc);
/* Set the CMOS bytes that tell firmware how much memory there is. */
void rtc_set_memory(struct rtc *rtc, u64 below_4g, u64 above_4g);
/* What the timer calls: raise what is due and arm it again. */
void rtc_tick(struct rtc *rtc);

/* ---- i8042 (i8042.c) ---- */

struct i8042 {
	struct device dev;
	struct bus *bus;
	struct bus_region data_region, command_region;
	hw_end_fn end;

	pthread_mutex_t lock; /* guards all below */
	struct irq_line keyboard_irq, mouse_irq;
	u8 status;
	u8 control; /* the command byte */
	u8 output_port;
	u8 output;  /* one byte for the guest; full while status says so */
	u8 pending; /* command whose data byte comes next, or 0 */
	/* What is plugged in; without it, nothing answers. */
	bool has_devices;
	bool release_follows; /* of the translation: set 2's prefix has gone by */
	struct ps2_keyboard keyboard;
	struct ps2_mouse mouse;
	struct input_device keyboard_input, mouse_input;
};

/* @has_devices: a keyboard and a mouse are plugged in. */
void i8042_init(struct i8042 *kbc, bool has_devices);
void i8042_release(struct i8042 *kbc);
enum bus_result i8042_access_data(void *opaque, struct bus_access *acc);
enum bus_result i8042_access_command(void *opaque, struct bus_access *acc);

/* ---- ACPI PM1 (acpi_pm.c) ---- */

struct acpi_pm {
	struct device dev;
	struct bus_region event_region, control_region;
	struct bus *event_bus, *control_bus;
	hw_end_fn end;

	pthread_mutex_t lock; /* guards all below */
	struct irq_line sci;
	u16 status, enable, control;
};

void acpi_pm_init(struct acpi_pm *pm);
void acpi_pm_release(struct acpi_pm *pm);
enum bus_result acpi_pm_access_event(void *opaque, struct bus_access *acc);
enum bus_result acpi_pm_access_control(void *opaque, struct bus_access *acc);
/* -ENOTSUP when the guest has not enabled the event. */
int acpi_pm_press(struct acpi_pm *pm);

/* ---- pvpanic (pvpanic.c) ---- */

struct pvpanic {
	struct device dev;
	struct bus *bus;
	struct bus_region region;
	hw_end_fn end;
	atomic_flag crash_logged;
};

enum bus_result pvpanic_access(void *opaque, struct bus_access *acc);

/* ---- PrimeCells of ARM (primecell.c) ---- */

/* What PrimeCell @part reads at @offset, behind its own registers. */
u8 hw_primecell_id(u16 part, u64 offset);

/* ---- PL031 (pl031.c) ---- */

struct pl031 {
	struct device dev;
	struct bus *bus;
	struct bus_region region;
	struct event_loop *loop;  /* NULL: no timer */
	struct event_timer timer; /* for the alarm */
	/* Wall clock of the host in ns since 1970; tests replace it. */
	u64 (*host_clock)(void);

	pthread_mutex_t lock; /* guards all below */
	struct irq_line irq;
	bool paused;
	u32 offset; /* guest's seconds less the host's, modulo 2^32 */
	u32 loaded, match;
	bool raised, enabled;
};

/* @loop may be NULL; -errno when the host has no timer. */
int pl031_init(struct pl031 *rtc, struct event_loop *loop);
void pl031_release(struct pl031 *rtc);
enum bus_result pl031_access(void *opaque, struct bus_access *acc);
/* What the timer calls: raise the alarm if it is due. */
void pl031_tick(struct pl031 *rtc);

/* ---- PL061 (pl061.c) ---- */

struct pl061 {
	struct device dev;
	struct bus *bus;
	struct bus_region region;
	struct event_loop *loop;  /* NULL: no timer */
	struct event_timer timer; /* lets go of the button */

	pthread_mutex_t lock; /* guards all below */
	struct irq_line irq;
	bool paused;
	bool unseen;	      /* the button is pressed, and was not read */
	u8 inputs, data, dir; /* a bit for each line */
	u8 is, ibe, iev, ie, afsel, edges;
};

int pl061_init(struct pl061 *gpio, struct event_loop *loop);
void pl061_release(struct pl061 *gpio);
enum bus_result pl061_access(void *opaque, struct bus_access *acc);
/* -ENOTSUP when the guest does not listen to the line. */
int pl061_press(struct pl061 *gpio);
/* What the timer calls. */
void pl061_release_button(struct pl061 *gpio);

/* ---- NOR flash (cfi_flash.c) ---- */

#define CFI_FLASH_BLOCK (64 * KIB) /* of both chips */
#define CFI_FLASH_BUFFER_WORDS 32U /* of 32 bits */

/* What reads give. */
enum cfi_mode {
	CFI_ARRAY,
	CFI_STATUS,
	CFI_ID,
	CFI_QUERY,
};

/* What the next write is. */
enum cfi_phase {
	CFI_IDLE, /* a command */
	CFI_PROGRAM_DATA,
	CFI_ERASE_CONFIRM,
	CFI_LOCK_CONFIRM,
	CFI_BUFFER_COUNT,
	CFI_BUFFER_DATA,
	CFI_BUFFER_CONFIRM,
};

struct cfi_flash_word {
	u32 offset, value;
};

struct cfi_flash {
	struct device dev;
	struct bus *bus;
	struct bus_region region;
	struct flash_file file; /* owned; data is its */
	u8 *data;
	u64 len; /* a power of two, at least a block */
	/* Show the array to the guest as memory, or hide it; NULL: reads trap. */
	void (*show)(struct cfi_flash *flash, bool visible);

	pthread_mutex_t lock; /* guards all below, and data against writes */
	int slot;	      /* of the memory shown; -1: none */
	enum cfi_mode mode;
	enum cfi_phase phase;
	u8 status;
	u64 offset; /* of the command that began this phase */
	unsigned int expected, buffered;
	struct cfi_flash_word buffer[CFI_FLASH_BUFFER_WORDS];
	bool *locked; /* of each block; owned */
};

/* @data stays the caller's. -ENOMEM. */
int cfi_flash_init(struct cfi_flash *flash, u8 *data, u64 len);
/* Accepts one that cfi_flash_init() failed for. */
void cfi_flash_release(struct cfi_flash *flash);
enum bus_result cfi_flash_access(void *opaque, struct bus_access *acc);

#endif
