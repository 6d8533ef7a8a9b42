/* SPDX-License-Identifier: GPL-2.0-only */
/* PCI I/O space, which arm64 CPUs reach through memory. */
#ifndef LKVM_ARM_PORTS_H
#define LKVM_ARM_PORTS_H

#include "lkvm/device.h"

extern const struct device_class ports_class;

#endif
