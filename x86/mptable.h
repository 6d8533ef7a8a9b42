/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MultiProcessor Specification 1.4 tables, for guests without ACPI.
 */
#ifndef LKVM_X86_MPTABLE_H
#define LKVM_X86_MPTABLE_H

#include "lkvm/types.h"

/*
 * Write floating pointer and configuration table to @buf, @len zeroed bytes
 * that the guest sees at @gpa (a multiple of 16). At most 255 CPUs are listed:
 * there are no more ids. -ENOSPC if they do not fit.
 */
int mptable_build(u8 *buf, size_t len, u32 gpa, unsigned int cpus);

#endif
