/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which files of /lib/modules/RELEASE a guest needs for some drivers, and in which
 * order, by depmod's modules.dep.
 */
#ifndef LKVM_MODULES_H
#define LKVM_MODULES_H

#include "lkvm/types.h"

struct failure;

#define MODULES_MAX 64

/* Paths below the folder, in the order in which they are to be loaded. */
struct module_list {
	char *paths[MODULES_MAX]; /* owned */
	unsigned int nr;
};

/*
 * Add module @name and what it depends on; what is there already is not added
 * again. @dep is the text of modules.dep. -ENOENT: it names no such module;
 * -ENOSPC: too many; -ENOMEM. "-" and "_" are the same.
 */
int module_list_add(struct module_list *list, const char *dep,
		    const char *name);
void module_list_release(struct module_list *list);

/* A module's file, unpacked, from malloc(). */
int module_read(const char *folder, const char *path, void **bytes, size_t *len,
		struct failure *why);

#endif
