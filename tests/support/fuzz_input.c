// SPDX-License-Identifier: GPL-2.0-only
#include "tests/support/fuzz_input.h"

#include <string.h>

u64 fuzz_take(struct fuzz_input *in, unsigned int bytes)
{
	u64 value = 0;

	if (bytes > in->len)
		bytes = (unsigned int)in->len;
	memcpy(&value, in->data, bytes);
	in->data += bytes;
	in->len -= bytes;
	return value;
}
