// SPDX-License-Identifier: GPL-2.0-only
/*
 * A static program loads no libraries: the guest unpacks its kernel itself.
 */
#include "codec_priv.h"

void *codec_library_open(const char *file, const struct codec_symbol *symbols)
{
	return NULL;
}

void codec_library_close(void *library)
{
}
