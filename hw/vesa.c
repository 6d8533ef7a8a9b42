/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A display on PCI: a linear framebuffer and the registers of Bochs's VBE
 * extension ("DISPI", QEMU's docs/specs/standard-vga), which Linux's bochs-drm
 * drives. Until then the kernel draws where the boot loader's screen information
 * says. Pixels have 32 bits. There is no text mode, no VGA and no acceleration.
 */
#include "hw/vesa.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "lkvm/devices.h"
#include "lkvm/kvm.h"

/* The ids by which bochs-drm knows it. */
#define VENDOR 0x1234
#define DEVICE 0x1111
#define SUBSYSTEM_VENDOR 0x1af4
#define SUBSYSTEM 0x1100
#define REVISION 2 /* registers are in memory */
#define CLASS_VGA 0x030000

/* Register BAR */
#define REGS_VGA 0x400 /* ports 3c0 to 3df */
#define REGS_VGA_LEN 0x20
#define VGA_ATTRIBUTE 0x3c0
#define ATTRIBUTE_ON BIT(5) /* the screen shows something */
#define REGS_DISPI 0x500

#define ID_VBE 0xb0c5
#define BPP 32
#define PIXEL_LEN 4U
#define MAX_SIZE 8192U /* pixels each way, what registers may hold */

#define ENABLED BIT(0)
#define GET_CAPS BIT(1)
#define LFB BIT(6)
#define NO_CLEAR BIT(7)

/* ---- What is to be seen ---- */

/* Rows may be longer than what is shown of them. */
static u32 pixels_per_row(const struct vesa *vesa)
{
	u16 shown = vesa->regs[VESA_XRES], whole = vesa->regs[VESA_VIRT_WIDTH];

	return whole > shown ? whole : shown;
}

/* False: the registers name no picture that lies in the memory. */
static bool frame_locked(const struct vesa *vesa, struct display_frame *out)
{
	const u16 *regs = vesa->regs;
	u64 stride = (u64)pixels_per_row(vesa) * PIXEL_LEN;
	u64 start = regs[VESA_Y_OFFSET] * stride +
		    (u64)regs[VESA_X_OFFSET] * PIXEL_LEN;
	u64 width = (u64)regs[VESA_XRES] * PIXEL_LEN;

	if (!(regs[VESA_ENABLE] & ENABLED) || vesa->is_blank ||
	    regs[VESA_BPP] != BPP || !regs[VESA_XRES] || !regs[VESA_YRES] ||
	    start + (regs[VESA_YRES] - 1) * stride + width > vesa->vram_len)
		return false;
	*out = (struct display_frame){
		.pixels = vesa->vram + start,
		.width = regs[VESA_XRES],
		.height = regs[VESA_YRES],
		.stride = (u32)stride,
	};
	return true;
}

static bool vesa_frame(void *opaque, struct display_frame *out)
{
	struct vesa *vesa = opaque;
	bool is_on;

	pthread_mutex_lock(&vesa->lock);
	is_on = frame_locked(vesa, out);
	pthread_mutex_unlock(&vesa->lock);
	return is_on;
}

static bool take_all_changed(struct vesa *vesa)
{
	bool all;

	pthread_mutex_lock(&vesa->lock);
	all = vesa->all_changed;
	vesa->all_changed = false;
	pthread_mutex_unlock(&vesa->lock);
	return all;
}

/* Add rows @first to @last; ranges that touch become one. */
static unsigned int add_rows(struct display_rows *rows, unsigned int nr,
			     unsigned int max, u32 first, u32 last)
{
	struct display_rows *end = nr ? &rows[nr - 1] : NULL;

	if (end && (first <= end->first + end->nr || nr == max)) {
		if (last >= end->first + end->nr)
			end->nr = last - end->first + 1;
		return nr;
	}
	rows[nr] = (struct display_rows){ first, last - first + 1 };
	return nr + 1;
}

unsigned int vesa_rows(struct vesa *vesa, const struct display_frame *frame,
		       u64 page_len, struct display_rows *rows,
		       unsigned int max)
{
	u64 start = (u64)(frame->pixels - vesa->vram);
	u64 end = start + (u64)frame->stride * frame->height;
	unsigned int nr = 0;

	for (u64 page = start / page_len; page * page_len < end; page++) {
		u64 from = page * page_len, to = from + page_len - 1;

		if (!(vesa->changed[page / 64] & BIT64(page % 64)))
			continue;
		from = from > start ? from - start : 0;
		to = to < end ? to - start : end - start - 1;
		nr = add_rows(rows, nr, max, (u32)(from / frame->stride),
			      (u32)(to / frame->stride));
	}
	memset(vesa->changed, 0, sizeof(vesa->changed));
	return nr;
}

static unsigned int vesa_changes(void *opaque,
				 const struct display_frame *frame,
				 struct display_rows *rows, unsigned int max)
{
	struct vesa *vesa = opaque;
	int err = pci_memory_dirty(&vesa->fn, VESA_VRAM_BAR, &vesa->memory,
				   vesa->changed);

	/* Without a log all of it may have changed. */
	if (take_all_changed(vesa) || err)
		memset(vesa->changed, 0xff, sizeof(vesa->changed));
	return vesa_rows(vesa, frame, (u64)sysconf(_SC_PAGESIZE), rows, max);
}

const struct display_source_ops vesa_source_ops = {
	.frame = vesa_frame,
	.changes = vesa_changes,
};

/* ---- Registers ---- */

static void enable_locked(struct vesa *vesa, u16 value)
{
	u16 *regs = vesa->regs;
	bool was_on = regs[VESA_ENABLE] & ENABLED;
	struct display_frame frame;

	regs[VESA_ENABLE] = value & (ENABLED | GET_CAPS | LFB | NO_CLEAR);
	if (was_on || !(value & ENABLED))
		return;
	regs[VESA_VIRT_WIDTH] = regs[VESA_XRES];
	regs[VESA_VIRT_HEIGHT] = regs[VESA_YRES];
	regs[VESA_X_OFFSET] = 0;
	regs[VESA_Y_OFFSET] = 0;
	vesa->all_changed = true;
	if (!(value & NO_CLEAR) && frame_locked(vesa, &frame))
		memset(vesa->vram, 0, (u64)frame.stride * frame.height);
}

static void write_register_locked(struct vesa *vesa, unsigned int index,
				  u16 value)
{
	switch (index) {
	case VESA_ENABLE:
		enable_locked(vesa, value);
		break;
	case VESA_XRES:
	case VESA_YRES:
	case VESA_BPP:
		/* Only while it is off. */
		if (!(vesa->regs[VESA_ENABLE] & ENABLED) && value <= MAX_SIZE)
			vesa->regs[index] = value;
		break;
	case VESA_BANK:
	case VESA_VIRT_WIDTH:
	case VESA_X_OFFSET:
	case VESA_Y_OFFSET:
		vesa->regs[index] = value;
		break;
	default:
		break;
	}
}

static u16 read_register_locked(const struct vesa *vesa, unsigned int index)
{
	bool caps = vesa->regs[VESA_ENABLE] & GET_CAPS;
	u64 row = (u64)pixels_per_row(vesa) * PIXEL_LEN;

	if (index >= VESA_REGISTERS)
		return 0;
	if (caps && (index == VESA_XRES || index == VESA_YRES))
		return MAX_SIZE;
	if (caps && index == VESA_BPP)
		return BPP;
	/* As many rows as there is memory for. */
	if (index == VESA_VIRT_HEIGHT && row)
		return (u16)(vesa->vram_len / row > 0xffff
				     ? 0xffff
				     : vesa->vram_len / row);
	return vesa->regs[index];
}

static u8 read_byte_locked(const struct vesa *vesa, u64 offset)
{
	u64 reg = offset - REGS_DISPI;

	if (offset < EDID_LEN)
		return vesa->edid[offset];
	if (offset < REGS_DISPI)
		return 0;
	return (u8)(read_register_locked(vesa, (unsigned int)(reg / 2)) >>
		    8 * (reg & 1));
}

/* bochs-drm writes an index, behind which no data follow. */
static void write_vga_locked(struct vesa *vesa, u64 port, u8 value)
{
	if (port == VGA_ATTRIBUTE)
		vesa->is_blank = !(value & ATTRIBUTE_ON);
}

static void write_regs_locked(struct vesa *vesa, const struct bus_access *acc)
{
	u64 offset = acc->offset;

	if (offset - REGS_VGA < REGS_VGA_LEN)
		write_vga_locked(vesa, 0x3c0 + offset - REGS_VGA,
				 (u8)acc->value);
	if (offset < REGS_DISPI || (offset & 1))
		return;
	for (unsigned int i = 0; i + 2 <= acc->size; i += 2)
		write_register_locked(
			vesa, (unsigned int)((offset + i - REGS_DISPI) / 2),
			(u16)(acc->value >> 8 * i));
}

void vesa_access_regs(struct vesa *vesa, struct bus_access *acc)
{
	pthread_mutex_lock(&vesa->lock);
	if (acc->is_write) {
		write_regs_locked(vesa, acc);
	} else {
		acc->value = 0;
		for (unsigned int i = 0; i < acc->size; i++)
			acc->value |=
				(u64)read_byte_locked(vesa, acc->offset + i)
				<< 8 * i;
	}
	pthread_mutex_unlock(&vesa->lock);
	if (acc->is_write && vesa->attached)
		display_wake(vesa->display);
}

/* Where the memory is not mapped: hosts with large pages, BARs on top. */
void vesa_access_vram(struct vesa *vesa, struct bus_access *acc)
{
	u8 *at = vesa->vram + acc->offset;

	if (acc->offset + acc->size > vesa->vram_len)
		return;
	if (!acc->is_write) {
		acc->value = 0;
		memcpy(&acc->value, at, acc->size);
		return;
	}
	memcpy(at, &acc->value, acc->size);
	pthread_mutex_lock(&vesa->lock);
	vesa->all_changed = true;
	pthread_mutex_unlock(&vesa->lock);
}

static enum bus_result vesa_bar_access(struct pci_function *fn,
				       unsigned int bar, struct bus_access *acc)
{
	struct vesa *vesa = container_of(fn, struct vesa, fn);

	if (bar == VESA_VRAM_BAR)
		vesa_access_vram(vesa, acc);
	else
		vesa_access_regs(vesa, acc);
	return BUS_HANDLED;
}

static const struct pci_function_ops function_ops = {
	.bar_access = vesa_bar_access,
};

/* ---- Life ---- */

void vesa_init(struct vesa *vesa, u32 width, u32 height)
{
	pthread_mutex_init(&vesa->lock, NULL);
	vesa->vram_len = VESA_MIN_VRAM;
	while (vesa->vram_len < (u64)width * height * PIXEL_LEN)
		vesa->vram_len *= 2;
	edid_build(vesa->edid, width, height);
	vesa->regs[VESA_ID] = ID_VBE;
	vesa->regs[VESA_XRES] = (u16)width;
	vesa->regs[VESA_YRES] = (u16)height;
	vesa->regs[VESA_VIRT_WIDTH] = (u16)width;
	vesa->regs[VESA_BPP] = BPP;
	vesa->regs[VESA_ENABLE] = ENABLED | LFB;
	vesa->regs[VESA_MEMORY] = (u16)(vesa->vram_len / (64 * KIB));
}

void vesa_release(struct vesa *vesa)
{
	pthread_mutex_destroy(&vesa->lock);
}

static void init_function(struct vesa *vesa)
{
	const struct pci_identity identity = {
		.vendor = VENDOR,
		.device = DEVICE,
		.subsystem_vendor = SUBSYSTEM_VENDOR,
		.subsystem = SUBSYSTEM,
		.class_code = CLASS_VGA,
		.revision = REVISION,
	};

	vesa->memory = (struct pci_memory){
		.len = vesa->vram_len,
		.hva = vesa->vram,
		.flags = KVM_MEM_LOG_DIRTY_PAGES,
	};
	pci_function_init(&vesa->fn, "vesa", &function_ops, &identity);
	pci_bar_init(&vesa->fn, VESA_VRAM_BAR, PCI_BAR_MEM32, true,
		     vesa->vram_len);
	pci_bar_init(&vesa->fn, VESA_REGS_BAR, PCI_BAR_MEM32, false,
		     VESA_REGS_LEN);
	pci_bar_add_memory(&vesa->fn, VESA_VRAM_BAR, &vesa->memory);
	pci_add_express_capability(&vesa->fn);
}

static int vesa_start(struct device *dev)
{
	struct vesa *vesa = container_of(dev, struct vesa, dev);

	vesa->attached = true;
	display_attach(vesa->display, &vesa_source_ops, vesa, &dev->vm->input);
	return 0;
}

static void vesa_stop(struct device *dev)
{
	struct vesa *vesa = container_of(dev, struct vesa, dev);

	if (vesa->attached)
		display_detach(vesa->display);
	vesa->attached = false;
}

static void vesa_destroy(struct device *dev)
{
	struct vesa *vesa = container_of(dev, struct vesa, dev);

	vesa_stop(dev);
	pci_remove(&vesa->fn);
	if (vesa->vram)
		munmap(vesa->vram, vesa->vram_len);
	vesa_release(vesa);
	free(vesa);
}

static const struct device_ops vesa_ops = {
	.name = "display",
	.start = vesa_start,
	.stop = vesa_stop,
	.destroy = vesa_destroy,
};

static int vesa_create(struct kvm *vm, const struct kvm_config *config)
{
	struct vesa *vesa;
	void *vram;

	if (!vm->consoles->display)
		return 0;
	vesa = calloc(1, sizeof(*vesa));
	if (!vesa)
		return vm_fail(vm, -ENOMEM, "display: out of memory");
	vesa_init(vesa, config->display_width, config->display_height);
	vesa->display = vm->consoles->display;
	vram = mmap(NULL, vesa->vram_len, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	vesa->vram = vram == MAP_FAILED ? NULL : vram;
	init_function(vesa);
	device_register(vm, &vesa->dev, &vesa_ops);
	if (!vesa->vram)
		return vm_fail(vm, -ENOMEM, "display: no memory for pixels");
	vm->framebuffer = (struct framebuffer){
		.fn = &vesa->fn,
		.bar = VESA_VRAM_BAR,
		.len = vesa->vram_len,
		.width = config->display_width,
		.height = config->display_height,
		.stride = config->display_width * PIXEL_LEN,
		.source = &vesa_source_ops,
		.opaque = vesa,
	};
	return pci_add(vm->pci, &vesa->fn);
}

const struct device_class vesa_class = {
	.name = "display",
	.create = vesa_create,
};
