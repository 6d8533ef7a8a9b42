// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSI-X that is masked, by vector or for the whole function, is pending; what is
 * pending comes once when nothing masks it any more, with the message that the
 * entry has then.
 *
 * guest-args: --disk DISK,ro
 */
#include "virtio.h"

#define VECTOR 0x22
#define OTHER_VECTOR 0x23
#define ENTRY 1U
#define PENDING (1U << ENTRY)
#define PATIENCE 100000U

static struct blk blk;
static volatile u32 interrupts, others;

INTERRUPT static void queue_interrupt(struct interrupt_frame *frame)
{
	interrupts++;
	lapic_eoi();
}

INTERRUPT static void other_interrupt(struct interrupt_frame *frame)
{
	others++;
	lapic_eoi();
}

static void mask_vector(bool masked)
{
	write32(blk.dev.msix_table + 16 * ENTRY + 12, masked);
}

static void mask_function(bool masked)
{
	pci_write(blk.dev.slot, blk.dev.msix_control, 2,
		  MSIX_ENABLE | (masked ? MSIX_MASK_ALL : 0));
}

/* Returns after the interrupt, too, which follows the used ring. */
static void request(void)
{
	u32 turns;

	check_equal("read", blk_request(&blk, BLK_READ, 2, BLK_BUFFER, 512),
		    BLK_OK);
	for (turns = 0; turns < PATIENCE / 10; turns++)
		cpu_relax();
}

static u32 pending(void)
{
	return read32(blk.dev.msix_pba);
}

static void check_pending(const char *what, u32 before)
{
	u32 turns;

	for (turns = 0; turns < PATIENCE && !pending(); turns++)
		cpu_relax();
	check_equal(what, pending(), PENDING);
	check_equal("none meanwhile", interrupts, before);
}

static void check_delivered(const char *what, u32 number)
{
	u32 turns;

	for (turns = 0; turns < 100 * PATIENCE && interrupts < number; turns++)
		cpu_relax();
	check_equal(what, interrupts, number);
	check_equal("not pending", pending(), 0);
}

static void check_vector_mask(void)
{
	request();
	check_delivered("unmasked", 1);
	mask_vector(true);
	request();
	check_pending("masked vector", 1);
	request();
	check_pending("two are one", 1);
	write32(blk.dev.msix_pba, 0);
	check_pending("read-only", 1);
	mask_vector(false);
	check_delivered("unmasked vector", 2);
	write32(blk.dev.msix_pba, 0xffffffff);
	mask_vector(true);
	mask_vector(false);
	check_delivered("nothing more", 2);
}

static void check_function_mask(void)
{
	mask_function(true);
	request();
	check_pending("masked function", 2);
	mask_vector(true);
	mask_vector(false);
	check_pending("still masked", 2);
	mask_function(false);
	check_delivered("unmasked function", 3);

	mask_function(true);
	mask_vector(true);
	request();
	check_pending("masked twice", 3);
	mask_function(false);
	check_pending("masked once", 3);
	mask_vector(false);
	check_delivered("masked no more", 4);
}

static void check_new_message(void)
{
	mask_vector(true);
	request();
	check_pending("for the new message", 4);
	write32(blk.dev.msix_table + 16 * ENTRY + 8, OTHER_VECTOR);
	mask_vector(false);
	check_delivered("not the old one", 4);
	check_equal("the new one", others, 1);
}

/* The other entry's mask does not count. */
static void check_other_entry(void)
{
	write32(blk.dev.msix_table + 12, 1);
	request();
	check_delivered("beside a masked one", 4);
	check_equal("delivered", others, 2);
}

void guest_main(void)
{
	interrupt_set(VECTOR, queue_interrupt);
	interrupt_set(OTHER_VECTOR, other_interrupt);
	interrupts_enable();
	check(blk_open(&blk));
	msix_enable(&blk.dev);
	msix_route(&blk.dev, ENTRY, VECTOR);
	write16(blk.dev.common + COMMON_QUEUE_VECTOR, ENTRY);
	check_vector_mask();
	check_function_mask();
	check_new_message();
	check_other_entry();
	end();
}
