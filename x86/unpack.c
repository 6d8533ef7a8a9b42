// SPDX-License-Identifier: GPL-2.0-only
/*
 * The payload of a bzImage (the Linux/x86 boot protocol: payload_offset), the
 * vmlinux in it, and the tables of relocations that Linux's build appends.
 */
#include "x86/unpack.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

/* Virtual address of physical address 0 in the kernel's image: its low half. */
#define KERNEL_MAP 0x80000000U

int unpack_find(const struct bzimage *image, struct payload *out)
{
	const struct setup_header *hdr = &image->hdr;

	if (hdr->payload_length <= PAYLOAD_TAIL ||
	    !range_within(hdr->payload_offset, hdr->payload_length,
			  image->payload_len))
		return -EINVAL;
	out->offset = image->payload_offset + hdr->payload_offset;
	out->len = hdr->payload_length;
	return 0;
}

static int refuse(const char **why, const char *text)
{
	*why = text;
	return -EINVAL;
}

static u32 word_at(const u8 *words, size_t i)
{
	u32 word;

	memcpy(&word, words + i * sizeof(word), sizeof(word));
	return word;
}

/*
 * Each segment moves down, or stays, and ends before the next begins: so they
 * can be moved in this order, one over the other.
 */
static bool can_settle(const struct elf_kernel *elf)
{
	u64 gpa_end = elf->start, file_end = 0;

	for (unsigned int i = 0; i < elf->nr; i++) {
		const struct elf_segment *s = &elf->segments[i];

		if (s->gpa < gpa_end || s->offset < file_end ||
		    s->gpa - elf->start > s->offset)
			return false;
		gpa_end = s->gpa + s->mem_len;
		file_end = s->offset + s->file_len;
	}
	return true;
}

/*
 * Where the ELF file in @file ends: its section headers are last, if it has
 * any. UINT64_MAX: they are not, or beyond @len.
 */
static u64 elf_file_end(const u8 *file, u64 len, const struct elf_kernel *elf)
{
	Elf64_Ehdr eh;
	u64 end, headers;

	memcpy(&eh, file, sizeof(eh));
	end = eh.e_phoff + (u64)eh.e_phnum * eh.e_phentsize;
	for (unsigned int i = 0; i < elf->nr; i++) {
		const struct elf_segment *s = &elf->segments[i];

		if (s->offset + s->file_len > end)
			end = s->offset + s->file_len;
	}
	if (!eh.e_shnum)
		return end;
	headers = (u64)eh.e_shnum * eh.e_shentsize;
	if (eh.e_shoff < end || !range_within(eh.e_shoff, headers, len))
		return UINT64_MAX;
	return eh.e_shoff + headers;
}

/*
 * Three lists, each behind a zero: 64 bits, inverse 32 bits, 32 bits. Since
 * Linux 6.15 per-CPU data has addresses like all else: no inverse list.
 */
static int parse_relocs(const u8 *words, size_t nr, struct vmlinux *out,
			const char **why)
{
	size_t starts[RELOC_KINDS + 1];
	unsigned int lists = 0;

	for (size_t i = 0; i < nr; i++) {
		if (word_at(words, i))
			continue;
		if (lists == RELOC_KINDS)
			return refuse(why, "too many tables of relocations");
		starts[lists++] = i + 1;
	}
	if (lists < RELOC_KINDS - 1 || starts[0] != 1)
		return refuse(why, "unknown tables of relocations");
	starts[lists] = nr + 1;
	for (unsigned int i = 0; i < lists; i++) {
		bool is_last = i == lists - 1;

		out->relocs[is_last ? RELOC_32 : i].words =
			words + starts[i] * sizeof(u32);
		out->relocs[is_last ? RELOC_32 : i].nr =
			starts[i + 1] - 1 - starts[i];
	}
	out->has_relocs = true;
	return 0;
}

int unpack_parse(const u8 *file, u64 len, u64 start, u64 room,
		 struct vmlinux *out, const char **why)
{
	u64 elf_end;
	int err;

	memset(out, 0, sizeof(*out));
	err = elf_parse(file, len, len, start + room, &out->elf, why);
	if (err == -ENOEXEC)
		return refuse(why, "no ELF file inside");
	if (err)
		return err;
	if (out->elf.start != start)
		return refuse(why, "linked for another address");
	if (!can_settle(&out->elf))
		return refuse(why, "ELF segments in an unusual order");
	elf_end = elf_file_end(file, len, &out->elf);
	if (elf_end > len || (len - elf_end) % sizeof(u32))
		return refuse(why, "the ELF file inside has no end");
	if (elf_end == len)
		return 0;
	return parse_relocs(file + elf_end, (len - elf_end) / sizeof(u32), out,
			    why);
}

void unpack_settle(const struct vmlinux *vmlinux, const u8 *file, u8 *to)
{
	const struct elf_kernel *elf = &vmlinux->elf;

	for (unsigned int i = 0; i < elf->nr; i++) {
		const struct elf_segment *s = &elf->segments[i];

		memmove(to + (s->gpa - elf->start), file + s->offset,
			s->file_len);
	}
}

/* The @len bytes of the kernel at @to whose virtual address ends in @address. */
static u8 *find_place(const struct elf_kernel *elf, u8 *to, u32 address,
		      u64 len)
{
	u64 gpa = address - KERNEL_MAP;

	if (address < KERNEL_MAP)
		return NULL;
	for (unsigned int i = 0; i < elf->nr; i++) {
		const struct elf_segment *s = &elf->segments[i];

		if (gpa >= s->gpa &&
		    range_within(gpa - s->gpa, len, s->file_len))
			return to + (gpa - elf->start);
	}
	return NULL;
}

static void add_to_value(u8 *at, size_t len, u64 delta)
{
	u64 value = 0;

	/* Little-endian: the low half comes first. */
	memcpy(&value, at, len);
	value += delta;
	memcpy(at, &value, len);
}

int unpack_relocate(const struct vmlinux *vmlinux, u8 *to, u64 delta)
{
	for (unsigned int kind = 0; kind < RELOC_KINDS; kind++) {
		const u8 *words = vmlinux->relocs[kind].words;
		size_t len = kind == RELOC_64 ? sizeof(u64) : sizeof(u32);
		u64 change = kind == RELOC_INVERSE_32 ? -delta : delta;

		for (size_t i = 0; i < vmlinux->relocs[kind].nr; i++) {
			u8 *at = find_place(&vmlinux->elf, to,
					    word_at(words, i), len);

			if (!at)
				return -EINVAL;
			add_to_value(at, len, change);
		}
	}
	return 0;
}
