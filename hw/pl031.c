/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ARM's PrimeCell real-time clock PL031 (ARM DDI 0224): seconds since 1970, and
 * one alarm. It cannot be stopped, as the real one cannot.
 */
#include "hw/hw_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include "lkvm/arch.h"
#include "lkvm/devices.h"

#define PL031_PART 0x031

#define RTC_DR 0x00   /* now */
#define RTC_MR 0x04   /* alarm */
#define RTC_LR 0x08   /* set now */
#define RTC_CR 0x0c   /* 1: runs */
#define RTC_IMSC 0x10 /* 1: the alarm interrupts */
#define RTC_RIS 0x14  /* alarm has come */
#define RTC_MIS 0x18  /* and interrupts */
#define RTC_ICR 0x1c  /* write 1: clear it */

#define NS_PER_SEC 1000000000ULL

static u64 host_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (u64)now.tv_sec * NS_PER_SEC + (u64)now.tv_nsec;
}

static u32 guest_seconds(const struct pl031 *rtc)
{
	return (u32)(rtc->host_clock() / NS_PER_SEC) + rtc->offset;
}

static void update_irq_locked(struct pl031 *rtc)
{
	if (!rtc->paused)
		irq_line_set(&rtc->irq, rtc->raised && rtc->enabled);
}

/* An alarm that lies back comes when the seconds have gone round: not here. */
static void arm_locked(struct pl031 *rtc)
{
	u32 ahead = rtc->match - guest_seconds(rtc);
	u64 into_second = rtc->host_clock() % NS_PER_SEC;

	if (!rtc->loop)
		return;
	if (rtc->raised || rtc->paused || ahead > INT32_MAX)
		event_timer_set(&rtc->timer, 0);
	else
		event_timer_set(&rtc->timer,
				ahead ? ahead * NS_PER_SEC - into_second : 1);
}

void pl031_tick(struct pl031 *rtc)
{
	pthread_mutex_lock(&rtc->lock);
	if (!rtc->paused && guest_seconds(rtc) - rtc->match <= (u32)INT32_MAX) {
		rtc->raised = true;
		update_irq_locked(rtc);
	} else {
		arm_locked(rtc);
	}
	pthread_mutex_unlock(&rtc->lock);
}

static void timer_expired(struct event_timer *timer)
{
	pl031_tick(container_of(timer, struct pl031, timer));
}

static u32 read_locked(const struct pl031 *rtc, u64 offset)
{
	switch (offset) {
	case RTC_DR:
		return guest_seconds(rtc);
	case RTC_MR:
		return rtc->match;
	case RTC_LR:
		return rtc->loaded;
	case RTC_CR:
		return 1;
	case RTC_IMSC:
		return rtc->enabled;
	case RTC_RIS:
		return rtc->raised;
	case RTC_MIS:
		return rtc->raised && rtc->enabled;
	default:
		return hw_primecell_id(PL031_PART, offset);
	}
}

static void write_locked(struct pl031 *rtc, u64 offset, u32 value)
{
	switch (offset) {
	case RTC_LR:
		rtc->loaded = value;
		rtc->offset += value - guest_seconds(rtc);
		arm_locked(rtc);
		break;
	case RTC_MR:
		rtc->match = value;
		arm_locked(rtc);
		break;
	case RTC_IMSC:
		rtc->enabled = value & 1;
		update_irq_locked(rtc);
		break;
	case RTC_ICR:
		if (value & 1)
			rtc->raised = false;
		update_irq_locked(rtc);
		break;
	default:
		break;
	}
}

enum bus_result pl031_access(void *opaque, struct bus_access *acc)
{
	struct pl031 *rtc = opaque;

	if (acc->offset % 4)
		return BUS_UNHANDLED;
	pthread_mutex_lock(&rtc->lock);
	if (acc->is_write)
		write_locked(rtc, acc->offset, (u32)acc->value);
	else
		acc->value = read_locked(rtc, acc->offset);
	pthread_mutex_unlock(&rtc->lock);
	return BUS_HANDLED;
}

/* ---- In a VM ---- */

int pl031_init(struct pl031 *rtc, struct event_loop *loop)
{
	*rtc = (struct pl031){
		.loop = loop,
		.timer.expired = timer_expired,
		.host_clock = host_clock,
		.region = {
			.name = "PL031 real-time clock",
			.access = pl031_access,
			.opaque = rtc,
		},
	};
	pthread_mutex_init(&rtc->lock, NULL);
	return loop ? event_timer_init(loop, &rtc->timer) : 0;
}

void pl031_release(struct pl031 *rtc)
{
	if (rtc->loop)
		event_timer_release(rtc->loop, &rtc->timer);
	pthread_mutex_destroy(&rtc->lock);
}

static struct pl031 *to_pl031(struct device *dev)
{
	return container_of(dev, struct pl031, dev);
}

static void set_paused(struct device *dev, bool paused)
{
	struct pl031 *rtc = to_pl031(dev);

	pthread_mutex_lock(&rtc->lock);
	rtc->paused = paused;
	update_irq_locked(rtc);
	arm_locked(rtc);
	pthread_mutex_unlock(&rtc->lock);
}

static void pl031_pause(struct device *dev)
{
	set_paused(dev, true);
}

static void pl031_resume(struct device *dev)
{
	set_paused(dev, false);
}

static void pl031_describe(struct device *dev, struct device_desc *out)
{
	const struct pl031 *rtc = to_pl031(dev);

	*out = (struct device_desc){
		.node = "rtc",
		DEVICE_COMPATIBLE("arm,pl031\0arm,primecell"),
		.start = rtc->region.start,
		.len = rtc->region.len,
		.irq = rtc->irq.hub,
		.needs_clock = true,
	};
}

static void pl031_destroy(struct device *dev)
{
	struct pl031 *rtc = to_pl031(dev);

	bus_remove(rtc->bus, &rtc->region);
	pl031_release(rtc);
	free(rtc);
}

static const struct device_ops pl031_ops = {
	.name = "PL031",
	.describe = pl031_describe,
	.pause = pl031_pause,
	.resume = pl031_resume,
	.stop = pl031_pause,
	.destroy = pl031_destroy,
};

static int pl031_create(struct kvm *vm, const struct kvm_config *config)
{
	struct device_place place;
	struct pl031 *rtc;
	int err = arch_place(vm, PLACE_PL031, 0, &place);

	if (err)
		return err == -ENODEV ? 0 : err;
	rtc = malloc(sizeof(*rtc));
	if (!rtc)
		return vm_fail(vm, -ENOMEM, "PL031: out of memory");
	err = pl031_init(rtc, &vm->loop);
	rtc->bus = place.bus;
	rtc->irq = place.irq;
	device_register(vm, &rtc->dev, &pl031_ops);
	if (err)
		return vm_fail(vm, err, "PL031: cannot create a timer");
	return hw_add_region(vm, &place, &rtc->region);
}

const struct device_class pl031_class = {
	.name = "PL031",
	.create = pl031_create,
};
