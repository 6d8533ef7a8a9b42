/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instances: the VMs of this user that run now. Each has a socket, NAME.sock,
 * in a folder that nobody else can enter:
 *
 *   $XDG_RUNTIME_DIR/lkvm, else $HOME/.lkvm, else /run/lkvm
 *
 * An instance lives as long as somebody listens on its socket. Files that a
 * process left behind when it was killed are removed by whoever comes across
 * them.
 */
#ifndef LKVM_INSTANCE_H
#define LKVM_INSTANCE_H

#include "lkvm/types.h"

struct failure;

#define INSTANCE_NAME_MAX 64

/* A name that this process has taken. */
struct instance {
	char name[INSTANCE_NAME_MAX + 1];
	int dir_fd;    /* of its folder */
	int listen_fd; /* non-blocking */
};

/* What an instance without a name has. */
#define INSTANCE_NONE                                                          \
	{                                                                      \
		.dir_fd = -1, .listen_fd = -1                                  \
	}

/* 1 to INSTANCE_NAME_MAX characters, no slash, no control character, no dot first. */
bool instance_name_is_valid(const char *name);

/*
 * Take @name, and listen on its socket. Fails, having said why, with -EEXIST if
 * a VM of that name runs, and with -ENOENT if no folder can be used.
 */
int instance_claim(struct instance *inst, const char *name,
		   struct failure *why);
/* Remove the socket, so that the name is free. Accepts INSTANCE_NONE. */
void instance_release(struct instance *inst);

/* Connect to @name: a descriptor, or -ENOENT when there is no such VM. */
int instance_connect(const char *name);

/*
 * Call @each with a connection (which becomes @each's) to every instance, in
 * the order of their names. Stops at the first negative result, and returns it.
 */
int instance_for_each(int (*each)(void *opaque, const char *name, int fd),
		      void *opaque);

#endif
