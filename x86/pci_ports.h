/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ports of a PC's chipset: PCI configuration mechanism #1, and the two
 * registers that reset the machine.
 */
#ifndef LKVM_X86_PCI_PORTS_H
#define LKVM_X86_PCI_PORTS_H

#include "lkvm/device.h"

extern const struct device_class pci_ports_class;

#endif
