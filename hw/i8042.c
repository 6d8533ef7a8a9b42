/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * i8042 keyboard controller, after the IBM PS/2 technical reference ("Keyboard
 * and Auxiliary Device Controller"). A VM with a display has a keyboard and a
 * mouse (ps2_*.c) plugged into its two ports. Without one the controller is here
 * for the reset line, and so that drivers find out at once that nothing is there.
 */
#include "hw/hw_priv.h"

#include <errno.h>
#include <stdlib.h>
#include "lkvm/arch.h"
#include "lkvm/devices.h"

/* Status register */
#define STATUS_OUTPUT_FULL BIT(0)
#define STATUS_SYSTEM BIT(2)  /* follows the command byte: POST has passed */
#define STATUS_COMMAND BIT(3) /* the last write was a command */
#define STATUS_UNLOCKED BIT(4)
#define STATUS_MOUSE BIT(5)
#define STATUS_TIMEOUT BIT(6)

/* Command byte */
#define CONTROL_KEYBOARD_IRQ BIT(0)
#define CONTROL_MOUSE_IRQ BIT(1)
#define CONTROL_SYSTEM BIT(2)
#define CONTROL_KEYBOARD_OFF BIT(4)
#define CONTROL_MOUSE_OFF BIT(5)
#define CONTROL_TRANSLATE BIT(6)

/* Output port */
#define OUTPUT_NO_RESET BIT(0)
#define OUTPUT_A20 BIT(1)
#define OUTPUT_KEYBOARD_IRQ BIT(4)
#define OUTPUT_MOUSE_IRQ BIT(5)

enum command {
	READ_CONTROL = 0x20,
	WRITE_CONTROL = 0x60,
	MOUSE_OFF = 0xa7,
	MOUSE_ON = 0xa8,
	TEST_MOUSE = 0xa9,
	SELF_TEST = 0xaa,
	TEST_KEYBOARD = 0xab,
	KEYBOARD_OFF = 0xad,
	KEYBOARD_ON = 0xae,
	READ_INPUT_PORT = 0xc0,
	READ_OUTPUT_PORT = 0xd0,
	WRITE_OUTPUT_PORT = 0xd1,
	ECHO_KEYBOARD = 0xd2, /* as if the keyboard had sent it */
	ECHO_MOUSE = 0xd3,
	WRITE_MOUSE = 0xd4,
	READ_TEST_INPUTS = 0xe0,
	PULSE_OUTPUT_PORT = 0xf0, /* to 0xff: low bits say which lines go low */
};

#define SELF_TEST_PASSED 0x55
#define INPUT_PORT_UNLOCKED 0x80
/* What the controller puts there when a device does not answer. */
#define REPLY_TIMEOUT 0xfe

/* Scan codes: of released keys, in set 2 and in set 1. */
#define RELEASE_PREFIX 0xf0
#define RELEASED_BIT 0x80

static void update_irqs(struct i8042 *kbc)
{
	bool full = kbc->status & STATUS_OUTPUT_FULL;
	bool mouse = kbc->status & STATUS_MOUSE;

	irq_line_set(&kbc->keyboard_irq,
		     full && !mouse && (kbc->control & CONTROL_KEYBOARD_IRQ));
	irq_line_set(&kbc->mouse_irq,
		     full && mouse && (kbc->control & CONTROL_MOUSE_IRQ));
}

/* The buffer holds one byte: a new one takes the place of an unread one. */
static void reply(struct i8042 *kbc, u8 byte, u8 flags)
{
	kbc->output = byte;
	kbc->status &= ~(STATUS_MOUSE | STATUS_TIMEOUT);
	kbc->status |= STATUS_OUTPUT_FULL | flags;
}

/*
 * Scan codes of set 2 as those of set 1. False: nothing for the guest yet, it was
 * the prefix of a released key.
 */
static bool translate(struct i8042 *kbc, u8 *byte)
{
	if (!(kbc->control & CONTROL_TRANSLATE))
		return true;
	if (*byte == RELEASE_PREFIX) {
		kbc->release_follows = true;
		return false;
	}
	*byte = ps2_translate(*byte);
	if (kbc->release_follows)
		*byte |= RELEASED_BIT;
	kbc->release_follows = false;
	return true;
}

/* The next byte of a device whose cable is not held, if the buffer is empty. */
static void refill(struct i8042 *kbc)
{
	u8 byte;

	while (!(kbc->status & STATUS_OUTPUT_FULL) &&
	       !(kbc->control & CONTROL_KEYBOARD_OFF) &&
	       kbc->keyboard.queue.count) {
		byte = ps2_take(&kbc->keyboard.queue);
		kbc->keyboard.last = byte;
		if (translate(kbc, &byte))
			reply(kbc, byte, 0);
	}
	ps2_mouse_report(&kbc->mouse);
	if (!(kbc->status & STATUS_OUTPUT_FULL) &&
	    !(kbc->control & CONTROL_MOUSE_OFF) && kbc->mouse.queue.count)
		reply(kbc, ps2_take(&kbc->mouse.queue), STATUS_MOUSE);
	update_irqs(kbc);
}

static void set_control(struct i8042 *kbc, u8 value)
{
	kbc->control = value;
	kbc->status &= ~STATUS_SYSTEM;
	kbc->status |= value & CONTROL_SYSTEM ? STATUS_SYSTEM : 0;
}

static u8 read_output_port(const struct i8042 *kbc)
{
	u8 value = kbc->output_port;

	if (kbc->status & STATUS_OUTPUT_FULL)
		value |= kbc->status & STATUS_MOUSE ? OUTPUT_MOUSE_IRQ
						    : OUTPUT_KEYBOARD_IRQ;
	return value;
}

static void reset_if(struct i8042 *kbc, bool reset_line_low)
{
	if (reset_line_low)
		kbc->end(kbc->dev.vm, VM_END_RESET);
}

static void run_command(struct i8042 *kbc, u8 command)
{
	kbc->pending = 0;
	switch (command) {
	case READ_CONTROL:
		reply(kbc, kbc->control, 0);
		break;
	case MOUSE_OFF:
		kbc->control |= CONTROL_MOUSE_OFF;
		break;
	case MOUSE_ON:
		kbc->control &= ~CONTROL_MOUSE_OFF;
		break;
	case KEYBOARD_OFF:
		kbc->control |= CONTROL_KEYBOARD_OFF;
		break;
	case KEYBOARD_ON:
		kbc->control &= ~CONTROL_KEYBOARD_OFF;
		break;
	case SELF_TEST:
		set_control(kbc, kbc->control | CONTROL_SYSTEM);
		reply(kbc, SELF_TEST_PASSED, 0);
		break;
	case TEST_MOUSE:
	case TEST_KEYBOARD:
	case READ_TEST_INPUTS:
		reply(kbc, 0, 0);
		break;
	case READ_INPUT_PORT:
		reply(kbc, INPUT_PORT_UNLOCKED, 0);
		break;
	case READ_OUTPUT_PORT:
		reply(kbc, read_output_port(kbc), 0);
		break;
	case WRITE_CONTROL:
	case WRITE_OUTPUT_PORT:
	case ECHO_KEYBOARD:
	case ECHO_MOUSE:
	case WRITE_MOUSE:
		kbc->pending = command;
		break;
	default:
		if (command >= PULSE_OUTPUT_PORT)
			reset_if(kbc, !(command & OUTPUT_NO_RESET));
		break;
	}
}

static void write_data(struct i8042 *kbc, u8 value)
{
	u8 command = kbc->pending;

	kbc->pending = 0;
	switch (command) {
	case WRITE_CONTROL:
		set_control(kbc, value);
		break;
	case WRITE_OUTPUT_PORT:
		kbc->output_port = OUTPUT_NO_RESET | (value & OUTPUT_A20);
		reset_if(kbc, !(value & OUTPUT_NO_RESET));
		break;
	case ECHO_KEYBOARD:
		reply(kbc, value, 0);
		break;
	case ECHO_MOUSE:
		reply(kbc, value, STATUS_MOUSE);
		break;
	case WRITE_MOUSE:
		if (kbc->has_devices)
			ps2_mouse_write(&kbc->mouse, value);
		else
			reply(kbc, REPLY_TIMEOUT,
			      STATUS_MOUSE | STATUS_TIMEOUT);
		break;
	default:
		/* For the keyboard, whose cable that lets go. */
		kbc->control &= ~CONTROL_KEYBOARD_OFF;
		if (kbc->has_devices)
			ps2_keyboard_write(&kbc->keyboard, value);
		else
			reply(kbc, REPLY_TIMEOUT, STATUS_TIMEOUT);
		break;
	}
}

/* An empty buffer shows its last byte again. */
static u8 read_data(struct i8042 *kbc)
{
	u8 byte = kbc->output;

	kbc->status &= ~(STATUS_OUTPUT_FULL | STATUS_MOUSE | STATUS_TIMEOUT);
	/* The line falls between two bytes: the inputs take edges. */
	update_irqs(kbc);
	return byte;
}

enum bus_result i8042_access_data(void *opaque, struct bus_access *acc)
{
	struct i8042 *kbc = opaque;

	pthread_mutex_lock(&kbc->lock);
	if (acc->is_write) {
		kbc->status &= ~STATUS_COMMAND;
		write_data(kbc, (u8)acc->value);
	} else {
		acc->value = read_data(kbc);
	}
	refill(kbc);
	pthread_mutex_unlock(&kbc->lock);
	return BUS_HANDLED;
}

enum bus_result i8042_access_command(void *opaque, struct bus_access *acc)
{
	struct i8042 *kbc = opaque;

	pthread_mutex_lock(&kbc->lock);
	if (acc->is_write) {
		kbc->status |= STATUS_COMMAND;
		run_command(kbc, (u8)acc->value);
		refill(kbc);
	} else {
		acc->value = kbc->status;
	}
	pthread_mutex_unlock(&kbc->lock);
	return BUS_HANDLED;
}

/* ---- What the user does ---- */

static bool is_keyboard_ready(void *opaque)
{
	struct i8042 *kbc = opaque;
	bool ready;

	pthread_mutex_lock(&kbc->lock);
	ready = kbc->keyboard.scanning && (kbc->control & CONTROL_KEYBOARD_IRQ);
	pthread_mutex_unlock(&kbc->lock);
	return ready;
}

static bool is_keyboard_idle(void *opaque)
{
	struct i8042 *kbc = opaque;
	bool idle;

	pthread_mutex_lock(&kbc->lock);
	idle = !kbc->keyboard.queue.count;
	pthread_mutex_unlock(&kbc->lock);
	return idle;
}

static void press_key(void *opaque, u16 code, bool down)
{
	struct i8042 *kbc = opaque;

	pthread_mutex_lock(&kbc->lock);
	ps2_keyboard_key(&kbc->keyboard, code, down);
	refill(kbc);
	pthread_mutex_unlock(&kbc->lock);
}

static bool is_mouse_ready(void *opaque)
{
	struct i8042 *kbc = opaque;
	bool ready;

	pthread_mutex_lock(&kbc->lock);
	ready = kbc->mouse.reporting;
	pthread_mutex_unlock(&kbc->lock);
	return ready;
}

static void press_button(void *opaque, u16 code, bool down)
{
	struct i8042 *kbc = opaque;

	pthread_mutex_lock(&kbc->lock);
	ps2_mouse_button(&kbc->mouse, code, down);
	refill(kbc);
	pthread_mutex_unlock(&kbc->lock);
}

static void move_mouse(void *opaque, int dx, int dy)
{
	struct i8042 *kbc = opaque;

	pthread_mutex_lock(&kbc->lock);
	ps2_mouse_move(&kbc->mouse, dx, dy);
	refill(kbc);
	pthread_mutex_unlock(&kbc->lock);
}

static void turn_wheel(void *opaque, int notches)
{
	struct i8042 *kbc = opaque;

	pthread_mutex_lock(&kbc->lock);
	ps2_mouse_wheel(&kbc->mouse, notches);
	refill(kbc);
	pthread_mutex_unlock(&kbc->lock);
}

static const struct input_ops keyboard_ops = {
	.is_ready = is_keyboard_ready,
	.is_idle = is_keyboard_idle,
	.key = press_key,
};

static const struct input_ops mouse_ops = {
	.is_ready = is_mouse_ready,
	.key = press_button,
	.move_by = move_mouse,
	.wheel = turn_wheel,
};

/* ---- Life ---- */

/* As firmware leaves it. */
void i8042_init(struct i8042 *kbc, bool has_devices)
{
	*kbc = (struct i8042){
		.end = vm_end,
		.status = STATUS_SYSTEM | STATUS_COMMAND | STATUS_UNLOCKED,
		.control = CONTROL_SYSTEM | CONTROL_TRANSLATE |
			   CONTROL_MOUSE_OFF,
		.output_port = OUTPUT_NO_RESET | OUTPUT_A20,
		.data_region = {
			.name = "keyboard controller data",
			.access = i8042_access_data,
			.opaque = kbc,
		},
		.command_region = {
			.name = "keyboard controller command",
			.access = i8042_access_command,
			.opaque = kbc,
		},
	};
	pthread_mutex_init(&kbc->lock, NULL);
	kbc->has_devices = has_devices;
	ps2_keyboard_reset(&kbc->keyboard);
	ps2_mouse_reset(&kbc->mouse);
	kbc->keyboard_input = (struct input_device){ &keyboard_ops, kbc, NULL };
	kbc->mouse_input = (struct input_device){ &mouse_ops, kbc, NULL };
}

void i8042_release(struct i8042 *kbc)
{
	pthread_mutex_destroy(&kbc->lock);
}

static void i8042_destroy(struct device *dev)
{
	struct i8042 *kbc = container_of(dev, struct i8042, dev);

	input_detach(&dev->vm->input, &kbc->keyboard_input);
	input_detach(&dev->vm->input, &kbc->mouse_input);
	bus_remove(kbc->bus, &kbc->data_region);
	bus_remove(kbc->bus, &kbc->command_region);
	i8042_release(kbc);
	free(kbc);
}

static const struct device_ops i8042_ops = {
	.name = "i8042",
	.destroy = i8042_destroy,
};

static int i8042_create(struct kvm *vm, const struct kvm_config *config)
{
	struct device_place data, command;
	struct i8042 *kbc;
	int err;

	err = arch_place(vm, PLACE_KEYBOARD, 0, &data);
	if (!err)
		err = arch_place(vm, PLACE_KEYBOARD, 1, &command);
	if (err)
		return err == -ENODEV ? 0 : err;

	kbc = malloc(sizeof(*kbc));
	if (!kbc)
		return vm_fail(vm, -ENOMEM, "i8042: out of memory");
	i8042_init(kbc, config->display.kind != DISPLAY_NONE);
	kbc->bus = data.bus;
	kbc->keyboard_irq = data.irq;
	kbc->mouse_irq = command.irq;
	device_register(vm, &kbc->dev, &i8042_ops);
	err = hw_add_region(vm, &data, &kbc->data_region);
	if (!err)
		err = hw_add_region(vm, &command, &kbc->command_region);
	if (!err && kbc->has_devices) {
		input_attach(&vm->input, &kbc->keyboard_input);
		input_attach(&vm->input, &kbc->mouse_input);
	}
	return err;
}

const struct device_class i8042_class = {
	.name = "i8042",
	.create = i8042_create,
};
