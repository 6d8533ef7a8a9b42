/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest without an operating system that looks at every device of the arm64
 * machine, at the addresses that firmware hard-codes. Prints a line for what is
 * not as it should be, "@ bare ok" if nothing is, and ends as END says:
 * 0 power-off, 1 reset, 2 panic, 3 an access that hardware does not decode.
 * Run with --rng, 2 CPUs and 1 MiB of flash that is all ones.
 */
#include "guest.h"

#ifndef END
#define END 0
#endif

#define RTC 0x1010000UL
#define PL031 0x1011000UL
#define PVPANIC 0x1013000UL
#define PVTIME 0x1020000UL
#define FLASH 0x2000000UL
#define GICD 0x3fff0000UL
#define V2M 0x3ffcf000UL
#define ECAM 0x40000000UL
#define PCI_IO 0x0UL
#define RAM 0x80000000UL

#define PSCI_VERSION 0x84000000U
#define PSCI_CPU_OFF 0x84000002U
#define PSCI_CPU_ON 0xc4000003U
#define PSCI_AFFINITY_INFO 0xc4000004U
#define PSCI_SYSTEM_RESET 0x84000009U
#define PV_TIME_ST 0xc5000021U

void secondary_main(void);
void secondary_start(void);

extern u8 second_stack_top[];
static volatile u32 second_ran;
static u32 failures;

static void expect(const char *what, u64 wanted, u64 got)
{
	if (wanted == got)
		return;
	failures++;
	print("wrong: ");
	print(what);
	print(": expected ");
	print_hex(wanted);
	print(", got ");
	print_hex(got);
	print("\r\n");
}

void guest_exception(u64 esr, u64 elr, u64 far)
{
	print("exception: ");
	print_hex(esr);
	print(" at ");
	print_hex(elr);
	print(" address ");
	print_hex(far);
	print("\r\n");
	hvc(PSCI_SYSTEM_OFF, 0, 0, 0);
}

/* ---- Chips ---- */

static void check_serial(void)
{
	for (u64 i = 0; i < 4; i++) {
		out8(UART + i * 0x1000 + 7, 0x5a);
		expect("scratch register", 0x5a, in8(UART + i * 0x1000 + 7));
		expect("transmitter empty", 0x60,
		       in8(UART + i * 0x1000 + 5) & 0x60);
	}
}

static void check_clocks(void)
{
	out8(RTC, 0x0d);
	expect("MC146818: valid RAM and time", 0x80, in8(RTC + 1));
	expect("PL031: after 2023", 1, in32(PL031) > 1700000000);
	expect("PL031: part", 0x31, in32(PL031 + 0xfe0));
	expect("stolen time structure", PVTIME, hvc(PV_TIME_ST, 0, 0, 0));
}

static void flash_command(u64 at, u32 command)
{
	out32(FLASH + at, command | command << 16);
}

static void check_flash(void)
{
	expect("flash: erased", 0xffffffff, in32(FLASH + 0x10000));
	flash_command(0, 0x98);
	expect("flash: CFI", 0x00510051, in32(FLASH + 0x40));
	flash_command(0x10000, 0x40);
	out32(FLASH + 0x10000, 0x01020304);
	expect("flash: status", 0x00800080, in32(FLASH));
	flash_command(0, 0xff);
	expect("flash: programmed", 0x01020304, in32(FLASH + 0x10000));
	flash_command(0x10080, 0xe8);
	flash_command(0x10080, 31);
	for (u32 i = 0; i < 32; i++)
		out32(FLASH + 0x10080 + 4UL * i, i);
	flash_command(0x10080, 0xd0);
	flash_command(0, 0xff);
	expect("flash: buffer", 31, in32(FLASH + 0x10080 + 124));
	flash_command(0x10000, 0x60);
	flash_command(0x10000, 0x01);
	flash_command(0x10000, 0x20);
	flash_command(0x10000, 0xd0);
	expect("flash: locked", 0x00a200a2, in32(FLASH));
	flash_command(0, 0x50);
	flash_command(0x10000, 0x60);
	flash_command(0x10000, 0xd0);
	flash_command(0x10000, 0x20);
	flash_command(0x10000, 0xd0);
	expect("flash: erase", 0x00800080, in32(FLASH));
	flash_command(0, 0xff);
	expect("flash: erased again", 0xffffffff, in32(FLASH + 0x10080 + 124));
}

/* ---- PCI: slot 1 is the random number generator ---- */

#define FUNCTION (ECAM + (1UL << 15))

static void move(u64 bar, u32 address)
{
	out32(FUNCTION + 0x10 + 4 * bar, address);
}

/* Behind an I/O BAR of it reads give 0; where nobody is, ones. */
static void check_io_bar(u32 at)
{
	move(0, at);
	expect("I/O BAR: register", at | 1, in32(FUNCTION + 0x10));
	expect("I/O BAR: answers", 0, in32(PCI_IO + at));
	expect("I/O BAR: nobody elsewhere", 0xffffffff, in32(PCI_IO + 0x8000));
	expect("serial port beside it", 0x5a, in8(UART + 7));
}

static void check_memory_bar(u32 at)
{
	move(1, at);
	/* Common configuration: one queue, as the device says at 0x12. */
	expect("memory BAR: queues", 1, in16(at + 0x12));
}

static void check_pci(void)
{
	u32 memory;

	expect("host bridge: class", 0x0600, in16(ECAM + 0x0a));
	expect("no function 1", 0xffff, in16(ECAM + (1UL << 12)));
	expect("no slot 31", 0xffffffff, in32(ECAM + (31UL << 15)));
	expect("vendor by bytes", 0xf4, in8(FUNCTION));
	expect("vendor by bytes", 0x1a, in8(FUNCTION + 1));
	expect("device", 0x1044, in16(FUNCTION + 2));
	move(0, 0xffffffff);
	expect("I/O BAR: size", 0xfffffffd, in32(FUNCTION + 0x10));
	check_io_bar(0xfffc);
	check_io_bar(0x1000);
	check_io_bar(0x4);
	move(0, 0);
	expect("I/O BAR at 0: nobody", 0xffffffff, in32(PCI_IO));
	memory = in32(FUNCTION + 0x14);
	check_memory_bar(0x7fff8000);
	check_memory_bar(0x50000000);
	move(1, (u32)RAM);
	expect("a BAR over RAM harms nobody", 0, failures);
	check_memory_bar(memory);
}

/* ---- Interrupts ---- */

static u32 is_pending(u32 intid)
{
	return in32(GICD + 0x200 + 4 * (intid / 32)) >> intid % 32 & 1;
}

/* Its registers of the CPU are there: then there is no v2m frame. */
static u32 has_gicv3(void)
{
	u64 features;

	__asm__("mrs %0, id_aa64pfr0_el1" : "=r"(features));
	return features >> 24 & 15;
}

static void check_lines(void)
{
	u32 typer;

	out32(GICD + 0xc00 + 4 * (32 / 16), 0); /* level-triggered */
	expect("serial port: quiet", 0, is_pending(32));
	out8(UART + 4, 0x08); /* OUT2 lets the interrupt through */
	out8(UART + 1, 2);    /* transmitter empty */
	expect("serial port: level high", 1, is_pending(32));
	out8(UART + 1, 0);
	expect("serial port: level low", 0, is_pending(32));
	if (has_gicv3())
		return;
	typer = in32(V2M + 8);
	expect("v2m: messages", 64, typer & 0x3ff);
	expect("v2m: first", 96, typer >> 16);
	/* SPI 96 and those beside it become edge-triggered. */
	out32(GICD + 0xc00 + 4 * (96 / 16), 0xaaaaaaaa);
	expect("v2m: quiet", 0, is_pending(96));
	out32(V2M + 0x40, 96);
	expect("v2m: an edge stays pending", 1, is_pending(96));
	out32(V2M + 0x40, 95);
	out32(V2M + 0x40, 160);
	expect("v2m: not its own", 0, is_pending(95) | is_pending(160));
}

/* ---- PSCI ---- */

void secondary_main(void)
{
	second_ran = 1;
	hvc(PSCI_CPU_OFF, 0, 0, 0);
	print("CPU_OFF returned\r\n");
	for (;;)
		;
}

static void check_psci(void)
{
	u64 version = hvc(PSCI_VERSION, 0, 0, 0);

	expect("PSCI: 0.2 or later", 1, version >= 2 && version < 0x10000 * 9);
	expect("CPU 1 is off", 1, hvc(PSCI_AFFINITY_INFO, 1, 0, 0));
	expect("CPU_ON", 0,
	       hvc(PSCI_CPU_ON, 1, (u64)secondary_start,
		   (u64)second_stack_top));
	while (!second_ran)
		;
	while (hvc(PSCI_AFFINITY_INFO, 1, 0, 0) != 1)
		;
	expect("no CPU 2", (u64)-2, hvc(PSCI_CPU_ON, 2, 0, 0));
}

void guest_main(u64 fdt)
{
	expect("device tree: magic", 0xedfe0dd0, *(volatile u32 *)fdt);
	expect("device tree: place", 0, fdt % 0x200000);
	check_serial();
	check_clocks();
	check_flash();
	check_pci();
	check_lines();
	check_psci();
	print(failures ? "@ bare failed\r\n" : "@ bare ok\r\n");
	if (END == 1)
		hvc(PSCI_SYSTEM_RESET, 0, 0, 0);
	if (END == 2)
		out8(PVPANIC, 1);
	if (END == 3)
		__asm__ volatile("ldp x4, x5, [%0]"
				 :
				 : "r"(UART)
				 : "x4", "x5", "memory");
	hvc(PSCI_SYSTEM_OFF, 0, 0, 0);
	print("SYSTEM_OFF returned\r\n");
	for (;;)
		;
}
