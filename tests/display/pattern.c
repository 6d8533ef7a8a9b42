// SPDX-License-Identifier: GPL-2.0-only
/*
 * Draws a pattern in which every pixel differs from its neighbours, moves the
 * framebuffer, changes the mode, and says on COM1 when each picture is there:
 * tests/display/run looks at them. A line from COM1 lets it go on. Then it says
 * what keyboard and mouse send, until Q is released.
 */
#include "pci.h"

#define VENDOR 0x1234
#define DEVICE 0x1111
#define VRAM_BAR 0
#define REGS_BAR 2
#define DISPI 0x500
#define NEW_PLACE (PCI_WINDOW + 0x10000000)
#define LINE_STATUS 5
#define DATA_READY 1
#define KBC_DATA 0x60
#define KBC_COMMAND 0x64
#define KBC_FULL 0x01
#define KBC_BUSY 0x02
#define KBC_MOUSE 0x20
#define Q_RELEASED 0x90

enum {
	ID,
	XRES,
	YRES,
	BPP,
	ENABLE,
	BANK,
	VIRT_WIDTH,
	VIRT_HEIGHT,
	X_OFFSET,
	Y_OFFSET,
	MEMORY
};
#define ENABLED 0x41 /* with linear framebuffer */

static u32 slot;
static u64 regs;

static u16 get(u32 index)
{
	return read16(regs + DISPI + 2 * index);
}

static void set(u32 index, u16 value)
{
	write16(regs + DISPI + 2 * index, value);
}

static u32 pixel(u32 x, u32 y)
{
	return (x * 0x010307 + y * 0x0b0501) & 0xffffff;
}

static void draw(u64 at, u32 first, u32 last, u32 width, u32 stride)
{
	u32 x, y;

	for (y = first; y < last; y++)
		for (x = 0; x < width; x++)
			*(volatile u32 *)(at + (u64)y * stride + 4 * x) =
				pixel(x, y);
}

static void wait_line(void)
{
	u8 byte;

	do {
		while (!(in8(COM1 + LINE_STATUS) & DATA_READY))
			cpu_relax();
		byte = in8(COM1);
	} while (byte != '\n');
}

static void show(const char *what)
{
	print(what);
	print("\n");
	wait_line();
}

static void check_edid(void)
{
	u8 sum = 0;
	u32 i;

	check_equal("EDID", read32(regs), 0xffffff00);
	for (i = 0; i < 128; i++)
		sum += read8(regs + i);
	check_equal("EDID sum", sum, 0);
}

static void set_mode(u16 width, u16 height, u16 row)
{
	set(ENABLE, 0);
	set(XRES, width);
	set(YRES, height);
	set(BPP, 32);
	set(ENABLE, ENABLED);
	set(VIRT_WIDTH, row);
}

static void kbc_write(u16 port, u8 value)
{
	while (in8(KBC_COMMAND) & KBC_BUSY)
		cpu_relax();
	out8(port, value);
}

static u8 kbc_read(bool *is_mouse)
{
	u8 status;

	do {
		status = in8(KBC_COMMAND);
	} while (!(status & KBC_FULL));
	*is_mouse = status & KBC_MOUSE;
	return in8(KBC_DATA);
}

static void tell_input(void)
{
	bool is_mouse;
	u8 byte;

	kbc_write(KBC_COMMAND, 0x60); /* translate, both devices on */
	kbc_write(KBC_DATA, 0x47);
	kbc_write(KBC_COMMAND, 0xd4); /* the mouse reports */
	kbc_write(KBC_DATA, 0xf4);
	check_equal("mouse", kbc_read(&is_mouse), 0xfa);
	print("input\n");
	do {
		byte = kbc_read(&is_mouse);
		note(is_mouse ? "m" : "k", byte);
	} while (is_mouse || byte != Q_RELEASED);
}

void guest_main(void)
{
	u64 vram;

	slot = pci_find(VENDOR, DEVICE);
	check(slot < PCI_SLOTS);
	vram = pci_bar_reach(slot, VRAM_BAR);
	regs = pci_bar_reach(slot, REGS_BAR);
	check_equal("id", get(ID) & 0xfff0, 0xb0c0);
	check_equal("width", get(XRES), 320);
	check_equal("height", get(YRES), 200);
	check_equal("on", get(ENABLE) & 1, 1);
	check_equal("memory", get(MEMORY) * 65536ULL,
		    pci_bar_size(slot, VRAM_BAR));
	check_edid();
	draw(vram, 0, 200, 320, 1280);
	show("drawn");
	/* Some rows only. */
	draw(vram, 100, 101, 160, 1280);
	*(volatile u32 *)(vram + 150 * 1280) = 0xffffff;
	show("changed");
	*(volatile u32 *)(vram + 150 * 1280) = pixel(0, 150);
	pci_bar_move(slot, VRAM_BAR, NEW_PLACE);
	*(volatile u32 *)(NEW_PLACE + 10 * 1280) = 0x123456;
	show("moved");
	pci_command(slot, 0, COMMAND_MEMORY);
	pci_command(slot, COMMAND_MEMORY, 0);
	*(volatile u32 *)(NEW_PLACE + 10 * 1280) = pixel(0, 10);
	show("back");
	set_mode(200, 100, 256);
	set(X_OFFSET, 8);
	set(Y_OFFSET, 2);
	draw(NEW_PLACE + 2 * 1024 + 32, 0, 100, 200, 1024);
	show("mode");
	set_mode(8000, 8000, 8000); /* more than there is memory */
	show("nonsense");
	set_mode(320, 200, 320);
	tell_input();
	end();
}
