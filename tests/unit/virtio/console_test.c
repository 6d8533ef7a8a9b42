/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * virtio/console*.c: a fake driver, chardevs on pipes, and an event loop between
 * them.
 */
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <linux/virtio_console.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "backend/char_priv.h"
#include "lkvm/devices.h"
#include "tests/support/fake_chardev.h"
#include "tests/support/fake_virtio.h"
#include "virtio/console_priv.h"
#include <cmocka.h> /* last: it has a macro named fail */

#define SIZE 32
#define WRITE VRING_DESC_F_WRITE
#define NR_PORTS 2 /* named ones */
#define NR_QUEUES (2 * (NR_PORTS + 2))
#define BUFFER_LEN 256

enum {
	RX0,
	TX0,
	TO_DRIVER,
	FROM_DRIVER,
	RX1,
	TX1,
	RX2,
	TX2
};

/* The host's end of a port, on two pipes. */
struct end {
	struct chardev *chr;
	int keyboard_fd, screen_fd;
};

struct fixture {
	struct fake_guest guest;
	struct fake_vm fake;
	struct virtio_device *dev;
	struct fake_ring rings[NR_QUEUES];
	u64 buffers[NR_QUEUES]; /* SIZE of BUFFER_LEN bytes each */
	struct end console, ports[NR_PORTS];
};

static struct fixture f;

static void open_end(struct end *end)
{
	int in[2], out[2];

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(chardev_open_fds(in[0], out[1], 4096, &end->chr), 0);
	end->keyboard_fd = in[1];
	end->screen_fd = out[0];
}

static void close_end(struct end *end)
{
	if (!end->chr)
		return;
	chardev_close(end->chr, 0);
	close(end->keyboard_fd);
	close(end->screen_fd);
}

static void create(enum console_kind kind, unsigned int nr_ports)
{
	static const char *const names[NR_PORTS] = { "org.lkvm.one", "two" };

	memset(&f, 0, sizeof(f));
	fake_guest_init(&f.guest, 512 * KIB);
	fake_vm_init(&f.fake, &f.guest);
	open_end(&f.console);
	f.fake.consoles.console = f.console.chr;
	f.fake.config.console = kind;
	f.fake.config.nr_ports = nr_ports;
	for (unsigned int i = 0; i < nr_ports; i++) {
		memcpy(f.fake.config.ports[i].name, names[i], strlen(names[i]));
		open_end(&f.ports[i]);
		f.fake.consoles.ports[i] = f.ports[i].chr;
	}
	assert_int_equal(
		virtio_console_class.create(&f.fake.vm, &f.fake.config), 0);
	f.dev = container_of(f.fake.vm.devices, struct virtio_device, base);
	assert_int_equal(f.dev->base.ops->start(&f.dev->base), 0);
}

static int setup_single(void **state)
{
	create(CONSOLE_VIRTIO, 0);
	return 0;
}

static int setup_ports(void **state)
{
	create(CONSOLE_VIRTIO, NR_PORTS);
	return 0;
}

static int setup_no_console(void **state)
{
	create(CONSOLE_SERIAL, NR_PORTS);
	return 0;
}

static int teardown(void **state)
{
	fake_vm_release(&f.fake);
	close_end(&f.console);
	for (unsigned int i = 0; i < NR_PORTS; i++)
		close_end(&f.ports[i]);
	fake_guest_release(&f.guest);
	return 0;
}

/* ---- The driver ---- */

/* Give the device a buffer to write to. */
static void give_buffer(unsigned int queue, u16 index)
{
	fake_desc(&f.rings[queue], index,
		  f.buffers[queue] + index * (u64)BUFFER_LEN, BUFFER_LEN, WRITE,
		  0);
	fake_post(&f.rings[queue], index);
	virtio_kick(f.dev, queue);
}

static void start_driver(u64 features)
{
	fake_negotiate(f.dev, features);
	for (unsigned int i = 0; i < f.dev->nr_queues; i++) {
		fake_ring_init(&f.rings[i], &f.guest, &f.dev->queues[i], SIZE);
		f.buffers[i] = fake_alloc(&f.guest, SIZE * (u64)BUFFER_LEN, 16);
		assert_int_equal(virtio_queue_enable(f.dev, f.rings[i].q), 0);
	}
	fake_driver_ok(f.dev);
	for (unsigned int i = 0; i < f.dev->nr_queues; i++)
		if (!(i % 2))
			for (u16 n = 0; n < 4; n++)
				give_buffer(i, n);
}

/* Send @len bytes through @queue, and wait until they were taken. */
static void send_bytes(unsigned int queue, const void *bytes, u32 len)
{
	struct vring_used_elem elem;

	memcpy(fake_ptr(&f.guest, f.buffers[queue], len), bytes, len);
	fake_desc(&f.rings[queue], 0, f.buffers[queue], len, 0, 0);
	fake_post(&f.rings[queue], 0);
	virtio_kick(f.dev, queue);
	assert_true(fake_wait_used(&f.rings[queue], &elem));
}

/* The next that the device has written to @queue; its length. */
static u32 next_bytes(unsigned int queue, void *bytes)
{
	struct vring_used_elem elem;

	assert_true(fake_wait_used(&f.rings[queue], &elem));
	assert_true(elem.len <= BUFFER_LEN);
	memcpy(bytes,
	       fake_ptr(&f.guest, f.buffers[queue] + elem.id * (u64)BUFFER_LEN,
			elem.len),
	       elem.len);
	give_buffer(queue, (u16)elem.id);
	return elem.len;
}

static void tell(u32 id, u16 event, u16 value)
{
	struct virtio_console_control message = {
		.id = id,
		.event = event,
		.value = value,
	};

	send_bytes(FROM_DRIVER, &message, sizeof(message));
}

/* The next message is this one; returns the length of its tail. */
static u32 expect(u32 id, u16 event, u16 value, char *tail)
{
	u8 bytes[BUFFER_LEN];
	struct virtio_console_control message;
	u32 len = next_bytes(TO_DRIVER, bytes);

	assert_true(len >= sizeof(message));
	memcpy(&message, bytes, sizeof(message));
	assert_int_equal(message.id, id);
	assert_int_equal(message.event, event);
	assert_int_equal(message.value, value);
	if (tail)
		memcpy(tail, bytes + sizeof(message), len - sizeof(message));
	return len - (u32)sizeof(message);
}

static bool has_message(void)
{
	struct vring_used_elem elem;

	return fake_used(&f.rings[TO_DRIVER], &elem);
}

/* All that a driver does until each port is ready. */
static void bring_up(void)
{
	char name[BUFFER_LEN];

	start_driver(f.dev->host_features);
	tell(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	for (u32 i = 0; i <= NR_PORTS; i++)
		expect(i, VIRTIO_CONSOLE_PORT_ADD, 1, NULL);
	tell(0, VIRTIO_CONSOLE_PORT_READY, 1);
	expect(0, VIRTIO_CONSOLE_CONSOLE_PORT, 1, NULL);
	expect(0, VIRTIO_CONSOLE_PORT_OPEN, 1, NULL);
	for (u32 i = 1; i <= NR_PORTS; i++) {
		tell(i, VIRTIO_CONSOLE_PORT_READY, 1);
		expect(i, VIRTIO_CONSOLE_PORT_NAME, 1, name);
		expect(i, VIRTIO_CONSOLE_PORT_OPEN, 1, NULL);
	}
}

/* ---- The host ---- */

static void type(struct end *end, const char *text)
{
	ssize_t len = (ssize_t)strlen(text);

	assert_int_equal(write(end->keyboard_fd, text, (size_t)len), len);
}

static void expect_screen(struct end *end, const char *text)
{
	char got[256] = "";
	size_t n = 0;

	while (n < strlen(text)) {
		struct pollfd pfd = { .fd = end->screen_fd, .events = POLLIN };
		ssize_t more;

		assert_int_equal(poll(&pfd, 1, 10000), 1);
		more = read(end->screen_fd, got + n, strlen(text) - n);
		assert_true(more > 0);
		n += (size_t)more;
	}
	assert_string_equal(got, text);
}

static void expect_typed(unsigned int queue, const char *text)
{
	char got[BUFFER_LEN];
	u32 len = next_bytes(queue, got);

	assert_int_equal(len, strlen(text));
	assert_memory_equal(got, text, len);
}

/* ---- One port ---- */

static void test_console__one_port_needs_no_messages(void **state)
{
	assert_int_equal(f.dev->nr_queues, 2);
	assert_false(f.dev->host_features & BIT64(VIRTIO_CONSOLE_F_MULTIPORT));
	start_driver(f.dev->host_features);
	send_bytes(TX0, "hello", 5);
	expect_screen(&f.console, "hello");
	type(&f.console, "keys");
	expect_typed(RX0, "keys");
}

static void test_console__input_waits_for_a_driver(void **state)
{
	type(&f.console, "early");
	start_driver(f.dev->host_features);
	expect_typed(RX0, "early");
}

/* ---- Several ports ---- */

static void test_console__ports_are_announced(void **state)
{
	struct virtio_console_config config;
	char name[BUFFER_LEN] = "";

	virtio_config_read(f.dev, 0, &config, sizeof(config));
	assert_int_equal(config.max_nr_ports, 1 + NR_PORTS);
	start_driver(f.dev->host_features);
	tell(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	for (u32 i = 0; i <= NR_PORTS; i++)
		expect(i, VIRTIO_CONSOLE_PORT_ADD, 1, NULL);
	assert_false(has_message());
	tell(1, VIRTIO_CONSOLE_PORT_READY, 1);
	assert_int_equal(expect(1, VIRTIO_CONSOLE_PORT_NAME, 1, name),
			 strlen("org.lkvm.one"));
	assert_string_equal(name, "org.lkvm.one");
	expect(1, VIRTIO_CONSOLE_PORT_OPEN, 1, NULL);
	assert_false(has_message());
}

static void test_console__bytes_go_to_their_port(void **state)
{
	bring_up();
	for (u32 i = 0; i <= NR_PORTS; i++)
		tell(i, VIRTIO_CONSOLE_PORT_OPEN, 1);
	send_bytes(TX0, "zero", 4);
	send_bytes(TX1, "one", 3);
	send_bytes(TX2, "two", 3);
	expect_screen(&f.console, "zero");
	expect_screen(&f.ports[0], "one");
	expect_screen(&f.ports[1], "two");
	type(&f.ports[1], "to two");
	expect_typed(RX2, "to two");
	type(&f.ports[0], "to one");
	expect_typed(RX1, "to one");
	type(&f.console, "to zero");
	expect_typed(RX0, "to zero");
}

static void test_console__input_waits_until_a_port_is_opened(void **state)
{
	struct vring_used_elem elem;

	bring_up();
	tell(2, VIRTIO_CONSOLE_PORT_OPEN, 1);
	type(&f.ports[0], "for later");
	type(&f.ports[1], "now");
	expect_typed(RX2, "now");
	assert_false(fake_used(&f.rings[RX1], &elem));
	tell(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	expect_typed(RX1, "for later");
	/* And again when the guest has closed it. */
	tell(1, VIRTIO_CONSOLE_PORT_OPEN, 0);
	type(&f.ports[0], "again");
	type(&f.ports[1], "now");
	expect_typed(RX2, "now");
	assert_false(fake_used(&f.rings[RX1], &elem));
}

static void test_console__without_multiport_port_0_works(void **state)
{
	start_driver(f.dev->host_features & ~BIT64(VIRTIO_CONSOLE_F_MULTIPORT));
	send_bytes(TX0, "hello", 5);
	expect_screen(&f.console, "hello");
	type(&f.console, "keys");
	expect_typed(RX0, "keys");
	assert_false(has_message());
}

static void test_console__without_a_console_port_0_is_missing(void **state)
{
	start_driver(f.dev->host_features);
	tell(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	expect(1, VIRTIO_CONSOLE_PORT_ADD, 1, NULL);
	expect(2, VIRTIO_CONSOLE_PORT_ADD, 1, NULL);
	tell(0, VIRTIO_CONSOLE_PORT_READY, 1);
	tell(0, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_false(has_message());
	/* Lost, and not in the way. */
	send_bytes(TX0, "nobody", 6);
	send_bytes(TX1, "one", 3);
	expect_screen(&f.ports[0], "one");
}

static void test_console__news_wait_for_buffers(void **state)
{
	start_driver(f.dev->host_features);
	for (unsigned int i = 0; i < 3; i++)
		tell(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	/* There are four buffers: what is repeated is not queued. */
	for (u32 i = 0; i <= NR_PORTS; i++)
		expect(i, VIRTIO_CONSOLE_PORT_ADD, 1, NULL);
}

static void test_console__nonsense_is_returned(void **state)
{
	u8 bytes[64];

	bring_up();
	memset(bytes, 0xff, sizeof(bytes));
	send_bytes(FROM_DRIVER, bytes, 3);
	send_bytes(FROM_DRIVER, bytes, 0);
	send_bytes(FROM_DRIVER, bytes, 64);
	tell(99, VIRTIO_CONSOLE_PORT_OPEN, 1);
	tell(UINT32_MAX, VIRTIO_CONSOLE_PORT_READY, 1);
	tell(0, VIRTIO_CONSOLE_PORT_ADD, 1);
	tell(1, VIRTIO_CONSOLE_PORT_READY, 0);
	assert_false(has_message());
	assert_int_equal(virtio_get_status(f.dev) & VIRTIO_CONFIG_S_NEEDS_RESET,
			 0);
}

static void test_console__reset_forgets_the_driver(void **state)
{
	bring_up();
	tell(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	virtio_set_status(f.dev, 0);
	type(&f.ports[0], "kept");
	bring_up();
	tell(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	expect_typed(RX1, "kept");
}

static void test_console__a_full_port_holds_up_no_other(void **state)
{
	struct fake_ring *ring = &f.rings[TX1];
	struct vring_used_elem elem;

	bring_up();
	/* More than pipe and buffer hold: 64 KiB and 4 KiB. */
	for (unsigned int n = 0; n < SIZE; n++) {
		fake_desc(ring, (u16)n, f.buffers[TX1], SIZE * BUFFER_LEN, 0,
			  0);
		fake_post(ring, (u16)n);
	}
	virtio_kick(f.dev, TX1);
	send_bytes(TX2, "two", 3);
	expect_screen(&f.ports[1], "two");
	/* Its reader comes back to life, and it goes on. */
	for (unsigned int n = 0; n < SIZE * SIZE * BUFFER_LEN;) {
		char bytes[4096];
		ssize_t got = read(f.ports[0].screen_fd, bytes, sizeof(bytes));

		assert_true(got > 0);
		n += (unsigned int)got;
	}
	for (unsigned int n = 0; n < SIZE; n++)
		assert_true(fake_wait_used(ring, &elem));
}

/* ---- Size ---- */

static void set_size(int fd, u16 cols, u16 rows)
{
	struct winsize size = { .ws_col = cols, .ws_row = rows };

	assert_int_equal(ioctl(fd, TIOCSWINSZ, &size), 0);
}

/* A console that is a terminal, made in the place of the pipes. */
static int open_terminal(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;

	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(slave >= 0);
	set_size(slave, 80, 25);
	assert_int_equal(dup3(slave, f.console.chr->out_fd, O_CLOEXEC),
			 f.console.chr->out_fd);
	close(slave);
	return master;
}

static void resize(u16 cols, u16 rows)
{
	set_size(f.console.chr->out_fd, cols, rows);
	chardev_notify_resize(f.console.chr);
}

static void expect_size(u16 cols, u16 rows)
{
	u16 fields[BUFFER_LEN / 2] = { 0 };

	assert_int_equal(expect(0, VIRTIO_CONSOLE_RESIZE, 1, (char *)fields),
			 4);
	assert_int_equal(fields[0], cols);
	assert_int_equal(fields[1], rows);
}

static void test_console__size_changes_are_told(void **state)
{
	struct virtio_console_config config;
	int master = open_terminal();

	bring_up();
	resize(132, 43);
	expect_size(132, 43);
	virtio_config_read(f.dev, 0, &config, sizeof(config));
	assert_int_equal(config.cols, 132);
	assert_int_equal(config.rows, 43);
	/* A new driver hears the size when its port is ready. */
	virtio_set_status(f.dev, 0);
	start_driver(f.dev->host_features);
	tell(0, VIRTIO_CONSOLE_PORT_READY, 1);
	expect(0, VIRTIO_CONSOLE_CONSOLE_PORT, 1, NULL);
	expect_size(132, 43);
	expect(0, VIRTIO_CONSOLE_PORT_OPEN, 1, NULL);
	close(master);
}

static bool has_config_irq(void *opaque)
{
	return ((struct fake_transport *)opaque)->config_irqs;
}

static void test_console__size_without_messages(void **state)
{
	struct virtio_transport *real = f.dev->transport;
	struct virtio_console_config config;
	struct fake_transport transport;
	int master = open_terminal();

	start_driver(f.dev->host_features);
	fake_transport_init(&transport, f.dev);
	resize(100, 30);
	assert_true(wait_until(has_config_irq, &transport));
	virtio_config_read(f.dev, 0, &config, sizeof(config));
	assert_int_equal(config.cols, 100);
	assert_int_equal(config.rows, 30);
	f.dev->transport = real;
	close(master);
}

#define SINGLE(name)                                                           \
	cmocka_unit_test_setup_teardown(name, setup_single, teardown)
#define PORTS(name) cmocka_unit_test_setup_teardown(name, setup_ports, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SINGLE(test_console__one_port_needs_no_messages),
		SINGLE(test_console__input_waits_for_a_driver),
		PORTS(test_console__ports_are_announced),
		PORTS(test_console__bytes_go_to_their_port),
		PORTS(test_console__input_waits_until_a_port_is_opened),
		PORTS(test_console__without_multiport_port_0_works),
		cmocka_unit_test_setup_teardown(
			test_console__without_a_console_port_0_is_missing,
			setup_no_console, teardown),
		PORTS(test_console__news_wait_for_buffers),
		PORTS(test_console__nonsense_is_returned),
		PORTS(test_console__reset_forgets_the_driver),
		PORTS(test_console__a_full_port_holds_up_no_other),
		PORTS(test_console__size_changes_are_told),
		SINGLE(test_console__size_without_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
