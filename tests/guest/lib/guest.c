/* SPDX-License-Identifier: GPL-2.0-only */
#include "guest.h"

#define IOAPIC_SELECT 0xfec00000ULL
#define IOAPIC_WINDOW 0xfec00010ULL
#define IOAPIC_ENTRY(gsi) (0x10 + 2 * (gsi))
#define IOAPIC_LEVEL (1U << 15)
#define IOAPIC_MASKED (1U << 16)
#define LAPIC 0xfee00000ULL
#define LAPIC_EOI (LAPIC + 0xb0)
#define LAPIC_SPURIOUS (LAPIC + 0xf0)
#define LAPIC_ICR_LOW (LAPIC + 0x300)
#define LAPIC_TIMER (LAPIC + 0x320)
#define LAPIC_TIMER_COUNT (LAPIC + 0x380)
#define LAPIC_TIMER_DIVIDE (LAPIC + 0x3e0)
#define ICR_INIT_OTHERS 0x000c4500U
#define ICR_SIPI_OTHERS 0x000c4600U
#define STARTUP_PAGE 0x10U /* entry.S, at 0x10000 */
#define FIRST_VECTOR 0x20
#define NR_VECTORS 0x30
#define PATIENCE 20000000U /* turns of a waiting loop: many seconds */

struct idt_gate {
	u16 offset_low, selector, flags, offset_middle;
	u32 offset_high, reserved;
};

extern volatile u32 cpus_started;

static struct idt_gate idt[NR_VECTORS];
static volatile u32 others_running;

void cpu_entry(u32 index);

__attribute__((weak)) void cpu_main(u32 index)
{
}

void cpu_entry(u32 index)
{
	if (index == 0)
		guest_main();
	__atomic_fetch_add(&others_running, 1, __ATOMIC_SEQ_CST);
	cpu_main(index);
	hang();
}

static void print_char(char c)
{
	while (!(in8(COM1 + 5) & 0x20)) /* transmitter holding register empty */
		cpu_relax();
	out8(COM1, (u8)c);
}

void print(const char *text)
{
	while (*text)
		print_char(*text++);
}

void print_hex(u64 value)
{
	int shift = 60;

	while (shift && !(value >> shift))
		shift -= 4;
	print("0x");
	for (; shift >= 0; shift -= 4)
		print_char("0123456789abcdef"[value >> shift & 15]);
}

void note(const char *what, u64 value)
{
	print(what);
	print(" ");
	print_hex(value);
	print("\n");
}

void check_equal(const char *what, u64 got, u64 want)
{
	if (got == want)
		return;
	print("fail: ");
	print(what);
	print(": got ");
	print_hex(got);
	print(", want ");
	print_hex(want);
	print("\n");
}

void say_end(void)
{
	print("end\n");
}

void end(void)
{
	say_end();
	out16(PM1A_CONTROL, 0x3400); /* SLP_EN, SLP_TYP 5 */
	hang();
}

void hang(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

void *memset(void *to, int byte, size_t len)
{
	void *start = to;

	__asm__ volatile("rep stosb"
			 : "+D"(to), "+c"(len)
			 : "a"(byte)
			 : "memory");
	return start;
}

void *memcpy(void *to, const void *from, size_t len)
{
	void *start = to;

	__asm__ volatile("rep movsb"
			 : "+D"(to), "+S"(from), "+c"(len)::"memory");
	return start;
}

bool equal(const void *a, const void *b, size_t len)
{
	const u8 *x = a, *y = b;

	for (; len; len--)
		if (*x++ != *y++)
			return false;
	return true;
}

void interrupt_set(u8 vector, void (*handler)(struct interrupt_frame *frame))
{
	u64 address = (u64)(uintptr_t)handler;

	idt[vector] = (struct idt_gate){ .offset_low = (u16)address,
					 .selector = 8,
					 .flags = 0x8e00,
					 .offset_middle = (u16)(address >> 16),
					 .offset_high = (u32)(address >> 32) };
}

void interrupts_enable(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed))
	pointer = { sizeof(idt) - 1, (u64)(uintptr_t)idt };

	/* The BIOS's place for the 8259s is ours too: keep them silent. */
	out8(0x21, 0xff);
	out8(0xa1, 0xff);
	__asm__ volatile("lidt %0" : : "m"(pointer));
	write32(LAPIC_SPURIOUS, 0x1ff);
	__asm__ volatile("sti");
}

void lapic_eoi(void)
{
	write32(LAPIC_EOI, 0);
}

static void ioapic_write(u32 reg, u32 value)
{
	write32(IOAPIC_SELECT, reg);
	write32(IOAPIC_WINDOW, value);
}

void ioapic_route(u32 gsi, u8 vector)
{
	ioapic_write(IOAPIC_ENTRY(gsi) + 1, 0);
	ioapic_write(IOAPIC_ENTRY(gsi),
		     vector ? IOAPIC_LEVEL | vector : IOAPIC_MASKED);
}

void lapic_timer(u8 vector, u32 ticks)
{
	write32(LAPIC_TIMER_DIVIDE, 0xb); /* by 1 */
	write32(LAPIC_TIMER, vector);
	write32(LAPIC_TIMER_COUNT, ticks);
}

bool cpu_start_others(u32 nr)
{
	u32 turns;

	write32(LAPIC_SPURIOUS, 0x1ff);
	write32(LAPIC_ICR_LOW, ICR_INIT_OTHERS);
	write32(LAPIC_ICR_LOW, ICR_SIPI_OTHERS | STARTUP_PAGE);
	for (turns = 0; turns < PATIENCE && others_running < nr; turns++)
		cpu_relax();
	return others_running >= nr;
}
