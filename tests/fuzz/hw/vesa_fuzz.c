/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any sequence of accesses to the display's registers, and looks at the picture
 * in between: every byte of it lies in the memory, every row in the picture.
 */
#include "hw/vesa.h"

#include <stdlib.h>
#include <string.h>

#define STEP_LEN 5
#define MAX_ROWS 4
#define PAGE_LEN 4096

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

static void check_rows(struct vesa *vesa, const struct display_frame *frame)
{
	struct display_rows rows[MAX_ROWS];
	unsigned int nr = vesa_rows(vesa, frame, PAGE_LEN, rows, MAX_ROWS);
	u32 end = 0;

	for (unsigned int i = 0; i < nr; i++) {
		if (!rows[i].nr || rows[i].first < end ||
		    rows[i].first + rows[i].nr > frame->height)
			abort();
		end = rows[i].first + rows[i].nr;
	}
}

static void look(struct vesa *vesa, u8 pages)
{
	struct display_frame frame;
	const u8 *last;

	if (!vesa_source_ops.frame(vesa, &frame))
		return;
	last = frame.pixels + (u64)(frame.height - 1) * frame.stride +
	       (u64)frame.width * 4;
	if (frame.pixels < vesa->vram || last > vesa->vram + vesa->vram_len ||
	    !frame.width || !frame.height || frame.width * 4 > frame.stride)
		abort();
	memset(vesa->changed, pages, sizeof(vesa->changed));
	check_rows(vesa, &frame);
}

static void step(struct vesa *vesa, const u8 *data)
{
	struct bus_access acc = {
		.size = (u8)(1 << (data[0] >> 1 & 3)),
		.is_write = data[0] & 1,
		.offset = (data[1] | (u64)data[2] << 8) % VESA_REGS_LEN,
	};

	for (unsigned int i = 0; i < 4; i++)
		acc.value |= (u64)(data[3] | data[4] << 8) << 16 * i;
	/* Most of what there is stands here. */
	if (data[0] & 8)
		acc.offset = 0x500 + acc.offset % 24;
	if (data[0] & 16)
		look(vesa, data[1]);
	else
		vesa_access_regs(vesa, &acc);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	static struct vesa vesa;
	static u8 *vram;

	memset(&vesa, 0, sizeof(vesa));
	vesa_init(&vesa, 320, 200);
	if (!vram)
		vram = malloc(vesa.vram_len);
	vesa.vram = vram;
	for (size_t i = 0; i + STEP_LEN <= len && i < 1000UL * STEP_LEN;
	     i += STEP_LEN)
		step(&vesa, data + i);
	vesa_release(&vesa);
	return 0;
}
