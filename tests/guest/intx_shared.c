// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that share an interrupt line: it is up while any of them holds it.
 *
 * guest-disks: 17
 */
#include "virtio.h"

#define VECTOR 0x22
#define PATIENCE 100000U
#define SHARING 3
#define MEMORY(i) (DMA_AREA + 0x20000 * ((i) + 1))
#define MANY 20	   /* some hosts deliver a level once more than it was there */
#define DISTANCE 8 /* slots that have the same line */

static struct blk blks[SHARING];
static u32 gsi;
static volatile u32 interrupts, spurious;

static bool asserted(u32 i)
{
	return pci_read(blks[i].dev.slot, PCI_STATUS, 2) & STATUS_INTERRUPT;
}

/* Holds device @i the line? */
static bool holds(u32 i)
{
	u32 command = pci_read(blks[i].dev.slot, PCI_COMMAND, 2);

	return asserted(i) && !(command & COMMAND_INTX_DISABLE);
}

/* Each time one device is served, another one at the next interrupt. */
INTERRUPT static void line_interrupt(struct interrupt_frame *frame)
{
	u32 i;

	for (i = 0; i < SHARING && !holds(i); i++)
		;
	if (i < SHARING) {
		read8(blks[i].dev.isr);
		interrupts++;
	} else if (++spurious > MANY) {
		ioapic_route(gsi, 0); /* it would never end */
	}
	lapic_eoi();
}

static void raise(u32 i)
{
	u32 turns;

	check_equal("read",
		    blk_request(&blks[i], BLK_READ, i, MEMORY(i) + 0x8000, 512),
		    BLK_OK);
	for (turns = 0; turns < PATIENCE && !asserted(i); turns++)
		cpu_relax();
	check_equal("status", asserted(i), true);
}

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

void guest_main(void)
{
	u32 i, slot;

	for (i = 0; i < SHARING; i++) {
		slot = 1 + DISTANCE * i;
		check(blk_open_at(&blks[i], slot, MEMORY(i)));
		if (i == 0)
			gsi = pci_read(slot, PCI_INTERRUPT_LINE, 1);
		check_equal("line", pci_read(slot, PCI_INTERRUPT_LINE, 1), gsi);
	}
	check(pci_read(2, PCI_INTERRUPT_LINE, 1) != gsi);
	interrupt_set(VECTOR, line_interrupt);
	interrupts_enable();
	for (i = 0; i < SHARING; i++)
		raise(i);
	ioapic_route(gsi, VECTOR);
	check_interrupts("one for each", SHARING);
	for (i = 0; i < SHARING; i++)
		check_equal("lowered", asserted(i), false);

	/* One that is disabled holds nobody else's line. */
	ioapic_route(gsi, 0);
	pci_command(blks[1].dev.slot, COMMAND_INTX_DISABLE, 0);
	raise(0);
	raise(1);
	ioapic_route(gsi, VECTOR);
	check_interrupts("the other one's", 1);
	check_equal("still wanted", asserted(1), true);
	check_equal("by one only", asserted(0), false);
	check(spurious <= MANY);
	end();
}
