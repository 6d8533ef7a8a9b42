/* SPDX-License-Identifier: GPL-2.0-only */
/* modules.c: modules.dep, and files as they are packed. */
#include "lkvm/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lkvm/failure.h"
#include <cmocka.h> /* last: it has a macro named fail */

/* As depmod writes it: what is needed stands behind what needs it. */
static const char dep[] =
	"kernel/fs/netfs/netfs.ko.xz:\n"
	"kernel/fs/9p/9p.ko.xz: kernel/net/9p/9pnet.ko.xz "
	"kernel/fs/fscache/fscache.ko.xz kernel/fs/netfs/netfs.ko.xz\n"
	"kernel/net/9p/9pnet.ko.xz:\n"
	"kernel/fs/fscache/fscache.ko.xz: kernel/fs/netfs/netfs.ko.xz\n"
	"kernel/net/9p/9pnet_virtio.ko.xz: kernel/net/9p/9pnet.ko.xz\n"
	"kernel/drivers/virtio-like.ko:\n"
	"kernel/last.ko:";

static void test_modules__what_is_needed_comes_first(void **state)
{
	struct module_list list = { .nr = 0 };

	assert_int_equal(module_list_add(&list, dep, "9p"), 0);
	assert_int_equal(list.nr, 4);
	assert_string_equal(list.paths[0], "kernel/fs/netfs/netfs.ko.xz");
	assert_string_equal(list.paths[1], "kernel/fs/fscache/fscache.ko.xz");
	assert_string_equal(list.paths[2], "kernel/net/9p/9pnet.ko.xz");
	assert_string_equal(list.paths[3], "kernel/fs/9p/9p.ko.xz");

	assert_int_equal(module_list_add(&list, dep, "9pnet_virtio"), 0);
	assert_int_equal(list.nr, 5);
	assert_string_equal(list.paths[4], "kernel/net/9p/9pnet_virtio.ko.xz");
	module_list_release(&list);
}

static void test_modules__names_are_whole(void **state)
{
	struct module_list list = { .nr = 0 };

	assert_int_equal(module_list_add(&list, dep, "9pnet_virt"), -ENOENT);
	assert_int_equal(module_list_add(&list, dep, "pnet"), -ENOENT);
	assert_int_equal(module_list_add(&list, dep, ""), -ENOENT);
	assert_int_equal(module_list_add(&list, "", "9p"), -ENOENT);
	assert_int_equal(list.nr, 0);
	assert_int_equal(module_list_add(&list, dep, "virtio_like"), 0);
	assert_int_equal(module_list_add(&list, dep, "last"), 0);
	assert_string_equal(list.paths[1], "kernel/last.ko");
	module_list_release(&list);
}

static void test_modules__no_more_than_there_is_room_for(void **state)
{
	struct module_list list = { .nr = 0 };
	char text[8192] = "";
	size_t len;

	len = (size_t)snprintf(text, sizeof(text), "k/all.ko:");
	for (int i = 0; i < MODULES_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					" k/m%d.ko", i);
	assert_int_equal(module_list_add(&list, text, "all"), -ENOSPC);
	module_list_release(&list);
}

/* "module" as gzip packs it. */
static const unsigned char packed[] = {
	0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
	0x03, 0xcb, 0xcd, 0x4f, 0x29, 0xcd, 0x49, 0x05, 0x00,
	0x28, 0x26, 0x24, 0x0c, 0x06, 0x00, 0x00, 0x00,
};

static void write_file(const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

static void test_modules__files_are_unpacked(void **state)
{
	char folder[] = "/tmp/lkvm-modules-XXXXXX", path[64];
	struct failure why = FAILURE_INIT;
	void *bytes;
	size_t len;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/a.ko", folder);
	write_file(path, "module", 6);
	assert_int_equal(module_read(folder, "a.ko", &bytes, &len, &why), 0);
	assert_int_equal(len, 6);
	assert_memory_equal(bytes, "module", 6);
	free(bytes);
	if (CONFIG_ZLIB) {
		write_file(path, packed, sizeof(packed));
		assert_int_equal(
			module_read(folder, "a.ko", &bytes, &len, &why), 0);
		assert_int_equal(len, 6);
		assert_memory_equal(bytes, "module", 6);
		free(bytes);
		write_file(path, packed, sizeof(packed) - 9);
		assert_true(module_read(folder, "a.ko", &bytes, &len, &why) <
			    0);
		assert_null(bytes);
		assert_non_null(strstr(why.text, path));
	}
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modules__what_is_needed_comes_first),
		cmocka_unit_test(test_modules__names_are_whole),
		cmocka_unit_test(test_modules__no_more_than_there_is_room_for),
		cmocka_unit_test(test_modules__files_are_unpacked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
