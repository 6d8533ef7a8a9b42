/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * virtio/input.c on an event loop that runs: the tablet, created last, and the
 * keyboard.
 */
#include <linux/input-event-codes.h>
#include <linux/virtio_config.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include "lkvm/devices.h"
#include "tests/support/fake_virtio.h"
#include "virtio/input_priv.h"
#include <cmocka.h>

#define SIZE 32
#define EVENT_LEN sizeof(struct virtio_input_event)

struct fixture {
	struct fake_guest guest;
	struct fake_vm fake;
	struct virtio_device *tablet, *keyboard;
	struct fake_ring events, status;
	u64 buffer;
};

static struct fixture f;

static int setup(void **state)
{
	memset(&f, 0, sizeof(f));
	fake_guest_init(&f.guest, 256 * KIB);
	fake_vm_init(&f.fake, &f.guest);
	input_init(&f.fake.vm.input);
	f.fake.config.display.kind = DISPLAY_VNC;
	if (virtio_input_class.create(&f.fake.vm, &f.fake.config))
		return -1;
	f.tablet = container_of(f.fake.vm.devices, struct virtio_device, base);
	f.keyboard = container_of(f.fake.vm.devices->next, struct virtio_device,
				  base);
	f.buffer = fake_alloc(&f.guest, SIZE * EVENT_LEN, 16);
	return 0;
}

static int teardown(void **state)
{
	fake_vm_release(&f.fake);
	input_release(&f.fake.vm.input);
	fake_guest_release(&f.guest);
	return 0;
}

static void start(struct virtio_device *dev)
{
	fake_negotiate(dev, dev->host_features);
	fake_ring_init(&f.events, &f.guest, &dev->queues[0], SIZE);
	fake_ring_init(&f.status, &f.guest, &dev->queues[1], SIZE);
	assert_int_equal(virtio_queue_enable(dev, f.events.q), 0);
	assert_int_equal(virtio_queue_enable(dev, f.status.q), 0);
	fake_driver_ok(dev);
}

static void post_buffers(struct virtio_device *dev, u16 nr)
{
	for (u16 i = 0; i < nr; i++) {
		fake_desc(&f.events, i, f.buffer + i * EVENT_LEN, EVENT_LEN,
			  VRING_DESC_F_WRITE, 0);
		fake_post(&f.events, i);
	}
	virtio_kick(dev, 0);
}

static void expect_event(u16 type, u16 code, u32 value)
{
	const struct virtio_input_event *event;
	struct vring_used_elem elem;

	assert_true(fake_wait_used(&f.events, &elem));
	assert_int_equal(elem.len, EVENT_LEN);
	event = fake_ptr(&f.guest, f.buffer + elem.id * EVENT_LEN, EVENT_LEN);
	assert_int_equal(event->type, type);
	assert_int_equal(event->code, code);
	assert_int_equal(event->value, value);
}

static u8 select_config(struct virtio_device *dev, u8 select, u8 subsel,
			struct virtio_input_config *config)
{
	const u8 bytes[] = { select, subsel };

	virtio_config_write(dev, 0, bytes, sizeof(bytes));
	virtio_config_read(dev, 0, config, sizeof(*config));
	return config->size;
}

static bool has_code(struct virtio_device *dev, u8 type, unsigned int code)
{
	struct virtio_input_config config;
	u8 len = select_config(dev, VIRTIO_INPUT_CFG_EV_BITS, type, &config);

	return code / 8 < len && (config.u.bitmap[code / 8] & 1 << code % 8);
}

static void test_input__says_what_it_is(void **state)
{
	struct virtio_input_config config;

	assert_int_equal(select_config(f.tablet, VIRTIO_INPUT_CFG_ID_NAME, 0,
				       &config),
			 strlen("lkvm tablet"));
	assert_memory_equal(config.u.string, "lkvm tablet", config.size);
	assert_int_equal(select_config(f.tablet, VIRTIO_INPUT_CFG_ABS_INFO,
				       ABS_Y, &config),
			 sizeof(config.u.abs));
	assert_int_equal(config.u.abs.max, INPUT_ABS_MAX);
	assert_int_equal(select_config(f.keyboard, VIRTIO_INPUT_CFG_ABS_INFO,
				       ABS_Y, &config),
			 0);
	assert_int_equal(select_config(f.tablet, 0xee, 0xee, &config), 0);
	assert_true(has_code(f.tablet, EV_KEY, BTN_LEFT));
	assert_true(has_code(f.tablet, EV_ABS, ABS_X));
	assert_true(has_code(f.tablet, EV_REL, REL_WHEEL));
	assert_false(has_code(f.tablet, EV_KEY, KEY_A));
	assert_true(has_code(f.keyboard, EV_KEY, KEY_A));
	assert_true(has_code(f.keyboard, EV_LED, LED_CAPSL));
	assert_false(has_code(f.keyboard, EV_KEY, BTN_LEFT));
}

static void test_input__pointer_and_buttons(void **state)
{
	struct input_hub *hub = &f.fake.vm.input;

	start(f.tablet);
	post_buffers(f.tablet, SIZE);
	input_move_to(hub, 0, 479, 640, 480);
	expect_event(EV_ABS, ABS_X, 0);
	expect_event(EV_ABS, ABS_Y, INPUT_ABS_MAX);
	expect_event(EV_SYN, SYN_REPORT, 0);
	input_key(hub, BTN_RIGHT, true);
	expect_event(EV_KEY, BTN_RIGHT, 1);
	expect_event(EV_SYN, SYN_REPORT, 0);
	input_wheel(hub, -1);
	expect_event(EV_REL, REL_WHEEL, ~0U);
	expect_event(EV_SYN, SYN_REPORT, 0);
}

static void test_input__events_wait_for_buffers(void **state)
{
	start(f.keyboard);
	input_key(&f.fake.vm.input, KEY_A, true);
	input_key(&f.fake.vm.input, KEY_A, false);
	post_buffers(f.keyboard, 3);
	expect_event(EV_KEY, KEY_A, 1);
	expect_event(EV_SYN, SYN_REPORT, 0);
	expect_event(EV_KEY, KEY_A, 0);
	post_buffers(f.keyboard, 1);
	expect_event(EV_SYN, SYN_REPORT, 0);
}

/* A batch is there as a whole or not at all. */
static void test_input__what_finds_no_room_is_lost(void **state)
{
	unsigned int told = 0;

	start(f.keyboard);
	for (unsigned int i = 0; i < 1000; i++)
		input_key(&f.fake.vm.input, KEY_B, !(i % 2));
	while (told < VIRTIO_INPUT_MAX_EVENTS) {
		post_buffers(f.keyboard, 2);
		expect_event(EV_KEY, KEY_B, !(told / 2 % 2));
		expect_event(EV_SYN, SYN_REPORT, 0);
		told += 2;
	}
	input_key(&f.fake.vm.input, KEY_C, true);
	post_buffers(f.keyboard, 2);
	expect_event(EV_KEY, KEY_C, 1);
}

static void test_input__without_a_driver_nothing_is_kept(void **state)
{
	input_key(&f.fake.vm.input, KEY_A, true);
	start(f.keyboard);
	virtio_set_status(f.keyboard, 0);
	input_key(&f.fake.vm.input, KEY_A, false);
	start(f.keyboard);
	input_key(&f.fake.vm.input, KEY_B, true);
	post_buffers(f.keyboard, 2);
	expect_event(EV_KEY, KEY_B, 1);
}

static void test_input__leds_are_taken(void **state)
{
	struct vring_used_elem elem;

	start(f.keyboard);
	fake_desc(&f.status, 0, f.buffer, EVENT_LEN, 0, 0);
	fake_post(&f.status, 0);
	virtio_kick(f.keyboard, 1);
	assert_true(fake_wait_used(&f.status, &elem));
	assert_int_equal(elem.len, 0);
}

#define INPUT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		INPUT_TEST(test_input__says_what_it_is),
		INPUT_TEST(test_input__pointer_and_buttons),
		INPUT_TEST(test_input__events_wait_for_buffers),
		INPUT_TEST(test_input__what_finds_no_room_is_lost),
		INPUT_TEST(test_input__without_a_driver_nothing_is_kept),
		INPUT_TEST(test_input__leds_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
