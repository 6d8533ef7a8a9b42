/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A fuzzer's bytes, taken from the front as numbers; zeroes when there are no
 * more.
 */
#ifndef LKVM_TESTS_FUZZ_INPUT_H
#define LKVM_TESTS_FUZZ_INPUT_H

#include <stddef.h>
#include "lkvm/types.h"

struct fuzz_input {
	const u8 *data;
	size_t len;
};

/* The next @bytes (at most 8), little endian. */
u64 fuzz_take(struct fuzz_input *in, unsigned int bytes);

#endif
