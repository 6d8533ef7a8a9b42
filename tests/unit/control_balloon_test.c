/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * control_balloon.c: the control server, a balloon, and a driver that answers or
 * does not.
 */
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "control_priv.h"
#include "lkvm/devices.h"
#include "tests/support/fake_chardev.h"
#include "tests/support/fake_virtio.h"
#include "virtio/balloon_priv.h"
#include <cmocka.h> /* last: it has a macro named fail */

#define RAM_LEN (1 * MIB)
#define SIZE 16

struct fixture {
	struct fake_guest guest;
	struct fake_vm fake;
	struct virtio_device *dev;
	struct fake_ring ring; /* statistics */
	struct control *ctl;
	struct failure why;
	char folder[64];
};

static struct fixture f;

static void create(bool balloon)
{
	memset(&f, 0, sizeof(f));
	signal(SIGPIPE, SIG_IGN);
	f.why = (struct failure)FAILURE_INIT;
	snprintf(f.folder, sizeof(f.folder), "/tmp/lkvm-control-XXXXXX");
	assert_non_null(mkdtemp(f.folder));
	setenv("XDG_RUNTIME_DIR", f.folder, 1);
	fake_guest_init(&f.guest, RAM_LEN);
	fake_vm_init(&f.fake, &f.guest);
	f.fake.config.ram_len = RAM_LEN;
	f.fake.config.balloon = balloon;
	assert_int_equal(
		virtio_balloon_class.create(&f.fake.vm, &f.fake.config), 0);
	if (balloon)
		f.dev = container_of(f.fake.vm.devices, struct virtio_device,
				     base);
	assert_int_equal(control_open("fake", &f.why, &f.ctl), 0);
	assert_int_equal(control_attach(f.ctl, &f.fake.vm), 0);
}

static int setup(void **state)
{
	create(true);
	return 0;
}

static int setup_none(void **state)
{
	create(false);
	return 0;
}

static int teardown(void **state)
{
	char path[80];

	control_detach(f.ctl);
	fake_vm_release(&f.fake);
	control_end(f.ctl, "poweroff", 0);
	control_close(f.ctl);
	fake_guest_release(&f.guest);
	snprintf(path, sizeof(path), "%s/lkvm", f.folder);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(f.folder), 0);
	return 0;
}

static void start_driver(void)
{
	struct virtq *q = &f.dev->queues[BALLOON_STATS_QUEUE];

	fake_negotiate(f.dev, f.dev->host_features);
	fake_ring_init(&f.ring, &f.guest, q, SIZE);
	assert_int_equal(virtio_queue_enable(f.dev, q), 0);
	fake_driver_ok(f.dev);
}

/* A buffer of statistics: so much memory is free. */
static void put_stats(u64 free)
{
	struct virtio_balloon_stat stat = { VIRTIO_BALLOON_S_MEMFREE, free };
	u64 buffer = fake_alloc(&f.guest, sizeof(stat), 16);

	memcpy(fake_ptr(&f.guest, buffer, sizeof(stat)), &stat, sizeof(stat));
	fake_desc(&f.ring, 0, buffer, sizeof(stat), 0, 0);
	fake_post(&f.ring, 0);
	virtio_kick(f.dev, BALLOON_STATS_QUEUE);
}

static bool is_holding(void *opaque)
{
	struct balloon_asking *asking = &f.fake.vm.balloon->asking;
	bool is_held;

	pthread_mutex_lock(&asking->lock);
	is_held = asking->held.is_held;
	pthread_mutex_unlock(&asking->lock);
	return is_held;
}

/* ---- The client ---- */

static int join(void)
{
	int fd = instance_connect("fake");

	assert_true(fd >= 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* The next line, as JSON. */
static json_t *hear(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char line[4096];
	size_t len = 0;
	json_t *reply = NULL;

	while (len < sizeof(line) && poll(&pfd, 1, -1) == 1 &&
	       read(fd, line + len, 1) == 1 && line[len] != '\n')
		len++;
	reply = json_loadb(line, len, 0, NULL);
	assert_non_null(reply);
	return reply;
}

static json_t *ask(int fd, const char *text)
{
	say(fd, text);
	return hear(fd);
}

static u64 number(const json_t *reply, const char *in, const char *name)
{
	const json_t *value = json_object_get(json_object_get(reply, in), name);

	assert_true(json_is_integer(value));
	return (u64)json_integer_value(value);
}

static void assert_errno(json_t *reply, int err)
{
	assert_int_equal(json_integer_value(json_object_get(reply, "errno")),
			 err);
	json_decref(reply);
}

static void test_control_balloon__sets_and_tells_the_target(void **state)
{
	int fd = join();
	json_t *reply = ask(fd, "{\"op\":\"balloon\",\"target\":8192}\n");

	assert_int_equal(number(reply, "balloon", "target"), 8192);
	assert_int_equal(number(reply, "balloon", "actual"), 0);
	json_decref(reply);
	reply = ask(fd, "{\"op\":\"balloon\",\"add\":4096}\n");
	assert_int_equal(number(reply, "balloon", "target"), 12288);
	json_decref(reply);
	reply = ask(fd, "{\"op\":\"balloon\",\"add\":-1000000}\n");
	assert_int_equal(number(reply, "balloon", "target"), 0);
	json_decref(reply);
	assert_errno(ask(fd, "{\"op\":\"balloon\",\"target\":1048577}\n"),
		     ERANGE);
	assert_errno(ask(fd, "{\"op\":\"balloon\",\"target\":-1}\n"), ERANGE);
	assert_errno(ask(fd, "{\"op\":\"balloon\",\"target\":\"all\"}\n"),
		     EINVAL);
	assert_errno(ask(fd, "{\"op\":\"balloon\",\"target\":1048576,"
			     "\"add\":4096}\n"),
		     ERANGE);
	close(fd);
}

static void test_control_balloon__without_one(void **state)
{
	int fd = join();
	json_t *reply = ask(fd, "{\"op\":\"stat\",\"memory\":true}\n");

	assert_null(json_object_get(reply, "balloon"));
	assert_int_equal(json_integer_value(json_object_get(reply, "ram")),
			 RAM_LEN);
	json_decref(reply);
	assert_errno(ask(fd, "{\"op\":\"balloon\"}\n"), ENODEV);
	close(fd);
}

static void test_control_balloon__stat_without_a_driver(void **state)
{
	int fd = join();
	json_t *reply = ask(fd, "{\"op\":\"stat\"}\n");

	assert_int_equal(number(reply, "balloon", "target"), 0);
	assert_null(json_object_get(reply, "guest"));
	json_decref(reply);
	close(fd);
}

static void test_control_balloon__stat_asks_the_guest(void **state)
{
	struct vring_used_elem elem;
	int fd = join();
	json_t *reply;

	start_driver();
	put_stats(1);
	say(fd, "{\"op\":\"stat\"}\n");
	assert_true(fake_wait_used(&f.ring, &elem));
	put_stats(777);
	reply = hear(fd);
	assert_int_equal(number(reply, "guest", "free-memory"), 777);
	assert_null(json_object_get(json_object_get(reply, "guest"),
				    "total-memory"));
	json_decref(reply);
	/* The connection goes on. */
	reply = ask(fd, "{\"op\":\"balloon\"}\n");
	assert_int_equal(number(reply, "balloon", "target"), 0);
	json_decref(reply);
	close(fd);
}

static void test_control_balloon__who_left_is_not_answered(void **state)
{
	struct vring_used_elem elem;
	int fd, other = join();
	json_t *reply;

	start_driver();
	put_stats(1);
	fd = join();
	say(fd, "{\"op\":\"stat\"}\n");
	assert_true(fake_wait_used(&f.ring, &elem));
	close(fd);
	/* Its end has been seen when this has been answered. */
	json_decref(ask(other, "{\"op\":\"info\"}\n"));
	put_stats(2);
	assert_true(wait_until(is_holding, NULL));
	say(other, "{\"op\":\"stat\"}\n");
	assert_true(fake_wait_used(&f.ring, &elem));
	put_stats(3);
	reply = hear(other);
	assert_non_null(json_object_get(reply, "guest"));
	json_decref(reply);
	close(other);
}

static void test_control_balloon__the_vm_ends_meanwhile(void **state)
{
	struct vring_used_elem elem;
	int fd = join();

	start_driver();
	put_stats(1);
	say(fd, "{\"op\":\"stat\"}\n");
	assert_true(fake_wait_used(&f.ring, &elem));
	control_detach(f.ctl);
	put_stats(2);
	assert_errno(hear(fd), ESHUTDOWN);
	close(fd);
}

#define WITH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(test_control_balloon__sets_and_tells_the_target),
		cmocka_unit_test_setup_teardown(
			test_control_balloon__without_one, setup_none,
			teardown),
		WITH(test_control_balloon__stat_without_a_driver),
		WITH(test_control_balloon__stat_asks_the_guest),
		WITH(test_control_balloon__who_left_is_not_answered),
		WITH(test_control_balloon__the_vm_ends_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
