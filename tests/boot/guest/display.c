// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest does with its display, for the display cases:
 *
 *   display pattern        draws the pattern to /dev/fb0
 *   display mode W H       sets that mode by DRM, with the pattern on it, until
 *                          its standard input ends
 *   display pointer W H    says where the pointer of the tablet is on a screen of
 *                          that size, at each report
 *
 * The pattern: every pixel differs from its neighbours; l1/screen.c knows it, too.
 */
#include <drm.h>
#include <drm_mode.h>
#include <fcntl.h>
#include <linux/fb.h>
#include <linux/input.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint32_t pixel(uint32_t x, uint32_t y)
{
	return (x * 0x010307 + y * 0x0b0501) & 0xffffff;
}

/*
 * All at once through write(2), which every framebuffer driver hears of; of a row
 * alone DRM's emulation makes an empty rectangle (Linux 6.1).
 */
static void draw_fb(void)
{
	int fd = open("/dev/fb0", O_RDWR);
	struct fb_var_screeninfo var;
	struct fb_fix_screeninfo fix;
	uint32_t *rows;
	size_t len;

	if (fd < 0 || ioctl(fd, FBIOGET_VSCREENINFO, &var) ||
	    ioctl(fd, FBIOGET_FSCREENINFO, &fix))
		die("/dev/fb0");
	len = (size_t)fix.line_length * var.yres;
	rows = calloc(1, len);
	if (!rows || var.bits_per_pixel != 32)
		die("pixels of 32 bits");
	for (uint32_t y = 0; y < var.yres; y++)
		for (uint32_t x = 0; x < var.xres; x++)
			rows[y * (fix.line_length / 4) + x] = pixel(x, y);
	if (pwrite(fd, rows, len, (off_t)var.yoffset * fix.line_length) !=
	    (ssize_t)len)
		die("write");
	printf("@ pattern %ux%u %s\n", var.xres, var.yres, fix.id);
}

/* ---- DRM ---- */

static void get(int fd, unsigned long request, void *what, const char *name)
{
	if (ioctl(fd, request, what))
		die(name);
}

/* A buffer of the mode's size with the pattern; its number as a framebuffer. */
static uint32_t make_buffer(int fd, uint32_t width, uint32_t height)
{
	struct drm_mode_create_dumb dumb = { .width = width,
					     .height = height,
					     .bpp = 32 };
	struct drm_mode_map_dumb map = { 0 };
	struct drm_mode_fb_cmd fb = { 0 };
	uint8_t *pixels;

	get(fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb, "create");
	map.handle = dumb.handle;
	get(fd, DRM_IOCTL_MODE_MAP_DUMB, &map, "map");
	pixels = mmap(NULL, dumb.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		      (off_t)map.offset);
	if (pixels == MAP_FAILED)
		die("mmap");
	for (uint32_t y = 0; y < height; y++)
		for (uint32_t x = 0; x < width; x++)
			((uint32_t *)(pixels + (size_t)y * dumb.pitch))[x] =
				pixel(x, y);
	fb = (struct drm_mode_fb_cmd){
		.width = width,
		.height = height,
		.pitch = dumb.pitch,
		.bpp = 32,
		.depth = 24,
		.handle = dumb.handle,
	};
	get(fd, DRM_IOCTL_MODE_ADDFB, &fb, "add");
	return fb.fb_id;
}

/* Timings do not matter to a display that has none. */
static void set_mode(uint32_t width, uint32_t height)
{
	int fd = open("/dev/dri/card0", O_RDWR);
	uint32_t crtcs[8], connectors[8];
	struct drm_mode_card_res res = {
		.crtc_id_ptr = (uintptr_t)crtcs,
		.connector_id_ptr = (uintptr_t)connectors,
		.count_crtcs = 8,
		.count_connectors = 8,
	};
	struct drm_mode_crtc crtc = { .count_connectors = 1 };
	char byte;

	if (fd < 0)
		die("/dev/dri/card0");
	get(fd, DRM_IOCTL_MODE_GETRESOURCES, &res, "resources");
	crtc.crtc_id = crtcs[0];
	crtc.set_connectors_ptr = (uintptr_t)connectors;
	crtc.fb_id = make_buffer(fd, width, height);
	crtc.mode_valid = 1;
	crtc.mode = (struct drm_mode_modeinfo){
		.clock = (width + 160) * (height + 40) * 60 / 1000,
		.hdisplay = (uint16_t)width,
		.hsync_start = (uint16_t)(width + 48),
		.hsync_end = (uint16_t)(width + 80),
		.htotal = (uint16_t)(width + 160),
		.vdisplay = (uint16_t)height,
		.vsync_start = (uint16_t)(height + 3),
		.vsync_end = (uint16_t)(height + 7),
		.vtotal = (uint16_t)(height + 40),
		.vrefresh = 60,
	};
	get(fd, DRM_IOCTL_MODE_SETCRTC, &crtc, "set");
	printf("@ mode %ux%u\n", width, height);
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
}

/* ---- Pointer ---- */

static int open_tablet(struct input_absinfo *x, struct input_absinfo *y)
{
	char path[32];

	for (int i = 0; i < 16; i++) {
		int fd;

		snprintf(path, sizeof(path), "/dev/input/event%d", i);
		fd = open(path, O_RDONLY);
		if (fd >= 0 && !ioctl(fd, EVIOCGABS(ABS_X), x) &&
		    !ioctl(fd, EVIOCGABS(ABS_Y), y) && x->maximum > 0)
			return fd;
		if (fd >= 0)
			close(fd);
	}
	fprintf(stderr, "no tablet\n");
	exit(1);
}

/* As X servers and compositors scale: to the nearest pixel. */
static int scale(int value, int max, int size)
{
	return (value * (size - 1) + max / 2) / max;
}

static void tell_pointer(int width, int height)
{
	struct input_absinfo x, y;
	struct input_event event;
	int fd = open_tablet(&x, &y), left = 0;

	printf("@ tablet\n");
	fflush(stdout);
	while (read(fd, &event, sizeof(event)) == sizeof(event)) {
		if (event.type == EV_ABS && event.code == ABS_X)
			x.value = event.value;
		if (event.type == EV_ABS && event.code == ABS_Y)
			y.value = event.value;
		if (event.type == EV_KEY && event.code == BTN_LEFT)
			left = event.value;
		if (event.type != EV_SYN)
			continue;
		printf("@ pointer %d %d %d\n", scale(x.value, x.maximum, width),
		       scale(y.value, y.maximum, height), left);
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "pattern") && argc == 2)
		draw_fb();
	else if (!strcmp(what, "mode") && argc == 4)
		set_mode((uint32_t)atoi(argv[2]), (uint32_t)atoi(argv[3]));
	else if (!strcmp(what, "pointer") && argc == 4)
		tell_pointer(atoi(argv[2]), atoi(argv[3]));
	else
		return 2;
	return 0;
}
