/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control server on a real socket, with a VM that has no vCPUs. Clients that
 * misbehave in ways a program can are in tests/cli/control_clients.py; here are
 * the states, under sanitizers.
 */
#include "lkvm/control.h"

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
#include <sys/socket.h>
#include <unistd.h>
#include "control_priv.h"
#include "lkvm/failure.h"
#include "lkvm/instance.h"
#include "tests/support/fake_machine.h"
#include <cmocka.h> /* last: it has a macro named fail */

struct fixture {
	struct fake_machine fake;
	struct control *ctl;
	struct failure why;
	char folder[64];
};

static int setup(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	signal(SIGPIPE, SIG_IGN);
	f->why = (struct failure)FAILURE_INIT;
	snprintf(f->folder, sizeof(f->folder), "/tmp/lkvm-control-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	setenv("XDG_RUNTIME_DIR", f->folder, 1);
	fake_machine_init(&f->fake);
	assert_int_equal(control_open("fake", &f->why, &f->ctl), 0);
	assert_int_equal(control_attach(f->ctl, &f->fake.vm), 0);
	*state = f;
	return 0;
}

/* As builtin-run.c does it. */
static void end_vm(struct fixture *f)
{
	vm_end(&f->fake.vm, VM_END_POWEROFF);
	fake_machine_wait(&f->fake);
	control_detach(f->ctl);
	event_loop_stop(&f->fake.vm.loop);
	control_end(f->ctl, "poweroff", 7);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char path[80];

	control_close(f->ctl);
	fake_machine_release(&f->fake);
	snprintf(path, sizeof(path), "%s/lkvm", f->folder);
	assert_int_equal(rmdir(path), 0); /* its socket has gone */
	assert_int_equal(rmdir(f->folder), 0);
	test_free(f);
	return 0;
}

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

/* The next line, as JSON; NULL: the connection has ended. */
static json_t *hear(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char line[4096];
	size_t len = 0;

	while (len < sizeof(line) && poll(&pfd, 1, -1) == 1 &&
	       read(fd, line + len, 1) == 1)
		if (line[len++] == '\n')
			return json_loadb(line, len, 0, NULL);
	return NULL;
}

static json_t *ask(int fd, const char *text)
{
	say(fd, text);
	return hear(fd);
}

static void assert_ok(json_t *reply)
{
	assert_non_null(reply);
	assert_true(json_is_true(json_object_get(reply, "ok")));
	json_decref(reply);
}

static void assert_errno(json_t *reply, int err)
{
	assert_non_null(reply);
	assert_true(json_is_false(json_object_get(reply, "ok")));
	assert_int_equal(json_integer_value(json_object_get(reply, "errno")),
			 err);
	assert_true(json_string_length(json_object_get(reply, "error")) > 0);
	json_decref(reply);
}

static void test_control__requests_have_replies_in_their_order(void **state)
{
	struct fixture *f = *state;
	int fd = join();
	json_t *reply;

	fake_machine_start(&f->fake);
	reply = ask(fd,
		    "{\"op\":\"info\"}\n{\"op\":\"x\"}\n{\"op\":\"pci\"}\n");
	assert_string_equal(json_string_value(json_object_get(reply, "name")),
			    "fake");
	json_decref(reply);
	assert_errno(hear(fd), EOPNOTSUPP);
	assert_ok(hear(fd));
	close(fd);
	end_vm(f);
}

static void test_control__one_works_and_the_others_wait(void **state)
{
	struct fixture *f = *state;
	int fds[8];

	/* No main thread yet: the first one's pause is under way. */
	event_loop_start(&f->fake.vm.loop);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = join();
		say(fds[i],
		    i % 2 ? "{\"op\":\"resume\"}\n" : "{\"op\":\"pause\"}\n");
	}
	/* This one is not held up. */
	int fd = join();

	assert_ok(ask(fd, "{\"op\":\"info\"}\n"));
	close(fds[0]); /* the one under way */
	assert_ok(ask(fd, "{\"op\":\"info\"}\n"));
	event_loop_stop(&f->fake.vm.loop);
	f->fake.vm.loop.stop = false;
	fake_machine_start(&f->fake);
	for (size_t i = 1; i < ARRAY_SIZE(fds); i++) {
		assert_ok(hear(fds[i]));
		close(fds[i]);
	}
	close(fd);
	end_vm(f);
}

static void test_control__the_end_is_told(void **state)
{
	struct fixture *f = *state;
	int waiter = join(), worker = join(), silent = join();
	json_t *reply;

	event_loop_start(&f->fake.vm.loop);
	say(waiter, "{\"op\":\"wait\"}\n");
	say(worker, "{\"op\":\"dump\"}\n"); /* nobody will do it */
	assert_ok(ask(silent, "{\"op\":\"info\"}\n"));
	vm_end(&f->fake.vm, VM_END_POWEROFF);
	control_detach(f->ctl);
	event_loop_stop(&f->fake.vm.loop);
	assert_errno(hear(worker), ESHUTDOWN);
	assert_int_equal(instance_connect("x"), -ENOENT);
	control_end(f->ctl, "poweroff", 7);
	reply = hear(waiter);
	assert_int_equal(json_integer_value(json_object_get(reply, "status")),
			 7);
	assert_ok(reply);
	assert_int_equal(instance_connect("fake"), -ENOENT);
	control_close(f->ctl);
	f->ctl = NULL;
	assert_null(hear(silent));
	close(waiter);
	close(worker);
	close(silent);
}

/* --reboot=restart: the same clients, another VM. */
static void test_control__clients_outlive_a_vm(void **state)
{
	struct fixture *f = *state;
	int fd = join(), waiter = join();

	fake_machine_start(&f->fake);
	say(waiter, "{\"op\":\"wait\"}\n");
	assert_ok(ask(fd, "{\"op\":\"info\"}\n"));
	assert_ok(ask(fd, "{\"op\":\"reset\"}\n"));
	assert_int_equal(fake_machine_wait(&f->fake), VM_END_RESET);
	control_detach(f->ctl);
	fake_machine_release(&f->fake);
	say(fd, "{\"op\":\"info\"}\n"); /* while there is none */
	fake_machine_init(&f->fake);
	assert_int_equal(control_attach(f->ctl, &f->fake.vm), 0);
	fake_machine_start(&f->fake);
	assert_ok(hear(fd));
	close(fd);
	end_vm(f);
	assert_ok(hear(waiter));
	close(waiter);
}

static void test_control__stop_without_a_button_is_the_end(void **state)
{
	struct fixture *f = *state;
	int fd = join();
	json_t *reply;

	fake_machine_start(&f->fake);
	assert_errno(ask(fd, "{\"op\":\"stop\",\"grace_ms\":-1}\n"), ERANGE);
	reply = ask(fd, "{\"op\":\"stop\"}\n");
	assert_true(json_is_false(json_object_get(reply, "button")));
	assert_ok(reply);
	assert_int_equal(fake_machine_wait(&f->fake), VM_END_STOP);
	control_detach(f->ctl);
	event_loop_stop(&f->fake.vm.loop);
	control_end(f->ctl, "stop", 0);
	close(fd);
}

static void test_control__who_never_reads_costs_one_reply(void **state)
{
	struct fixture *f = *state;
	int stuck = join(), fd = join();
	char text[1400];

	fake_machine_start(&f->fake);
	for (size_t i = 0; i < sizeof(text); i += 14)
		memcpy(text + i, "{\"op\":\"info\"}\n", 14);
	/* Until the server reads no more. */
	while (send(stuck, text, sizeof(text), MSG_DONTWAIT) > 0)
		assert_ok(ask(fd, "{\"op\":\"info\"}\n"));
	assert_ok(ask(fd, "{\"op\":\"info\"}\n"));
	close(stuck);
	assert_ok(ask(fd, "{\"op\":\"info\"}\n"));
	close(fd);
	end_vm(f);
}

/* ---- Names ---- */

static void test_instance__a_name_is_taken_once(void **state)
{
	struct fixture *f = *state;
	struct instance second = INSTANCE_NONE;
	struct failure why = FAILURE_INIT;

	assert_int_equal(instance_claim(&second, "fake", &why), -EEXIST);
	assert_non_null(strstr(why.text, "fake is running"));
	fake_machine_start(&f->fake);
	end_vm(f);
	why = (struct failure)FAILURE_INIT;
	assert_int_equal(instance_claim(&second, "fake", &why), 0);
	instance_release(&second);
	instance_release(&second);
}

struct claimant {
	pthread_t thread;
	struct instance inst;
	int err;
};

static void *claim_race(void *opaque)
{
	struct claimant *c = opaque;
	struct failure why = FAILURE_INIT;

	c->err = instance_claim(&c->inst, "race", &why);
	return NULL;
}

static void test_instance__of_many_one_gets_the_name(void **state)
{
	struct fixture *f = *state;
	struct claimant claimants[8];
	unsigned int winners = 0;

	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(claimants); i++)
			assert_int_equal(pthread_create(&claimants[i].thread,
							NULL, claim_race,
							&claimants[i]),
					 0);
		for (size_t i = 0; i < ARRAY_SIZE(claimants); i++) {
			pthread_join(claimants[i].thread, NULL);
			winners += !claimants[i].err;
		}
		for (size_t i = 0; i < ARRAY_SIZE(claimants); i++) {
			if (claimants[i].err) {
				assert_int_equal(claimants[i].err, -EEXIST);
				continue;
			}
			/* As kill -9 leaves it, every second time. */
			if (round % 2) {
				close(claimants[i].inst.listen_fd);
				close(claimants[i].inst.dir_fd);
			} else {
				instance_release(&claimants[i].inst);
			}
		}
	}
	assert_int_equal(winners, 20);
	assert_int_equal(instance_connect("race"), -ENOENT);
	fake_machine_start(&f->fake);
	end_vm(f);
}

static int count(void *opaque, const char *name, int fd)
{
	unsigned int *nr = opaque;

	assert_string_equal(name, "fake");
	close(fd);
	++*nr;
	return 0;
}

static void test_instance__what_is_no_socket_is_left_alone(void **state)
{
	struct fixture *f = *state;
	struct instance inst = INSTANCE_NONE;
	struct failure why = FAILURE_INIT;
	char path[96];
	unsigned int nr = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/lkvm/file.sock", f->folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(instance_claim(&inst, "file", &why), -ENOTSOCK);
	assert_int_equal(instance_for_each(count, &nr), 0);
	assert_int_equal(nr, 1);
	assert_int_equal(unlink(path), 0);
	fake_machine_start(&f->fake);
	end_vm(f);
}

static void test_instance__names(void **state)
{
	char name[INSTANCE_NAME_MAX + 2];

	assert_true(instance_name_is_valid("a b-c.d"));
	assert_false(instance_name_is_valid(""));
	assert_false(instance_name_is_valid("."));
	assert_false(instance_name_is_valid(".."));
	assert_false(instance_name_is_valid("a/b"));
	assert_false(instance_name_is_valid("a\nb"));
	memset(name, 'x', sizeof(name));
	name[INSTANCE_NAME_MAX] = '\0';
	assert_true(instance_name_is_valid(name));
	name[INSTANCE_NAME_MAX] = 'x';
	name[INSTANCE_NAME_MAX + 1] = '\0';
	assert_false(instance_name_is_valid(name));
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(test_control__requests_have_replies_in_their_order),
		WITH_SERVER(test_control__one_works_and_the_others_wait),
		WITH_SERVER(test_control__the_end_is_told),
		WITH_SERVER(test_control__clients_outlive_a_vm),
		WITH_SERVER(test_control__stop_without_a_button_is_the_end),
		WITH_SERVER(test_control__who_never_reads_costs_one_reply),
		WITH_SERVER(test_instance__a_name_is_taken_once),
		WITH_SERVER(test_instance__of_many_one_gets_the_name),
		WITH_SERVER(test_instance__what_is_no_socket_is_left_alone),
		cmocka_unit_test(test_instance__names),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
