// SPDX-License-Identifier: GPL-2.0-only
/*
 * HLT ends with an interrupt: the LAPIC's timer, and COM1 through the IOAPIC.
 */
#include "guest.h"

#define TIMER_VECTOR 0x20
#define SERIAL_VECTOR 0x21
#define SERIAL_PIN 4
#define IOAPIC 0xfec00000ULL
#define TRANSMITTER_EMPTY 2

static volatile u32 timer_ticks, serial_interrupts, serial_cause;

INTERRUPT static void timer_tick(struct interrupt_frame *frame)
{
	timer_ticks++;
	lapic_eoi();
}

INTERRUPT static void serial_interrupt(struct interrupt_frame *frame)
{
	serial_interrupts++;
	serial_cause = in8(COM1 + 2) & 0xf; /* clears it */
	lapic_eoi();
}

static void ioapic_write(u32 reg, u32 value)
{
	write32(IOAPIC, reg);
	write32(IOAPIC + 0x10, value);
}

static void wait_for(volatile u32 *counter, u32 value)
{
	/* No interrupt can slip in between: sti holds it off until after hlt. */
	__asm__ volatile("cli");
	while (*counter < value)
		__asm__ volatile("sti; hlt; cli" ::: "memory");
	__asm__ volatile("sti");
}

void guest_main(void)
{
	u32 i;

	interrupt_set(TIMER_VECTOR, timer_tick);
	interrupt_set(SERIAL_VECTOR, serial_interrupt);
	interrupts_enable();
	for (i = 1; i <= 3; i++) {
		lapic_timer(TIMER_VECTOR, 100000);
		wait_for(&timer_ticks, i);
	}
	ioapic_write(0x11 + 2 * SERIAL_PIN, 0);
	ioapic_write(0x10 + 2 * SERIAL_PIN, SERIAL_VECTOR);
	out8(COM1 + 4, 8); /* OUT2 gates the interrupt of a PC's UART */
	out8(COM1 + 1, TRANSMITTER_EMPTY);
	wait_for(&serial_interrupts, 1);
	out8(COM1 + 1, 0);
	check_equal("cause", serial_cause, TRANSMITTER_EMPTY);
	end();
}
