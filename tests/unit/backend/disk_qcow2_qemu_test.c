/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * qcow2 images of qemu-img's: each kind read, written to, and found sound and
 * equal by qemu-img afterwards. Skipped where there is no qemu-img.
 */
#include "lkvm/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lkvm/config.h"
#include "lkvm/failure.h"
#include "tests/support/shell.h"
#include <cmocka.h>

#define IMAGE_LEN (3 * MIB + 512)
#define BUFFER_LEN (128 * KIB)

struct client {
	struct disk_queue *queue;
	int event_fd;
	unsigned int seed;
	u8 *buffer;
	bool done;
	int result;
};

struct fixture {
	char dir[64];
	struct failure why;
	struct disk *disk;
	u8 *model; /* IMAGE_LEN bytes: what the disk holds */
};

static struct fixture f;

/* ---- Commands ---- */

static int command(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* In f.dir; output only if it fails. */
static int command(const char *fmt, ...)
{
	char line[512], all[640];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	snprintf(all, sizeof(all),
		 "cd %s && { %s; } >log 2>&1 || { s=$?; cat "
		 "log; exit $s; }",
		 f.dir, line);
	return shell(all);
}

static void must(int status)
{
	assert_int_equal(status, 0);
}

static int setup(void **state)
{
	f = (struct fixture){
		.why = FAILURE_INIT,
		.model = malloc(IMAGE_LEN),
	};
	/* Memory has no O_DIRECT; flushes to a disk take their time. */
	snprintf(f.dir, sizeof(f.dir), "%s/lkvm-qcow2-test-XXXXXX",
		 *state || access("/dev/shm", W_OK) ? "/var/tmp" : "/dev/shm");
	return f.model && mkdtemp(f.dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char line[128];

	disk_close(f.disk);
	free(f.model);
	snprintf(line, sizeof(line), "rm -rf %s", f.dir);
	return shell(line);
}

static void need_qemu(void)
{
	if (shell("qemu-img --version >/dev/null 2>&1"))
		skip();
}

/* ---- The raw image to compare with ---- */

static void write_model(const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", f.dir, name);
	fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, f.model, IMAGE_LEN), IMAGE_LEN);
	close(fd);
}

/* Data that packs well, data that does not, and holes. */
static void create_model(void)
{
	unsigned int seed = 7;

	for (u64 at = 0; at < IMAGE_LEN; at += 512) {
		unsigned int kind = (unsigned int)(at / 65536) % 4;

		for (unsigned int i = 0; i < 512; i++)
			f.model[at + i] = kind == 0   ? 0
					  : kind == 1 ? (u8)rand_r(&seed)
						      : (u8)(at / 512 + i / 9);
	}
	write_model("raw");
}

/* ---- The disk ---- */

static int open_image(const char *name, bool read_only, bool direct,
		      bool backing)
{
	struct failure none = FAILURE_INIT;
	char path[128];
	const struct disk_config config = {
		.path = path,
		.format = DISK_FORMAT_QCOW2,
		.read_only = read_only,
		.direct = direct,
		.backing = backing,
	};

	f.why = none;
	snprintf(path, sizeof(path), "%s/%s", f.dir, name);
	return disk_open(&config, &f.why, &f.disk);
}

static void must_open(const char *name, bool read_only, bool direct)
{
	int err = open_image(name, read_only, direct, true);

	if (direct && err == -EINVAL)
		skip(); /* this file system has no O_DIRECT */
	if (err)
		fail_msg("%s", f.why.text);
	assert_int_equal(disk_info(f.disk)->len, IMAGE_LEN);
}

static void close_image(void)
{
	disk_close(f.disk);
	f.disk = NULL;
}

static void client_start(struct client *c, unsigned int seed)
{
	*c = (struct client){
		.seed = seed,
		.event_fd = eventfd(0, EFD_CLOEXEC),
		.buffer = aligned_alloc(4096, BUFFER_LEN),
	};
	assert_true(c->event_fd >= 0 && c->buffer);
	assert_int_equal(disk_queue_create(f.disk, c->event_fd, &c->queue), 0);
}

static void client_stop(struct client *c)
{
	disk_queue_destroy(c->queue);
	close(c->event_fd);
	free(c->buffer);
}

/* Requests know their client by the iovec's neighbour. */
struct tracked {
	struct disk_request req;
	struct client *client;
};

static void done(struct disk_request *req, int err)
{
	struct client *c = container_of(req, struct tracked, req)->client;

	c->done = true;
	c->result = err;
}

static int run(struct client *c, enum disk_op op, u64 offset, u64 len,
	       bool may_unmap)
{
	struct iovec iov = { c->buffer, len };
	struct tracked t = {
		.req = {
			.op = op,
			.offset = offset,
			.len = len,
			.may_unmap = may_unmap,
			.iov = &iov,
			.nr_iov = 1,
			.done = done,
		},
		.client = c,
	};

	c->done = false;
	disk_submit(c->queue, &t.req);
	disk_commit(c->queue);
	while (!c->done) {
		struct pollfd event = { .fd = c->event_fd, .events = POLLIN };

		poll(&event, 1, 10000);
		disk_poll(c->queue);
	}
	return c->result;
}

static void check_contents(struct client *c)
{
	for (u64 at = 0; at < IMAGE_LEN; at += BUFFER_LEN) {
		u64 len = IMAGE_LEN - at < BUFFER_LEN ? IMAGE_LEN - at
						      : BUFFER_LEN;

		assert_int_equal(run(c, DISK_READ, at, len, false), 0);
		assert_memory_equal(c->buffer, f.model + at, len);
	}
}

static void check_image_equals_model(void)
{
	struct client c;

	client_start(&c, 1);
	check_contents(&c);
	client_stop(&c);
}

/* Something random in [first, end), and in the model. */
static int random_step(struct client *c, u64 first, u64 end)
{
	unsigned int what = (unsigned int)rand_r(&c->seed) % 10;
	u64 at = first + (u64)rand_r(&c->seed) % (end - first) / 512 * 512;
	u64 len = (1 + (u64)rand_r(&c->seed) % (BUFFER_LEN / 512)) * 512;
	u8 value = what < 6 ? (u8)rand_r(&c->seed) : 0;

	if (len > end - at)
		len = end - at;
	if (what == 9)
		return run(c, DISK_FLUSH, 0, 0, false);
	memset(f.model + at, value, len);
	memset(c->buffer, value, len);
	if (what < 6)
		return run(c, DISK_WRITE, at, len, false);
	return run(c, DISK_WRITE_ZEROES, at, len, what & 1);
}

static void change(const char *image, unsigned int steps)
{
	struct client c;

	client_start(&c, steps);
	while (steps--)
		assert_int_equal(random_step(&c, 0, IMAGE_LEN), 0);
	check_contents(&c);
	client_stop(&c);
	close_image();
	write_model("raw");
	must(command("qemu-img compare -f qcow2 -F raw %s raw", image));
}

static void change_and_check(const char *image, unsigned int steps)
{
	change(image, steps);
	must(command("qemu-img check %s", image));
}

/* ---- Tests ---- */

static void check_kind(const char *convert_options)
{
	create_model();
	must(command("qemu-img convert -f raw -O qcow2 %s raw image",
		     convert_options));
	must_open("image", true, false);
	check_image_equals_model();
	close_image();
	must_open("image", false, false);
	change_and_check("image", 60);
}

static void test_qemu__every_cluster_size(void **state)
{
	char options[64];

	need_qemu();
	for (unsigned int bits = 9; bits <= 21; bits += bits == 9 ? 3 : 1) {
		snprintf(options, sizeof(options), "%s -o cluster_size=%llu",
			 bits % 2 ? "-c" : "", BIT64(bits));
		check_kind(options);
	}
}

static void test_qemu__compressed(void **state)
{
	need_qemu();
	check_kind("-c -o cluster_size=512");
	check_kind("-c -o cluster_size=65536,compat=0.10");
	check_kind("-c -o cluster_size=2097152");
}

static void test_qemu__versions_and_features(void **state)
{
	need_qemu();
	check_kind("-o compat=0.10");
	check_kind("-o lazy_refcounts=on");
	check_kind("-o refcount_bits=1");
	check_kind("-o refcount_bits=64,cluster_size=512");
	check_kind("-o preallocation=metadata");
	check_kind("-o preallocation=full");
}

static void test_qemu__refuses_what_it_does_not_know(void **state)
{
	static const struct {
		const char *options, *text;
	} kinds[] = {
		{ "-o extended_l2=on", "extended L2" },
		{ "-o compression_type=zstd", "zstd" },
		{ "-o data_file=data", "external data file" },
	};

	need_qemu();
	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		must(command("rm -f data; qemu-img create -f qcow2 %s image 1M",
			     kinds[i].options));
		assert_int_equal(open_image("image", false, false, false),
				 -ENOTSUP);
		assert_non_null(strstr(f.why.text, kinds[i].text));
	}
	must(command("qemu-img create -f qcow2 --object "
		     "secret,id=s,data=x -o "
		     "encrypt.format=aes,encrypt.key-secret=s image 1M"));
	assert_int_equal(open_image("image", false, false, false), -ENOTSUP);
	assert_non_null(strstr(f.why.text, "encryption"));
}

/* What a snapshot holds stays what it was. */
static void test_qemu__internal_snapshots(void **state)
{
	need_qemu();
	create_model();
	must(command("cp raw before; qemu-img convert -f raw -O qcow2 "
		     "-o cluster_size=4096 raw image; "
		     "qemu-img snapshot -c one image"));
	must_open("image", false, false);
	change_and_check("image", 100);
	must(command("qemu-img snapshot -c two image"));
	must_open("image", false, false);
	change_and_check("image", 100);
	must(command("qemu-img convert -l snapshot.name=one -f qcow2 -O raw "
		     "image one; cmp one before"));
	must(command("qemu-img snapshot -d one image; qemu-img snapshot -a two "
		     "image; qemu-img check image"));
}

static void test_qemu__backing_files(void **state)
{
	static const char *const compat[] = { "0.10", "1.1" };

	need_qemu();
	for (unsigned int i = 0; i < ARRAY_SIZE(compat); i++) {
		create_model();
		/* raw <- qcow2 <- qcow2, the lowest one shorter. */
		must(command(
			"rm -f image middle; truncate -s 1M raw; cp raw base; "
			"qemu-img create -f qcow2 -b base -F raw middle "
			"%llu; qemu-img create -f qcow2 -o compat=%s -b "
			"middle -F qcow2 image",
			IMAGE_LEN, compat[i]));
		memset(f.model + MIB, 0, IMAGE_LEN - MIB);
		assert_int_equal(open_image("image", false, false, false),
				 -EPERM);
		assert_non_null(strstr(f.why.text, "backing=on"));
		must_open("image", false, false);
		check_image_equals_model();
		change_and_check("image", 100);
		must(command("cmp -n 1048576 base raw && exit 1; "
			     "qemu-img check middle"));
	}
}

static void test_qemu__backing_format_has_to_be_said(void **state)
{
	need_qemu();
	must(command("truncate -s 1M base; "
		     "qemu-img create -f qcow2 -o compat=1.1 -u -b base -F raw "
		     "image 1M; "
		     "printf other >word; "
		     /* The extension's text, behind the header's 104 or 112. */
		     "printf 'bla' | dd of=image bs=1 seek=120 conv=notrunc"));
	assert_int_equal(open_image("image", false, false, true), -EINVAL);
	assert_non_null(strstr(f.why.text, "raw or qcow2"));
}

static void test_qemu__endless_chain_is_refused(void **state)
{
	need_qemu();
	must(command("qemu-img create -u -f qcow2 -b b -F qcow2 a 1M; "
		     "qemu-img create -u -f qcow2 -b a -F qcow2 b 1M"));
	assert_int_equal(open_image("a", true, false, true), -ELOOP);
}

static void test_qemu__bitmaps_are_given_up(void **state)
{
	need_qemu();
	create_model();
	must(command("qemu-img convert -f raw -O qcow2 raw image; "
		     "qemu-img bitmap --add image b"));
	must_open("image", false, false);
	change("image", 30);
	/* What the bitmaps were in leaks, as the format has it. */
	assert_int_equal(command("qemu-img check image >/dev/null"), 3);
	must(command("qemu-img bitmap --remove image b; qemu-img check -r all "
		     "image; qemu-img check image"));
}

static void test_qemu__direct(void **state)
{
	need_qemu();
	create_model();
	must(command("qemu-img convert -f raw -O qcow2 -o cluster_size=512 raw "
		     "image"));
	must_open("image", false, true);
	check_image_equals_model();
	change_and_check("image", 100);
	must(command("rm image; qemu-img convert -f raw -O qcow2 raw image"));
	must_open("image", false, true);
	change_and_check("image", 100);
	must(command("rm image; qemu-img convert -c -f raw -O qcow2 raw image; "
		     "truncate -s -3 image"));
	must_open("image", true, true);
}

/* Each thread has its own part of the disk, and they share clusters. */
#define THREADS 3

struct worker {
	pthread_t thread;
	struct client client;
	u64 first, end;
	int err;
};

static void *work(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < 150 && !w->err; i++)
		w->err = random_step(&w->client, w->first, w->end);
	return NULL;
}

static void run_threads(bool direct)
{
	struct worker workers[THREADS] = { 0 };
	const u64 part = (IMAGE_LEN / THREADS / 512) * 512;

	create_model();
	must(command(
		"rm -f image; qemu-img convert -f raw -O qcow2 raw image"));
	must_open("image", false, direct);
	if (disk_info(f.disk)->max_queues < THREADS)
		skip();
	for (unsigned int i = 0; i < THREADS; i++) {
		workers[i].first = i * part;
		workers[i].end = (i + 1) * part;
		client_start(&workers[i].client, i);
		pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].err, 0);
		client_stop(&workers[i].client);
	}
	change_and_check("image", 1);
}

static void test_qemu__several_queues(void **state)
{
	need_qemu();
	run_threads(*state != NULL);
}

#define QEMU_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static bool direct = true;
	const struct CMUnitTest tests[] = {
		QEMU_TEST(test_qemu__every_cluster_size),
		QEMU_TEST(test_qemu__compressed),
		QEMU_TEST(test_qemu__versions_and_features),
		QEMU_TEST(test_qemu__refuses_what_it_does_not_know),
		QEMU_TEST(test_qemu__internal_snapshots),
		QEMU_TEST(test_qemu__backing_files),
		QEMU_TEST(test_qemu__backing_format_has_to_be_said),
		QEMU_TEST(test_qemu__endless_chain_is_refused),
		QEMU_TEST(test_qemu__bitmaps_are_given_up),
		QEMU_TEST(test_qemu__several_queues),
		{ "test_qemu__several_queues (direct)",
		  test_qemu__several_queues, setup, teardown, &direct },
		{ "test_qemu__direct", test_qemu__direct, setup, teardown,
		  &direct },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
