/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of the VNC display: display_vnc.c (server), display_vnc_listen.c
 * (socket and password), display_vnc_keys.c (keysyms).
 */
#ifndef LKVM_BACKEND_DISPLAY_VNC_PRIV_H
#define LKVM_BACKEND_DISPLAY_VNC_PRIV_H

#include <rfb/rfb.h>
#include "backend/display_priv.h"

#define VNC_PASSWORD_MAX 8U /* RFC 6143, 7.2.2: a DES key */

struct libvncserver {
	__typeof__(rfbGetScreen) *get_screen;
	__typeof__(rfbInitServer) *init_server;
	__typeof__(rfbProcessEvents) *process_events;
	__typeof__(rfbNewClientConnection) *new_client;
	__typeof__(rfbNewFramebuffer) *new_framebuffer;
	__typeof__(rfbMarkRectAsModified) *mark_modified;
	__typeof__(rfbCheckPasswordByList) *check_password;
	__typeof__(rfbRandomBytes) *random_bytes;
	__typeof__(rfbEncryptBytes) *encrypt_bytes;
	__typeof__(rfbShutdownServer) *shutdown_server;
	__typeof__(rfbScreenCleanup) *screen_cleanup;
	__typeof__(rfbGetClientIterator) *client_iterator;
	__typeof__(rfbClientIteratorNext) *client_next;
	__typeof__(rfbReleaseClientIterator) *release_iterator;
	__typeof__(rfbLog) *log;
	__typeof__(rfbErr) *err;
	__typeof__(rfbMaxClientWait) *max_client_wait;
};

/* Display's thread only, wake_fd excepted. */
struct vnc {
	struct display *display;
	void *library;
	struct libvncserver lib;
	rfbScreenInfoPtr screen;
	int listen_fd; /* not blocking */
	int wake_fd;   /* eventfd, not blocking */
	u8 *blank;     /* what is shown while there is no picture */
	unsigned int nr_clients;
	int buttons; /* that are down, of RFC 6143's mask */
	char password[VNC_PASSWORD_MAX + 1];
	char *passwords[2]; /* NULL-terminated; empty: none is asked for */
};

/* display->config.address and .password_file; errors said with @why. */
int vnc_listen(struct vnc *vnc, struct failure *why);
int vnc_read_password(struct vnc *vnc, struct failure *why);

/* The key with @keysym on a US keyboard, as Linux calls it; 0: none. */
u16 vnc_key_code(u32 keysym);

#endif
