/* SPDX-License-Identifier: GPL-2.0-only */
/* In the place of confine.c where there are no filters. */
#include "lkvm/confine.h"

#include <errno.h>
#include "lkvm/failure.h"
#include "lkvm/log.h"

bool confine_is_built_in(void)
{
	return false;
}

int confine_setup(enum confine_mode mode, void (*last_words)(void),
		  struct failure *why)
{
	if (mode == CONFINE_ON || mode == CONFINE_LOG)
		return fail(why, -ENOTSUP,
			    "--confine: this lkvm was built without filters");
	if (mode == CONFINE_DEFAULT)
		log_debug("confinement: off, this lkvm was built without "
			  "filters");
	return 0;
}

void confine_thread(enum confine_kind kind)
{
}
