/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * virtio/p9_{file,readdir,lock,tree,attr,xattr}.c over a real folder: what each
 * operation does to the host's files, and what it tells of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "tests/support/p9_client.h"
#include <cmocka.h>

/* As Linux's driver sends them. */
#define P9_O_CREAT 0100U
#define P9_O_EXCL 0200U
#define P9_O_TRUNC 01000U
#define P9_O_APPEND 02000U

static struct client c;

static int setup(void **state)
{
	umask(022);
	client_init(&c);
	client_put_file(&c, "file", "hello");
	return mkdir(client_path(&c, "dir"), 0755);
}

static int setup_attached(void **state)
{
	if (setup(state))
		return -1;
	client_start(&c, 1000);
	client_attach(&c);
	return 0;
}

static int setup_mapped(void **state)
{
	if (setup(state))
		return -1;
	c.config.mapped = true;
	client_start(&c, 1000);
	client_attach(&c);
	return 0;
}

static int teardown(void **state)
{
	client_release(&c);
	return 0;
}

static struct stat stat_of(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(client_path(&c, name), &st), 0);
	return st;
}

static struct client_attr attr_of(u32 fid)
{
	struct client_attr attr = { 0 };

	assert_int_equal(client_getattr(&c, fid, &attr), 0);
	return attr;
}

static void walk_to(u32 fid, const char *path)
{
	assert_int_equal(client_walk(&c, CLIENT_ROOT, fid, path), 0);
}

static void open_file(u32 fid, const char *path, u32 flags)
{
	walk_to(fid, path);
	assert_int_equal(client_open(&c, fid, flags), 0);
}

/* ---- Data ---- */

static void test_p9__what_is_written_is_read(void **state)
{
	static u8 data[MIB - 64], back[MIB - 64];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (u8)(i * 7 >> 3);
	assert_int_equal(
		client_create(&c, 0, 1, "new", P9_O_CREAT | O_RDWR, 0640), 0);
	assert_int_equal(stat_of("new").st_mode, S_IFREG | 0640);
	assert_int_equal(client_write(&c, 1, 0, data, sizeof(data)),
			 sizeof(data));
	assert_int_equal(client_read(&c, 1, 0, back, sizeof(back)),
			 sizeof(back));
	assert_memory_equal(data, back, sizeof(data));
	/* A hole, and the end. */
	assert_int_equal(client_write(&c, 1, 8 * MIB, "x", 1), 1);
	assert_int_equal(client_read(&c, 1, 8 * MIB - 2, back, 100), 3);
	assert_memory_equal(back, "\0\0x", 3);
	assert_int_equal(client_read(&c, 1, 9 * MIB, back, 100), 0);
	assert_int_equal(client_write(&c, 1, 5, "", 0), 0);
}

static void test_p9__open_flags(void **state)
{
	char text[32];

	assert_int_equal(client_create(&c, 0, 1, "file",
				       P9_O_CREAT | P9_O_EXCL | O_RDWR, 0600),
			 EEXIST);
	/* There already, and not exclusively: opened. */
	assert_int_equal(
		client_create(&c, 0, 1, "file", P9_O_CREAT | O_RDWR, 0600), 0);
	assert_int_equal(client_read(&c, 1, 0, text, 9), 5);
	/* Appends, wherever the client thinks the end is. */
	open_file(2, "file", O_WRONLY | P9_O_APPEND);
	assert_int_equal(client_write(&c, 2, 0, "!", 1), 1);
	assert_int_equal(client_read(&c, 1, 0, text, 9), 6);
	assert_memory_equal(text, "hello!", 6);
	open_file(3, "file", O_WRONLY | P9_O_TRUNC);
	assert_int_equal(stat_of("file").st_size, 0);
	walk_to(4, "dir");
	assert_int_equal(client_open(&c, 4, O_RDWR), EISDIR);
	assert_int_equal(client_open(&c, 4, 3), EINVAL);
	walk_to(5, "file");
	assert_int_equal(client_open(&c, 5, O_RDONLY | 0200000), ENOTDIR);
}

static void test_p9__an_open_file_outlives_its_name(void **state)
{
	char text[32];

	open_file(1, "file", O_RDWR);
	assert_int_equal(client_call(&c, P9_TUNLINKAT, "dsd", (u64)0, "file",
				     (u64)0),
			 0);
	assert_int_equal(attr_of(1).nlink, 0);
	assert_int_equal(attr_of(1).size, 5);
	assert_int_equal(client_write(&c, 1, 5, " you", 4), 4);
	assert_int_equal(client_read(&c, 1, 0, text, 32), 9);
	assert_memory_equal(text, "hello you", 9);
	assert_int_equal(client_call(&c, P9_TSETATTR, "dddddqqqqq", (u64)1,
				     (u64)8, (u64)0, (u64)0, (u64)0, (u64)2,
				     (u64)0, (u64)0, (u64)0, (u64)0),
			 0);
	assert_int_equal(attr_of(1).size, 2);
	assert_int_equal(client_call(&c, P9_TREMOVE, "d", (u64)1), ENOENT);
}

static void test_p9__renames_over_an_open_file(void **state)
{
	char text[32];

	client_put_file(&c, "other", "other");
	open_file(1, "file", O_RDWR);
	open_file(2, "other", O_RDWR);
	assert_int_equal(client_call(&c, P9_TRENAMEAT, "dsds", (u64)0, "other",
				     (u64)0, "file"),
			 0);
	assert_int_equal(client_read(&c, 1, 0, text, 32), 5);
	assert_memory_equal(text, "hello", 5);
	assert_int_equal(client_read(&c, 2, 0, text, 32), 5);
	assert_memory_equal(text, "other", 5);
	/* By fid, twice: it is found where it is now. */
	walk_to(3, "dir");
	assert_int_equal(
		client_call(&c, P9_TRENAME, "dds", (u64)2, (u64)3, "a"), 0);
	assert_int_equal(
		client_call(&c, P9_TRENAME, "dds", (u64)2, (u64)3, "b"), 0);
	assert_int_equal(access(client_path(&c, "dir/b"), F_OK), 0);
	assert_int_equal(client_call(&c, P9_TREMOVE, "d", (u64)2), 0);
	assert_int_equal(access(client_path(&c, "dir/b"), F_OK), -1);
	assert_int_equal(client_clunk(&c, 2), EBADF);
	assert_int_equal(client_call(&c, P9_TREMOVE, "d", (u64)3), 0);
	assert_int_equal(access(client_path(&c, "dir"), F_OK), -1);
}

static void test_p9__fsync(void **state)
{
	open_file(1, "file", O_RDWR);
	open_file(2, "dir", O_RDONLY);
	assert_int_equal(client_call(&c, P9_TFSYNC, "dd", (u64)1, (u64)0), 0);
	assert_int_equal(client_call(&c, P9_TFSYNC, "dd", (u64)1, (u64)1), 0);
	assert_int_equal(client_call(&c, P9_TFSYNC, "dd", (u64)2, (u64)0), 0);
	assert_int_equal(client_call(&c, P9_TFSYNC, "d", (u64)2), 0);
}

/* ---- Directories ---- */

#define ENTRIES 500U

/* Reads on from @offset with @count bytes at a time; marks what it finds. */
static u64 list(u32 fid, u64 offset, u32 count, unsigned int max,
		u8 seen[ENTRIES])
{
	while (max) {
		u32 len;

		assert_int_equal(client_call(&c, P9_TREADDIR, "dqd", (u64)fid,
					     offset, (u64)count),
				 0);
		len = p9_get_u32(&c.in);
		assert_true(len <= count);
		assert_int_equal(len, c.in.left);
		if (!len)
			break;
		while (c.in.left && max) {
			const char *name;

			c.in.at += P9_QID_LEN;
			c.in.left -= P9_QID_LEN;
			offset = p9_get_u64(&c.in);
			p9_get_u8(&c.in);
			name = p9_get_string(&c.in);
			if (*name == 'e')
				seen[strtoul(name + 1, NULL, 10)]++;
			max--;
		}
	}
	return offset;
}

static void expect_each_once(const u8 seen[ENTRIES])
{
	for (unsigned int i = 0; i < ENTRIES; i++)
		assert_int_equal(seen[i], 1);
}

static void test_p9__directories_are_listed(void **state)
{
	static const u32 counts[] = { 300, 1000, 8192, 500000 };
	u64 middle, end;
	char name[32];

	for (unsigned int i = 0; i < ENTRIES; i++) {
		snprintf(name, sizeof(name), "dir/e%u", i);
		client_put_file(&c, name, "");
	}
	open_file(1, "dir", O_RDONLY);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		u8 seen[ENTRIES] = { 0 };

		end = list(1, 0, counts[i], UINT32_MAX, seen);
		expect_each_once(seen);
	}
	/* Back to the middle, from the end. */
	{
		u8 first[ENTRIES] = { 0 }, again[ENTRIES] = { 0 };

		middle = list(1, 0, 4096, ENTRIES / 2, first);
		assert_int_equal(list(1, middle, 1000, UINT32_MAX, first), end);
		expect_each_once(first);
		list(1, middle, 8192, UINT32_MAX, again);
		list(1, 0, 8192, ENTRIES / 2, again);
		expect_each_once(again);
	}
	/* No room for even one entry; offsets from nowhere. */
	assert_int_equal(client_call(&c, P9_TREADDIR, "dqd", (u64)1, (u64)0,
				     (u64)20),
			 EINVAL);
	client_call(&c, P9_TREADDIR, "dqd", (u64)1, (u64)0x123456789abcdef,
		    (u64)4096);
	assert_int_equal(client_call(&c, P9_TREADDIR, "dqd", (u64)1, UINT64_MAX,
				     (u64)4096),
			 EINVAL);
}

/* ---- Names ---- */

static void test_p9__links_and_folders(void **state)
{
	char target[4000];

	memset(target, 't', sizeof(target) - 1);
	target[sizeof(target) - 1] = '\0';
	assert_int_equal(client_call(&c, P9_TSYMLINK, "dssd", (u64)0, "link",
				     target, (u64)getegid()),
			 0);
	assert_int_equal(p9_get_u8(&c.in), P9_QID_SYMLINK);
	walk_to(1, "link");
	assert_int_equal(client_call(&c, P9_TREADLINK, "d", (u64)1), 0);
	assert_string_equal(p9_get_string(&c.in), target);
	walk_to(2, "file");
	assert_int_equal(client_call(&c, P9_TREADLINK, "d", (u64)2), EINVAL);
	assert_int_equal(
		client_call(&c, P9_TLINK, "dds", (u64)0, (u64)2, "hard"), 0);
	assert_int_equal(stat_of("hard").st_ino, stat_of("file").st_ino);
	assert_int_equal(attr_of(2).nlink, 2);

	assert_int_equal(client_call(&c, P9_TMKDIR, "dsdd", (u64)0, "new",
				     (u64)0770, (u64)getegid()),
			 0);
	assert_int_equal(p9_get_u8(&c.in), P9_QID_DIR);
	assert_int_equal(stat_of("new").st_mode, S_IFDIR | 0770);
	assert_int_equal(client_call(&c, P9_TMKDIR, "dsdd", (u64)0, "new",
				     (u64)0770, (u64)0),
			 EEXIST);
	assert_int_equal(client_call(&c, P9_TUNLINKAT, "dsd", (u64)0, "new",
				     (u64)0),
			 EISDIR);
	assert_int_equal(client_call(&c, P9_TUNLINKAT, "dsd", (u64)0, "new",
				     (u64)0x1000),
			 EINVAL);
	assert_int_equal(client_call(&c, P9_TUNLINKAT, "dsd", (u64)0, "new",
				     (u64)0x200),
			 0);
	assert_int_equal(client_call(&c, P9_TMKNOD, "dsdddd", (u64)0, "fifo",
				     (u64)(S_IFIFO | 0622), (u64)0, (u64)0,
				     (u64)getegid()),
			 0);
	assert_int_equal(stat_of("fifo").st_mode, S_IFIFO | 0622);
}

/* ---- Attributes ---- */

static int set_attr(u32 fid, u32 valid, u32 mode, u32 uid, u64 mtime)
{
	return client_call(&c, P9_TSETATTR, "dddddqqqqq", (u64)fid, (u64)valid,
			   (u64)mode, (u64)uid, (u64)uid, (u64)0, mtime,
			   (u64)999999999, mtime + 1, (u64)1);
}

static void test_p9__attributes(void **state)
{
	struct stat st = stat_of("file");
	struct client_attr attr;

	walk_to(1, "file");
	attr = attr_of(1);
	assert_int_equal(attr.mode, st.st_mode);
	assert_int_equal(attr.uid, st.st_uid);
	assert_int_equal(attr.nlink, 1);
	assert_int_equal(attr.size, 5);
	assert_int_equal(set_attr(1, 0x1, 0401, 0, 0), 0);
	assert_int_equal(stat_of("file").st_mode, S_IFREG | 0401);
	/* Both times: before 1970, and after 2038. */
	assert_int_equal(set_attr(1, 0x1b0, 0, 0, 0x123456789), 0);
	st = stat_of("file");
	assert_int_equal(st.st_atim.tv_sec, 0x123456789);
	assert_int_equal(st.st_atim.tv_nsec, 999999999);
	assert_int_equal(st.st_mtim.tv_sec, 0x12345678a);
	assert_int_equal(st.st_mtim.tv_nsec, 1);
	/* Now, and only the one. */
	assert_int_equal(set_attr(1, 0x20, 0, 0, 0), 0);
	assert_int_equal(stat_of("file").st_atim.tv_sec, 0x123456789);
	assert_in_range(time(NULL) - stat_of("file").st_mtim.tv_sec, 0, 100);
	assert_int_equal(set_attr(1, 0x40, 0, 0, 0), 0); /* ctime */
	/* To a user who is no one here: only root may. */
	assert_int_equal(set_attr(1, 0x6, 0, 4321, 0), geteuid() ? EPERM : 0);
	if (!geteuid())
		assert_int_equal(stat_of("file").st_gid, 4321);
	walk_to(2, "dir");
	assert_int_equal(set_attr(2, 0x8, 0, 0, 0), EISDIR);
	/* A number of nanoseconds that stands for something else. */
	assert_int_equal(client_call(&c, P9_TSETATTR, "dddddqqqqq", (u64)1,
				     (u64)0x90, (u64)0, (u64)0, (u64)0, (u64)0,
				     (u64)0, (u64)UTIME_NOW, (u64)0, (u64)0),
			 EINVAL);
}

/* Root's files belong to who made them in the guest. */
static void test_p9__new_files_have_their_owner(void **state)
{
	struct stat st;

	if (geteuid())
		skip();
	assert_int_equal(client_call(&c, P9_TATTACH, "ddssd", (u64)1,
				     (u64)P9_NO_FID, "", "", (u64)1234),
			 0);
	assert_int_equal(client_call(&c, P9_TLCREATE, "dsddd", (u64)1, "new",
				     (u64)O_RDWR, (u64)04755, (u64)5678),
			 0);
	st = stat_of("new");
	assert_int_equal(st.st_uid, 1234);
	assert_int_equal(st.st_gid, 5678);
	assert_int_equal(st.st_mode, S_IFREG | 04755);
}

static void test_p9__statfs(void **state)
{
	u64 blocks;

	walk_to(1, "file");
	assert_int_equal(client_call(&c, P9_TSTATFS, "d", (u64)1), 0);
	assert_int_equal(p9_get_u32(&c.in), V9FS_MAGIC);
	assert_int_not_equal(p9_get_u32(&c.in), 0);
	blocks = p9_get_u64(&c.in);
	assert_true(p9_get_u64(&c.in) <= blocks);
	c.in.at += 32;
	c.in.left -= 32;
	assert_int_equal(p9_get_u32(&c.in), 255);
	assert_int_equal(c.in.left, 0);
}

/* ---- Extended attributes ---- */

static int set_xattr(const char *name, const char *value, u32 flags)
{
	u64 len = strlen(value);
	int err;

	walk_to(9, "file");
	err = client_call(&c, P9_TXATTRCREATE, "dsqd", (u64)9, name, len,
			  (u64)flags);
	if (err) {
		client_clunk(&c, 9);
		return err;
	}
	if (len)
		assert_int_equal(client_write(&c, 9, 0, value, (u32)len), len);
	return client_clunk(&c, 9);
}

/* The value, or the names with dots for NULs; minus the error. */
static int get_xattr(const char *name, char *value, size_t size)
{
	long got;
	u64 len;
	int err;

	walk_to(8, "file");
	err = client_call(&c, P9_TXATTRWALK, "dds", (u64)8, (u64)9, name);
	client_clunk(&c, 8);
	if (err)
		return -err;
	assert_int_equal(client_walk(&c, CLIENT_ROOT, 8, ""), 0);
	client_clunk(&c, 8);
	walk_to(8, "file");
	assert_int_equal(
		client_call(&c, P9_TXATTRWALK, "dds", (u64)8, (u64)7, name), 0);
	len = p9_get_u64(&c.in);
	got = client_read(&c, 7, 0, value, (u32)size - 1);
	assert_int_equal(got, len);
	assert_int_equal(client_read(&c, 7, len, value + got, 10), 0);
	value[got] = '\0';
	for (u32 fid = 7; fid <= 9; fid++)
		assert_int_equal(client_clunk(&c, fid), 0);
	return (int)got;
}

static void test_p9__extended_attributes(void **state)
{
	char value[100];

	assert_int_equal(get_xattr("user.a", value, sizeof(value)), -ENODATA);
	assert_int_equal(set_xattr("user.a", "first", XATTR_REPLACE), ENODATA);
	assert_int_equal(set_xattr("user.a", "first", 0), 0);
	assert_int_equal(set_xattr("user.a", "more", XATTR_CREATE), EEXIST);
	assert_int_equal(set_xattr("user.b", "", 0), 0);
	assert_int_equal(get_xattr("user.a", value, sizeof(value)), 5);
	assert_string_equal(value, "first");
	assert_int_equal(getxattr(client_path(&c, "file"), "user.a", value, 99),
			 5);
	assert_int_equal(get_xattr("user.b", value, sizeof(value)), 0);
	assert_int_equal(get_xattr("", value, sizeof(value)), 14);
	/* Replaced with nothing: removed. */
	assert_int_equal(set_xattr("user.a", "", XATTR_REPLACE), 0);
	assert_int_equal(get_xattr("user.a", value, sizeof(value)), -ENODATA);
	assert_int_equal(set_xattr("", "x", 0), EINVAL);
	assert_int_equal(set_xattr("user.a", "x", 4), EINVAL);
}

static void test_p9__values_are_written_in_order(void **state)
{
	walk_to(1, "file");
	assert_int_equal(client_call(&c, P9_TXATTRCREATE, "dsqd", (u64)1,
				     "user.a", (u64)10, (u64)0),
			 0);
	assert_int_equal(client_write(&c, 1, 4, "x", 1), -EINVAL);
	assert_int_equal(client_write(&c, 1, 0, "12345", 5), 5);
	assert_int_equal(client_write(&c, 1, 5, "678901", 6), -ENOSPC);
	/* It is no file, and its value is not complete. */
	assert_int_equal(client_open(&c, 1, O_RDONLY), EBADF);
	assert_int_equal(client_walk(&c, 1, 2, ""), EBADF);
	assert_int_equal(client_clunk(&c, 1), EINVAL);
	assert_int_equal(getxattr(client_path(&c, "file"), "user.a", NULL, 0),
			 -1);
	walk_to(1, "file");
	assert_int_equal(client_call(&c, P9_TXATTRCREATE, "dsqd", (u64)1,
				     "user.a", (u64)65537, (u64)0),
			 E2BIG);
	/* So many of the longest at a time. */
	for (u32 i = 1; i <= 5; i++) {
		client_walk(&c, CLIENT_ROOT, i, "file");
		assert_int_equal(client_call(&c, P9_TXATTRCREATE, "dsqd",
					     (u64)i, "user.a", (u64)65536,
					     (u64)0),
				 i < 5 ? 0 : ENOSPC);
	}
}

/* ---- Locks ---- */

static int lock(u32 fid, u8 type, u64 start, u64 len)
{
	int err = client_call(&c, P9_TLOCK, "dbdqqds", (u64)fid, (u64)type,
			      (u64)1, start, len, (u64)42, "me");

	return err ? -err : p9_get_u8(&c.in);
}

static bool host_can_lock(const char *name, off_t start)
{
	struct flock fl = {
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = start,
		.l_len = 1,
	};
	int fd = open(client_path(&c, name), O_RDWR | O_CLOEXEC);
	int err = fcntl(fd, F_OFD_SETLK, &fl);

	close(fd);
	return !err;
}

static void test_p9__locks_are_taken(void **state)
{
	open_file(1, "file", O_RDWR);
	open_file(2, "file", O_RDWR);
	assert_int_equal(lock(1, 1, 10, 10), 0);
	assert_int_equal(lock(2, 1, 15, 1), 1); /* blocked */
	assert_int_equal(lock(2, 1, 20, 0), 0);
	assert_false(host_can_lock("file", 19));
	assert_true(host_can_lock("file", 9));
	assert_int_equal(client_call(&c, P9_TGETLOCK, "dbqqds", (u64)2, (u64)0,
				     (u64)0, (u64)0, (u64)42, "me"),
			 0);
	assert_int_equal(p9_get_u8(&c.in), 1);
	assert_int_equal(p9_get_u64(&c.in), 10);
	assert_int_equal(p9_get_u64(&c.in), 10);
	assert_int_equal(lock(1, 2, 0, 15), 0);
	assert_int_equal(lock(2, 1, 14, 1), 0);
	assert_int_equal(client_clunk(&c, 1), 0);
	assert_true(host_can_lock("file", 16));
	assert_int_equal(client_call(&c, P9_TGETLOCK, "dbqqds", (u64)2, (u64)1,
				     (u64)16, (u64)1, (u64)42, "me"),
			 0);
	assert_int_equal(p9_get_u8(&c.in), 2); /* nobody */

	assert_int_equal(lock(2, 3, 0, 1), -EINVAL);
	assert_int_equal(lock(2, 1, UINT64_MAX, 1), -EINVAL);
	assert_int_equal(lock(2, 1, 0, UINT64_MAX), -EINVAL);
	assert_int_equal(client_call(&c, P9_TGETLOCK, "dbqqds", (u64)2, (u64)2,
				     (u64)0, (u64)1, (u64)42, "me"),
			 EINVAL);
}

/* flock(2) of a guest does not ask what the file was opened for. */
static void test_p9__write_locks_of_who_only_reads(void **state)
{
	open_file(1, "file", O_RDONLY);
	assert_int_equal(lock(1, 1, 0, 0), 0);
	assert_false(host_can_lock("file", 0));
	assert_int_equal(lock(1, 2, 0, 0), 0);
	assert_true(host_can_lock("file", 0));
}

/* ---- security=mapped ---- */

static u32 mapped_u32(const char *name, const char *attr)
{
	u32 value = 0;

	assert_int_equal(getxattr(client_path(&c, name), attr, &value,
				  sizeof(value)),
			 sizeof(value));
	return value;
}

static void test_p9__mapped_attributes_stand_aside(void **state)
{
	struct client_attr attr;

	assert_int_equal(
		client_create(&c, 0, 1, "new", P9_O_CREAT | O_RDWR, 04444), 0);
	assert_int_equal(stat_of("new").st_mode, S_IFREG | 0600);
	assert_int_equal(mapped_u32("new", "user.virtfs.mode"),
			 S_IFREG | 04444);
	assert_int_equal(attr_of(1).mode, S_IFREG | 04444);
	assert_int_equal(attr_of(1).uid, 0);
	assert_int_equal(set_attr(1, 0x7, 0123, 77, 0), 0);
	assert_int_equal(stat_of("new").st_mode, S_IFREG | 0600);
	assert_int_equal(stat_of("new").st_uid, geteuid());
	assert_int_equal(mapped_u32("new", "user.virtfs.uid"), 77);
	attr = attr_of(1);
	assert_int_equal(attr.mode, S_IFREG | 0123);
	assert_int_equal(attr.uid, 77);
	assert_int_equal(attr.gid, 77);

	assert_int_equal(client_call(&c, P9_TMKDIR, "dsdd", (u64)0, "newdir",
				     (u64)01777, (u64)5),
			 0);
	assert_int_equal(stat_of("newdir").st_mode, S_IFDIR | 0700);
	walk_to(2, "newdir");
	assert_int_equal(attr_of(2).mode, S_IFDIR | 01777);
	assert_int_equal(attr_of(2).gid, 5);
	/* What has none is as it is. */
	walk_to(3, "file");
	assert_int_equal(attr_of(3).mode, stat_of("file").st_mode);
	assert_int_equal(attr_of(3).uid, geteuid());
}

static void test_p9__mapped_kinds_are_files(void **state)
{
	struct client_attr attr;

	assert_int_equal(client_call(&c, P9_TSYMLINK, "dssd", (u64)0, "link",
				     "/etc/passwd", (u64)0),
			 0);
	assert_int_equal(p9_get_u8(&c.in), P9_QID_SYMLINK);
	assert_int_equal(stat_of("link").st_mode, S_IFREG | 0600);
	walk_to(1, "link");
	assert_int_equal(p9_get_u8(&c.in), P9_QID_SYMLINK);
	assert_int_equal(attr_of(1).mode, S_IFLNK | 0777);
	assert_int_equal(client_call(&c, P9_TREADLINK, "d", (u64)1), 0);
	assert_string_equal(p9_get_string(&c.in), "/etc/passwd");

	assert_int_equal(client_call(&c, P9_TMKNOD, "dsdddd", (u64)0, "disk",
				     (u64)(S_IFBLK | 0660), (u64)8, (u64)17,
				     (u64)6),
			 0);
	assert_int_equal(stat_of("disk").st_mode, S_IFREG | 0600);
	walk_to(2, "disk");
	attr = attr_of(2);
	assert_int_equal(attr.mode, S_IFBLK | 0660);
	assert_int_equal(attr.rdev, makedev(8, 17));
	assert_int_equal(attr.gid, 6);
	walk_to(3, "file");
	assert_int_equal(client_call(&c, P9_TREADLINK, "d", (u64)3), EINVAL);
}

static void test_p9__mapped_attributes_are_not_the_guests(void **state)
{
	char value[200];

	assert_int_equal(set_xattr("user.virtfs.uid", "1234", 0), EPERM);
	walk_to(1, "file");
	assert_int_equal(set_attr(1, 0x3, 0644, 5, 0), 0);
	assert_int_equal(get_xattr("user.virtfs.uid", value, 100), -ENODATA);
	assert_int_equal(set_xattr("user.mine", "x", 0), 0);
	assert_int_equal(set_xattr("system.posix_acl_access", "acl", 0), 0);
	assert_int_equal(get_xattr("system.posix_acl_access", value, 100), 3);
	assert_string_equal(value, "acl");
	/* Of the list only those two are left. */
	walk_to(2, "file");
	assert_int_equal(
		client_call(&c, P9_TXATTRWALK, "dds", (u64)2, (u64)3, ""), 0);
	assert_int_equal(client_read(&c, 3, 0, value, sizeof(value)), 34);
}

#define ATTACHED(name)                                                         \
	cmocka_unit_test_setup_teardown(name, setup_attached, teardown)
#define MAPPED(name)                                                           \
	cmocka_unit_test_setup_teardown(name, setup_mapped, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ATTACHED(test_p9__what_is_written_is_read),
		ATTACHED(test_p9__open_flags),
		ATTACHED(test_p9__an_open_file_outlives_its_name),
		ATTACHED(test_p9__renames_over_an_open_file),
		ATTACHED(test_p9__fsync),
		ATTACHED(test_p9__directories_are_listed),
		ATTACHED(test_p9__links_and_folders),
		ATTACHED(test_p9__attributes),
		ATTACHED(test_p9__new_files_have_their_owner),
		ATTACHED(test_p9__statfs),
		ATTACHED(test_p9__extended_attributes),
		ATTACHED(test_p9__values_are_written_in_order),
		ATTACHED(test_p9__locks_are_taken),
		ATTACHED(test_p9__write_locks_of_who_only_reads),
		MAPPED(test_p9__mapped_attributes_stand_aside),
		MAPPED(test_p9__mapped_kinds_are_files),
		MAPPED(test_p9__mapped_attributes_are_not_the_guests),
	};

	return cmocka_run_group_tests_name("virtio/p9_file", tests, NULL, NULL);
}
