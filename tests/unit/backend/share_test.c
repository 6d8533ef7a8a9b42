/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend/share_*.c by itself: what 9P does not show. The operations are tested
 * through it, in tests/unit/virtio/p9_test.c and p9_file_test.c.
 */
#include "backend/share_priv.h"

#include <fcntl.h>
#include <ftw.h>
#include <linux/landlock.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "lkvm/config.h"
#include "lkvm/failure.h"
#include <cmocka.h> /* last: it has a macro named fail */

static char dir[64];
static struct share *share;

static int setup(void **state)
{
	struct failure why = FAILURE_INIT;
	const struct share_config config = { .path = dir, .tag = "x" };

	memcpy(dir, "/var/tmp/lkvm-share-test-XXXXXX", 32);
	if (!mkdtemp(dir))
		return -1;
	return share_open(&config, &why, &share);
}

static int remove_entry(const char *path, const struct stat *st, int flag,
			struct FTW *ftw)
{
	return remove(path);
}

static int teardown(void **state)
{
	share_close(share);
	nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}

static const struct share_owner nobody = { (uid_t)-1, (gid_t)-1 };

static struct share_node *create(const char *name, mode_t mode)
{
	struct share_node *node;
	int fd;

	assert_int_equal(share_create(share, share->root, name, O_RDWR | O_EXCL,
				      mode, nobody, &node, &fd),
			 0);
	return node;
}

/* ---- Threads ---- */

struct visitor {
	int outside; /* errno of opening what is not shared */
	mode_t mode; /* of a file that it made */
};

static void *visit(void *arg)
{
	struct visitor *visitor = arg;
	struct share_node *node;
	struct stat st;
	int fd;

	share_enter(share);
	fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	visitor->outside = fd < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	node = create("made", 0666);
	if (!share_stat(share, node, &st))
		visitor->mode = st.st_mode;
	share_node_put(node);
	if (!share_walk(share, share->root, "made", &node, &st)) {
		if (!share_open_node(share, node, O_RDONLY, &fd))
			close(fd);
		else
			visitor->mode = 0;
		share_node_put(node);
	}
	return NULL;
}

static bool has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0,
		       LANDLOCK_CREATE_RULESET_VERSION) >= 2;
}

/* Others of the process keep their umask, and see all files. */
static void test_share__threads_see_nothing_else(void **state)
{
	struct visitor visitor = { 0 };
	pthread_t thread;
	mode_t old = umask(077);

	assert_int_equal(pthread_create(&thread, NULL, visit, &visitor), 0);
	pthread_join(thread, NULL);
	assert_int_equal(umask(old), 077);
	assert_int_equal(visitor.mode, S_IFREG | 0666);
	assert_int_equal(access("/etc/passwd", R_OK), 0);
	if (!has_landlock())
		skip();
	assert_int_equal(visitor.outside, EACCES);
}

/* ---- Old hosts ---- */

static void test_share__does_without_openat2(void **state)
{
	struct share_node *node, *found;
	struct stat st;

	share->has_openat2 = false;
	node = create("file", 0644);
	assert_int_equal(share_walk(share, share->root, "file", &found, &st),
			 0);
	assert_int_equal(found->ino, node->ino);
	share_node_put(found);
	share_node_put(node);
	assert_int_equal(symlinkat("/etc", share->root->fd, "link"), 0);
	assert_int_equal(share_walk(share, share->root, "link", &node, &st), 0);
	assert_int_equal(node->type, S_IFLNK);
	assert_int_equal(st.st_ino, node->ino);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(share_walk(share, node, "passwd", &found, &st),
			 -ENOTDIR);
	share_node_put(node);
	assert_int_equal(share_walk(share, share->root, "../x", &node, &st),
			 -EINVAL);
	assert_int_equal(share_walk(share, share->root, "..", &node, &st), 0);
	assert_int_equal(node->ino, share->root->ino);
	assert_int_equal(st.st_ino, node->ino);
	share_node_put(node);
}

static void test_share__mapped_wants_attributes(void **state)
{
	struct failure why = FAILURE_INIT;
	const struct share_config config = {
		.path = "/proc",
		.tag = "x",
		.read_only = true,
		.mapped = true,
	};
	struct share *other;

	assert_int_equal(share_open(&config, &why, &other), -EOPNOTSUPP);
	assert_non_null(strstr(why.text, "security=mapped"));
	assert_null(other);
}

static void test_share__what_cannot_be_shared(void **state)
{
	struct failure why = FAILURE_INIT, why_not = FAILURE_INIT;
	struct share_config config = { .path = "/nonexistent", .tag = "x" };
	struct share *other;

	assert_int_equal(share_open(&config, &why, &other), -ENOENT);
	assert_non_null(strstr(why.text, "/nonexistent"));
	config.path = "/etc/passwd";
	assert_int_equal(share_open(&config, &why_not, &other), -ENOTDIR);
}

/* ---- Numbers ---- */

static u64 id_of(dev_t dev, u64 ino)
{
	u64 id;

	assert_int_equal(share_id(share, dev, ino, &id), 0);
	return id;
}

static void test_share__numbers_are_unique(void **state)
{
	const dev_t dev = share->root->dev;
	u64 ids[4];

	assert_int_equal(id_of(dev, 5), 5);
	ids[0] = id_of(dev, 5);
	ids[1] = id_of(dev + 1, 5);
	ids[2] = id_of(dev, 5 | 1ULL << 63);
	ids[3] = id_of(dev + 1, 5 | 1ULL << 48);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(ids[i], ids[j]);
	/* And stay what they are. */
	assert_int_equal(id_of(dev + 1, 5), ids[1]);
	assert_int_equal(id_of(dev, 5 | 1ULL << 63), ids[2]);
}

static void test_share__numbers_run_out(void **state)
{
	const dev_t dev = share->root->dev;
	u64 id;

	for (u64 i = 1; i < 65536; i++)
		assert_int_equal(share_id(share, dev + i, 1, &id), 0);
	assert_int_equal(share_id(share, dev + 65536, 1, &id), -ENFILE);
	assert_int_equal(id_of(dev, 1), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_share__threads_see_nothing_else),
		TEST(test_share__does_without_openat2),
		TEST(test_share__mapped_wants_attributes),
		TEST(test_share__what_cannot_be_shared),
		TEST(test_share__numbers_are_unique),
		TEST(test_share__numbers_run_out),
	};

	return cmocka_run_group_tests_name("backend/share", tests, NULL, NULL);
}
