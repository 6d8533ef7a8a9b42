/* SPDX-License-Identifier: GPL-2.0-only */
/* Lists of CPUs as people and sysfs write them: "0-3,5". */
#ifndef LKVM_ARM_CPULIST_H
#define LKVM_ARM_CPULIST_H

#include <sched.h>
#include "lkvm/types.h"

/* False: @text is no such list, or names a CPU above CPU_SETSIZE. */
bool cpulist_parse(const char *text, cpu_set_t *out);

#endif
