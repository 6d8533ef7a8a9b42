/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads the setup header of a bzImage.
 */
#include "x86/bzimage.h"

#include <errno.h>
#include <string.h>
#include "x86/machine.h"

#define HEADER_OFFSET 0x1f1U   /* of struct setup_header in the file */
#define JUMP_LEN_OFFSET 0x201U /* byte: the header ends this far behind 0x202 */
#define BOOT_FLAG 0xaa55U
#define MAGIC 0x53726448U /* "HdrS" */
#define SECTOR 512U
#define VERSION_64_BIT 0x20cU /* has xloadflags */

/* The header is as long as this kernel says, the rest of ours stays zero. */
static void copy_header(const u8 *head, struct setup_header *hdr)
{
	size_t len =
		JUMP_LEN_OFFSET + 1 + head[JUMP_LEN_OFFSET] - HEADER_OFFSET;

	if (len > sizeof(*hdr))
		len = sizeof(*hdr);
	memset(hdr, 0, sizeof(*hdr));
	memcpy(hdr, head + HEADER_OFFSET, len);
}

static int check_header(const struct setup_header *hdr, const char **why)
{
	if (hdr->version < VERSION_64_BIT ||
	    !(hdr->xloadflags & XLF_KERNEL_64)) {
		*why = "it has no 64-bit entry: use a 64-bit Linux 3.8 or "
		       "newer";
		return -EINVAL;
	}
	if (!(hdr->loadflags & LOADED_HIGH)) {
		*why = "it is a zImage: use a bzImage";
		return -EINVAL;
	}
	if (hdr->relocatable_kernel &&
	    !is_power_of_two(hdr->kernel_alignment)) {
		*why = "its header is damaged (alignment)";
		return -EINVAL;
	}
	return 0;
}

int bzimage_parse(const u8 *head, size_t head_len, u64 file_len,
		  struct bzimage *out, const char **why)
{
	const struct setup_header *hdr = &out->hdr;
	u64 sectors;
	int err;

	if (head_len < BZIMAGE_HEAD)
		return -ENOEXEC;
	copy_header(head, &out->hdr);
	if (hdr->boot_flag != BOOT_FLAG || hdr->header != MAGIC)
		return -ENOEXEC;
	err = check_header(hdr, why);
	if (err)
		return err;
	sectors = hdr->setup_sects ? hdr->setup_sects : 4;
	out->payload_offset = (sectors + 1) * SECTOR;
	out->payload_len = (u64)hdr->syssize * 16;
	if (out->payload_offset >= file_len ||
	    out->payload_len <= BZIMAGE_ENTRY_64) {
		*why = "the file is cut short";
		return -EINVAL;
	}
	/* syssize is in paragraphs: the last may be partial. */
	if (out->payload_len > file_len - out->payload_offset) {
		if (out->payload_len - (file_len - out->payload_offset) >= 16) {
			*why = "the file is cut short";
			return -EINVAL;
		}
		out->payload_len = file_len - out->payload_offset;
	}
	out->need_len = hdr->init_size > out->payload_len ? hdr->init_size
							  : out->payload_len;
	return 0;
}

static bool fits(const struct bzimage *image, u64 gpa, u64 ram_end)
{
	return gpa >= HIGH_GPA && range_within(gpa, image->need_len, ram_end);
}

int bzimage_place(const struct bzimage *image, u64 ram_end, u64 *gpa)
{
	const struct setup_header *hdr = &image->hdr;

	*gpa = hdr->pref_address;
	if (fits(image, *gpa, ram_end))
		return 0;
	*gpa = HIGH_GPA;
	if (hdr->relocatable_kernel)
		*gpa = align_up(HIGH_GPA, hdr->kernel_alignment);
	return fits(image, *gpa, ram_end) ? 0 : -ENOSPC;
}
