/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ARM's PrimeCell GPIO PL061 (ARM DDI 0190): eight lines. The power button is
 * at line 0 and nothing at the others: as inputs they read low, as outputs they
 * lead nowhere.
 */
#include "hw/hw_priv.h"

#include <errno.h>
#include <stdlib.h>
#include "lkvm/arch.h"
#include "lkvm/devices.h"

#define PL061_PART 0x061

#define GPIO_DATA_END 0x400 /* bits 2 to 9 of the offset select lines */
#define GPIO_DIR 0x400	    /* 1: output */
#define GPIO_IS 0x404	    /* 1: level, else edge */
#define GPIO_IBE 0x408	    /* both edges */
#define GPIO_IEV 0x40c	    /* 1: rising or high */
#define GPIO_IE 0x410	    /* not masked */
#define GPIO_RIS 0x414
#define GPIO_MIS 0x418
#define GPIO_IC 0x41c /* write 1: clear the edge */
#define GPIO_AFSEL 0x420

#define BUTTON 0x01

/*
 * How long a finger stays after the guest has seen it. Drivers look at the line
 * some time after its interrupt, when it has stopped bouncing; a busy guest
 * much later than that.
 */
#define PRESS_NS 100000000ULL

/* Inputs and outputs as they are now. */
static u8 levels(const struct pl061 *gpio)
{
	return (gpio->data & gpio->dir) | (gpio->inputs & (u8)~gpio->dir);
}

static u8 raw_status(const struct pl061 *gpio)
{
	u8 active = levels(gpio) ^ (u8)~gpio->iev;

	return (active & gpio->is) | (gpio->edges & (u8)~gpio->is);
}

static void update_irq_locked(struct pl061 *gpio)
{
	if (!gpio->paused)
		irq_line_set(&gpio->irq, raw_status(gpio) & gpio->ie);
}

static void set_inputs_locked(struct pl061 *gpio, u8 inputs)
{
	u8 before = levels(gpio), changed, now;

	gpio->inputs = inputs;
	now = levels(gpio);
	changed = before ^ now;
	gpio->edges |= changed & (gpio->ibe | (u8) ~(now ^ gpio->iev)) &
		       (u8)~gpio->is;
	update_irq_locked(gpio);
}

static u8 read_lines_locked(struct pl061 *gpio, u8 lines)
{
	u8 value = levels(gpio) & lines;

	if (value & gpio->inputs & BUTTON && gpio->unseen) {
		gpio->unseen = false;
		if (gpio->loop)
			event_timer_set(&gpio->timer, PRESS_NS);
	}
	return value;
}

static u8 read_locked(struct pl061 *gpio, u64 offset)
{
	if (offset < GPIO_DATA_END)
		return read_lines_locked(gpio, (u8)(offset >> 2));
	switch (offset) {
	case GPIO_DIR:
		return gpio->dir;
	case GPIO_IS:
		return gpio->is;
	case GPIO_IBE:
		return gpio->ibe;
	case GPIO_IEV:
		return gpio->iev;
	case GPIO_IE:
		return gpio->ie;
	case GPIO_RIS:
		return raw_status(gpio);
	case GPIO_MIS:
		return raw_status(gpio) & gpio->ie;
	case GPIO_AFSEL:
		return gpio->afsel;
	default:
		return hw_primecell_id(PL061_PART, offset);
	}
}

static void write_locked(struct pl061 *gpio, u64 offset, u8 value)
{
	u8 mask = (u8)(offset >> 2);

	if (offset < GPIO_DATA_END) {
		gpio->data = (gpio->data & (u8)~mask) | (value & mask);
		return;
	}
	switch (offset) {
	case GPIO_DIR:
		gpio->dir = value;
		break;
	case GPIO_IS:
		gpio->is = value;
		break;
	case GPIO_IBE:
		gpio->ibe = value;
		break;
	case GPIO_IEV:
		gpio->iev = value;
		break;
	case GPIO_IE:
		gpio->ie = value;
		break;
	case GPIO_IC:
		gpio->edges &= (u8)~value;
		break;
	case GPIO_AFSEL:
		gpio->afsel = value;
		break;
	default:
		break;
	}
}

enum bus_result pl061_access(void *opaque, struct bus_access *acc)
{
	struct pl061 *gpio = opaque;

	if (acc->offset % 4)
		return BUS_UNHANDLED;
	pthread_mutex_lock(&gpio->lock);
	if (acc->is_write) {
		write_locked(gpio, acc->offset, (u8)acc->value);
		update_irq_locked(gpio);
	} else {
		acc->value = read_locked(gpio, acc->offset);
	}
	pthread_mutex_unlock(&gpio->lock);
	return BUS_HANDLED;
}

/* ---- The button ---- */

int pl061_press(struct pl061 *gpio)
{
	int err = 0;

	pthread_mutex_lock(&gpio->lock);
	if (gpio->ie & BUTTON) {
		/* An edge, whether or not the last press was seen. */
		set_inputs_locked(gpio, 0);
		set_inputs_locked(gpio, BUTTON);
		gpio->unseen = true;
	} else {
		err = -ENOTSUP;
	}
	pthread_mutex_unlock(&gpio->lock);
	return err;
}

void pl061_release_button(struct pl061 *gpio)
{
	pthread_mutex_lock(&gpio->lock);
	set_inputs_locked(gpio, 0);
	pthread_mutex_unlock(&gpio->lock);
}

static void timer_expired(struct event_timer *timer)
{
	pl061_release_button(container_of(timer, struct pl061, timer));
}

/* ---- In a VM ---- */

int pl061_init(struct pl061 *gpio, struct event_loop *loop)
{
	*gpio = (struct pl061){
		.loop = loop,
		.timer.expired = timer_expired,
		.region = {
			.name = "PL061 GPIO",
			.access = pl061_access,
			.opaque = gpio,
		},
	};
	pthread_mutex_init(&gpio->lock, NULL);
	return loop ? event_timer_init(loop, &gpio->timer) : 0;
}

void pl061_release(struct pl061 *gpio)
{
	if (gpio->loop)
		event_timer_release(gpio->loop, &gpio->timer);
	pthread_mutex_destroy(&gpio->lock);
}

static struct pl061 *to_pl061(struct device *dev)
{
	return container_of(dev, struct pl061, dev);
}

static void set_paused(struct device *dev, bool paused)
{
	struct pl061 *gpio = to_pl061(dev);

	pthread_mutex_lock(&gpio->lock);
	gpio->paused = paused;
	update_irq_locked(gpio);
	pthread_mutex_unlock(&gpio->lock);
}

static void pl061_pause(struct device *dev)
{
	set_paused(dev, true);
}

static void pl061_resume(struct device *dev)
{
	set_paused(dev, false);
}

static int press_power(struct device *dev)
{
	return pl061_press(to_pl061(dev));
}

static void pl061_describe(struct device *dev, struct device_desc *out)
{
	const struct pl061 *gpio = to_pl061(dev);

	*out = (struct device_desc){
		.node = "gpio",
		DEVICE_COMPATIBLE("arm,pl061\0arm,primecell"),
		.start = gpio->region.start,
		.len = gpio->region.len,
		.irq = gpio->irq.hub,
		.needs_clock = true,
		.is_gpio_power = true,
	};
}

static void pl061_destroy(struct device *dev)
{
	struct pl061 *gpio = to_pl061(dev);

	bus_remove(gpio->bus, &gpio->region);
	pl061_release(gpio);
	free(gpio);
}

static const struct device_ops pl061_ops = {
	.name = "PL061",
	.describe = pl061_describe,
	.press_power = press_power,
	.pause = pl061_pause,
	.resume = pl061_resume,
	.stop = pl061_pause,
	.destroy = pl061_destroy,
};

static int pl061_create(struct kvm *vm, const struct kvm_config *config)
{
	struct device_place place;
	struct pl061 *gpio;
	int err = arch_place(vm, PLACE_POWER_GPIO, 0, &place);

	if (err)
		return err == -ENODEV ? 0 : err;
	gpio = malloc(sizeof(*gpio));
	if (!gpio)
		return vm_fail(vm, -ENOMEM, "PL061: out of memory");
	err = pl061_init(gpio, &vm->loop);
	gpio->bus = place.bus;
	gpio->irq = place.irq;
	device_register(vm, &gpio->dev, &pl061_ops);
	if (err)
		return vm_fail(vm, err, "PL061: cannot create a timer");
	return hw_add_region(vm, &place, &gpio->region);
}

const struct device_class pl061_class = {
	.name = "PL061",
	.create = pl061_create,
};
