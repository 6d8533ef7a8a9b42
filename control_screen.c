/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VM's screen and keyboard for clients. A picture is copied from where the
 * guest draws it, while the guest runs on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "control_priv.h"
#include "lkvm/display.h"
#include "lkvm/keys.h"

#define PIXEL_LEN 4U

/* ---- Pictures ---- */

/* Its rows, without what lies between them; NULL: no memory. */
static u8 *copy_rows(const struct display_frame *frame)
{
	size_t row = (size_t)frame->width * PIXEL_LEN;
	u8 *copy = malloc(row * frame->height);

	for (u32 y = 0; y < frame->height && copy; y++)
		memcpy(copy + y * row,
		       frame->pixels + (size_t)y * frame->stride, row);
	return copy;
}

int screenshot_op(struct control_request *request)
{
	struct control_client *client = request->client;
	const struct framebuffer *fb = &client->ctl->vm->framebuffer;
	struct display_frame frame;

	if (!fb->source)
		return fail(request->why, -ENODEV,
			    "it has no display: start it with --sdl or --vnc");
	if (!fb->source->frame(fb->opaque, &frame))
		return fail(request->why, -ENODATA,
			    "the guest has switched its screen off");
	client->data = copy_rows(&frame);
	if (!client->data)
		return fail(request->why, -ENOMEM, "out of memory");
	client->data_len = (size_t)frame.width * frame.height * PIXEL_LEN;
	json_object_set_new(request->reply, "width", json_integer(frame.width));
	json_object_set_new(request->reply, "height",
			    json_integer(frame.height));
	json_object_set_new(request->reply, "bytes",
			    json_integer((json_int_t)client->data_len));
	return 0;
}

/* ---- Keys ---- */

int sendkey_op(struct control_request *request)
{
	const json_t *keys = json_object_get(request->body, "keys");
	u16 codes[KEYS_MAX];
	unsigned int nr;
	int err;

	if (!json_is_string(keys))
		return fail(request->why, -EINVAL,
			    "keys is a string like \"ctrl-alt-f2\"");
	err = keys_parse(json_string_value(keys), codes, &nr, request->why);
	if (err)
		return err;
	err = input_press(&request->client->ctl->vm->input, codes, nr);
	if (err == -ENODEV)
		return fail(request->why, err,
			    "it has no keyboard: start it with --sdl or --vnc");
	if (err)
		return fail(request->why, err,
			    "the guest does not read its keyboard");
	return 0;
}
