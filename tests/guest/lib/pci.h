/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PCI configuration space, both ways into it, and BARs.
 */
#ifndef GUEST_PCI_H
#define GUEST_PCI_H

#include "guest.h"

#define ECAM 0xe0000000ULL
#define PCI_WINDOW 0xc0000000ULL
#define PCI_SLOTS 32
#define PCI_COMMAND 0x04
#define PCI_STATUS 0x06
#define PCI_BAR(n) (0x10 + 4 * (n))
#define PCI_ROM 0x30
#define PCI_CAPABILITIES 0x34
#define PCI_INTERRUPT_LINE 0x3c
#define STATUS_INTERRUPT 8
#define COMMAND_IO 1
#define COMMAND_MEMORY 2
#define COMMAND_MASTER 4
#define COMMAND_INTX_DISABLE 0x400
#define CAP_VENDOR 0x09
#define CAP_MSIX 0x11

/* Through ports CF8 and CFC, or ECAM; bus 0, function 0. */
u32 pci_read_port(u32 slot, u32 offset, u32 size);
void pci_write_port(u32 slot, u32 offset, u32 size, u32 value);
u32 pci_read(u32 slot, u32 offset, u32 size);
void pci_write(u32 slot, u32 offset, u32 size, u32 value);

/* Set and clear bits of the command register. */
void pci_command(u32 slot, u16 set, u16 clear);
/* Offset of the capability, the first behind @after (0: the first); 0: none. */
u32 pci_capability(u32 slot, u8 id, u32 after);
/* The slot of this vendor and device, or PCI_SLOTS. */
u32 pci_find(u16 vendor, u16 device);
/* Bytes that memory BAR @bar decodes, sized as PCI 3.0, 6.2.5.1 says. */
u64 pci_bar_size(u32 slot, u32 bar);
/* Where it is; one above 4 GiB is moved to where this guest can reach it. */
u64 pci_bar_reach(u32 slot, u32 bar);
/* Write the BAR's (low) register. */
void pci_bar_move(u32 slot, u32 bar, u64 to);
/* The first port of an I/O BAR. */
u16 pci_bar_port(u32 slot, u32 bar);

#endif
