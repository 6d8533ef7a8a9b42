/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Displays of the host (backend/display_*.c): a window or a VNC server that
 * shows a picture which the guest draws in host memory, and where keys and the
 * pointer come from. They know nothing of the guest; the device that has the
 * picture attaches itself as a source.
 *
 * Each display has a thread of its own: nothing here blocks a vCPU. Pictures are
 * shown from where they are, without a copy of the whole.
 */
#ifndef LKVM_DISPLAY_H
#define LKVM_DISPLAY_H

#include "lkvm/types.h"

struct display;
struct failure;
struct input_hub;

/* A picture: rows of 32-bit pixels, 0x00RRGGBB, little endian. */
struct display_frame {
	const u8 *pixels;  /* mapped until the source detaches */
	u32 width, height; /* pixels */
	u32 stride;	   /* bytes from one row to the next */
};

/* Rows that have changed. */
struct display_rows {
	u32 first, nr;
};

/* What a source implements. Const. Must not block. */
struct display_source_ops {
	/* What is to be seen now. False: nothing, a black screen. Any thread. */
	bool (*frame)(void *opaque, struct display_frame *out);
	/*
	 * Fill in up to @max ranges of rows of @frame that have changed since the
	 * last call, in order, together all of them. Returns how many. The
	 * display's thread.
	 */
	unsigned int (*changes)(void *opaque, const struct display_frame *frame,
				struct display_rows *rows, unsigned int max);
};

/* The user closed the window. Display's thread. */
struct display_user {
	void (*closed)(void *opaque);
	void *opaque;
};

enum display_kind {
	DISPLAY_NONE,
	DISPLAY_SDL,
	DISPLAY_VNC,
};

struct display_config {
	enum display_kind kind;
	const char *title; /* of the window, and what VNC clients are told */
	/* VNC: "", "[HOST]:PORT", or "unix:PATH". */
	const char *address;
	const char *password_file; /* VNC; NULL: no password */
};

/* Was lkvm built with it? */
bool display_is_built_in(enum display_kind kind);

/*
 * Open the display and start its thread. @config and @user are copied, strings
 * borrowed. DISPLAY_NONE: *out is NULL. Errors said with @why.
 */
int display_open(const struct display_config *config,
		 const struct display_user *user, struct failure *why,
		 struct display **out);
/* Stop the thread and close. The source must be detached. Accepts NULL. */
void display_close(struct display *display);

/*
 * Show what @ops has, and give keys to @input, from now on. One source at a time.
 * Detaching returns when no op runs; the last picture stays.
 */
void display_attach(struct display *display,
		    const struct display_source_ops *ops, void *opaque,
		    struct input_hub *input);
void display_detach(struct display *display);

/* Something changed that the source's log does not show: look now. Any thread. */
void display_wake(struct display *display);

#endif
