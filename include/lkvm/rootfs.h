/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Root file systems of lkvm's own: folders $HOME/.lkvm/NAME, made by "lkvm setup"
 * and shared with the guest, which finds its programs in the host's files below
 * /host.
 */
#ifndef LKVM_ROOTFS_H
#define LKVM_ROOTFS_H

#include "lkvm/types.h"

struct failure;

#define ROOTFS_DEFAULT "default"

/* The folder of @name, from malloc(), whether it is there or not. -errno. */
int rootfs_path(const char *name, char **path, struct failure *why);
/* Make it. -EEXIST: there is one already. */
int rootfs_create(const char *path, struct failure *why);
/*
 * Take it for a VM: a descriptor to be kept open while that runs. -EBUSY: another
 * VM has it.
 */
int rootfs_lock(const char *path, struct failure *why);

#endif
