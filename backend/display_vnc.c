/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VNC server (RFC 6143), by libvncserver, which is loaded when a VM wants it.
 * It sends the picture from where the guest draws it. The listening socket is
 * ours, so that nobody else is reached by accident: loopback unless the user
 * names an address.
 */
#include "backend/display_vnc_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/input-event-codes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "lkvm/confine.h"
#include "lkvm/failure.h"
#include "lkvm/library.h"
#include "lkvm/log.h"

#define MAX_CLIENTS 16U
/*
 * As long as a client that sends half a message may keep all others waiting. Of one
 * that takes nothing, the library finds out every five seconds.
 */
#define CLIENT_WAIT_MS 1000
#define BLANK_WIDTH 640
#define BLANK_HEIGHT 480
#define BITS_PER_SAMPLE 8
#define SAMPLES 3
#define PIXEL_LEN 4
#define BUTTONS 5

/* Of the buttons in the order of RFC 6143, 7.5.5; 4 and 5 are the wheel. */
static const u16 button_codes[] = { BTN_LEFT, BTN_MIDDLE, BTN_RIGHT };

/* ---- The library ---- */

#define NAME_OF(function) #function
#define SYMBOL(vnc, field, function)                                           \
	{                                                                      \
		NAME_OF(function), (void **)&(vnc)->lib.field                  \
	}

static void log_line(const char *format, ...)
{
}

static int load_library(struct vnc *vnc, struct failure *why)
{
	const struct library_symbol symbols[] = {
		SYMBOL(vnc, get_screen, rfbGetScreen),
		SYMBOL(vnc, init_server, rfbInitServer),
		SYMBOL(vnc, process_events, rfbProcessEvents),
		SYMBOL(vnc, new_client, rfbNewClientConnection),
		SYMBOL(vnc, new_framebuffer, rfbNewFramebuffer),
		SYMBOL(vnc, mark_modified, rfbMarkRectAsModified),
		SYMBOL(vnc, check_password, rfbCheckPasswordByList),
		SYMBOL(vnc, random_bytes, rfbRandomBytes),
		SYMBOL(vnc, encrypt_bytes, rfbEncryptBytes),
		SYMBOL(vnc, shutdown_server, rfbShutdownServer),
		SYMBOL(vnc, screen_cleanup, rfbScreenCleanup),
		SYMBOL(vnc, client_iterator, rfbGetClientIterator),
		SYMBOL(vnc, client_next, rfbClientIteratorNext),
		SYMBOL(vnc, release_iterator, rfbReleaseClientIterator),
		SYMBOL(vnc, log, rfbLog),
		SYMBOL(vnc, err, rfbErr),
		SYMBOL(vnc, max_client_wait, rfbMaxClientWait),
		{ NULL, NULL },
	};

	vnc->library = library_open("libvncserver.so.1", symbols);
	if (!vnc->library)
		return fail(
			why, -ENOTSUP,
			"--vnc: libvncserver.so.1 cannot be loaded: install "
			"it (Debian: libvncserver1)");
	/* It would print each client's doings. */
	*vnc->lib.log = log_line;
	*vnc->lib.err = log_line;
	*vnc->lib.max_client_wait = CLIENT_WAIT_MS;
	return 0;
}

/* ---- What clients send: display's thread, with its lock ---- */

static void key_event(rfbBool down, rfbKeySym keysym, rfbClientPtr client)
{
	struct vnc *vnc = client->screen->screenData;
	u16 code = vnc_key_code(keysym);

	if (code)
		display_key(vnc->display, code, down);
}

static void pointer_event(int mask, int x, int y, rfbClientPtr client)
{
	struct vnc *vnc = client->screen->screenData;
	int changed = mask ^ vnc->buttons;

	vnc->buttons = mask;
	if (x >= 0 && y >= 0)
		display_pointer(vnc->display, (u32)x, (u32)y);
	for (unsigned int i = 0; i < BUTTONS; i++) {
		if (!(changed & (1 << i)))
			continue;
		if (i < ARRAY_SIZE(button_codes))
			display_key(vnc->display, button_codes[i],
				    mask & (1 << i));
		else if (mask & (1 << i))
			display_wheel(vnc->display, i == 3 ? 1 : -1);
	}
}

/* Keys that a client held when it went stay down for nobody. */
static void client_gone(rfbClientPtr client)
{
	struct vnc *vnc = client->screen->screenData;

	vnc->nr_clients--;
	vnc->buttons = 0;
	display_release_keys(vnc->display);
}

static enum rfbNewClientAction client_came(rfbClientPtr client)
{
	struct vnc *vnc = client->screen->screenData;

	if (vnc->nr_clients == MAX_CLIENTS)
		return RFB_CLIENT_REFUSE;
	vnc->nr_clients++;
	client->clientGoneHook = client_gone;
	return RFB_CLIENT_ACCEPT;
}

/* ---- The picture ---- */

/* The order of the bytes of a pixel, of which the library knows one. */
static void set_format(struct vnc *vnc, u32 stride)
{
	rfbScreenInfoPtr screen = vnc->screen;
	rfbClientIteratorPtr iterator = vnc->lib.client_iterator(screen);
	rfbClientPtr client;

	screen->serverFormat.redShift = 16;
	screen->serverFormat.greenShift = 8;
	screen->serverFormat.blueShift = 0;
	screen->paddedWidthInBytes = (int)stride;
	while ((client = vnc->lib.client_next(iterator)))
		screen->setTranslateFunction(client);
	vnc->lib.release_iterator(iterator);
}

static void vnc_update(struct display *display, struct display_rows rows)
{
	struct vnc *vnc = display->front;

	vnc->lib.mark_modified(vnc->screen, 0, (int)rows.first,
			       vnc->screen->width, (int)(rows.first + rows.nr));
}

static void vnc_show(struct display *display, const struct display_frame *frame)
{
	struct vnc *vnc = display->front;
	struct display_frame blank = {
		.pixels = vnc->blank,
		.width = BLANK_WIDTH,
		.height = BLANK_HEIGHT,
		.stride = BLANK_WIDTH * PIXEL_LEN,
	};

	if (!frame)
		frame = &blank;
	/* The library only reads it. */
	vnc->lib.new_framebuffer(vnc->screen, (char *)(uintptr_t)frame->pixels,
				 (int)frame->width, (int)frame->height,
				 BITS_PER_SAMPLE, SAMPLES, PIXEL_LEN);
	set_format(vnc, frame->stride);
	vnc_update(display, (struct display_rows){ 0, frame->height });
}

static bool vnc_is_watched(struct display *display)
{
	const struct vnc *vnc = display->front;

	return vnc->nr_clients;
}

/* ---- Waiting ---- */

static void vnc_wait(struct display *display, int timeout_ms)
{
	struct vnc *vnc = display->front;
	struct pollfd fds[2 + MAX_CLIENTS] = {
		{ .fd = vnc->wake_fd, .events = POLLIN },
		{ .fd = vnc->listen_fd, .events = POLLIN },
	};
	rfbClientIteratorPtr iterator = vnc->lib.client_iterator(vnc->screen);
	rfbClientPtr client;
	nfds_t nr = 2;

	while ((client = vnc->lib.client_next(iterator)) &&
	       nr < ARRAY_SIZE(fds))
		fds[nr++] =
			(struct pollfd){ .fd = client->sock, .events = POLLIN };
	vnc->lib.release_iterator(iterator);
	poll(fds, nr, timeout_ms);
}

static void accept_client(struct vnc *vnc)
{
	int fd = accept4(vnc->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	/* It closes the socket of a client that it does not take. */
	if (fd >= 0)
		vnc->lib.new_client(vnc->screen, fd);
}

/*
 * The size may have changed between a client's being told it and its saying that
 * it wants to hear of changes: say it once more.
 */
static void announce_size(struct vnc *vnc)
{
	rfbClientIteratorPtr iterator = vnc->lib.client_iterator(vnc->screen);
	rfbClientPtr client;

	while ((client = vnc->lib.client_next(iterator))) {
		if (!client->useNewFBSize || client->clientData)
			continue;
		client->clientData = vnc; /* said */
		client->newFBSizePending = TRUE;
	}
	vnc->lib.release_iterator(iterator);
}

static void vnc_dispatch(struct display *display)
{
	struct vnc *vnc = display->front;
	u64 count;

	/* Not blocking; nobody counts. */
	if (read(vnc->wake_fd, &count, sizeof(count)) < 0)
		count = 0;
	accept_client(vnc);
	vnc->lib.process_events(vnc->screen, 0);
	announce_size(vnc);
}

static void vnc_wake(struct display *display)
{
	const struct vnc *vnc = display->front;
	u64 one = 1;

	if (write(vnc->wake_fd, &one, sizeof(one)) < 0)
		return; /* full: it is awake */
}

/* ---- Opening and closing ---- */

/*
 * The libraries behind a password read files the first time: now, while the
 * thread still may.
 */
static void try_password(struct vnc *vnc)
{
	u8 challenge[CHALLENGESIZE];

	vnc->lib.random_bytes(challenge);
	vnc->lib.encrypt_bytes(challenge, vnc->password);
}

static int create_screen(struct vnc *vnc, struct failure *why)
{
	rfbScreenInfoPtr screen =
		vnc->lib.get_screen(NULL, NULL, BLANK_WIDTH, BLANK_HEIGHT,
				    BITS_PER_SAMPLE, SAMPLES, PIXEL_LEN);

	if (!screen)
		return fail(why, -ENOMEM, "--vnc: out of memory");
	vnc->screen = screen;
	screen->screenData = vnc;
	screen->desktopName = vnc->display->config.title;
	screen->frameBuffer = (char *)vnc->blank;
	screen->alwaysShared = TRUE;
	screen->port = 0;
	screen->ipv6port = 0;
	screen->permitFileTransfer = FALSE;
	screen->deferUpdateTime = 0;
	screen->deferPtrUpdateTime = 0;
	screen->cursor = NULL; /* the guest draws one, or the client */
	screen->newClientHook = client_came;
	screen->kbdAddEvent = key_event;
	screen->ptrAddEvent = pointer_event;
	if (vnc->passwords[0]) {
		try_password(vnc);
		screen->authPasswdData = vnc->passwords;
		screen->passwordCheck = vnc->lib.check_password;
	}
	vnc->lib.init_server(screen);
	set_format(vnc, BLANK_WIDTH * PIXEL_LEN);
	return 0;
}

static int vnc_open(struct display *display, struct failure *why)
{
	struct vnc *vnc = calloc(1, sizeof(*vnc));
	int err;

	if (!vnc)
		return fail(why, -ENOMEM, "--vnc: out of memory");
	display->front = vnc;
	vnc->display = display;
	vnc->listen_fd = -1;
	vnc->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (vnc->wake_fd < 0)
		return fail(why, -errno, "--vnc: no eventfd: %s",
			    strerror(errno));
	vnc->blank = calloc(BLANK_WIDTH * BLANK_HEIGHT, PIXEL_LEN);
	if (!vnc->blank)
		return fail(why, -ENOMEM, "--vnc: out of memory");
	err = load_library(vnc, why);
	if (!err)
		err = vnc_read_password(vnc, why);
	if (!err)
		err = vnc_listen(vnc, why);
	if (!err)
		err = create_screen(vnc, why);
	return err;
}

static void vnc_close(struct display *display)
{
	struct vnc *vnc = display->front;

	if (!vnc)
		return;
	if (vnc->screen) {
		vnc->lib.shutdown_server(vnc->screen, TRUE);
		vnc->lib.screen_cleanup(vnc->screen);
	}
	if (vnc->listen_fd >= 0)
		close(vnc->listen_fd);
	if (vnc->wake_fd >= 0)
		close(vnc->wake_fd);
	library_close(vnc->library);
	explicit_bzero(vnc->password, sizeof(vnc->password));
	free(vnc->blank);
	free(vnc);
}

const struct display_front_ops display_vnc_ops = {
	.is_confined = true,
	.open = vnc_open,
	.close = vnc_close,
	.is_watched = vnc_is_watched,
	.wait = vnc_wait,
	.dispatch = vnc_dispatch,
	.show = vnc_show,
	.update = vnc_update,
	.wake = vnc_wake,
};
