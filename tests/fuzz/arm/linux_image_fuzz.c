/* SPDX-License-Identifier: GPL-2.0-only */
/* Any beginning of a file as an arm64 kernel. */
/* NOLINTNEXTLINE(bugprone-suspicious-include): the folder of another machine */
#include "arm/linux_image.c"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct linux_image image;
	const char *why;

	/* What it accepts, the loader can add without wrapping. */
	if (!linux_image_parse(data, len, len, &image, &why) &&
	    (image.text_offset + image.need_len < image.need_len ||
	     image.need_len < len))
		abort();
	return 0;
}
