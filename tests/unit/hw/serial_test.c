/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/serial_reg.h>
#include <signal.h>
#include <unistd.h>
#include "hw/hw_priv.h"
#include "tests/support/fake_chardev.h"
#include <cmocka.h> /* last: it has a macro named fail */

static u8 in(struct serial *s, u64 reg)
{
	struct bus_access acc = { .offset = reg, .size = 1 };

	assert_int_equal(serial_access(s, &acc), BUS_HANDLED);
	return (u8)acc.value;
}

static void out(struct serial *s, u64 reg, u8 value)
{
	struct bus_access acc = {
		.offset = reg, .value = value, .size = 1, .is_write = true
	};

	assert_int_equal(serial_access(s, &acc), BUS_HANDLED);
}

static bool irq_level(struct serial *s)
{
	bool level;

	pthread_mutex_lock(&s->lock);
	level = s->irq_level;
	pthread_mutex_unlock(&s->lock);
	return level;
}

/* As a driver sets the port up. */
static void open_port(struct serial *s)
{
	out(s, UART_FCR, UART_FCR_ENABLE_FIFO);
	out(s, UART_MCR, UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT2);
}

static void loop_back(struct serial *s)
{
	out(s, UART_FCR, UART_FCR_ENABLE_FIFO);
	out(s, UART_MCR, UART_MCR_LOOP);
}

static void test_serial__reset_values(void **state)
{
	struct serial s;

	serial_init(&s, NULL);
	assert_int_equal(in(&s, UART_IER), 0);
	assert_int_equal(in(&s, UART_IIR), 0x01);
	assert_int_equal(in(&s, UART_LCR), 0);
	assert_int_equal(in(&s, UART_MCR), 0);
	assert_int_equal(in(&s, UART_LSR), 0x60);
	assert_int_equal(in(&s, UART_MSR), 0xb0);
	serial_release(&s);
}

static void test_serial__writable_bits(void **state)
{
	struct serial s;

	serial_init(&s, NULL);
	out(&s, UART_IER, 0xff);
	assert_int_equal(in(&s, UART_IER), 0x0f);
	out(&s, UART_MCR, 0xff);
	assert_int_equal(in(&s, UART_MCR), 0x1f);
	out(&s, UART_SCR, 0xa5);
	assert_int_equal(in(&s, UART_SCR), 0xa5);
	out(&s, UART_LCR, 0x03);
	assert_int_equal(in(&s, UART_LCR), 0x03);
	serial_release(&s);
}

static void test_serial__divisor_latch_hides_data_and_ier(void **state)
{
	struct serial s;

	serial_init(&s, NULL);
	out(&s, UART_IER, 0x05);
	out(&s, UART_LCR, UART_LCR_DLAB);
	out(&s, UART_DLL, 0x0c);
	out(&s, UART_DLM, 0x01);
	assert_int_equal(in(&s, UART_DLL), 0x0c);
	assert_int_equal(in(&s, UART_DLM), 0x01);
	out(&s, UART_LCR, 0);
	assert_int_equal(in(&s, UART_IER), 0x05);
	serial_release(&s);
}

static void test_serial__iir_shows_fifos_only_when_enabled(void **state)
{
	struct serial s;

	serial_init(&s, NULL);
	out(&s, UART_FCR, UART_FCR_ENABLE_FIFO);
	assert_int_equal(in(&s, UART_IIR), 0xc1);
	out(&s, UART_FCR, 0);
	assert_int_equal(in(&s, UART_IIR), 0x01);
	serial_release(&s);
}

static void test_serial__loopback_data(void **state)
{
	struct serial s;

	serial_init(&s, NULL);
	loop_back(&s);
	out(&s, UART_TX, 'a');
	out(&s, UART_TX, 'b');
	assert_int_equal(in(&s, UART_LSR), 0x61);
	assert_int_equal(in(&s, UART_RX), 'a');
	assert_int_equal(in(&s, UART_RX), 'b');
	assert_int_equal(in(&s, UART_LSR), 0x60);
	assert_int_equal(in(&s, UART_RX), 0);
	serial_release(&s);
}

/* This is how Linux recognises the chip. */
static void test_serial__loopback_modem_lines_and_deltas(void **state)
{
	struct serial s;

	serial_init(&s, NULL);
	out(&s, UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_RTS);
	assert_int_equal(in(&s, UART_MSR) & 0xf0, UART_MSR_DCD | UART_MSR_CTS);
	out(&s, UART_MCR, UART_MCR_LOOP | UART_MCR_OUT1);
	assert_int_equal(in(&s, UART_MSR),
			 UART_MSR_RI | UART_MSR_DCTS | UART_MSR_DDCD);
	out(&s, UART_MCR, UART_MCR_LOOP);
	assert_int_equal(in(&s, UART_MSR), UART_MSR_TERI);
	assert_int_equal(in(&s, UART_MSR), 0);
	serial_release(&s);
}

static void
test_serial__overrun_keeps_fifo_and_is_cleared_by_reading(void **state)
{
	struct serial s;

	serial_init(&s, NULL);
	loop_back(&s);
	for (unsigned int i = 0; i < SERIAL_FIFO_LEN + 1; i++)
		out(&s, UART_TX, (u8)i);
	assert_int_equal(in(&s, UART_LSR), 0x63);
	assert_int_equal(in(&s, UART_LSR), 0x61);
	for (unsigned int i = 0; i < SERIAL_FIFO_LEN; i++)
		assert_int_equal(in(&s, UART_RX), i);
	assert_int_equal(in(&s, UART_LSR), 0x60);
	serial_release(&s);
}

static void test_serial__fcr_clears_fifo_and_lcr_stays(void **state)
{
	struct serial s;

	serial_init(&s, NULL);
	out(&s, UART_LCR, 0x03);
	loop_back(&s);
	out(&s, UART_TX, 'a');
	out(&s, UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR);
	assert_int_equal(in(&s, UART_LSR), 0x60);
	assert_int_equal(in(&s, UART_LCR), 0x03);
	serial_release(&s);
}

static void test_serial__receive_trigger_and_timeout(void **state)
{
	struct serial s;

	serial_init(&s, NULL);
	loop_back(&s);
	out(&s, UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_4);
	out(&s, UART_IER, UART_IER_RDI);
	out(&s, UART_TX, 'a');
	assert_int_equal(in(&s, UART_IIR), 0xcc);
	for (int i = 0; i < 3; i++)
		out(&s, UART_TX, 'b');
	assert_int_equal(in(&s, UART_IIR), 0xc4);
	in(&s, UART_RX);
	assert_int_equal(in(&s, UART_IIR), 0xcc);
	for (int i = 0; i < 3; i++)
		in(&s, UART_RX);
	assert_int_equal(in(&s, UART_IIR), 0xc1);
	serial_release(&s);
}

static void
test_serial__thre_comes_with_enabling_and_goes_with_iir(void **state)
{
	struct serial s;

	serial_init(&s, NULL);
	open_port(&s);
	out(&s, UART_IER, UART_IER_THRI);
	assert_true(irq_level(&s));
	assert_int_equal(in(&s, UART_IIR), 0xc2);
	assert_false(irq_level(&s));
	assert_int_equal(in(&s, UART_IIR), 0xc1);
	out(&s, UART_TX, 'a');
	assert_true(irq_level(&s));
	out(&s, UART_IER, 0);
	assert_false(irq_level(&s));
	out(&s, UART_IER, UART_IER_THRI);
	assert_int_equal(in(&s, UART_IIR), 0xc2);
	serial_release(&s);
}

/* IIR of a higher cause does not acknowledge a lower one. */
static void test_serial__interrupt_priorities(void **state)
{
	struct serial s;

	serial_init(&s, NULL);
	loop_back(&s);
	for (unsigned int i = 0; i < SERIAL_FIFO_LEN + 1; i++)
		out(&s, UART_TX, 'x');
	out(&s, UART_MCR, UART_MCR_LOOP | UART_MCR_RTS);
	out(&s, UART_IER, 0x0f);
	assert_int_equal(in(&s, UART_IIR), 0xc6);
	in(&s, UART_LSR);
	assert_int_equal(in(&s, UART_IIR), 0xc4);
	for (unsigned int i = 0; i < SERIAL_FIFO_LEN; i++)
		in(&s, UART_RX);
	assert_int_equal(in(&s, UART_IIR), 0xc2);
	assert_int_equal(in(&s, UART_IIR), 0xc0);
	in(&s, UART_MSR);
	assert_int_equal(in(&s, UART_IIR), 0xc1);
	serial_release(&s);
}

static void test_serial__out2_gates_the_line(void **state)
{
	struct serial s;

	serial_init(&s, NULL);
	out(&s, UART_IER, UART_IER_THRI);
	assert_false(irq_level(&s));
	out(&s, UART_MCR, UART_MCR_OUT2);
	assert_true(irq_level(&s));
	out(&s, UART_MCR, UART_MCR_OUT2 | UART_MCR_LOOP);
	assert_false(irq_level(&s));
	serial_release(&s);
}

static void test_serial__wide_access_is_split(void **state)
{
	struct serial s;
	struct bus_access acc = { .offset = 5, .size = 4 };

	serial_init(&s, NULL);
	out(&s, UART_SCR, 0x12);
	serial_access(&s, &acc);
	assert_int_equal(acc.value, 0xff12b060);
	serial_release(&s);
}

/* ---- With a chardev ---- */

struct fixture {
	struct fake_chardev fake;
	struct serial s;
};

static void connect(struct fixture *f)
{
	fake_chardev_open(&f->fake, 4096);
	serial_init(&f->s, f->fake.chr);
	assert_int_equal(chardev_attach(f->fake.chr, &f->fake.loop,
					&serial_front_ops, &f->s),
			 0);
}

static void disconnect(struct fixture *f)
{
	fake_chardev_close(&f->fake, 0);
	serial_release(&f->s);
}

static bool has_input(void *opaque)
{
	return in(opaque, UART_LSR) & UART_LSR_DR;
}

static bool is_empty(void *opaque)
{
	return in(opaque, UART_LSR) & UART_LSR_THRE;
}

static void test_serial__output_reaches_the_chardev(void **state)
{
	struct fixture f;

	connect(&f);
	for (const char *p = "hello\r\n"; *p; p++)
		out(&f.s, UART_TX, (u8)*p);
	fake_chardev_expect(&f.fake, "hello\r\n");
	disconnect(&f);
}

static void test_serial__typed_ahead_waits_for_the_driver(void **state)
{
	static const char text[] = "all of this arrives, more than a FIFO";
	struct fixture f;

	connect(&f);
	fake_chardev_type(&f.fake, text);
	usleep(20000);
	pthread_mutex_lock(&f.s.lock);
	assert_int_equal(f.s.rx.count, 0);
	pthread_mutex_unlock(&f.s.lock);
	open_port(&f.s);
	for (const char *p = text; *p; p++) {
		assert_true(wait_until(has_input, &f.s));
		assert_int_equal(in(&f.s, UART_RX), *p);
	}
	disconnect(&f);
}

static void test_serial__polling_guest_gets_input(void **state)
{
	struct fixture f;

	connect(&f);
	fake_chardev_type(&f.fake, "xy");
	assert_true(wait_until(has_input, &f.s));
	assert_int_equal(in(&f.s, UART_RX), 'x');
	assert_true(wait_until(has_input, &f.s));
	assert_int_equal(in(&f.s, UART_RX), 'y');
	disconnect(&f);
}

static void test_serial__stopped_reader_holds_the_transmitter(void **state)
{
	struct fixture f;
	size_t sent = 0;
	int quiet;

	connect(&f);
	open_port(&f.s);
	out(&f.s, UART_IER, UART_IER_THRI);
	/* Pipe and buffer fill up, at last; each write returns at once. */
	for (quiet = 0; quiet < 10; quiet++) {
		for (; is_empty(&f.s); quiet = 0) {
			out(&f.s, UART_TX, 'x');
			sent++;
			assert_true(sent < 100000);
		}
		usleep(10000);
	}
	in(&f.s, UART_IIR);
	assert_false(irq_level(&f.s));
	assert_true(fake_chardev_drain(&f.fake, sent) == sent);
	assert_true(wait_until(is_empty, &f.s));
	assert_true(irq_level(&f.s));
	disconnect(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_serial__reset_values),
		cmocka_unit_test(test_serial__writable_bits),
		cmocka_unit_test(test_serial__divisor_latch_hides_data_and_ier),
		cmocka_unit_test(
			test_serial__iir_shows_fifos_only_when_enabled),
		cmocka_unit_test(test_serial__loopback_data),
		cmocka_unit_test(test_serial__loopback_modem_lines_and_deltas),
		cmocka_unit_test(
			test_serial__overrun_keeps_fifo_and_is_cleared_by_reading),
		cmocka_unit_test(test_serial__fcr_clears_fifo_and_lcr_stays),
		cmocka_unit_test(test_serial__receive_trigger_and_timeout),
		cmocka_unit_test(
			test_serial__thre_comes_with_enabling_and_goes_with_iir),
		cmocka_unit_test(test_serial__interrupt_priorities),
		cmocka_unit_test(test_serial__out2_gates_the_line),
		cmocka_unit_test(test_serial__wide_access_is_split),
		cmocka_unit_test(test_serial__output_reaches_the_chardev),
		cmocka_unit_test(test_serial__typed_ahead_waits_for_the_driver),
		cmocka_unit_test(test_serial__polling_guest_gets_input),
		cmocka_unit_test(
			test_serial__stopped_reader_holds_the_transmitter),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
