/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fixed-width integers under the names of the kernel's headers, and the few
 * macros that every file uses.
 */
#ifndef LKVM_TYPES_H
#define LKVM_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define KIB (1ULL << 10)
#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

#define BIT(n) (1U << (n))
#define BIT64(n) (1ULL << (n))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The structure of type @type whose member @member is at @ptr. */
#define container_of(ptr, type, member)                                        \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* Round to a multiple of @align, a power of two. */
static inline u64 align_up(u64 value, u64 align)
{
	return (value + align - 1) & ~(align - 1);
}

static inline u64 align_down(u64 value, u64 align)
{
	return value & ~(align - 1);
}

static inline bool is_power_of_two(u64 value)
{
	return value && !(value & (value - 1));
}

/* Does [start, start + len) lie within [0, limit)? Safe against wrapping. */
static inline bool range_within(u64 start, u64 len, u64 limit)
{
	return start <= limit && len <= limit - start;
}

#endif
