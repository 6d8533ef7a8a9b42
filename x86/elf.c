/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads ELF headers (System V ABI, chapter 4 and 5).
 */
#include "x86/elf.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include "x86/machine.h"

static int refuse(const char **why, const char *text)
{
	*why = text;
	return -EINVAL;
}

static int check_header(const Elf64_Ehdr *eh, size_t head_len, const char **why)
{
	if (eh->e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh->e_ident[EI_DATA] != ELFDATA2LSB || eh->e_machine != EM_X86_64)
		return refuse(why, "it is ELF, but not for 64-bit x86");
	if (eh->e_type != ET_EXEC && eh->e_type != ET_DYN)
		return refuse(why, "it is ELF, but not an executable");
	if (eh->e_phentsize != sizeof(Elf64_Phdr) || !eh->e_phnum ||
	    !range_within(eh->e_phoff, (u64)eh->e_phnum * sizeof(Elf64_Phdr),
			  head_len))
		return refuse(why, "its ELF program headers are damaged");
	return 0;
}

static int add_segment(struct elf_kernel *out, const Elf64_Phdr *ph,
		       u64 file_len, u64 ram_end, const char **why)
{
	if (!range_within(ph->p_offset, ph->p_filesz, file_len))
		return refuse(why, "the file is cut short");
	if (ph->p_filesz > ph->p_memsz)
		return refuse(why, "its ELF program headers are damaged");
	if (ph->p_paddr < HIGH_GPA)
		return refuse(why, "it wants to be loaded below 1 MiB");
	if (!range_within(ph->p_paddr, ph->p_memsz, ram_end))
		return refuse(why, "it does not fit into RAM: give more (-m)");
	if (out->nr == ELF_MAX_SEGMENTS)
		return refuse(why, "it has too many ELF segments");
	out->segments[out->nr++] = (struct elf_segment){
		.gpa = ph->p_paddr,
		.offset = ph->p_offset,
		.file_len = ph->p_filesz,
		.mem_len = ph->p_memsz,
	};
	if (ph->p_paddr < out->start)
		out->start = ph->p_paddr;
	if (ph->p_paddr + ph->p_memsz > out->end)
		out->end = ph->p_paddr + ph->p_memsz;
	return 0;
}

int elf_parse(const u8 *head, size_t head_len, u64 file_len, u64 ram_end,
	      struct elf_kernel *out, const char **why)
{
	Elf64_Ehdr eh;
	int err;

	if (head_len < sizeof(eh) || memcmp(head, ELFMAG, SELFMAG))
		return -ENOEXEC;
	memcpy(&eh, head, sizeof(eh));
	err = check_header(&eh, head_len, why);
	if (err)
		return err;
	*out = (struct elf_kernel){ .entry = eh.e_entry, .start = UINT64_MAX };
	for (unsigned int i = 0; i < eh.e_phnum; i++) {
		Elf64_Phdr ph;

		memcpy(&ph, head + eh.e_phoff + i * sizeof(ph), sizeof(ph));
		if (ph.p_type != PT_LOAD || !ph.p_memsz)
			continue;
		err = add_segment(out, &ph, file_len, ram_end, why);
		if (err)
			return err;
	}
	if (eh.e_entry < out->start || eh.e_entry >= out->end)
		return refuse(why, "its entry is not a physical address in it");
	return 0;
}
