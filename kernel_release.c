/* SPDX-License-Identifier: GPL-2.0-only */
#include "lkvm/kernel_release.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "lkvm/image.h"

/* Documentation/arch/x86/boot.rst */
#define BZIMAGE_MAGIC_AT 0x202U
#define BZIMAGE_VERSION_AT 0x20eU /* u16; the string is 0x200 behind that */
/* Documentation/arch/arm64/booting.rst */
#define ARM64_MAGIC_AT 56U

static const char banner[] = "Linux version ";

/* The first word of @text, which has @max characters. */
static bool take_word(const char *text, size_t max,
		      char release[KERNEL_RELEASE_LEN])
{
	size_t len = 0;

	while (len < max && text[len] > ' ' && text[len] <= '~')
		len++;
	if (!len || len >= KERNEL_RELEASE_LEN || text[0] < '0' || text[0] > '9')
		return false;
	memcpy(release, text, len);
	release[len] = '\0';
	return true;
}

static bool from_bzimage(const struct image *kernel,
			 char release[KERNEL_RELEASE_LEN])
{
	char text[KERNEL_RELEASE_LEN] = "", magic[4];
	u8 at[2];

	if (image_read(kernel, BZIMAGE_MAGIC_AT, magic, sizeof(magic)) ||
	    memcmp(magic, "HdrS", sizeof(magic)) != 0 ||
	    image_read(kernel, BZIMAGE_VERSION_AT, at, sizeof(at)) ||
	    (!at[0] && !at[1]))
		return false;
	return !image_read(kernel, 0x200U + at[0] + at[1] * 256U, text,
			   sizeof(text)) &&
	       take_word(text, sizeof(text), release);
}

static bool scan_buffer(const char *text, size_t len,
			char release[KERNEL_RELEASE_LEN])
{
	const char *end = text + len, *at = text;

	while ((at = memmem(at, (size_t)(end - at), banner,
			    sizeof(banner) - 1))) {
		at += sizeof(banner) - 1;
		/* One of them is a format: "Linux version %s". */
		if (take_word(at, (size_t)(end - at), release))
			return true;
	}
	return false;
}

/* Pieces overlap, so that none cuts the banner in two. */
static bool from_banner(const struct image *kernel,
			char release[KERNEL_RELEASE_LEN])
{
	enum {
		PIECE = 1 << 20,
		OVERLAP = 128
	};
	char *piece = malloc(PIECE);
	bool found = false;

	for (u64 at = 0; piece && !found && at < kernel->len;
	     at += PIECE - OVERLAP) {
		size_t len = kernel->len - at < PIECE
				     ? (size_t)(kernel->len - at)
				     : (size_t)PIECE;

		if (image_read(kernel, at, piece, len))
			break;
		found = scan_buffer(piece, len, release);
	}
	free(piece);
	return found;
}

/* An ELF file, or arm64's Image: others are packed, and a scan would be in vain. */
static bool may_have_banner(const struct image *kernel)
{
	char magic[4];

	if (!image_read(kernel, 0, magic, sizeof(magic)) &&
	    !memcmp(magic, "\177ELF", sizeof(magic)))
		return true;
	return !image_read(kernel, ARM64_MAGIC_AT, magic, sizeof(magic)) &&
	       !memcmp(magic, "ARM\x64", sizeof(magic));
}

static bool from_name(const char *path, char release[KERNEL_RELEASE_LEN])
{
	static const char *const starts[] = { "vmlinuz-", "vmlinux-", "Image-",
					      "Image.gz-", "bzImage-" };
	char *real = realpath(path, NULL);
	const char *name = real ? strrchr(real, '/') : NULL;
	bool found = false;

	for (size_t i = 0; name && !found && i < ARRAY_SIZE(starts); i++) {
		size_t len = strlen(starts[i]);

		if (!strncmp(name + 1, starts[i], len))
			found = take_word(name + 1 + len,
					  strlen(name + 1 + len), release);
	}
	free(real);
	return found;
}

bool kernel_release(const struct image *kernel,
		    char release[KERNEL_RELEASE_LEN])
{
	return from_bzimage(kernel, release) ||
	       (may_have_banner(kernel) && from_banner(kernel, release)) ||
	       from_name(kernel->path, release);
}
