/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A window, by SDL2, which is loaded when a VM wants it. Only the rows that have
 * changed are copied, from where the guest draws them.
 */
#include "backend/display_sdl_priv.h"

#include <errno.h>
#include <linux/input-event-codes.h>
#include <stdlib.h>
#include "lkvm/failure.h"
#include "lkvm/library.h"
#include "lkvm/log.h"

#define BLANK_WIDTH 640
#define BLANK_HEIGHT 480
#define LONGEST_WAIT_MS 100

struct libsdl {
	__typeof__(SDL_SetHint) *set_hint;
	__typeof__(SDL_InitSubSystem) *init;
	__typeof__(SDL_Quit) *quit;
	__typeof__(SDL_GetError) *error;
	__typeof__(SDL_CreateWindow) *create_window;
	__typeof__(SDL_DestroyWindow) *destroy_window;
	__typeof__(SDL_SetWindowSize) *set_size;
	__typeof__(SDL_GetWindowSurface) *window_surface;
	__typeof__(SDL_UpdateWindowSurfaceRects) *update_rects;
	__typeof__(SDL_FillRect) *fill;
	__typeof__(SDL_UpperBlit) *blit;
	__typeof__(SDL_CreateRGBSurfaceWithFormatFrom) *wrap_pixels;
	__typeof__(SDL_FreeSurface) *free_surface;
	__typeof__(SDL_WaitEventTimeout) *wait;
	__typeof__(SDL_PollEvent) *poll;
	__typeof__(SDL_EnableScreenSaver) *allow_screen_saver;
};

struct window {
	struct display *display;
	void *library;
	struct libsdl lib;
	bool is_initialised;
	bool is_hidden;
	SDL_Window *window;
	SDL_Surface *picture; /* the guest's pixels; NULL: black */
};

static int load_library(struct window *w, struct failure *why)
{
	const struct library_symbol symbols[] = {
		{ "SDL_SetHint", (void **)&w->lib.set_hint },
		{ "SDL_InitSubSystem", (void **)&w->lib.init },
		{ "SDL_Quit", (void **)&w->lib.quit },
		{ "SDL_GetError", (void **)&w->lib.error },
		{ "SDL_CreateWindow", (void **)&w->lib.create_window },
		{ "SDL_DestroyWindow", (void **)&w->lib.destroy_window },
		{ "SDL_SetWindowSize", (void **)&w->lib.set_size },
		{ "SDL_GetWindowSurface", (void **)&w->lib.window_surface },
		{ "SDL_UpdateWindowSurfaceRects",
		  (void **)&w->lib.update_rects },
		{ "SDL_FillRect", (void **)&w->lib.fill },
		{ "SDL_UpperBlit", (void **)&w->lib.blit },
		{ "SDL_CreateRGBSurfaceWithFormatFrom",
		  (void **)&w->lib.wrap_pixels },
		{ "SDL_FreeSurface", (void **)&w->lib.free_surface },
		{ "SDL_WaitEventTimeout", (void **)&w->lib.wait },
		{ "SDL_PollEvent", (void **)&w->lib.poll },
		{ "SDL_EnableScreenSaver",
		  (void **)&w->lib.allow_screen_saver },
		{ NULL, NULL },
	};

	w->library = library_open("libSDL2-2.0.so.0", symbols);
	if (!w->library)
		return fail(why, -ENOTSUP,
			    "--sdl: libSDL2-2.0.so.0 cannot be loaded: install "
			    "it (Debian: libsdl2-2.0-0)");
	return 0;
}

static int open_window(struct window *w, struct failure *why)
{
	const int anywhere = SDL_WINDOWPOS_UNDEFINED;

	/* Signals are lkvm's. */
	w->lib.set_hint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
	if (w->lib.init(SDL_INIT_VIDEO))
		return fail(why, -ENODEV,
			    "--sdl: %s: is there a display ($DISPLAY)?",
			    w->lib.error());
	w->is_initialised = true;
	w->lib.allow_screen_saver();
	w->window = w->lib.create_window(w->display->config.title, anywhere,
					 anywhere, BLANK_WIDTH, BLANK_HEIGHT,
					 0);
	if (!w->window)
		return fail(why, -ENODEV, "--sdl: no window: %s",
			    w->lib.error());
	return 0;
}

static int sdl_open(struct display *display, struct failure *why)
{
	struct window *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return fail(why, -ENOMEM, "--sdl: out of memory");
	display->front = w;
	w->display = display;
	err = load_library(w, why);
	return err ? err : open_window(w, why);
}

static void sdl_close(struct display *display)
{
	struct window *w = display->front;

	if (!w)
		return;
	if (w->picture)
		w->lib.free_surface(w->picture);
	if (w->window)
		w->lib.destroy_window(w->window);
	if (w->is_initialised)
		w->lib.quit();
	/* What it has loaded in turn does not like to go: the process ends. */
	free(w);
}

/* ---- The picture ---- */

static void paint(struct window *w, struct display_rows rows)
{
	SDL_Surface *surface = w->lib.window_surface(w->window);
	SDL_Rect rect = { .y = (int)rows.first, .h = (int)rows.nr };

	if (!surface)
		return;
	rect.w = surface->w;
	if (w->picture)
		w->lib.blit(w->picture, &rect, surface, &rect);
	else
		w->lib.fill(surface, &rect, 0);
	rect = (SDL_Rect){ 0, (int)rows.first, surface->w, (int)rows.nr };
	w->lib.update_rects(w->window, &rect, 1);
}

static void paint_all(struct window *w)
{
	const SDL_Surface *surface = w->lib.window_surface(w->window);

	if (surface)
		paint(w, (struct display_rows){ 0, (u32)surface->h });
}

static void sdl_show(struct display *display, const struct display_frame *frame)
{
	struct window *w = display->front;

	if (w->picture)
		w->lib.free_surface(w->picture);
	w->picture = NULL;
	if (frame) {
		/* It is only read. */
		w->picture = w->lib.wrap_pixels(
			(void *)(uintptr_t)frame->pixels, (int)frame->width,
			(int)frame->height, 32, (int)frame->stride,
			SDL_PIXELFORMAT_RGB888);
		w->lib.set_size(w->window, (int)frame->width,
				(int)frame->height);
	}
	paint_all(w);
}

static void sdl_update(struct display *display, struct display_rows rows)
{
	paint(display->front, rows);
}

static bool sdl_is_watched(struct display *display)
{
	const struct window *w = display->front;

	return !w->is_hidden;
}

/* ---- The user ---- */

static void window_event(struct window *w, const SDL_WindowEvent *event)
{
	switch (event->event) {
	case SDL_WINDOWEVENT_EXPOSED:
	case SDL_WINDOWEVENT_SIZE_CHANGED:
		paint_all(w);
		break;
	case SDL_WINDOWEVENT_HIDDEN:
	case SDL_WINDOWEVENT_MINIMIZED:
		w->is_hidden = true;
		break;
	case SDL_WINDOWEVENT_SHOWN:
	case SDL_WINDOWEVENT_RESTORED:
		w->is_hidden = false;
		break;
	case SDL_WINDOWEVENT_FOCUS_LOST:
		display_release_keys(w->display);
		break;
	default:
		break;
	}
}

static void button_event(struct window *w, const SDL_MouseButtonEvent *event)
{
	static const u16 codes[] = {
		[SDL_BUTTON_LEFT] = BTN_LEFT,
		[SDL_BUTTON_MIDDLE] = BTN_MIDDLE,
		[SDL_BUTTON_RIGHT] = BTN_RIGHT,
		[SDL_BUTTON_X1] = BTN_SIDE,
		[SDL_BUTTON_X2] = BTN_EXTRA,
	};

	if (event->button < ARRAY_SIZE(codes) && codes[event->button])
		display_key(w->display, codes[event->button],
			    event->state == SDL_PRESSED);
}

static void motion_event(struct window *w, const SDL_MouseMotionEvent *event)
{
	if (event->x >= 0 && event->y >= 0)
		display_pointer(w->display, (u32)event->x, (u32)event->y);
}

static void key_event(struct window *w, const SDL_KeyboardEvent *event)
{
	u16 code = sdl_key_code(event->keysym.scancode);

	/* The guest repeats keys by itself. */
	if (code && !event->repeat)
		display_key(w->display, code, event->state == SDL_PRESSED);
}

static void handle_event(struct window *w, const SDL_Event *event)
{
	const struct display_user *user = &w->display->user;

	switch (event->type) {
	case SDL_QUIT:
		user->closed(user->opaque);
		break;
	case SDL_WINDOWEVENT:
		window_event(w, &event->window);
		break;
	case SDL_KEYDOWN:
	case SDL_KEYUP:
		key_event(w, &event->key);
		break;
	case SDL_MOUSEMOTION:
		motion_event(w, &event->motion);
		break;
	case SDL_MOUSEBUTTONDOWN:
	case SDL_MOUSEBUTTONUP:
		button_event(w, &event->button);
		break;
	case SDL_MOUSEWHEEL:
		display_wheel(w->display, event->wheel.y);
		break;
	default:
		break;
	}
}

static void sdl_dispatch(struct display *display)
{
	struct window *w = display->front;
	SDL_Event event;

	while (w->lib.poll(&event))
		handle_event(w, &event);
}

/*
 * SDL can be woken by another thread only through its connection to the display,
 * which a confined thread must not use. So it wakes up by itself.
 */
static void sdl_wait(struct display *display, int timeout_ms)
{
	const struct window *w = display->front;

	if (timeout_ms < 0 || timeout_ms > LONGEST_WAIT_MS)
		timeout_ms = LONGEST_WAIT_MS;
	w->lib.wait(NULL, timeout_ms);
}

static void sdl_wake(struct display *display)
{
}

const struct display_front_ops display_sdl_ops = {
	.open = sdl_open,
	.close = sdl_close,
	.is_watched = sdl_is_watched,
	.wait = sdl_wait,
	.dispatch = sdl_dispatch,
	.show = sdl_show,
	.update = sdl_update,
	.wake = sdl_wake,
};
