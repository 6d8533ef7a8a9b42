// SPDX-License-Identifier: GPL-2.0-only
/*
 * INTx: a level that stays until ISR is read, gated by INTX_DISABLE, shown in
 * the status register, and silent while MSI-X is on.
 *
 * guest-args: --disk DISK,ro
 */
#include "virtio.h"

#define VECTOR 0x22
#define PATIENCE 100000U
#define ISR_QUEUE 1
#define MANY 20

static struct blk blk;
static u32 gsi;
static volatile u32 interrupts, spurious, acknowledge_at;
static volatile u8 isr;

static bool asserted(void)
{
	return pci_read(blk.dev.slot, PCI_STATUS, 2) & STATUS_INTERRUPT;
}

/*
 * Reads ISR at the interrupt that is to be the last. Some hosts deliver a level
 * once more than it was there; that is none of lkvm's.
 */
INTERRUPT static void line_interrupt(struct interrupt_frame *frame)
{
	if (!asserted())
		spurious++;
	else if (++interrupts == acknowledge_at)
		isr = read8(blk.dev.isr);
	if (interrupts > acknowledge_at || spurious > MANY)
		ioapic_route(gsi, 0); /* it would never end */
	lapic_eoi();
}

static void request(void)
{
	check_equal("read", blk_request(&blk, BLK_READ, 2, BLK_BUFFER, 512),
		    BLK_OK);
}

/* The line follows the used ring, so it may take a moment. */
static void wait_asserted(void)
{
	u32 turns;

	for (turns = 0; turns < PATIENCE && !asserted(); turns++)
		cpu_relax();
	check_equal("status", asserted(), true);
}

/* @number interrupts come, and no more. */
static void check_interrupts(const char *what, u32 number)
{
	u32 turns;

	for (turns = 0; turns < 100 * PATIENCE && interrupts < number; turns++)
		cpu_relax();
	for (turns = 0; turns < PATIENCE / 10; turns++)
		cpu_relax();
	check_equal(what, interrupts, number);
	interrupts = 0;
}

static void check_level(void)
{
	acknowledge_at = 1;
	request();
	check_interrupts("acknowledged at once", 1);
	check_equal("ISR", isr, ISR_QUEUE);
	check_equal("ISR is taken", read8(blk.dev.isr), 0);
	check_equal("lowered", asserted(), false);
	acknowledge_at = 3;
	request();
	check_interrupts("comes until ISR is read", 3);
	check_equal("lowered again", asserted(), false);
}

static void check_disable_bit(void)
{
	acknowledge_at = 1;
	pci_command(blk.dev.slot, COMMAND_INTX_DISABLE, 0);
	request();
	wait_asserted();
	check_interrupts("disabled", 0);
	pci_command(blk.dev.slot, 0, COMMAND_INTX_DISABLE);
	check_interrupts("enabled", 1);
	check_equal("and lowered", asserted(), false);
}

static void check_msix_on(void)
{
	msix_enable(&blk.dev);
	request();
	check_interrupts("with MSI-X, which has no vector", 0);
	check_equal("no status", asserted(), false);
	check_equal("no ISR", read8(blk.dev.isr), 0);
	pci_write(blk.dev.slot, blk.dev.msix_control, 2, 0);
	request();
	check_interrupts("without MSI-X", 1);
}

/* A line that is up when MSI-X comes on goes down (PCI 3.0, 6.8.3.3). */
static void check_msix_lowers(void)
{
	ioapic_route(gsi, 0);
	request();
	wait_asserted();
	msix_enable(&blk.dev);
	ioapic_route(gsi, VECTOR);
	check_interrupts("up, and MSI-X on", 0);
	check_equal("ISR is kept", read8(blk.dev.isr), ISR_QUEUE);
	pci_write(blk.dev.slot, blk.dev.msix_control, 2, 0);
	check_interrupts("MSI-X off, and ISR read", 0);
}

static void check_reset_lowers(void)
{
	ioapic_route(gsi, 0);
	request();
	wait_asserted();
	write8(blk.dev.common + COMMON_STATUS, 0);
	check_equal("reset", asserted(), false);
	ioapic_route(gsi, VECTOR);
	check_interrupts("after a reset", 0);
}

void guest_main(void)
{
	check(blk_open(&blk));
	gsi = pci_read(blk.dev.slot, PCI_INTERRUPT_LINE, 1);
	check_equal("pin", pci_read(blk.dev.slot, PCI_INTERRUPT_LINE + 1, 1),
		    1);
	interrupt_set(VECTOR, line_interrupt);
	interrupts_enable();
	ioapic_route(gsi, VECTOR);
	check_level();
	check_disable_bit();
	check_msix_on();
	check_msix_lowers();
	check_reset_lowers();
	check(spurious <= MANY);
	end();
}
