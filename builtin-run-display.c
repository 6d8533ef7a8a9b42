/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The options of "lkvm run" that are about displays.
 */
#include "builtin-run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lkvm/failure.h"

#define DEFAULT_WIDTH 1024U
#define DEFAULT_HEIGHT 768U
/* What the screen's own description can name: see hw/edid.h. */
#define MIN_SIZE 64U
#define MAX_SIZE 4095U

/* kvmtool takes numbers of VESA modes, as the boot protocol's vid_mode has them. */
static const struct vesa_mode {
	u64 number;
	u32 width, height;
} vesa_modes[] = {
	{ 0x312, 640, 480 },
	{ 0x315, 800, 600 },
	{ 0x318, 1024, 768 },
	{ 0x31b, 1280, 1024 },
};

static int choose_kind(const struct option *opt,
		       const struct option_value *value,
		       struct display_config *display, enum display_kind kind,
		       struct failure *why)
{
	if (value->negated) {
		if (display->kind == kind)
			display->kind = DISPLAY_NONE;
		return 0;
	}
	if (display->kind != DISPLAY_NONE && display->kind != kind)
		return option_fail(opt, why,
				   "a VM has one display: --sdl or --vnc");
	display->kind = kind;
	return 0;
}

int run_set_sdl(const struct option *opt, const struct option_value *value,
		void *target, struct failure *why)
{
	struct run_options *run = target;

	return choose_kind(opt, value, &run->config.display, DISPLAY_SDL, why);
}

/* [ADDRESS][,password-file=FILE] */
int run_set_vnc(const struct option *opt, const struct option_value *value,
		void *target, struct failure *why)
{
	static const char password_file[] = "password-file=";
	struct run_options *run = target;
	struct display_config *display = &run->config.display;
	const char *text = value->text ? value->text : "";
	char *comma;

	free(run->vnc_address);
	run->vnc_address = strdup(text);
	if (!run->vnc_address)
		return option_fail(opt, why, "out of memory");
	display->address = run->vnc_address;
	display->password_file = NULL;
	comma = strchr(run->vnc_address, ',');
	if (comma) {
		*comma++ = '\0';
		if (strncmp(comma, password_file, strlen(password_file)) ||
		    !comma[strlen(password_file)])
			return option_fail(opt, why,
					   "%s: it is not password-file=FILE",
					   comma);
		display->password_file = comma + strlen(password_file);
	}
	return choose_kind(opt, value, display, DISPLAY_VNC, why);
}

static bool parse_size_pair(const char *text, u64 *width, u64 *height)
{
	const char *x = strchr(text, 'x');
	char first[8];

	if (!x || (size_t)(x - text) >= sizeof(first))
		return false;
	memcpy(first, text, (size_t)(x - text));
	first[x - text] = '\0';
	return parse_u64(first, width) && parse_u64(x + 1, height);
}

static bool parse_vesa_mode(const char *text, u64 *width, u64 *height)
{
	u64 number;

	if (!parse_u64(text, &number))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(vesa_modes); i++) {
		if (vesa_modes[i].number != number)
			continue;
		*width = vesa_modes[i].width;
		*height = vesa_modes[i].height;
		return true;
	}
	return false;
}

int run_set_vidmode(const struct option *opt, const struct option_value *value,
		    void *target, struct failure *why)
{
	struct run_options *run = target;
	u64 width = DEFAULT_WIDTH, height = DEFAULT_HEIGHT;

	if (!value->negated && !parse_vesa_mode(value->text, &width, &height) &&
	    !parse_size_pair(value->text, &width, &height))
		return option_fail(opt, why,
				   "%s is no size: give it as 1024x768",
				   value->text);
	if (width < MIN_SIZE || width > MAX_SIZE || height < MIN_SIZE ||
	    height > MAX_SIZE)
		return option_fail(opt, why, "%s: from %ux%u to %ux%u",
				   value->text, MIN_SIZE, MIN_SIZE, MAX_SIZE,
				   MAX_SIZE);
	run->config.display_width = (u32)width;
	run->config.display_height = (u32)height;
	run->vidmode_given = !value->negated;
	return 0;
}

int run_complete_display(struct run_options *run, struct failure *why)
{
	struct kvm_config *config = &run->config;
	struct display_config *display = &config->display;
	bool is_sdl = display->kind == DISPLAY_SDL;

	display->title = config->name;
	if (!run->vidmode_given) {
		config->display_width = DEFAULT_WIDTH;
		config->display_height = DEFAULT_HEIGHT;
	}
	if (display->kind == DISPLAY_NONE)
		return run->vidmode_given
			       ? fail(why, -EINVAL,
				      "--vidmode: the VM has no display: add "
				      "--sdl or --vnc")
			       : 0;
	if (display_is_built_in(display->kind))
		return 0;
	return fail(why, -ENOTSUP,
		    "--%s: this lkvm was built without it: build it where %s "
		    "is installed",
		    is_sdl ? "sdl" : "vnc",
		    is_sdl ? "libsdl2-dev" : "libvncserver-dev");
}
