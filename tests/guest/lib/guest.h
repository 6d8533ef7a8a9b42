/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a bare 64-bit guest needs: ports, memory-mapped registers, text on COM1,
 * checks, interrupts and other processors.
 *
 * A guest prints a line "fail: ..." for every check that does not hold and "end"
 * at its end; tests/guest/run wants "end", no "fail:" and the right status.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define COM1 0x3f8
#define PM1A_CONTROL 0x604
#define RESET_CONTROL 0xcf9
#define PVPANIC 0x505
#define RAM_END (64ULL << 20) /* the runner gives every guest 64 MiB */
#define DMA_AREA 0x200000ULL  /* RAM that neither image nor lkvm uses */
#define NOBODY 0xdff00000ULL  /* in the PCI window, where no device is */

/* The guest; the other processors, once cpu_start_others() woke them. */
void guest_main(void);
void cpu_main(u32 index);

#define OUT(name, type, suffix)                                                \
	static inline void name(u16 port, type value)                          \
	{                                                                      \
		__asm__ volatile("out" suffix " %0, %1"                        \
				 :                                             \
				 : "a"(value), "Nd"(port)                      \
				 : "memory");                                  \
	}
#define IN(name, type, suffix)                                                 \
	static inline type name(u16 port)                                      \
	{                                                                      \
		type value;                                                    \
		__asm__ volatile("in" suffix " %1, %0"                         \
				 : "=a"(value)                                 \
				 : "Nd"(port)                                  \
				 : "memory");                                  \
		return value;                                                  \
	}
OUT(out8, u8, "b")
OUT(out16, u16, "w")
OUT(out32, u32, "l")
IN(in8, u8, "b")
IN(in16, u16, "w")
IN(in32, u32, "l")

/*
 * Plain mov, whatever the compiler would like better: KVM has to emulate these.
 */
#define MMIO(type, bits, suffix)                                               \
	static inline type read##bits(u64 addr)                                \
	{                                                                      \
		type value;                                                    \
		__asm__ volatile("mov" suffix " (%1), %0"                      \
				 : "=a"(value)                                 \
				 : "r"(addr)                                   \
				 : "memory");                                  \
		return value;                                                  \
	}                                                                      \
	static inline void write##bits(u64 addr, type value)                   \
	{                                                                      \
		__asm__ volatile("mov" suffix " %0, (%1)"                      \
				 :                                             \
				 : "a"(value), "r"(addr)                       \
				 : "memory");                                  \
	}
MMIO(u8, 8, "b")
MMIO(u16, 16, "w")
MMIO(u32, 32, "l")
MMIO(u64, 64, "q")

static inline void cpu_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

/* ---- Text and checks ---- */

void print(const char *text);
void print_hex(u64 value);
/* "<what> 0x<value>" on a line of its own. */
void note(const char *what, u64 value);
void check_equal(const char *what, u64 got, u64 want);
#define check(condition) check_equal(#condition, !!(condition), 1)

/* Say "end" and power off. */
void end(void) __attribute__((noreturn));
/* Says "end" only; for guests that stop some other way. */
void say_end(void);
void hang(void) __attribute__((noreturn));

void *memset(void *to, int byte, size_t len);
void *memcpy(void *to, const void *from, size_t len);
bool equal(const void *a, const void *b, size_t len);

/* ---- Interrupts and processors ---- */

struct interrupt_frame {
	u64 rip, cs, rflags, rsp, ss;
};

#define INTERRUPT __attribute__((interrupt))

/* Vectors 0x20 to 0x2f. Handlers end with lapic_eoi(). */
void interrupt_set(u8 vector, void (*handler)(struct interrupt_frame *frame));
/* The calling processor takes interrupts from now on. */
void interrupts_enable(void);
void lapic_eoi(void);
/* Input @gsi of the IOAPIC, level triggered, delivers @vector here; 0: masked. */
void ioapic_route(u32 gsi, u8 vector);
/* Interrupt @vector on this processor in @ticks ticks of the bus clock. */
void lapic_timer(u8 vector, u32 ticks);
/* INIT and SIPI to all others; returns when @nr of them have called cpu_main. */
bool cpu_start_others(u32 nr);

#endif
