/* SPDX-License-Identifier: GPL-2.0-only */
/* kernel_release.c */
#include "lkvm/kernel_release.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lkvm/failure.h"
#include "lkvm/image.h"
#include <cmocka.h> /* last: it has a macro named fail */

#define IMAGE_LEN (3U << 20)

struct world {
	char folder[32];
	char path[96];
	u8 *bytes;
};

static int setup(void **state)
{
	static struct world world;

	snprintf(world.folder, sizeof(world.folder), "/tmp/lkvm-rel-XXXXXX");
	world.bytes = calloc(1, IMAGE_LEN);
	*state = &world;
	return world.bytes && mkdtemp(world.folder) ? 0 : -1;
}

static int teardown(void **state)
{
	struct world *world = *state;

	unlink(world->path);
	rmdir(world->folder);
	free(world->bytes);
	return 0;
}

static void put_text(struct world *world, size_t at, const char *text)
{
	memcpy(world->bytes + at, text, strlen(text) + 1);
}

/* What the first @len bytes are when they are in a file of that name. */
static const char *release_of(struct world *world, const char *name, size_t len)
{
	static char release[KERNEL_RELEASE_LEN];
	struct failure why = FAILURE_INIT;
	struct image img;
	FILE *file;
	bool known;

	unlink(world->path);
	snprintf(world->path, sizeof(world->path), "%s/%s", world->folder,
		 name);
	file = fopen(world->path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(world->bytes, 1, len, file), len);
	fclose(file);
	assert_int_equal(image_open(&img, world->path, "kernel", &why), 0);
	known = kernel_release(&img, release);
	image_release(&img);
	return known ? release : "";
}

static void test_kernel_release__is_in_a_bzimage(void **state)
{
	struct world *world = *state;

	memcpy(world->bytes + 0x202, "HdrS", 4);
	world->bytes[0x20f] = 0x30;
	put_text(world, 0x3200, "6.1.0-28-amd64 (debian)");
	assert_string_equal(release_of(world, "bzImage", 0x4000),
			    "6.1.0-28-amd64");
	/* Cut short, without one, and with one that is none. */
	assert_string_equal(release_of(world, "bzImage", 0x3204), "");
	world->bytes[0x20f] = 0;
	assert_string_equal(release_of(world, "bzImage", 0x4000), "");
	world->bytes[0x20f] = 0xff;
	assert_string_equal(release_of(world, "bzImage", 0x4000), "");
}

static void test_kernel_release__is_in_an_unpacked_image(void **state)
{
	struct world *world = *state;

	memcpy(world->bytes + 56, "ARM\x64", 4);
	put_text(world, 0x1000, "Linux version %s (%s)");
	/* Across the end of the first piece that is looked at. */
	put_text(world, (1 << 20) - 100, "Linux version 6.12.5+ (me@here) #1");
	assert_string_equal(release_of(world, "Image", IMAGE_LEN), "6.12.5+");
	memset(world->bytes + 56, 0, 4);
	assert_string_equal(release_of(world, "Image", IMAGE_LEN), "");
	memcpy(world->bytes, "\177ELF", 4);
	assert_string_equal(release_of(world, "vmlinux", IMAGE_LEN), "6.12.5+");
}

static void test_kernel_release__is_in_the_name(void **state)
{
	struct world *world = *state;

	assert_string_equal(release_of(world, "vmlinuz-6.1.0-9-arm64", 64),
			    "6.1.0-9-arm64");
	assert_string_equal(release_of(world, "vmlinuz-old", 64), "");
	assert_string_equal(release_of(world, "timer.flat", 64), "");
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_kernel_release__is_in_a_bzimage),
		WORLD_TEST(test_kernel_release__is_in_an_unpacked_image),
		WORLD_TEST(test_kernel_release__is_in_the_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
