/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MC146818A real-time clock with CMOS RAM, after Motorola's data sheet, and the
 * bytes of the RAM that PC firmware gives a meaning. The guest's clock is the
 * host's plus an offset: it goes on while the VM is paused, and follows when
 * the host's clock is set. Not modelled: square wave output, daylight saving,
 * stopping the divider.
 */
#include "hw/hw_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include "hw/calendar.h"
#include "lkvm/arch.h"
#include "lkvm/devices.h"

#define NSEC_PER_SEC 1000000000ULL
#define SECONDS_PER_DAY 86400U

/* Registers, and where PC firmware keeps the century */
#define RTC_SECONDS 0x00
#define RTC_SECONDS_ALARM 0x01
#define RTC_MINUTES 0x02
#define RTC_MINUTES_ALARM 0x03
#define RTC_HOURS 0x04
#define RTC_HOURS_ALARM 0x05
#define RTC_DAY_OF_WEEK 0x06
#define RTC_DAY_OF_MONTH 0x07
#define RTC_MONTH 0x08
#define RTC_YEAR 0x09
#define RTC_REG_A 0x0a
#define RTC_REG_B 0x0b
#define RTC_REG_C 0x0c
#define RTC_REG_D 0x0d
#define REG_CENTURY 0x32

/* Register A */
#define RTC_RATE_SELECT 0x0f
#define RTC_REF_CLCK_32KHZ 0x20
/* Register B */
#define RTC_24H BIT(1)
#define RTC_DM_BINARY BIT(2)
#define RTC_UIE BIT(4)
#define RTC_AIE BIT(5)
#define RTC_PIE BIT(6)
#define RTC_SET BIT(7)
/* Register C */
#define RTC_UF BIT(4)
#define RTC_AF BIT(5)
#define RTC_PF BIT(6)
#define RTC_IRQF BIT(7)
/* Register D */
#define RTC_VRT BIT(7)

#define RTC_12H_PM 0x80U
/* Alarm registers from 0xc0 match every value. */
#define ALARM_WILDCARD 0xc0
#define RTC_A_WRITABLE 0x7f
#define RTC_FLAGS (RTC_PF | RTC_AF | RTC_UF)

/* CMOS RAM: sizes of memory, little endian */
#define CMOS_BASE_KIB 0x15
#define CMOS_EXTENDED_KIB 0x17
#define CMOS_EXTENDED_KIB_2 0x30
#define CMOS_ABOVE_16M_64KIB 0x34
#define CMOS_ABOVE_4G_64KIB 0x5b

static u64 host_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (u64)now.tv_sec * NSEC_PER_SEC + (u64)now.tv_nsec;
}

static u64 guest_clock(const struct rtc *rtc)
{
	return rtc->host_clock() + rtc->offset_ns;
}

/* ---- Time and the registers that show it ---- */

static u8 encode(const struct rtc *rtc, int value)
{
	if (rtc->ram[RTC_REG_B] & RTC_DM_BINARY)
		return (u8)value;
	return (u8)(value / 10 << 4 | value % 10);
}

static int decode(const struct rtc *rtc, u8 reg)
{
	if (rtc->ram[RTC_REG_B] & RTC_DM_BINARY)
		return reg;
	return (reg >> 4) * 10 + (reg & 0xf);
}

static u8 encode_hours(const struct rtc *rtc, int hours)
{
	if (rtc->ram[RTC_REG_B] & RTC_24H)
		return encode(rtc, hours);
	return encode(rtc, hours % 12 ? hours % 12 : 12) |
	       (hours >= 12 ? RTC_12H_PM : 0);
}

static int decode_hours(const struct rtc *rtc, u8 reg)
{
	if (rtc->ram[RTC_REG_B] & RTC_24H)
		return decode(rtc, reg);
	return decode(rtc, reg & (u8)~RTC_12H_PM) % 12 +
	       (reg & RTC_12H_PM ? 12 : 0);
}

/* Fill the time registers with the guest's time. */
static void latch_time(struct rtc *rtc)
{
	u64 now = guest_clock(rtc);
	u64 seconds = now / NSEC_PER_SEC;
	u64 days = seconds / SECONDS_PER_DAY;
	u64 time = seconds % SECONDS_PER_DAY;
	struct date date;

	if (rtc->ram[RTC_REG_B] & RTC_SET)
		return;
	rtc->latched_ns = now;
	date = date_from_days(days);
	rtc->ram[RTC_SECONDS] = encode(rtc, (int)(time % 60));
	rtc->ram[RTC_MINUTES] = encode(rtc, (int)(time / 60 % 60));
	rtc->ram[RTC_HOURS] = encode_hours(rtc, (int)(time / 3600));
	rtc->ram[RTC_DAY_OF_WEEK] = encode(rtc, weekday_from_days(days) + 1);
	rtc->ram[RTC_DAY_OF_MONTH] = encode(rtc, date.day);
	rtc->ram[RTC_MONTH] = encode(rtc, date.month + 1);
	rtc->ram[RTC_YEAR] = encode(rtc, date.year % 100);
	rtc->ram[REG_CENTURY] = encode(rtc, date.year / 100 % 100);
}

/* The registers become the guest's time, at the start of their second. */
static void take_time(struct rtc *rtc)
{
	struct date date = {
		.year = decode(rtc, rtc->ram[REG_CENTURY]) * 100 +
			decode(rtc, rtc->ram[RTC_YEAR]),
		.month = decode(rtc, rtc->ram[RTC_MONTH]) - 1,
		.day = decode(rtc, rtc->ram[RTC_DAY_OF_MONTH]),
	};
	int64_t seconds = days_from_date(&date) * (int64_t)SECONDS_PER_DAY;
	u64 now;

	seconds += decode_hours(rtc, rtc->ram[RTC_HOURS]) * 3600 +
		   decode(rtc, rtc->ram[RTC_MINUTES]) * 60 +
		   decode(rtc, rtc->ram[RTC_SECONDS]);
	/* Before 1970 there is no time: no guest needs it. */
	if (seconds < 0)
		seconds = 0;
	now = (u64)seconds * NSEC_PER_SEC;
	rtc->offset_ns = now - rtc->host_clock();
	rtc->latched_ns = now;
	rtc->flags_ns = now;
	rtc->periodic_ns = now;
}

static bool is_time_register(u8 index)
{
	switch (index) {
	case RTC_SECONDS:
	case RTC_MINUTES:
	case RTC_HOURS:
	case RTC_DAY_OF_WEEK:
	case RTC_DAY_OF_MONTH:
	case RTC_MONTH:
	case RTC_YEAR:
	case REG_CENTURY:
		return true;
	default:
		return false;
	}
}

/* ---- Interrupts ---- */

static bool alarm_field_matches(u8 reg, int wanted, unsigned int value)
{
	return reg >= ALARM_WILDCARD || (unsigned int)wanted == value;
}

/*
 * Seconds from @now, a second of the day, to the next one that the alarm
 * registers match: 1 to a day; 0 when they match none. Steps over hours and
 * minutes that do not match, so that the loop is short.
 */
static unsigned int alarm_distance(const struct rtc *rtc, unsigned int now)
{
	const u8 *ram = rtc->ram;
	int hour = decode_hours(rtc, ram[RTC_HOURS_ALARM]);
	int minute = decode(rtc, ram[RTC_MINUTES_ALARM]);
	int second = decode(rtc, ram[RTC_SECONDS_ALARM]);
	unsigned int t = now + 1;

	while (t <= now + SECONDS_PER_DAY) {
		unsigned int of_day = t % SECONDS_PER_DAY;

		if (!alarm_field_matches(ram[RTC_HOURS_ALARM], hour,
					 of_day / 3600))
			t += 3600 - of_day % 3600;
		else if (!alarm_field_matches(ram[RTC_MINUTES_ALARM], minute,
					      of_day / 60 % 60))
			t += 60 - of_day % 60;
		else if (!alarm_field_matches(ram[RTC_SECONDS_ALARM], second,
					      of_day % 60))
			t++;
		else
			return t - now;
	}
	return 0;
}

/* When the alarm comes next after @after; 0: never. */
static u64 next_alarm(const struct rtc *rtc, u64 after)
{
	u64 seconds = after / NSEC_PER_SEC;
	unsigned int distance =
		alarm_distance(rtc, (unsigned int)(seconds % SECONDS_PER_DAY));

	return distance ? (seconds + distance) * NSEC_PER_SEC : 0;
}

/* 0: off. Table 5 of the data sheet, for the 32.768 kHz time base. */
static u64 period_ns(const struct rtc *rtc)
{
	unsigned int rate = rtc->ram[RTC_REG_A] & RTC_RATE_SELECT;

	if (!rate)
		return 0;
	if (rate < 3)
		rate += 7;
	return NSEC_PER_SEC * (1U << (rate - 1)) / 32768;
}

/* Set the flags of register C for all that happened since the last look. */
static void update_flags(struct rtc *rtc, u64 now)
{
	u64 then = rtc->flags_ns;
	u64 period = period_ns(rtc);
	u64 alarm;

	rtc->flags_ns = now;
	if (now < then) { /* the host's clock was set back */
		rtc->periodic_ns = now;
		return;
	}
	if (period && now - rtc->periodic_ns >= period) {
		/* Ticks that nobody waited for are skipped, in phase. */
		rtc->periodic_ns = now - (now - rtc->periodic_ns) % period;
		rtc->ram[RTC_REG_C] |= RTC_PF;
	}
	if (rtc->ram[RTC_REG_B] & RTC_SET)
		return;
	if (now / NSEC_PER_SEC != then / NSEC_PER_SEC)
		rtc->ram[RTC_REG_C] |= RTC_UF;
	alarm = next_alarm(rtc, then);
	if (alarm && alarm <= now)
		rtc->ram[RTC_REG_C] |= RTC_AF;
}

static void earliest(u64 *due, u64 candidate)
{
	if (candidate && candidate < *due)
		*due = candidate;
}

/*
 * Arm the timer for the next flag that is to interrupt. One that is set already
 * cannot interrupt again before the guest has read register C: so the guest's
 * own pace bounds what it can cost the host.
 */
static void arm_timer(struct rtc *rtc, u64 now)
{
	u8 wanted = rtc->ram[RTC_REG_B] & (u8)~rtc->ram[RTC_REG_C];
	u64 due = UINT64_MAX;

	if (!rtc->loop)
		return;
	if ((wanted & RTC_PIE) && period_ns(rtc))
		earliest(&due, rtc->periodic_ns + period_ns(rtc));
	if (!(wanted & RTC_SET)) {
		if (wanted & RTC_UIE)
			earliest(&due, (now / NSEC_PER_SEC + 1) * NSEC_PER_SEC);
		if (wanted & RTC_AIE)
			earliest(&due, next_alarm(rtc, now));
	}
	if (due == UINT64_MAX || rtc->paused)
		event_timer_set(&rtc->timer, 0);
	else
		event_timer_set(&rtc->timer, due > now ? due - now : 1);
}

/* IRQF and the line: a flag of C whose enable bit in B, in the same place, is on. */
static void update_irq(struct rtc *rtc)
{
	u8 flags = rtc->ram[RTC_REG_C] & RTC_FLAGS;

	if (flags & rtc->ram[RTC_REG_B])
		flags |= RTC_IRQF;
	rtc->ram[RTC_REG_C] = flags;
	if (!rtc->paused)
		irq_line_set(&rtc->irq, flags & RTC_IRQF);
}

static void refresh(struct rtc *rtc)
{
	u64 now = guest_clock(rtc);

	update_flags(rtc, now);
	update_irq(rtc);
	arm_timer(rtc, now);
}

void rtc_tick(struct rtc *rtc)
{
	pthread_mutex_lock(&rtc->lock);
	refresh(rtc);
	pthread_mutex_unlock(&rtc->lock);
}

static void timer_expired(struct event_timer *timer)
{
	rtc_tick(container_of(timer, struct rtc, timer));
}

/* ---- Registers ---- */

static u8 read_flags(struct rtc *rtc)
{
	u8 flags;

	update_flags(rtc, guest_clock(rtc));
	update_irq(rtc);
	flags = rtc->ram[RTC_REG_C];
	rtc->ram[RTC_REG_C] = 0;
	refresh(rtc);
	return flags;
}

/*
 * UIP is never on, so a guest may read the time whenever it likes. For it not to
 * fall apart between two registers, the guest sees the time of when it last read
 * UIP or the seconds, where every driver starts.
 */
static u8 read_register(struct rtc *rtc)
{
	if (rtc->index == RTC_REG_C)
		return read_flags(rtc);
	if (rtc->index == RTC_SECONDS || rtc->index == RTC_REG_A ||
	    (is_time_register(rtc->index) &&
	     guest_clock(rtc) - rtc->latched_ns >= NSEC_PER_SEC))
		latch_time(rtc);
	return rtc->ram[rtc->index];
}

static void write_time(struct rtc *rtc, u8 value)
{
	latch_time(rtc); /* the other registers keep their current values */
	rtc->ram[rtc->index] = value;
	if (!(rtc->ram[RTC_REG_B] & RTC_SET))
		take_time(rtc);
}

static void write_b(struct rtc *rtc, u8 value)
{
	u8 old = rtc->ram[RTC_REG_B];

	latch_time(rtc);
	if (value & RTC_SET)
		value &=
			(u8)~RTC_UIE; /* data sheet: SET going high clears it */
	rtc->ram[RTC_REG_B] = value;
	if ((old & RTC_SET) && !(value & RTC_SET))
		take_time(rtc);
	else if ((old ^ value) & (RTC_24H | RTC_DM_BINARY))
		latch_time(rtc); /* the same time, written differently */
}

static void write_register(struct rtc *rtc, u8 value)
{
	/* What happened until now happened under the old settings. */
	update_flags(rtc, guest_clock(rtc));
	switch (rtc->index) {
	case RTC_REG_A:
		rtc->ram[RTC_REG_A] = value & RTC_A_WRITABLE;
		rtc->periodic_ns = guest_clock(rtc);
		break;
	case RTC_REG_B:
		write_b(rtc, value);
		break;
	case RTC_REG_C:
	case RTC_REG_D:
		break; /* read-only */
	default:
		if (is_time_register(rtc->index))
			write_time(rtc, value);
		else
			rtc->ram[rtc->index] = value;
		break;
	}
	refresh(rtc);
}

static u8 read_port(void *chip, u64 offset)
{
	return offset == 0 ? 0xff : read_register(chip);
}

static void write_port(void *chip, u64 offset, u8 value)
{
	struct rtc *rtc = chip;

	if (offset == 0) /* bit 7 masks NMIs, of which there are none */
		rtc->index = value % RTC_RAM_LEN;
	else
		write_register(rtc, value);
}

enum bus_result rtc_access(void *opaque, struct bus_access *acc)
{
	struct rtc *rtc = opaque;
	enum bus_result result;

	pthread_mutex_lock(&rtc->lock);
	result = hw_access_bytes(acc, 2, read_port, write_port, rtc);
	pthread_mutex_unlock(&rtc->lock);
	return result;
}

/* ---- CMOS RAM ---- */

static void put_le(struct rtc *rtc, u8 at, unsigned int bytes, u64 value)
{
	u64 max = (1ULL << 8 * bytes) - 1;

	if (value > max)
		value = max;
	for (unsigned int i = 0; i < bytes; i++)
		rtc->ram[at + i] = (u8)(value >> 8 * i);
}

static u64 above(u64 end, u64 base)
{
	return end > base ? end - base : 0;
}

void rtc_set_memory(struct rtc *rtc, u64 below_4g, u64 above_4g)
{
	u64 extended_kib = above(below_4g, MIB) / KIB;

	put_le(rtc, CMOS_BASE_KIB, 2, 640);
	put_le(rtc, CMOS_EXTENDED_KIB, 2, extended_kib);
	put_le(rtc, CMOS_EXTENDED_KIB_2, 2, extended_kib);
	put_le(rtc, CMOS_ABOVE_16M_64KIB, 2,
	       above(below_4g, 16 * MIB) / (64 * KIB));
	put_le(rtc, CMOS_ABOVE_4G_64KIB, 3, above_4g / (64 * KIB));
}

static void describe_memory(struct rtc *rtc, const struct memory *mem)
{
	u64 below_4g = 0, above_4g = 0;

	for (unsigned int i = 0; i < mem->nr_ram; i++) {
		if (mem->ram[i].gpa >= 4 * GIB)
			above_4g += mem->ram[i].len;
		else
			below_4g = mem->ram[i].gpa + mem->ram[i].len;
	}
	rtc_set_memory(rtc, below_4g, above_4g);
}

/* ---- In a VM ---- */

int rtc_init(struct rtc *rtc, struct event_loop *loop)
{
	u64 now = host_clock();

	*rtc = (struct rtc){
		.loop = loop,
		.timer.expired = timer_expired,
		.host_clock = host_clock,
		.flags_ns = now,
		.periodic_ns = now,
		.region = {
			.name = "real-time clock",
			.access = rtc_access,
			.opaque = rtc,
		},
	};
	rtc->ram[RTC_REG_A] = RTC_REF_CLCK_32KHZ | 6; /* 1024 Hz, as on a PC */
	rtc->ram[RTC_REG_B] = RTC_24H;
	rtc->ram[RTC_REG_D] = RTC_VRT;
	pthread_mutex_init(&rtc->lock, NULL);
	return loop ? event_timer_init(loop, &rtc->timer) : 0;
}

void rtc_release(struct rtc *rtc)
{
	if (rtc->loop)
		event_timer_release(rtc->loop, &rtc->timer);
	pthread_mutex_destroy(&rtc->lock);
}

static void set_paused(struct device *dev, bool paused)
{
	struct rtc *rtc = container_of(dev, struct rtc, dev);

	pthread_mutex_lock(&rtc->lock);
	rtc->paused = paused;
	refresh(rtc);
	pthread_mutex_unlock(&rtc->lock);
}

static void rtc_pause(struct device *dev)
{
	set_paused(dev, true);
}

static void rtc_resume(struct device *dev)
{
	set_paused(dev, false);
}

static void rtc_destroy(struct device *dev)
{
	struct rtc *rtc = container_of(dev, struct rtc, dev);

	bus_remove(rtc->bus, &rtc->region);
	rtc_release(rtc);
	free(rtc);
}

static void rtc_describe(struct device *dev, struct device_desc *out)
{
	const struct rtc *rtc = container_of(dev, struct rtc, dev);

	*out = (struct device_desc){
		.node = "rtc",
		DEVICE_COMPATIBLE("motorola,mc146818"),
		.start = rtc->region.start,
		.len = rtc->region.len,
	};
}

static const struct device_ops rtc_ops = {
	.name = "RTC",
	.describe = rtc_describe,
	.pause = rtc_pause,
	.resume = rtc_resume,
	.stop = rtc_pause,
	.destroy = rtc_destroy,
};

static int rtc_create(struct kvm *vm, const struct kvm_config *config)
{
	struct device_place place;
	struct rtc *rtc;
	int err = arch_place(vm, PLACE_RTC, 0, &place);

	if (err)
		return err == -ENODEV ? 0 : err;
	rtc = malloc(sizeof(*rtc));
	if (!rtc)
		return vm_fail(vm, -ENOMEM, "RTC: out of memory");
	err = rtc_init(rtc, &vm->loop);
	rtc->bus = place.bus;
	rtc->irq = place.irq;
	describe_memory(rtc, &vm->memory);
	device_register(vm, &rtc->dev, &rtc_ops);
	if (err)
		return vm_fail(vm, err, "RTC: cannot create a timer");
	return hw_add_region(vm, &place, &rtc->region);
}

const struct device_class rtc_class = {
	.name = "RTC",
	.create = rtc_create,
};
