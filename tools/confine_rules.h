/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The system calls that threads of lkvm may make once it has started: lists for
 * confine_gen.c, which turns them into filters when lkvm is built. docs/security.md
 * says how to find what is missing, and how to add it.
 */
#ifndef LKVM_CONFINE_RULES_H
#define LKVM_CONFINE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "confine_priv.h"
#include "lkvm/confine.h"

/* Whether an argument is looked at: (argument & mask) == value. */
struct confine_rule {
	const char *name; /* of the system call; NULL ends a list */
	unsigned int arg;
	uint64_t mask; /* 0: whatever the arguments are */
	uint64_t value;
	bool is_refused;  /* does nothing and returns ENOSYS */
	bool is_optional; /* libseccomp may be too old to know it */
};

#define ANY(call)                                                              \
	{                                                                      \
		.name = (call)                                                 \
	}
/* Newer than the oldest libseccomp that lkvm is built with. */
#define NEW(call)                                                              \
	{                                                                      \
		.name = (call), .is_optional = true                            \
	}
#define WHERE(call, number, bits, wanted)                                      \
	{                                                                      \
		.name = (call), .arg = (number), .mask = (bits),               \
		.value = (wanted)                                              \
	}
#define REFUSE(call)                                                           \
	{                                                                      \
		.name = (call), .is_refused = true                             \
	}
#define END                                                                    \
	{                                                                      \
		.name = NULL                                                   \
	}
/* int and unsigned int: the kernel ignores the upper half, musl fills it. */
#define LOW 0xffffffffU
#define IOCTL(request) WHERE("ioctl", 1, LOW, (uint32_t)(request))

#define CONFINE_MAX_LISTS 12

/* What one kind of thread may call: several lists. */
struct confine_kind_rules {
	const char *name; /* of the array that is generated */
	const struct confine_rule *lists[CONFINE_MAX_LISTS]; /* NULL ends */
};

/* ioctls of vCPUs that one architecture has: confine_x86.c, confine_arm.c */
extern const struct confine_rule confine_arch_vcpu[];
extern const struct confine_rule confine_arch_pause[];

extern const struct confine_kind_rules confine_kinds[CONFINE_KINDS];

#endif
