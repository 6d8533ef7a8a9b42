// SPDX-License-Identifier: GPL-2.0-only
/*
 * A static program loads no libraries: the guest unpacks its kernel itself.
 */
#include "lkvm/library.h"

#include <stddef.h>

void *library_open(const char *file, const struct library_symbol *symbols)
{
	return NULL;
}

void library_close(void *library)
{
}
