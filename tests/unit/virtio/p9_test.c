/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * virtio/p9*.c over a real folder: sessions, names, and what a hostile client
 * tries to get out of the folder or to break the device.
 */
#include "virtio/p9_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "tests/support/p9_client.h"
#include <cmocka.h>

#define O_P9_CREAT 0100U

static struct client c;

static int setup(void **state)
{
	client_init(&c);
	client_put_file(&c, "../secret", "secret");
	client_put_file(&c, "file", "hello");
	if (mkdir(client_path(&c, "dir"), 0755))
		return -1;
	client_put_file(&c, "dir/inner", "inner");
	return 0;
}

static int setup_attached(void **state)
{
	if (setup(state))
		return -1;
	client_start(&c, 1000);
	client_attach(&c);
	return 0;
}

static int teardown(void **state)
{
	client_release(&c);
	return 0;
}

/* ---- Sessions ---- */

static void test_p9__version_is_negotiated(void **state)
{
	client_start(&c, 1000);
	assert_int_equal(client_call(&c, P9_TATTACH, "ddssd", (u64)0,
				     (u64)P9_NO_FID, "", "", (u64)0),
			 EPROTO);
	assert_int_equal(client_call(&c, P9_TVERSION, "ds", (u64)100,
				     "9P2000.L"),
			 EMSGSIZE);
	assert_int_equal(
		client_call(&c, P9_TVERSION, "ds", (u64)8192, "9P2000.u"), 0);
	assert_int_equal(p9_get_u32(&c.in), 8192);
	assert_string_equal(p9_get_string(&c.in), "unknown");
	assert_int_equal(client_call(&c, P9_TVERSION, "ds", (u64)0xffffffff,
				     "9P2000.L"),
			 0);
	assert_int_equal(p9_get_u32(&c.in), P9_MAX_MSIZE);
	assert_string_equal(p9_get_string(&c.in), "9P2000.L");
}

static void test_p9__a_new_session_forgets_the_fids(void **state)
{
	client_attach(&c);
	assert_int_equal(client_walk(&c, CLIENT_ROOT, 1, "file"), 0);
	client_attach(&c);
	assert_int_equal(client_clunk(&c, 1), EBADF);
}

static void test_p9__a_reset_forgets_the_session(void **state)
{
	struct virtio_device *vdev = &c.p9->vdev;

	virtio_set_status(vdev, 0);
	assert_int_equal(c.p9->fids.nr, 0);
	fake_negotiate(vdev, vdev->host_features);
	fake_ring_init(&c.ring, &c.guest, &vdev->queues[0], 64);
	assert_int_equal(virtio_queue_enable(vdev, c.ring.q), 0);
	fake_driver_ok(vdev);
	assert_int_equal(client_clunk(&c, CLIENT_ROOT), EPROTO);
	client_attach(&c);
	assert_int_equal(client_walk(&c, CLIENT_ROOT, 1, "file"), 0);
}

static void test_p9__a_pause_keeps_the_session(void **state)
{
	int err;

	virtio_device_pause(&c.p9->vdev.base);
	client_make(&c, P9_TCLUNK, "d", (u64)CLIENT_ROOT);
	client_send(&c);
	assert_false(client_poll(&c));
	virtio_device_resume(&c.p9->vdev.base);
	client_wait(&c, &err);
	assert_int_equal(err, 0);
}

static void test_p9__the_tag_is_in_the_configuration(void **state)
{
	struct virtio_9p_config *config;
	u8 bytes[6];

	virtio_config_read(&c.p9->vdev, 0, bytes, sizeof(bytes));
	config = (void *)bytes;
	assert_int_equal(config->tag_len, 4);
	assert_memory_equal(config->tag, "test", 4);
	assert_true(c.p9->vdev.host_features & BIT64(VIRTIO_9P_MOUNT_TAG));
}

static void test_p9__attach_takes_a_folder(void **state)
{
	assert_int_equal(client_call(&c, P9_TATTACH, "ddssd", (u64)1,
				     (u64)P9_NO_FID, "", "/dir", (u64)0),
			 0);
	assert_int_equal(p9_get_u8(&c.in), P9_QID_DIR);
	assert_int_equal(client_walk(&c, 1, 2, "inner"), 0);
	assert_int_equal(client_call(&c, P9_TATTACH, "ddssd", (u64)3,
				     (u64)P9_NO_FID, "", "../../etc", (u64)0),
			 ENOENT);
	assert_int_equal(client_call(&c, P9_TATTACH, "ddssd", (u64)1,
				     (u64)P9_NO_FID, "", "", (u64)0),
			 EBUSY);
	assert_int_equal(client_call(&c, P9_TATTACH, "ddssd", (u64)3, (u64)1,
				     "", "", (u64)0),
			 EINVAL);
	assert_int_equal(client_call(&c, P9_TAUTH, "dssd", (u64)3, "", "",
				     (u64)0),
			 EOPNOTSUPP);
}

/* ---- Walks ---- */

static u64 inode_of(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(client_path(&c, name), &st), 0);
	return st.st_ino;
}

static void test_p9__walks(void **state)
{
	struct client_attr attr;

	assert_int_equal(client_walk(&c, CLIENT_ROOT, 1, "dir/inner"), 0);
	assert_int_equal(p9_get_u8(&c.in), P9_QID_DIR);
	p9_get_u32(&c.in);
	assert_int_equal(p9_get_u64(&c.in), inode_of("dir"));
	assert_int_equal(p9_get_u8(&c.in), 0);
	assert_int_equal(client_getattr(&c, 1, &attr), 0);
	assert_int_equal(attr.qid.path, inode_of("dir/inner"));
	assert_int_equal(attr.size, 5);

	/* Onto itself. */
	assert_int_equal(client_walk(&c, CLIENT_ROOT, 2, ""), 0);
	assert_int_equal(client_walk(&c, 2, 2, "file"), 0);
	assert_int_equal(client_getattr(&c, 2, &attr), 0);
	assert_int_equal(attr.qid.path, inode_of("file"));
	assert_int_equal(client_walk(&c, CLIENT_ROOT, 2, "dir"), EBUSY);
	assert_int_equal(client_walk(&c, 77, 3, "dir"), EBADF);
	assert_int_equal(client_walk(&c, 2, 3, "x"), ENOTDIR);
	assert_int_equal(client_walk(&c, CLIENT_ROOT, 3, "nothing"), ENOENT);
}

static void test_p9__a_walk_that_ends_early_makes_no_fid(void **state)
{
	assert_int_equal(client_walk(&c, CLIENT_ROOT, 1, "dir/nothing/x"),
			 ENOENT);
	assert_int_equal(c.in.left, P9_QID_LEN); /* of dir */
	assert_int_equal(client_clunk(&c, 1), EBADF);
}

static void test_p9__dot_dot_stays_below_the_root(void **state)
{
	struct client_attr attr;

	assert_int_equal(client_walk(&c, CLIENT_ROOT, 1, ".."), 0);
	assert_int_equal(client_getattr(&c, 1, &attr), 0);
	assert_int_equal(attr.qid.path, inode_of("."));
	assert_int_equal(client_walk(&c, CLIENT_ROOT, 2, "../../../secret"),
			 ENOENT);
	assert_int_equal(client_walk(&c, CLIENT_ROOT, 2, "dir/../file"), 0);
	assert_int_equal(client_walk(&c, CLIENT_ROOT, 3, "file/.."), ENOENT);
	assert_int_equal(client_walk(&c, 2, 3, ".."), ENOTDIR);
}

static void test_p9__dot_dot_of_what_was_moved(void **state)
{
	struct client_attr attr;
	char to[512];

	assert_int_equal(mkdir(client_path(&c, "dir/deep"), 0755), 0);
	assert_int_equal(client_walk(&c, CLIENT_ROOT, 1, "dir/deep"), 0);
	/* Within the share: the new parent. */
	snprintf(to, sizeof(to), "%s/deep", c.root);
	assert_int_equal(rename(client_path(&c, "dir/deep"), to), 0);
	assert_int_equal(client_walk(&c, 1, 2, ".."), 0);
	assert_int_equal(client_getattr(&c, 2, &attr), 0);
	assert_int_equal(attr.qid.path, inode_of("."));
	/* Out of it: nowhere. */
	snprintf(to, sizeof(to), "%s/deep", c.dir);
	assert_int_equal(rename(client_path(&c, "deep"), to), 0);
	assert_int_equal(client_walk(&c, 1, 3, ".."), ESTALE);
	/* Beside it, with a name that begins like the root's. */
	snprintf(to, sizeof(to), "%s/rootless", c.dir);
	assert_int_equal(rename(client_path(&c, "../deep"), to), 0);
	assert_int_equal(client_walk(&c, 1, 3, ".."), ESTALE);
	assert_int_equal(rmdir(to), 0);
	assert_int_equal(client_walk(&c, 1, 3, ".."), ESTALE);
}

static void test_p9__any_name_but_slash_and_nul(void **state)
{
	static const char odd[] = "\x01\n\xff\xfe \t*'\"\\ (deleted)";
	char longest[256], too_long[257];

	memset(longest, 'n', 255);
	longest[255] = '\0';
	memset(too_long, 'n', 256);
	too_long[256] = '\0';
	assert_int_equal(
		client_create(&c, 0, 1, odd, O_P9_CREAT | O_RDWR, 0600), 0);
	assert_int_equal(client_walk(&c, CLIENT_ROOT, 2, odd), 0);
	assert_int_equal(client_call(&c, P9_TREMOVE, "d", (u64)2), 0);
	assert_int_equal(client_walk(&c, CLIENT_ROOT, 2, odd), ENOENT);
	assert_int_equal(
		client_create(&c, 0, 3, longest, O_P9_CREAT | O_RDWR, 0600), 0);
	assert_int_equal(client_create(&c, 0, 4, too_long, O_P9_CREAT | O_RDWR,
				       0600),
			 ENAMETOOLONG);
}

/* ---- Escapes: facts/kvmtool.md 10.3 S13, facts/users.md 6 ---- */

static void expect_secret_untouched(void)
{
	char text[16] = "";
	struct stat st;
	int fd = open(client_path(&c, "../secret"), O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(read(fd, text, sizeof(text)), 6);
	assert_string_equal(text, "secret");
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(st.st_nlink, 1);
	close(fd);
}

static const char *const bad_names[] = { "../secret", "/etc/passwd", "..",
					 ".",	      "dir/x",	     "" };

static void test_p9__names_are_single_components(void **state)
{
	umask(022);
	for (size_t i = 0; i < ARRAY_SIZE(bad_names); i++) {
		const char *name = bad_names[i];

		/* In one piece: a walk's own name, slashes and all. */
		if (strcmp(name, ".."))
			assert_int_equal(client_call(&c, P9_TWALK, "ddws",
						     (u64)0, (u64)1, (u64)1,
						     name),
					 EINVAL);
		assert_int_equal(client_create(&c, 0, 1, name, O_P9_CREAT,
					       0600),
				 EINVAL);
		assert_int_equal(client_call(&c, P9_TMKDIR, "dsdd", (u64)0,
					     name, (u64)0755, (u64)0),
				 EINVAL);
		assert_int_equal(client_call(&c, P9_TSYMLINK, "dssd", (u64)0,
					     name, "x", (u64)0),
				 EINVAL);
		assert_int_equal(client_call(&c, P9_TMKNOD, "dsdddd", (u64)0,
					     name, (u64)(S_IFIFO | 0600),
					     (u64)0, (u64)0, (u64)0),
				 EINVAL);
		assert_int_equal(client_call(&c, P9_TUNLINKAT, "dsd", (u64)0,
					     name, (u64)0),
				 EINVAL);
		assert_int_equal(client_call(&c, P9_TRENAMEAT, "dsds", (u64)0,
					     name, (u64)0, "new"),
				 EINVAL);
		assert_int_equal(client_call(&c, P9_TRENAMEAT, "dsds", (u64)0,
					     "file", (u64)0, name),
				 EINVAL);
	}
	assert_int_equal(client_walk(&c, CLIENT_ROOT, 1, "file"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad_names); i++) {
		assert_int_equal(client_call(&c, P9_TLINK, "dds", (u64)0,
					     (u64)1, bad_names[i]),
				 EINVAL);
		assert_int_equal(client_call(&c, P9_TRENAME, "dds", (u64)1,
					     (u64)0, bad_names[i]),
				 EINVAL);
	}
	/* A NUL would end the name on the host. */
	assert_int_equal(client_call(&c, P9_TWALK, "ddwwB", (u64)0, (u64)2,
				     (u64)1, (u64)6, (u64)6, "file\0x"),
			 EINVAL);
	expect_secret_untouched();
}

static void test_p9__links_are_never_followed(void **state)
{
	char to[512], text[16];

	umask(022);
	assert_int_equal(symlink(c.dir, client_path(&c, "out")), 0);
	snprintf(to, sizeof(to), "%s/secret", c.dir);
	assert_int_equal(symlink(to, client_path(&c, "link")), 0);
	assert_int_equal(client_walk(&c, CLIENT_ROOT, 1, "out/secret"), ENOENT);
	assert_int_equal(client_walk(&c, CLIENT_ROOT, 1, "out"), 0);
	assert_int_equal(p9_get_u8(&c.in), P9_QID_SYMLINK);
	assert_int_equal(client_walk(&c, 1, 2, "secret"), ENOTDIR);
	assert_int_equal(client_call(&c, P9_TMKDIR, "dsdd", (u64)1, "new",
				     (u64)0755, (u64)0),
			 ENOTDIR);
	assert_int_equal(client_open(&c, 1, O_RDONLY), ELOOP);

	assert_int_equal(client_walk(&c, CLIENT_ROOT, 2, "link"), 0);
	assert_int_equal(client_open(&c, 2, O_RDONLY), ELOOP);
	assert_int_equal(client_open(&c, 2, O_WRONLY | 01000), ELOOP);
	assert_int_equal(client_read(&c, 2, 0, text, 5), -EBADF);
	/* Created over: what the link leads to stays as it is. */
	assert_int_equal(client_create(&c, 0, 3, "link",
				       O_P9_CREAT | O_RDWR | 01000, 0600),
			 ELOOP);
	assert_int_equal(client_call(&c, P9_TSETATTR,
				     "ddddd"
				     "qqqqq",
				     (u64)2, (u64)1, (u64)0777, (u64)0, (u64)0,
				     (u64)0, (u64)0, (u64)0, (u64)0, (u64)0),
			 EOPNOTSUPP);
	assert_int_equal(client_call(&c, P9_TSETATTR,
				     "ddddd"
				     "qqqqq",
				     (u64)2, (u64)8, (u64)0, (u64)0, (u64)0,
				     (u64)0, (u64)0, (u64)0, (u64)0, (u64)0),
			 EINVAL);
	/* A hard link to the link itself. */
	assert_int_equal(
		client_call(&c, P9_TLINK, "dds", (u64)0, (u64)2, "hard"), 0);
	assert_int_equal(inode_of("hard"), inode_of("link"));
	expect_secret_untouched();
}

static void test_p9__a_folder_that_becomes_a_link(void **state)
{
	char to[512];

	umask(022);
	assert_int_equal(mkdir(client_path(&c, "swap"), 0755), 0);
	assert_int_equal(client_walk(&c, CLIENT_ROOT, 1, "swap"), 0);
	snprintf(to, sizeof(to), "%s/old", c.root);
	assert_int_equal(rename(client_path(&c, "swap"), to), 0);
	assert_int_equal(symlink(c.dir, client_path(&c, "swap")), 0);
	/* The fid is still the folder that it was. */
	assert_int_equal(client_walk(&c, 1, 2, "secret"), ENOENT);
	assert_int_equal(
		client_create(&c, 1, 3, "new", O_P9_CREAT | O_RDWR, 0600), 0);
	assert_int_equal(access(client_path(&c, "old/new"), F_OK), 0);
	expect_secret_untouched();
}

static void test_p9__only_files_and_folders_are_opened(void **state)
{
	assert_int_equal(mkfifo(client_path(&c, "fifo"), 0666), 0);
	assert_int_equal(client_walk(&c, CLIENT_ROOT, 1, "fifo"), 0);
	/* It would wait for a writer for ever. */
	assert_int_equal(client_open(&c, 1, O_RDONLY), ENXIO);
	assert_int_equal(client_open(&c, 1, O_RDWR), ENXIO);
	assert_int_equal(client_create(&c, 0, 2, "fifo", O_P9_CREAT | O_RDONLY,
				       0600),
			 ENXIO);
	/* Device nodes: neither made nor opened. */
	assert_int_equal(client_call(&c, P9_TMKNOD, "dsdddd", (u64)0, "null",
				     (u64)(S_IFCHR | 0666), (u64)1, (u64)3,
				     (u64)0),
			 EPERM);
	assert_int_equal(client_call(&c, P9_TMKNOD, "dsdddd", (u64)0, "disk",
				     (u64)(S_IFBLK | 0666), (u64)8, (u64)0,
				     (u64)0),
			 EPERM);
	if (mknod(client_path(&c, "null"), S_IFCHR | 0666, makedev(1, 3)))
		return; /* the test may not */
	assert_int_equal(client_walk(&c, CLIENT_ROOT, 3, "null"), 0);
	assert_int_equal(client_open(&c, 3, O_RDWR), ENXIO);
	assert_int_equal(client_create(&c, 0, 4, "null", O_P9_CREAT | O_WRONLY,
				       0600),
			 ENXIO);
}

static void test_p9__the_hosts_root_is_not_shared_writable(void **state)
{
	struct failure why = FAILURE_INIT;
	struct share_config config = { .path = "/", .tag = "x" };
	struct share *share;

	assert_int_equal(share_open(&config, &why, &share), -EPERM);
	assert_non_null(strstr(why.text, "add ,ro"));
	config.path = client_path(&c, "link");
	assert_int_equal(symlink("/", config.path), 0);
	assert_int_equal(share_open(&config, &why, &share), -EPERM);
}

/* A share of everything: /proc leads back to this process, and out of it. */
static void test_p9__proc_is_not_entered(void **state)
{
	struct client_attr attr;

	c.config.path = "/";
	c.config.read_only = true;
	client_start(&c, 1000);
	client_attach(&c);
	assert_int_equal(client_walk(&c, CLIENT_ROOT, 1, "proc"), EACCES);
	/* Files of another file system have numbers of their own. */
	if (!client_walk(&c, CLIENT_ROOT, 2, "dev")) {
		struct stat root, dev;

		assert_int_equal(stat("/", &root), 0);
		assert_int_equal(stat("/dev", &dev), 0);
		assert_int_equal(client_getattr(&c, 2, &attr), 0);
		assert_int_equal(attr.qid.path >> 48,
				 root.st_dev == dev.st_dev ? 0 : 1);
	}
}

static void test_p9__read_only_means_that(void **state)
{
	c.config.read_only = true;
	client_start(&c, 1000);
	client_attach(&c);
	assert_int_equal(client_walk(&c, CLIENT_ROOT, 1, "file"), 0);
	assert_int_equal(client_open(&c, 1, O_RDWR), EROFS);
	assert_int_equal(client_open(&c, 1, O_RDONLY | 01000), EROFS);
	assert_int_equal(client_create(&c, 0, 2, "new", O_P9_CREAT, 0600),
			 EROFS);
	assert_int_equal(client_call(&c, P9_TMKDIR, "dsdd", (u64)0, "new",
				     (u64)0755, (u64)0),
			 EROFS);
	assert_int_equal(client_call(&c, P9_TSYMLINK, "dssd", (u64)0, "new",
				     "x", (u64)0),
			 EROFS);
	assert_int_equal(client_call(&c, P9_TMKNOD, "dsdddd", (u64)0, "new",
				     (u64)(S_IFIFO | 0600), (u64)0, (u64)0,
				     (u64)0),
			 EROFS);
	assert_int_equal(client_call(&c, P9_TUNLINKAT, "dsd", (u64)0, "file",
				     (u64)0),
			 EROFS);
	assert_int_equal(client_call(&c, P9_TRENAMEAT, "dsds", (u64)0, "file",
				     (u64)0, "new"),
			 EROFS);
	assert_int_equal(
		client_call(&c, P9_TLINK, "dds", (u64)0, (u64)1, "new"), EROFS);
	for (u64 valid = 1; valid <= 0x10; valid <<= 1)
		assert_int_equal(client_call(&c, P9_TSETATTR,
					     "ddddd"
					     "qqqqq",
					     (u64)1, valid, (u64)0, (u64)0,
					     (u64)0, (u64)0, (u64)0, (u64)0,
					     (u64)0, (u64)0),
				 EROFS);
	assert_int_equal(client_call(&c, P9_TXATTRCREATE, "dsqd", (u64)1,
				     "user.a", (u64)0, (u64)0),
			 0);
	assert_int_equal(client_clunk(&c, 1), EROFS);
	assert_int_equal(client_walk(&c, CLIENT_ROOT, 1, "file"), 0);
	assert_int_equal(client_open(&c, 1, O_RDONLY), 0);
}

/* ---- Messages ---- */

static void test_p9__fids_that_are_not_open(void **state)
{
	char buf[64];

	for (u32 fid = 0; fid < 100; fid += 99) { /* the root, and none */
		assert_int_equal(client_read(&c, fid, 0, buf, 8), -EBADF);
		assert_int_equal(client_write(&c, fid, 0, buf, 8), -EBADF);
		assert_int_equal(client_call(&c, P9_TREADDIR, "dqd", (u64)fid,
					     (u64)0, (u64)4096),
				 EBADF);
		assert_int_equal(client_call(&c, P9_TFSYNC, "dd", (u64)fid,
					     (u64)0),
				 EBADF);
		assert_int_equal(client_call(&c, P9_TLOCK, "dbdqqds", (u64)fid,
					     (u64)0, (u64)0, (u64)0, (u64)0,
					     (u64)0, ""),
				 EBADF);
	}
	assert_int_equal(client_walk(&c, CLIENT_ROOT, 1, "file"), 0);
	assert_int_equal(client_open(&c, 1, O_RDONLY), 0);
	assert_int_equal(client_open(&c, 1, O_RDONLY), EINVAL);
	assert_int_equal(client_call(&c, P9_TREADDIR, "dqd", (u64)1, (u64)0,
				     (u64)4096),
			 ENOTDIR);
	assert_int_equal(client_write(&c, 1, 0, buf, 8), -EBADF);
	assert_int_equal(client_read(&c, 1, UINT64_MAX, buf, 8), -EINVAL);
}

/* Each message, cut off anywhere and with any argument, is answered. */
static void test_p9__short_messages_are_refused(void **state)
{
	static const u8 junk[64];

	for (unsigned int type = 0; type < 256; type++) {
		if (type == P9_TVERSION || type == P9_TCLUNK ||
		    type == P9_TREMOVE)
			continue; /* they are fine with zeroes */
		for (u64 len = 0; len < 16; len++) {
			int err;

			client_make(&c, (u8)type, "dB", (u64)500, len, junk);
			client_send(&c);
			client_wait(&c, &err);
			if (type != P9_TFLUSH)
				assert_int_not_equal(err, 0);
		}
	}
	assert_int_equal(client_call(&c, 200, ""), EOPNOTSUPP);
}

static void expect_cut(u32 size_field, u32 out_len, int wanted)
{
	int err;

	client_make(&c, P9_TGETATTR, "dq", (u64)0, (u64)0);
	memcpy(c.out.buf, &size_field, sizeof(size_field));
	client_send_cut(&c, out_len, 4096);
	client_wait(&c, &err);
	assert_int_equal(err, wanted);
}

static void test_p9__lengths_are_checked(void **state)
{
	expect_cut(19, 19, 0);
	expect_cut(18, 19, EINVAL);
	expect_cut(20, 19, EINVAL);
	expect_cut(0, 19, EINVAL);
	expect_cut(6, 19, EINVAL);
	expect_cut(0xffffffff, 19, EMSGSIZE);
	expect_cut(19, 6, EINVAL); /* not even a header */
	expect_cut(19, 0, EINVAL);
	/* A string that is longer than the message. */
	assert_int_equal(client_call(&c, P9_TWALK, "ddww", (u64)0, (u64)1,
				     (u64)1, (u64)0xffff),
			 EINVAL);
	assert_int_equal(client_call(&c, P9_TWALK, "ddw", (u64)0, (u64)1,
				     (u64)17),
			 EINVAL);
}

static void test_p9__a_reply_has_to_fit(void **state)
{
	int err;

	client_make(&c, P9_TGETATTR, "dq", (u64)0, (u64)0);
	client_send_cut(&c, (u32)c.out.len, 100);
	client_wait(&c, &err);
	assert_int_equal(err, EMSGSIZE);
	/* No room for an error: the driver has to reset the device. */
	atomic_flag_test_and_set(&c.p9->vdev.guest_error.done);
	client_make(&c, P9_TGETATTR, "dq", (u64)0, (u64)0);
	client_send_cut(&c, (u32)c.out.len, 10);
	for (unsigned int i = 0; i < 100000 && !c.transport.config_irqs; i++)
		usleep(100);
	assert_true(virtio_get_status(&c.p9->vdev) &
		    VIRTIO_CONFIG_S_NEEDS_RESET);
}

static void test_p9__fids_are_limited(void **state)
{
	u32 fid = 1;

	client_start(&c, 8);
	client_attach(&c);
	while (!client_walk(&c, CLIENT_ROOT, fid, "file"))
		fid++;
	assert_int_equal(fid, 8);
	assert_int_equal(client_walk(&c, CLIENT_ROOT, fid, "file"), ENFILE);
	assert_int_equal(client_open(&c, 1, O_RDONLY), ENFILE);
	assert_int_equal(client_clunk(&c, 7), 0);
	assert_int_equal(client_clunk(&c, 6), 0);
	assert_int_equal(client_open(&c, 1, O_RDONLY), 0);
}

/* ---- Several requests at once ---- */

/*
 * A request that waits until the test lets it: truncating a file on which somebody
 * has a lease (fcntl(2)).
 */
static int hold_file(const char *name)
{
	int fd = open(client_path(&c, name), O_RDWR | O_CLOEXEC);

	signal(SIGIO, SIG_IGN);
	assert_true(fd >= 0);
	if (fcntl(fd, F_SETLEASE, F_WRLCK))
		return -1;
	return fd;
}

static void let_go(int fd)
{
	assert_int_equal(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
	close(fd);
}

static unsigned int send_slow(u16 tag)
{
	unsigned int slot;

	assert_int_equal(client_walk(&c, CLIENT_ROOT, 50, "file"), 0);
	c.tag = tag;
	client_make(&c, P9_TSETATTR,
		    "ddddd"
		    "qqqqq",
		    (u64)50, (u64)8, (u64)0, (u64)0, (u64)0, (u64)3, (u64)0,
		    (u64)0, (u64)0, (u64)0);
	slot = client_send(&c);
	c.tag = 1;
	return slot;
}

static void test_p9__a_slow_request_keeps_nobody_waiting(void **state)
{
	int held = hold_file("file"), err;
	unsigned int slow;

	if (held < 0)
		skip(); /* not our file, or no leases here */
	slow = send_slow(7);
	for (u32 i = 0; i < 50; i++) {
		assert_int_equal(client_walk(&c, CLIENT_ROOT, 1, "dir/inner"),
				 0);
		assert_int_equal(client_clunk(&c, 1), 0);
	}
	let_go(held);
	assert_int_equal(client_wait(&c, &err), slow);
	assert_int_equal(err, 0);
}

static unsigned int send_flush(u16 tag, u16 old)
{
	unsigned int slot;

	c.tag = tag;
	client_make(&c, P9_TFLUSH, "w", (u64)old);
	slot = client_send(&c);
	c.tag = 1;
	return slot;
}

static void test_p9__a_flush_is_answered_after_the_old_request(void **state)
{
	unsigned int slow, first, second, nested;
	int held = hold_file("file"), err;

	if (held < 0)
		skip();
	slow = send_slow(7);
	first = send_flush(8, 7);
	second = send_flush(9, 7);
	nested = send_flush(10, 8);
	/* Of requests that are answered, or never were: at once. */
	assert_int_equal(client_call(&c, P9_TFLUSH, "w", (u64)1), 0);
	assert_int_equal(client_call(&c, P9_TFLUSH, "w", (u64)99), 0);
	assert_false(client_poll(&c));
	let_go(held);
	assert_int_equal(client_wait(&c, &err), slow);
	assert_int_equal(client_wait(&c, &err), first);
	assert_int_equal(client_wait(&c, &err), second);
	assert_int_equal(client_wait(&c, &err), nested);
}

/* All at once, on the same fids: for the thread sanitizer. */
static void test_p9__requests_race(void **state)
{
	for (unsigned int turn = 0; turn < 50; turn++) {
		int err;

		assert_int_equal(client_walk(&c, CLIENT_ROOT, 1, "file"), 0);
		for (unsigned int i = 0; i < 4; i++) {
			client_make(&c, P9_TLOPEN, "dd", (u64)1, (u64)O_RDONLY);
			client_send(&c);
			client_make(&c, P9_TREAD, "dqd", (u64)1, (u64)0,
				    (u64)100);
			client_send(&c);
			client_make(&c, P9_TWALK, "ddws", (u64)0, 2 + (u64)i,
				    (u64)1, "dir");
			client_send(&c);
		}
		client_make(&c, P9_TCLUNK, "d", (u64)1);
		client_send(&c);
		for (unsigned int i = 0; i < 13; i++)
			client_wait(&c, &err);
		for (u32 i = 0; i < 4; i++)
			assert_int_equal(client_clunk(&c, 2 + i), 0);
		client_clunk(&c, 1);
	}
	assert_int_equal(client_clunk(&c, CLIENT_ROOT), 0);
	assert_int_equal(c.p9->fids.nr, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define ATTACHED(name)                                                         \
	cmocka_unit_test_setup_teardown(name, setup_attached, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_p9__version_is_negotiated),
		ATTACHED(test_p9__a_new_session_forgets_the_fids),
		ATTACHED(test_p9__a_reset_forgets_the_session),
		ATTACHED(test_p9__a_pause_keeps_the_session),
		ATTACHED(test_p9__the_tag_is_in_the_configuration),
		ATTACHED(test_p9__attach_takes_a_folder),
		ATTACHED(test_p9__walks),
		ATTACHED(test_p9__a_walk_that_ends_early_makes_no_fid),
		ATTACHED(test_p9__dot_dot_stays_below_the_root),
		ATTACHED(test_p9__dot_dot_of_what_was_moved),
		ATTACHED(test_p9__any_name_but_slash_and_nul),
		ATTACHED(test_p9__names_are_single_components),
		ATTACHED(test_p9__links_are_never_followed),
		ATTACHED(test_p9__a_folder_that_becomes_a_link),
		ATTACHED(test_p9__only_files_and_folders_are_opened),
		TEST(test_p9__the_hosts_root_is_not_shared_writable),
		TEST(test_p9__proc_is_not_entered),
		TEST(test_p9__read_only_means_that),
		ATTACHED(test_p9__fids_that_are_not_open),
		ATTACHED(test_p9__short_messages_are_refused),
		ATTACHED(test_p9__lengths_are_checked),
		ATTACHED(test_p9__a_reply_has_to_fit),
		TEST(test_p9__fids_are_limited),
		ATTACHED(test_p9__a_slow_request_keeps_nobody_waiting),
		ATTACHED(test_p9__a_flush_is_answered_after_the_old_request),
		ATTACHED(test_p9__requests_race),
	};

	return cmocka_run_group_tests_name("virtio/p9", tests, NULL, NULL);
}
