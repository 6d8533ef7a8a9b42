/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Confinement: once a thread has what it needs, it gives up all other system calls
 * (seccomp), its capabilities and the ways to new ones. A guest that takes over
 * a thread finds little to do with it.
 *
 *   confine_setup()   once, before the process has other threads
 *   confine_thread()  by each thread, when its work begins
 *
 * The filters are made when lkvm is built, from tools/confine_rules.c. Without
 * libseccomp, and with sanitizers, confine_none.c stands in for confine.c.
 */
#ifndef LKVM_CONFINE_H
#define LKVM_CONFINE_H

#include <stdbool.h>

struct failure;

enum confine_mode {
	CONFINE_DEFAULT, /* on where this lkvm and this host can, else off */
	CONFINE_ON,	 /* a forbidden call ends the process: status 128 */
	CONFINE_LOG,	 /* it goes on, and is told to the host's audit log */
	CONFINE_OFF,
};

enum confine_kind {
	CONFINE_VCPU,
	CONFINE_VCPU_VFIO, /* the same, with passed-through devices */
	CONFINE_LOOP,	   /* the event loop */
	CONFINE_WORKER,	   /* serves a queue of a device */
	CONFINE_NETWORK,   /* user-mode networking */
	CONFINE_SHARE,	   /* a directory; may keep capabilities for files */
	CONFINE_WRITER,	   /* writes the output of a console */
	CONFINE_WATCH,	   /* waits for signals */
	CONFINE_DISPLAY,   /* serves VNC clients */
	CONFINE_MAIN,	   /* waits for the end, then takes the VM down */
	CONFINE_MAIN_VFIO,
	/* The same, and creates VMs: --reboot=restart. Keeps capabilities. */
	CONFINE_MAIN_RESTART,
	CONFINE_KINDS
};

/* False: this lkvm has no filters. */
bool confine_is_built_in(void);

/*
 * Whether and how threads will be confined. @last_words puts the terminal back
 * and is async-signal-safe: it is called before a forbidden call ends the process.
 * Fails if @mode was asked for by name and cannot be had; @why says why.
 */
int confine_setup(enum confine_mode mode, void (*last_words)(void),
		  struct failure *why);

/*
 * Confine the calling thread, and the threads that it creates, for good. Does
 * nothing before confine_setup(), and when called again. It either works or ends
 * the process: no thread goes on unconfined.
 */
void confine_thread(enum confine_kind kind);

#endif
