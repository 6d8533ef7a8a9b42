// SPDX-License-Identifier: GPL-2.0-only
/*
 * Libraries at first need: a VM that needs none starts as fast as without, and
 * a host that lacks one still runs everything else.
 */
#include "lkvm/library.h"

#include <dlfcn.h>
#include <stddef.h>

void *library_open(const char *file, const struct library_symbol *symbols)
{
	void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return NULL;
	for (; symbols->name; symbols++) {
		*symbols->address = dlsym(library, symbols->name);
		if (!*symbols->address) {
			dlclose(library);
			return NULL;
		}
	}
	return library;
}

void library_close(void *library)
{
	if (library)
		dlclose(library);
}
