/* SPDX-License-Identifier: GPL-2.0-only */
/* The GICv2m frame as the guest's CPUs see it. */
#ifndef LKVM_ARM_V2M_H
#define LKVM_ARM_V2M_H

#include "lkvm/device.h"

/* Creates one where vm->irq has a frame. */
extern const struct device_class v2m_class;

#endif
