/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An unpacked payload, handled as the loader does: all that is written lies in
 * the room that the kernel has. The room ends with the buffer, so that the
 * sanitizers see who goes beyond.
 */
#include <stdlib.h>
#include <string.h>
#include "lkvm/types.h"
#include "x86/unpack.h"

#define START MIB
#define ROOM (64 * KIB)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vmlinux vmlinux;
	const char *why;
	u8 *to;

	if (size > ROOM)
		return 0;
	to = calloc(1, ROOM);
	if (!to)
		return 0;
	memcpy(to, data, size);
	if (!unpack_parse(to, size, START, ROOM, &vmlinux, &why)) {
		unpack_settle(&vmlinux, to, to);
		unpack_relocate(&vmlinux, to, 6 * MIB);
	}
	free(to);
	return 0;
}
