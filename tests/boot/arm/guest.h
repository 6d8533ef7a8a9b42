/* SPDX-License-Identifier: GPL-2.0-only */
/* What the arm64 guests without an operating system share. */
#ifndef TESTS_BOOT_ARM_GUEST_H
#define TESTS_BOOT_ARM_GUEST_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

#define UART 0x1000000UL

#define PSCI_SYSTEM_OFF 0x84000008U

/* Where start.S goes: the device tree's address; and after an exception. */
void guest_main(u64 fdt);
void guest_exception(u64 esr, u64 elr, u64 far);

/* One instruction each, so that hardware decodes them. */
static inline u8 in8(u64 at)
{
	u32 value;

	__asm__ volatile("ldrb %w0, [%1]" : "=r"(value) : "r"(at) : "memory");
	return (u8)value;
}

static inline u16 in16(u64 at)
{
	u32 value;

	__asm__ volatile("ldrh %w0, [%1]" : "=r"(value) : "r"(at) : "memory");
	return (u16)value;
}

static inline u32 in32(u64 at)
{
	u32 value;

	__asm__ volatile("ldr %w0, [%1]" : "=r"(value) : "r"(at) : "memory");
	return value;
}

static inline void out8(u64 at, u32 value)
{
	__asm__ volatile("strb %w0, [%1]" : : "r"(value), "r"(at) : "memory");
}

static inline void out32(u64 at, u32 value)
{
	__asm__ volatile("str %w0, [%1]" : : "r"(value), "r"(at) : "memory");
}

static inline u64 hvc(u64 function, u64 a, u64 b, u64 c)
{
	register u64 x0 __asm__("x0") = function;
	register u64 x1 __asm__("x1") = a;
	register u64 x2 __asm__("x2") = b;
	register u64 x3 __asm__("x3") = c;

	__asm__ volatile("hvc #0"
			 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
			 :
			 : "memory");
	return x0;
}

static inline void print(const char *text)
{
	for (; *text; text++)
		out8(UART, (u8)*text);
}

static inline void print_hex(u64 value)
{
	for (int shift = 60; shift >= 0; shift -= 4)
		out8(UART, (u8) "0123456789abcdef"[value >> shift & 15]);
}

#endif
