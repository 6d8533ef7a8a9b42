/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An unpacked payload, handled as the loader does: all that is written lies in
 * the room that the kernel has. The room ends with the buffer, so that the
 * sanitizers see who goes beyond.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include "lkvm/types.h"
#include "x86/unpack.h"

#define START MIB
#define ROOM (64 * KIB)
#define MAX_SEGMENTS 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * What elf_fuzz.c is about is made right, and segments small and near each
 * other, to come to the rest sooner.
 */
static void fix_headers(u8 *file, size_t len)
{
	Elf64_Ehdr eh;

	memcpy(&eh, file, sizeof(eh));
	memcpy(eh.e_ident, ELFMAG "\x02\x01\x01", SELFMAG + 3);
	eh.e_type = ET_EXEC;
	eh.e_machine = EM_X86_64;
	eh.e_entry = START;
	eh.e_phoff = sizeof(eh);
	eh.e_phentsize = sizeof(Elf64_Phdr);
	eh.e_phnum = MAX_SEGMENTS;
	eh.e_shoff %= len;
	eh.e_shnum %= 2;
	memcpy(file, &eh, sizeof(eh));
	for (unsigned int i = 0; i < MAX_SEGMENTS; i++) {
		u8 *at = file + sizeof(eh) + i * sizeof(Elf64_Phdr);
		Elf64_Phdr ph;

		memcpy(&ph, at, sizeof(ph));
		ph.p_type = PT_LOAD;
		ph.p_offset %= len;
		ph.p_paddr = i ? START + ph.p_paddr % len : START;
		ph.p_filesz %= len;
		ph.p_memsz = ph.p_filesz + ph.p_memsz % len;
		memcpy(at, &ph, sizeof(ph));
	}
}

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
	if (size >= sizeof(Elf64_Ehdr) + MAX_SEGMENTS * sizeof(Elf64_Phdr))
		fix_headers(to, size);
	if (!unpack_parse(to, size, START, ROOM, &vmlinux, &why)) {
		unpack_settle(&vmlinux, to, to);
		unpack_relocate(&vmlinux, to, 6 * MIB);
	}
	free(to);
	return 0;
}
