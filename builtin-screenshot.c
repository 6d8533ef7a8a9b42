/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lkvm screenshot: what the guest's screen shows, as a PNG file. The VM gives
 * pixels; the file is made here, where it can do no harm to the VM.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "builtin-client.h"
#include "lkvm/failure.h"
#include "lkvm/log.h"
#include "lkvm/png.h"

#define MAX_SIZE 16384U /* pixels each way that a VM is believed */
#define PIXEL_LEN 4U

struct screenshot_options {
	struct client_choice choice;
	const char *file;
};

static int take_file(const char *word, void *target, struct failure *why)
{
	struct screenshot_options *options = target;

	if (options->file)
		return fail(why, -EINVAL, "one file: %s or %s?", options->file,
			    word);
	options->file = word;
	return 0;
}

static const struct option screenshot_options[] = {
	CLIENT_OPTION_NAME,
	{ .name = NULL },
};

struct picture {
	u8 *pixels;
	u32 width, height;
};

/* False, having said why. */
static bool get_picture(struct client_vm *vm, struct picture *out)
{
	json_t *reply = client_ask(vm, json_pack("{ss}", "op", "screenshot"));
	u64 width = reply_number(reply, "width");
	u64 height = reply_number(reply, "height");
	u64 len = width * height * PIXEL_LEN;
	bool is_sane = width && width <= MAX_SIZE && height &&
		       height <= MAX_SIZE &&
		       reply_number(reply, "bytes") == len;
	bool has_reply = reply;

	json_decref(reply);
	if (!has_reply)
		return false;
	*out = (struct picture){ .width = (u32)width, .height = (u32)height };
	out->pixels = is_sane ? malloc(len) : NULL;
	if (out->pixels && !client_receive_data(vm, out->pixels, len))
		return true;
	log_error("%s: no picture came", vm->name);
	free(out->pixels);
	return false;
}

static int write_png(FILE *out, const struct picture *picture)
{
	return CONFIG_ZLIB ? png_write(out, picture->pixels, picture->width,
				       picture->height)
			   : -ENOTSUP;
}

/* Half a file is of no use; a device or a pipe is not ours to remove. */
static void discard(const char *file)
{
	struct stat st;

	if (!lstat(file, &st) && S_ISREG(st.st_mode))
		unlink(file);
}

static bool save(const struct picture *picture, const char *file)
{
	FILE *out = fopen(file, "wbe");
	int err;

	if (!out) {
		log_error("screenshot: %s: %s", file, strerror(errno));
		return false;
	}
	err = write_png(out, picture);
	if (fclose(out) && !err)
		err = -EIO;
	if (!err)
		return true;
	if (err == -ENOTSUP)
		log_error("screenshot: zlib is missing: libz.so.1 (Debian: "
			  "zlib1g), and zlib1g-dev when lkvm is built");
	else
		log_error("screenshot: %s: %s", file, strerror(-err));
	discard(file);
	return false;
}

static int screenshot_main(int argc, char **argv)
{
	struct screenshot_options options = { .file = NULL };
	struct client_vms list;
	struct picture picture;
	bool done;
	int status = client_begin_with(&screenshot_command, argc, argv,
				       &options, &options.choice, take_file,
				       &list, &done);

	if (!status && !done && (!options.file || list.nr != 1)) {
		log_error("screenshot: %s", options.file ? "of one VM at a time"
							 : "to which FILE?");
		status = STATUS_USAGE;
	}
	if (!status && !done) {
		status = STATUS_FATAL;
		if (get_picture(&list.vms[0], &picture)) {
			if (save(&picture, options.file))
				status = STATUS_OK;
			free(picture.pixels);
		}
	}
	client_vms_release(&list);
	return status;
}

const struct command screenshot_command = {
	.name = "screenshot",
	.summary = "what a VM's screen shows, as a PNG file",
	.usage = "lkvm screenshot -n NAME FILE",
	.notes = "Of a VM with --sdl or --vnc, whether or not anybody looks. "
		 "The guest runs on.",
	.options = screenshot_options,
	.run = screenshot_main,
};
